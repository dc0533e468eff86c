// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cpio.h"
#include "base/io.h"
#include "base/path.h"
#include "base/xxh64.h"
#include "vm/closure.h"
#include "vm/elfloaded.h"
#include "vm/guestpath.h"
#include "vm/imagelibs.h"

enum {
	ENTRIES_MAX = 8192,
	SCRIPT_DEPTH_MAX = 4,
	FIRST_LINE_MAX = 256,
	COMPARE_BYTES = 65536,
	LOADED_MAX = 64 << 20, /* programs beyond it are packed whole */
};

/* fw_cfg counts a file's bytes in 32 bits, and QEMU keeps all of them in memory. */
#define ARCHIVE_MAX (512ull << 20) /* what the agent reads */

struct item {
	char *name;	 /* in the guest, without a leading slash */
	char *host_path; /* a file; NULL: a link or folder */
	char *target;	 /* a link */
	dev_t dev;
	ino_t ino;
	bool implied;  /* an interpreter or library nobody asked for by name */
	bool in_image; /* so it is left out */
	bool loaded;   /* only what runs of it */
};

struct pack {
	char *path;
	int fd;
	bool finished;
	struct item *items;
	size_t nr_items;
	struct library_dirs dirs;
	const struct vm_image *image; /* NULL: without libraries */
};

/* What one pack_add() is about: for messages and recursion. */
struct addition {
	struct pack *pack;
	const char *program;
	int depth;
	bool loaded; /* of the program, only what runs */
};

static int add_file(struct addition *a, const char *host_path, const char *guest_path, bool implied,
		    struct ktstr_error *err);

static void item_deinit(struct item *item)
{
	free(item->name);
	free(item->host_path);
	free(item->target);
}

static struct item *find_item(struct pack *pack, const char *name)
{
	for (size_t i = 0; i < pack->nr_items; i++)
		if (!strcmp(pack->items[i].name, name))
			return &pack->items[i];
	return NULL;
}

int pack_create(const char *path, struct pack **ret_pack, struct ktstr_error *err)
{
	struct pack *pack = calloc(1, sizeof(*pack));
	int r;

	if (!pack)
		return ktstr_error_nomem(err);
	pack->fd = -1;
	pack->path = strdup(path);
	r = pack->path ? library_dirs_read(&pack->dirs, "/etc/ld.so.conf", err)
		       : ktstr_error_nomem(err);
	if (r == 0) {
		pack->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (pack->fd < 0)
			r = ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno));
	}
	if (r < 0) {
		pack_destroy(pack);
		return r;
	}
	*ret_pack = pack;
	return 0;
}

void pack_leave_out(struct pack *pack, const struct vm_image *image)
{
	pack->image = image;
}

/* Takes what @item holds, also on failure. */
static int append(struct pack *pack, struct item *item, struct ktstr_error *err)
{
	struct item *grown;

	if (pack->nr_items == ENTRIES_MAX) {
		item_deinit(item);
		return ktstr_error_set(err, -E2BIG, "more than %d files for one guest",
				       ENTRIES_MAX);
	}
	grown = reallocarray(pack->items, pack->nr_items + 1, sizeof(*grown));
	if (!grown) {
		item_deinit(item);
		return ktstr_error_nomem(err);
	}
	pack->items = grown;
	grown[pack->nr_items++] = *item;
	return 0;
}

