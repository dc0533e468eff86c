// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/cpio.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { HEADER_BYTES = 110, MAGIC_BYTES = 6, NR_FIELDS = 13, FIELD_BYTES = 8, ALIGN = 4 };

/* The fields in the order of the header. */
enum field {
	FIELD_INO,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_NLINK,
	FIELD_MTIME,
	FIELD_FILESIZE,
	FIELD_DEVMAJOR,
	FIELD_DEVMINOR,
	FIELD_RDEVMAJOR,
	FIELD_RDEVMINOR,
	FIELD_NAMESIZE,
	FIELD_CHECK
};

static const char magic[] = "070701";
static const char trailer[] = "TRAILER!!!";

static size_t padding(uint64_t at)
{
	return (size_t)(-at & (ALIGN - 1));
}

/* Whether @name is a path below the root in its shortest form. */
static bool name_is_safe(const char *name)
{
	size_t len;

	if (!*name || strlen(name) > CPIO_NAME_MAX)
		return false;
	for (;; name += len + 1) {
		len = strcspn(name, "/");
		if (!len || (len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (!name[len])
			return true;
	}
}

static bool type_is_known(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode);
}

void cpio_writer_to_fd(struct cpio_writer *w, int fd)
{
	*w = (struct cpio_writer){ .fd = fd };
}

void cpio_writer_to_strbuf(struct cpio_writer *w, struct strbuf *out)
{
	*w = (struct cpio_writer){ .fd = -1, .out = out };
}

static int put(struct cpio_writer *w, const void *bytes, size_t len)
{
	w->bytes += len;
	if (w->tap)
		w->tap(w->tap_arg, bytes, len);
	if (!w->out)
		return io_write_all(w->fd, bytes, len);
	strbuf_add(w->out, bytes, len);
	return w->out->error;
}

static int pad(struct cpio_writer *w)
{
	static const char zeros[ALIGN];

	return put(w, zeros, padding(w->bytes));
}

static int put_header(struct cpio_writer *w, const struct cpio_entry *e)
{
	const uint32_t fields[NR_FIELDS] = {
		[FIELD_INO] = e->mode ? ++w->entries : 0,
		[FIELD_MODE] = e->mode,
		[FIELD_NLINK] = S_ISDIR(e->mode) ? 2 : 1,
		[FIELD_FILESIZE] = e->size,
		[FIELD_RDEVMAJOR] = e->rdev_major,
		[FIELD_RDEVMINOR] = e->rdev_minor,
		[FIELD_NAMESIZE] = (uint32_t)strlen(e->name) + 1,
	};
	char header[HEADER_BYTES + 1] = "";
	size_t len = MAGIC_BYTES;
	int r;

	memcpy(header, magic, MAGIC_BYTES);
	for (int i = 0; i < NR_FIELDS; i++, len += FIELD_BYTES)
		snprintf(header + len, sizeof(header) - len, "%08x", fields[i]);
	r = put(w, header, HEADER_BYTES);
	if (r == 0)
		r = put(w, e->name, strlen(e->name) + 1);
	return r < 0 ? r : pad(w);
}

static int check_entry(const struct cpio_entry *e)
{
	if (!name_is_safe(e->name) || !type_is_known(e->mode) || !strcmp(e->name, trailer))
		return -EINVAL;
	return 0;
}

int cpio_add(struct cpio_writer *w, const struct cpio_entry *entry)
{
	int r = check_entry(entry);

	if (r == 0)
		r = put_header(w, entry);
	if (r == 0)
		r = put(w, entry->data, entry->size);
	return r < 0 ? r : pad(w);
}

int cpio_add_fd(struct cpio_writer *w, const struct cpio_entry *entry, int fd)
{
	size_t left = entry->size;
	char chunk[65536];
	int r = check_entry(entry);

	if (r == 0)
		r = put_header(w, entry);
	while (r == 0 && left) {
		ssize_t n = read(fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		r = put(w, chunk, (size_t)n);
		left -= (size_t)n;
	}
	return r < 0 ? r : pad(w);
}

int cpio_finish(struct cpio_writer *w)
{
	return put_header(w, &(struct cpio_entry){ .name = trailer });
}

struct source {
	const unsigned char *bytes;
	size_t size;
	size_t at;
	struct ktstr_error *err;
};

static int damaged(struct source *s, const char *why)
{
	return ktstr_error_set(s->err, -EINVAL, "cpio archive: %s at byte %zu", why, s->at);
}

static int parse_hex(const unsigned char *text, uint32_t *ret_value)
{
	uint32_t value = 0;

	for (int i = 0; i < FIELD_BYTES; i++) {
		unsigned char c = text[i];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10u;
		else
			return -EINVAL;
		value = value << 4 | digit;
	}
	*ret_value = value;
	return 0;
}

/* What is wrong with a header, or NULL. */
static const char *parse_header(const unsigned char *bytes, uint32_t *fields)
{
	if (memcmp(bytes, magic, MAGIC_BYTES))
		return "no newc header";
	for (int i = 0; i < NR_FIELDS; i++)
		if (parse_hex(bytes + MAGIC_BYTES + i * FIELD_BYTES, &fields[i]) < 0)
			return "a number that is not hexadecimal";
	return NULL;
}

static int take_header(struct source *s, uint32_t *fields)
{
	const char *fault;

	if (s->size - s->at < HEADER_BYTES)
		return damaged(s, "cut short");
	fault = parse_header(s->bytes + s->at, fields);
	if (fault)
		return damaged(s, fault);
	s->at += HEADER_BYTES;
	return 0;
}

/* Steps over @size bytes and their padding, which may be missing at the very end. */
static int skip(struct source *s, uint32_t size)
{
	size_t zeros;

	if (size > s->size - s->at)
		return damaged(s, "cut short");
	s->at += size;
	zeros = padding(s->at);
	s->at += zeros < s->size - s->at ? zeros : s->size - s->at;
	return 0;
}

/* What is wrong with an entry whose content is not known yet, or NULL. */
static const char *entry_fault(const struct cpio_entry *e, uint32_t nlink)
{
	if (!name_is_safe(e->name))
		return "a name that leaves the root or is not in its shortest form";
	if (!type_is_known(e->mode))
		return "a file type other than file, folder, link or character device";
	if (S_ISREG(e->mode) && nlink > 1)
		return "a hard link";
	if ((S_ISDIR(e->mode) || S_ISCHR(e->mode)) && e->size)
		return "content where there can be none";
	return NULL;
}

static const char *target_fault(const struct cpio_entry *e)
{
	return !e->size || memchr(e->data, '\0', e->size) ? "a link without a proper target" : NULL;
}

static int check_read(struct source *s, const struct cpio_entry *e, const uint32_t *fields)
{
	const char *fault = entry_fault(e, fields[FIELD_NLINK]);

	if (!fault && S_ISLNK(e->mode))
		fault = target_fault(e);
	return fault ? damaged(s, fault) : 0;
}

/* Return: 1 and an entry, 0 at the trailer, -errno. */
static int take_entry(struct source *s, struct cpio_entry *ret_entry)
{
	uint32_t fields[NR_FIELDS], name_size;
	const char *name;
	int r = take_header(s, fields);

	if (r < 0)
		return r;
	name_size = fields[FIELD_NAMESIZE];
	if (name_size > CPIO_NAME_MAX + 1)
		return ktstr_error_set(s->err, -E2BIG,
				       "cpio archive: a name of %u bytes at byte %zu", name_size,
				       s->at);
	name = (const char *)s->bytes + s->at;
	r = skip(s, name_size);
	if (r < 0)
		return r;
	if (!name_size || strnlen(name, name_size) != name_size - 1)
		return damaged(s, "a name that is not terminated where its length says");
	*ret_entry = (struct cpio_entry){ .name = name,
					  .mode = fields[FIELD_MODE],
					  .rdev_major = fields[FIELD_RDEVMAJOR],
					  .rdev_minor = fields[FIELD_RDEVMINOR],
					  .size = fields[FIELD_FILESIZE],
					  .data = s->bytes + s->at };
	r = skip(s, ret_entry->size);
	if (r < 0)
		return r;
	if (!strcmp(name, trailer))
		return ret_entry->size ? damaged(s, "a trailer with content") : 0;
	r = check_read(s, ret_entry, fields);
	return r < 0 ? r : 1;
}

int cpio_read(const void *bytes, size_t size, cpio_entry_fn fn, void *arg, struct ktstr_error *err)
{
	struct source s = { .bytes = bytes, .size = size, .err = err };
	struct cpio_entry entry;
	int r;

	for (unsigned int n = 0; (r = take_entry(&s, &entry)) > 0; n++) {
		if (n == CPIO_ENTRIES_MAX)
			return ktstr_error_set(err, -E2BIG, "cpio archive: more than %d entries",
					       CPIO_ENTRIES_MAX);
		r = fn(arg, &entry);
		if (r < 0)
			return r;
	}
	for (; r == 0 && s.at < size; s.at++)
		if (s.bytes[s.at])
			return damaged(&s, "something after the trailer");
	return r;
}

/* --- in pieces ---------------------------------------------------------------------------- */

void cpio_stream_init(struct cpio_stream *s, const struct cpio_stream_ops *ops, void *arg)
{
	*s = (struct cpio_stream){ .ops = ops, .arg = arg, .left = HEADER_BYTES };
}

static int stream_damaged(const struct cpio_stream *s, const char *why, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EINVAL, "cpio archive: %s at byte %llu", why,
			       (unsigned long long)s->at);
}

static void enter(struct cpio_stream *s, enum cpio_state state, uint32_t left)
{
	s->state = state;
	s->left = left;
	s->held = 0;
}

static int end_entry(struct cpio_stream *s)
{
	s->skip = (uint32_t)padding(s->at);
	enter(s, CPIO_HEADER, HEADER_BYTES);
	return s->ops->end(s->arg);
}

static int end_header(struct cpio_stream *s, struct ktstr_error *err)
{
	uint32_t fields[NR_FIELDS];
	const char *fault = parse_header((const unsigned char *)s->text, fields);

	if (fault)
		return stream_damaged(s, fault, err);
	if (!fields[FIELD_NAMESIZE] || fields[FIELD_NAMESIZE] > CPIO_NAME_MAX + 1)
		return stream_damaged(s, "a name that is empty or too long", err);
	s->nlink = fields[FIELD_NLINK];
	s->entry = (struct cpio_entry){ .name = s->name,
					.mode = fields[FIELD_MODE],
					.rdev_major = fields[FIELD_RDEVMAJOR],
					.rdev_minor = fields[FIELD_RDEVMINOR],
					.size = fields[FIELD_FILESIZE] };
	enter(s, CPIO_NAME, fields[FIELD_NAMESIZE]);
	return 0;
}

static int end_name(struct cpio_stream *s, struct ktstr_error *err)
{
	const struct cpio_entry *e = &s->entry;
	const char *fault;
	int r;

	if (strnlen(s->text, s->held) != s->held - 1)
		return stream_damaged(s, "a name that is not terminated where its length says",
				      err);
	memcpy(s->name, s->text, s->held);
	s->skip = (uint32_t)padding(s->at);
	if (!strcmp(s->name, trailer)) {
		enter(s, CPIO_DONE, 0);
		return e->size ? stream_damaged(s, "a trailer with content", err) : 0;
	}
	fault = entry_fault(e, s->nlink);
	if (!fault && S_ISLNK(e->mode) && (!e->size || e->size > CPIO_TARGET_MAX))
		fault = "a link whose target is empty or too long";
	if (fault)
		return stream_damaged(s, fault, err);
	if (++s->entries > CPIO_ENTRIES_MAX)
		return ktstr_error_set(err, -E2BIG, "cpio archive: more than %d entries",
				       CPIO_ENTRIES_MAX);
	if (S_ISLNK(e->mode)) {
		enter(s, CPIO_TARGET, e->size);
		return 0;
	}
	r = s->ops->begin(s->arg, e);
	enter(s, CPIO_DATA, e->size);
	return r;
}

static int end_target(struct cpio_stream *s, struct ktstr_error *err)
{
	int r;

	s->entry.data = s->text;
	if (target_fault(&s->entry))
		return stream_damaged(s, target_fault(&s->entry), err);
	r = s->ops->begin(s->arg, &s->entry);
	return r < 0 ? r : end_entry(s);
}

static int end_state(struct cpio_stream *s, struct ktstr_error *err)
{
	switch (s->state) {
	case CPIO_HEADER:
		return end_header(s, err);
	case CPIO_NAME:
		return end_name(s, err);
	case CPIO_TARGET:
		return end_target(s, err);
	default:
		return end_entry(s);
	}
}

/* Takes bytes of what is being read now.  Return: how many, -errno. */
static int64_t take_some(struct cpio_stream *s, const char *bytes, size_t size,
			 struct ktstr_error *err)
{
	size_t n = size < s->left ? size : s->left;
	int r;

	if (s->skip) {
		n = size < s->skip ? size : s->skip;
		s->skip -= (uint32_t)n;
		return (int64_t)n;
	}
	if (s->state == CPIO_DONE)
		return *bytes ? stream_damaged(s, "something after the trailer", err) : 1;
	if (s->state == CPIO_DATA) {
		r = s->ops->data(s->arg, bytes, n);
		if (r < 0)
			return r;
	} else {
		memcpy(s->text + s->held, bytes, n);
		s->held += (uint32_t)n;
	}
	s->left -= (uint32_t)n;
	return (int64_t)n;
}

int cpio_stream_feed(struct cpio_stream *s, const void *bytes, size_t size, struct ktstr_error *err)
{
	const char *p = bytes;

	while (size) {
		int64_t n = take_some(s, p, size, err);
		int r = 0;

		if (n < 0)
			return (int)n;
		p += n;
		size -= (size_t)n;
		s->at += (uint64_t)n;
		/* A file without content ends where it begins. */
		while (r == 0 && !s->skip && !s->left && s->state != CPIO_DONE)
			r = end_state(s, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int cpio_stream_finish(const struct cpio_stream *s, struct ktstr_error *err)
{
	if (s->state != CPIO_DONE)
		return stream_damaged(s, "cut short", err);
	return 0;
}
