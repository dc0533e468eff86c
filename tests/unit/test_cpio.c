// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/cpio.h"
#include "base/io.h"

static const struct cpio_entry sample[] = {
	{ .name = "dev", .mode = S_IFDIR | 0755 },
	{ .name = "dev/console", .mode = S_IFCHR | 0600, .rdev_major = 5, .rdev_minor = 1 },
	{ .name = "empty", .mode = S_IFREG | 0644 },
	{ .name = "init", .mode = S_IFREG | 0755, .size = 5, .data = "hello" },
	{ .name = "lib", .mode = S_IFLNK | 0777, .size = 7, .data = "usr/lib" },
};

enum { NR_SAMPLE = sizeof(sample) / sizeof(sample[0]) };

static void add_sample(struct cpio_writer *w)
{
	for (size_t i = 0; i < NR_SAMPLE; i++)
		assert_int_equal(cpio_add(w, &sample[i]), 0);
	assert_int_equal(cpio_finish(w), 0);
}

static int compare_entry(void *arg, const struct cpio_entry *e)
{
	size_t *next = arg;
	const struct cpio_entry *want = &sample[*next];

	assert_true(*next < NR_SAMPLE);
	assert_string_equal(e->name, want->name);
	assert_int_equal(e->mode, want->mode);
	assert_int_equal(e->rdev_major, want->rdev_major);
	assert_int_equal(e->rdev_minor, want->rdev_minor);
	assert_int_equal(e->size, want->size);
	if (e->size)
		assert_memory_equal(e->data, want->data, e->size);
	++*next;
	return 0;
}

static int count_entry(void *arg, const struct cpio_entry *e)
{
	(void)e;
	++*(size_t *)arg;
	return 0;
}

static void what_is_written_is_read(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;
	size_t seen = 0;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	assert_int_equal(w.bytes, out.len);
	assert_int_equal(cpio_read(out.data, out.len, compare_entry, &seen, NULL), 0);
	assert_int_equal(seen, NR_SAMPLE);
	strbuf_deinit(&out);
}

static void file_and_memory_archives_are_equal(void **state)
{
	struct strbuf in_memory = STRBUF_INIT, in_file = STRBUF_INIT;
	struct cpio_entry entry = { .name = "init", .mode = S_IFREG | 0755, .size = 5 };
	struct scratch scratch;
	struct cpio_writer w;
	int fd, data_fd;

	(void)state;
	scratch_create(&scratch);
	data_fd = open(scratch_text(&scratch, "data", "hello"), O_RDONLY | O_CLOEXEC);
	fd = open(scratch_path(&scratch, "archive"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && data_fd >= 0);
	cpio_writer_to_fd(&w, fd);
	assert_int_equal(cpio_add_fd(&w, &entry, data_fd), 0);
	assert_int_equal(cpio_finish(&w), 0);
	entry.data = "hello";
	cpio_writer_to_strbuf(&w, &in_memory);
	assert_int_equal(cpio_add(&w, &entry), 0);
	assert_int_equal(cpio_finish(&w), 0);
	assert_int_equal(io_read_file(scratch_path(&scratch, "archive"), &in_file, NULL), 0);
	assert_int_equal(in_file.len, in_memory.len);
	assert_memory_equal(in_file.data, in_memory.data, in_memory.len);
	/* The file has been read to its end by now. */
	assert_int_equal(cpio_add_fd(&w, &entry, data_fd), -EIO);
	close(fd);
	close(data_fd);
	strbuf_deinit(&in_memory);
	strbuf_deinit(&in_file);
	scratch_destroy(&scratch);
}

static void writer_refuses_what_the_reader_would(void **state)
{
	static const char *const names[] = { "",    "/etc", "..",      "a/../b", "a//b",      "./a",
					     "a/.", "a/",   "../../x", "a/..",	 "TRAILER!!!" };
	struct strbuf out = STRBUF_INIT;
	char long_name[CPIO_NAME_MAX + 2];
	struct cpio_writer w;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct cpio_entry e = { .name = names[i], .mode = S_IFREG };

		assert_int_equal(cpio_add(&w, &e), -EINVAL);
	}
	memset(long_name, 'a', sizeof(long_name));
	long_name[CPIO_NAME_MAX + 1] = '\0';
	assert_int_equal(cpio_add(&w, &(struct cpio_entry){ .name = long_name, .mode = S_IFREG }),
			 -EINVAL);
	long_name[CPIO_NAME_MAX] = '\0';
	assert_int_equal(cpio_add(&w, &(struct cpio_entry){ .name = long_name, .mode = S_IFREG }),
			 0);
	assert_int_equal(cpio_add(&w, &(struct cpio_entry){ .name = "p", .mode = S_IFIFO }),
			 -EINVAL);
	strbuf_deinit(&out);
}