/* Return: 1 if both files have the same bytes, 0 if not or if one cannot be read. */
static int same_bytes(const char *a_path, const char *b_path)
{
	_cleanup_close_ int a = open(a_path, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int b = open(b_path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *chunk = malloc(2 * (size_t)COMPARE_BYTES);
	struct stat a_stat, b_stat;

	if (a < 0 || b < 0 || !chunk || fstat(a, &a_stat) < 0 || fstat(b, &b_stat) < 0 ||
	    a_stat.st_size != b_stat.st_size)
		return 0;
	for (off_t at = 0; at < a_stat.st_size;) {
		ssize_t n = pread(a, chunk, COMPARE_BYTES, at);

		if (n <= 0 || pread(b, chunk + COMPARE_BYTES, (size_t)n, at) != n ||
		    memcmp(chunk, chunk + COMPARE_BYTES, (size_t)n))
			return 0;
		at += n;
	}
	return 1;
}

static bool same_content(const struct item *a, const struct item *b)
{
	if (a->target || b->target)
		return a->target && b->target && !strcmp(a->target, b->target);
	return (a->dev == b->dev && a->ino == b->ino) || same_bytes(a->host_path, b->host_path);
}

/* Takes what @item holds, also on failure. */
static int place(struct pack *pack, struct item *item, struct ktstr_error *err)
{
	struct item *there = find_item(pack, item->name);
	int r = 0;

	if (!there)
		return append(pack, item, err);
	if (same_content(there, item)) {
		there->implied &= item->implied;
		there->loaded &= item->loaded;
	} else if (there->implied && !item->implied) {
		struct item old = *there;

		*there = *item;
		*item = old;
	} else if (!(item->implied && !there->implied)) {
		r = ktstr_error_set(err, -EEXIST,
				    "two different files for '/%s' in the guest: '%s' and '%s'",
				    item->name, there->target ? there->target : there->host_path,
				    item->target ? item->target : item->host_path);
	}
	item_deinit(item);
	return r;
}

static int add_library(void *arg, const char *name, const char *host_path, struct ktstr_error *err)
{
	struct addition *a = arg;
	_cleanup_free_ char *guest_path =
		strchr(name, '/') ? strdup(name) : path_format("/usr/lib/%s", name);
	struct item item = { 0 };
	struct stat st;

	if (!guest_path)
		return ktstr_error_nomem(err);
	if (stat(host_path, &st) < 0)
		return ktstr_error_set(err, -errno, "'%s', needed by '%s': %s", host_path,
				       a->program, strerror(errno));
	item.name = guest_path_canonical(guest_path);
	item.host_path = strdup(host_path);
	item.dev = st.st_dev;
	item.ino = st.st_ino;
	if (!item.name || !item.host_path) {
		item_deinit(&item);
		return ktstr_error_set(err, -EINVAL, "'%s' is no path for a guest", guest_path);
	}
	item.in_image = a->pack->image && imagelibs_has(a->pack->image, item.name, &st);
	return place(a->pack, &item, err);
}

/* "#!/usr/bin/env NAME" finds NAME in the guest's PATH, so that comes along too. */
static int add_env_program(struct addition *a, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *host_path = path_find_program(name, err);
	_cleanup_free_ char *guest_path = path_format("/usr/bin/%s", path_base(name));

	if (!host_path)
		return ktstr_error_wrap(err, -ENOENT, "interpreter of script '%s'", a->program);
	return guest_path ? add_file(a, host_path, guest_path, true, err) : ktstr_error_nomem(err);
}

static int add_interpreter(struct addition *a, const char *host_path, struct ktstr_error *err)
{
	struct addition inner = { .pack = a->pack, .program = host_path, .depth = a->depth + 1 };
	char line[FIRST_LINE_MAX] = "", *interpreter, *argument;
	_cleanup_close_ int fd = open(host_path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 3 || line[0] != '#' || line[1] != '!')
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	interpreter = line + 2 + strspn(line + 2, " \t");
	argument = interpreter + strcspn(interpreter, " \t");
	if (*argument)
		*argument++ = '\0';
	argument += strspn(argument, " \t");
	argument[strcspn(argument, " \t")] = '\0';
	if (interpreter[0] != '/' || access(interpreter, X_OK) < 0)
		return ktstr_error_set(err, -ENOENT,
				       "interpreter '%s' of script '%s' is not an executable file "
				       "with an absolute path",
				       interpreter, host_path);
	if (inner.depth > SCRIPT_DEPTH_MAX)
		return ktstr_error_set(err, -ELOOP, "'%s': script of a script of a script ...",
				       host_path);
	r = add_file(&inner, interpreter, interpreter, true, err);
	if (r == 0 && !strcmp(path_base(interpreter), "env") && *argument && *argument != '-')
		r = add_env_program(&inner, argument, err);
	return r;
}

static int add_file(struct addition *a, const char *host_path, const char *guest_path, bool implied,
		    struct ktstr_error *err)
{
	struct closure_opts closure = { host_path, &a->pack->dirs, add_library, a };
	struct item item = { .implied = implied, .loaded = a->loaded };
	struct stat st;
	int r;

	if (stat(host_path, &st) < 0)
		return ktstr_error_set(err, -errno, "'%s': %s", host_path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return ktstr_error_set(err, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
				       "'%s' is not a regular file", host_path);
	if (access(host_path, R_OK) < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", host_path, strerror(errno));
	item.name = guest_path_canonical(guest_path);
	item.host_path = strdup(host_path);
	item.dev = st.st_dev;
	item.ino = st.st_ino;
	if (!item.name || !item.host_path) {
		item_deinit(&item);
		return ktstr_error_set(err, -EINVAL,
				       "'%s' is no absolute path without '.' and '..'", guest_path);
	}
	r = place(a->pack, &item, err);
	if (r == 0)
		r = closure_walk(&closure, err);
	return r == 0 ? add_interpreter(a, host_path, err) : r;
}

int pack_add(struct pack *pack, const char *host_path, const char *guest_path,
	     struct ktstr_error *err)
{
	struct addition a = { .pack = pack, .program = host_path };

	return add_file(&a, host_path, guest_path, false, err);
}

int pack_add_program(struct pack *pack, const char *host_path, const char *guest_path,
		     struct ktstr_error *err)
{
	struct addition a = { .pack = pack, .program = host_path, .loaded = true };

	return add_file(&a, host_path, guest_path, false, err);
}

int pack_link(struct pack *pack, const char *target, const char *guest_path,
	      struct ktstr_error *err)
{
	struct item item = { .name = guest_path_canonical(guest_path), .target = strdup(target) };

	if (!item.name || !item.target || !*target) {
		item_deinit(&item);
		return ktstr_error_set(err, -EINVAL, "'%s' -> '%s' is no link for a guest",
				       guest_path, target);
	}
	return place(pack, &item, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* Adds the folders of @name that @previous, the entry before it, does not share. */
static int write_parents(struct pack *pack, struct cpio_writer *w, const char *previous,
			 const char *name)
{
	int r = 0;

	for (const char *p = strchr(name, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		size_t len = (size_t)(p - name);
		_cleanup_free_ char *dir = NULL;

		if (!strncmp(previous, name, len + 1))
			continue;
		dir = strndup(name, len);
		if (!dir)
			return -ENOMEM;
		if (find_item(pack, dir))
			return -ENOTDIR;
		r = cpio_add(w, &(struct cpio_entry){ .name = dir, .mode = S_IFDIR | 0755 });
	}
	return r;
}

/* @entry but with what only debuggers and hosts read cut off.  Who runs it keeps the program from
 * becoming shorter meanwhile.  Return: 0; 1: that cannot be, so all of it. */
static int write_loaded(struct cpio_writer *w, struct cpio_entry *entry, int fd)
{
	size_t size = entry->size, kept;
	void *bytes;
	int r = 1;

	if (!size || size > LOADED_MAX)
		return 1;
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return 1;
	kept = elfloaded_trim(bytes, size);
	if (kept) {
		entry->size = (uint32_t)kept;
		entry->data = bytes;
		r = cpio_add(w, entry);
	}
	munmap(bytes, size);
	return r;
}

static int write_file(struct cpio_writer *w, const struct item *item)
{
	struct cpio_entry entry = { .name = item->name };
	_cleanup_close_ int fd = open(item->host_path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (w->bytes > ARCHIVE_MAX || (uint64_t)st.st_size > ARCHIVE_MAX - w->bytes)
		return -EFBIG;
	entry.mode = S_IFREG | (st.st_mode & 0111 ? 0755 : 0644);
	entry.size = (uint32_t)st.st_size;
	r = item->loaded ? write_loaded(w, &entry, fd) : 1;
	return r > 0 ? cpio_add_fd(w, &entry, fd) : r;
}

static int refuse_item(const struct item *item, int error, struct ktstr_error *err)
{
	const char *what = error == -EFBIG
				   ? "all files that go along are more than 512 MiB; leave some out"
				   : strerror(-error);

	return ktstr_error_set(err, error, "pack '%s' as '/%s': %s",
			       item->target ? item->target : item->host_path, item->name, what);
}

static int write_items(struct pack *pack, struct cpio_writer *w, struct ktstr_error *err)
{
	const char *previous = "";

	qsort(pack->items, pack->nr_items, sizeof(pack->items[0]), by_name);
	for (size_t i = 0; i < pack->nr_items; i++) {
		const struct item *item = &pack->items[i];
		int r;

		if (item->in_image)
			continue;
		r = write_parents(pack, w, previous, item->name);
		if (r == 0 && item->target)
			r = cpio_add(w,
				     &(struct cpio_entry){ .name = item->name,
							   .mode = S_IFLNK | 0777,
							   .size = (uint32_t)strlen(item->target),
							   .data = item->target });
		else if (r == 0)
			r = write_file(w, item);
		if (r < 0)
			return refuse_item(item, r, err);
		previous = item->name;
	}
	return 0;
}

struct sums {
	struct xxh64 xxh64;
	struct sha256 sha256;
};

static void add_to_sums(void *arg, const void *bytes, size_t len)
{
	struct sums *sums = arg;

	xxh64_update(&sums->xxh64, bytes, len);
	sha256_update(&sums->sha256, bytes, len);
}

int pack_finish(struct pack *pack, struct pack_sums *ret_sums, struct ktstr_error *err)
{
	struct cpio_writer w;
	struct sums sums;
	int r;

	xxh64_init(&sums.xxh64);
	sha256_init(&sums.sha256);
	cpio_writer_to_fd(&w, pack->fd);
	w.tap = add_to_sums;
	w.tap_arg = &sums;
	r = write_items(pack, &w, err);
	if (r < 0)
		return r;
	r = cpio_finish(&w);
	if (r < 0)
		return ktstr_error_set(err, r, "write '%s': %s", pack->path, strerror(-r));
	pack->finished = true;
	ret_sums->bytes = w.bytes;
	ret_sums->xxh64 = xxh64_value(&sums.xxh64);
	sha256_final_hex(&sums.sha256, ret_sums->sha256);
	return 0;
}

void pack_destroy(struct pack *pack)
{
	if (!pack)
		return;
	if (pack->fd >= 0) {
		close(pack->fd);
		if (!pack->finished)
			unlink(pack->path);
	}
	for (size_t i = 0; i < pack->nr_items; i++)
		item_deinit(&pack->items[i]);
	free(pack->items);
	library_dirs_deinit(&pack->dirs);
	free(pack->path);
	free(pack);
}