/* One entry as an enemy would write it: nothing is checked. */
static void forge(struct strbuf *out, const char *name, uint32_t mode, uint32_t nlink,
		  const char *data)
{
	strbuf_addf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 0,
		    0, nlink, 0, (unsigned int)strlen(data), 0, 0, 0, 0,
		    (unsigned int)strlen(name) + 1, 0);
	strbuf_add(out, name, strlen(name) + 1);
	while (out->len % 4)
		strbuf_addch(out, '\0');
	strbuf_addstr(out, data);
	while (out->len % 4)
		strbuf_addch(out, '\0');
}

static void hostile_entries_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint32_t mode, nlink;
		const char *data, *says;
	} cases[] = {
		{ "../etc/passwd", S_IFREG, 1, "x", "leaves the root" },
		{ "a/../../b", S_IFREG, 1, "x", "leaves the root" },
		{ "a/..", S_IFREG, 1, "x", "leaves the root" },
		{ "/etc/passwd", S_IFREG, 1, "x", "leaves the root" },
		{ "", S_IFREG, 1, "x", "leaves the root" },
		{ ".", S_IFDIR, 2, "", "leaves the root" },
		{ "a//b", S_IFREG, 1, "x", "shortest form" },
		{ "a/", S_IFDIR, 2, "", "shortest form" },
		{ "f", S_IFREG, 2, "x", "hard link" },
		{ "f", S_IFIFO, 1, "", "file type" },
		{ "f", S_IFBLK, 1, "", "file type" },
		{ "f", S_IFSOCK, 1, "", "file type" },
		{ "f", 0, 1, "", "file type" },
		{ "d", S_IFDIR, 2, "x", "content" },
		{ "l", S_IFLNK, 1, "", "proper target" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf out = STRBUF_INIT;
		struct ktstr_error err = { 0 };
		size_t seen = 0;

		forge(&out, cases[i].name, cases[i].mode, cases[i].nlink, cases[i].data);
		forge(&out, "TRAILER!!!", 0, 1, "");
		assert_int_equal(cpio_read(out.data, out.len, count_entry, &seen, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' is not in '%s'", cases[i].says, err.text);
		assert_int_equal(seen, 0);
		strbuf_deinit(&out);
	}
}

static void cut_archives_are_refused_at_every_length(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	/* The three bytes behind the trailer's name carry nothing. */
	for (size_t len = 0; len < out.len - 3; len++) {
		char *copy = malloc(len ? len : 1);
		size_t seen = 0;

		assert_non_null(copy);
		memcpy(copy, out.data, len);
		assert_int_equal(cpio_read(copy, len, count_entry, &seen, NULL), -EINVAL);
		free(copy);
	}
	strbuf_deinit(&out);
}

static void damaged_headers_are_refused(void **state)
{
	static const struct {
		size_t at;
		char byte;
		int code;
	} cases[] = {
		{ 0, 'x', -EINVAL },   /* magic */
		{ 5, '2', -EINVAL },   /* the format with checksums */
		{ 6, 'g', -EINVAL },   /* not hexadecimal */
		{ 54, 'f', -EINVAL },  /* file size beyond the archive */
		{ 94, 'f', -E2BIG },   /* name size */
		{ 101, '0', -EINVAL }, /* no name */
		{ 101, '2', -EINVAL }, /* name not terminated there */
		{ 113, 'x', -EINVAL }, /* terminator gone */
	};
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char before = out.data[cases[i].at];
		size_t seen = 0;

		out.data[cases[i].at] = cases[i].byte;
		assert_int_equal(cpio_read(out.data, out.len, count_entry, &seen, NULL),
				 cases[i].code);
		assert_int_equal(seen, 0);
		out.data[cases[i].at] = before;
	}
	strbuf_addstr(&out, "more");
	assert_int_equal(cpio_read(out.data, out.len, count_entry, &(size_t){ 0 }, NULL), -EINVAL);
	strbuf_deinit(&out);
}

static void entries_are_counted(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct ktstr_error err = { 0 };
	size_t seen = 0;

	(void)state;
	for (int i = 0; i <= CPIO_ENTRIES_MAX; i++)
		forge(&out, "f", S_IFREG, 1, "");
	forge(&out, "TRAILER!!!", 0, 1, "");
	assert_int_equal(cpio_read(out.data, out.len, count_entry, &seen, &err), -E2BIG);
	assert_int_equal(seen, CPIO_ENTRIES_MAX);
	strbuf_deinit(&out);
}

static int stop_at_first(void *arg, const struct cpio_entry *e)
{
	(void)arg;
	(void)e;
	return -ENOSPC;
}

static void callback_ends_the_reading(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	assert_int_equal(cpio_read(out.data, out.len, stop_at_first, NULL, NULL), -ENOSPC);
	strbuf_deinit(&out);
}

struct collected {
	size_t next;
	struct strbuf data;
	int refuse; /* what begin() returns */
};

static int collect_begin(void *arg, const struct cpio_entry *e)
{
	struct collected *c = arg;
	const struct cpio_entry *want = &sample[c->next];

	if (c->refuse)
		return c->refuse;
	assert_true(c->next < NR_SAMPLE);
	assert_string_equal(e->name, want->name);
	assert_int_equal(e->mode, want->mode);
	assert_int_equal(e->rdev_major, want->rdev_major);
	assert_int_equal(e->size, want->size);
	if (S_ISLNK(e->mode))
		assert_memory_equal(e->data, want->data, e->size);
	else
		assert_null(e->data);
	strbuf_clear(&c->data);
	return 0;
}

static int collect_data(void *arg, const void *bytes, size_t len)
{
	struct collected *c = arg;

	strbuf_add(&c->data, bytes, len);
	return c->data.error;
}

static int collect_end(void *arg)
{
	struct collected *c = arg;
	const struct cpio_entry *want = &sample[c->next++];

	if (S_ISREG(want->mode)) {
		assert_int_equal(c->data.len, want->size);
		if (want->size)
			assert_memory_equal(c->data.data, want->data, want->size);
	}
	return 0;
}

static const struct cpio_stream_ops collect = { collect_begin, collect_data, collect_end };

static void pieces_of_any_size_give_the_same_entries(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	strbuf_add(&out, "\0\0\0", 3);
	for (size_t step = 1; step <= out.len; step++) {
		struct collected c = { .data = STRBUF_INIT };
		struct cpio_stream s;

		cpio_stream_init(&s, &collect, &c);
		for (size_t at = 0; at < out.len; at += step) {
			size_t len = out.len - at < step ? out.len - at : step;

			assert_int_equal(cpio_stream_feed(&s, out.data + at, len, NULL), 0);
		}
		assert_int_equal(cpio_stream_finish(&s, NULL), 0);
		assert_int_equal(c.next, NR_SAMPLE);
		strbuf_deinit(&c.data);
	}
	strbuf_deinit(&out);
}

static int stream_all(const struct strbuf *in, size_t len, int refuse, struct ktstr_error *err)
{
	struct collected c = { .data = STRBUF_INIT, .refuse = refuse };
	struct cpio_stream s;
	int r;

	cpio_stream_init(&s, &collect, &c);
	r = cpio_stream_feed(&s, in->data, len, err);
	strbuf_deinit(&c.data);
	return r < 0 ? r : cpio_stream_finish(&s, err);
}

static void a_cut_stream_is_noticed_at_its_end(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;
	struct ktstr_error err;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	assert_int_equal(stream_all(&out, out.len, 0, &err), 0);
	/* Up to three bytes of padding may be missing, as in cpio_read(). */
	for (size_t len = 0; len < out.len - 3; len++) {
		assert_int_equal(stream_all(&out, len, 0, &err), -EINVAL);
		assert_non_null(strstr(err.text, "cut short"));
	}
	strbuf_deinit(&out);
}

static void a_streams_damage_is_named(void **state)
{
	static const struct {
		size_t at;
		char byte;
		const char *why;
	} damages[] = {
		{ 0, 'x', "no newc header" },
		{ 6, 'x', "not hexadecimal" },
		{ 18, 'f', "a file type" },
		{ 6 + 11 * 8 + 6, 'f', "not terminated" },
		{ 6 + 11 * 8 + 2, 'f', "too long" },
		{ 6 + 6 * 8 + 7, '4', "content where there can be none" },
		{ 110, '/', "leaves the root" },
	};
	struct strbuf out = STRBUF_INIT;
	struct cpio_writer w;
	struct ktstr_error err;

	(void)state;
	cpio_writer_to_strbuf(&w, &out);
	add_sample(&w);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		char before = out.data[damages[i].at];

		out.data[damages[i].at] = damages[i].byte;
		assert_int_equal(stream_all(&out, out.len, 0, &err), -EINVAL);
		if (!strstr(err.text, damages[i].why))
			fail_msg("'%s' is not '%s'", err.text, damages[i].why);
		out.data[damages[i].at] = before;
	}
	strbuf_addch(&out, 'x');
	assert_int_equal(stream_all(&out, out.len, 0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "after the trailer"));
	assert_int_equal(stream_all(&out, out.len, -EROFS, &err), -EROFS);
	strbuf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(file_and_memory_archives_are_equal),
		cmocka_unit_test(writer_refuses_what_the_reader_would),
		cmocka_unit_test(hostile_entries_are_refused),
		cmocka_unit_test(cut_archives_are_refused_at_every_length),
		cmocka_unit_test(damaged_headers_are_refused),
		cmocka_unit_test(entries_are_counted),
		cmocka_unit_test(callback_ends_the_reading),
		cmocka_unit_test(pieces_of_any_size_give_the_same_entries),
		cmocka_unit_test(a_cut_stream_is_noticed_at_its_end),
		cmocka_unit_test(a_streams_damage_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
