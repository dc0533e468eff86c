// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cpio.h"
#include "base/io.h"
#include "guest/job.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct strbuf archive;
static struct cpio_writer writer;
static struct ktstr_error err;
static struct job job;
static int root_fd;

static void add(const char *name, uint32_t mode, const char *data)
{
	assert_int_equal(cpio_add(&writer, &(struct cpio_entry){ .name = name,
								 .mode = mode,
								 .size = (uint32_t)strlen(data),
								 .data = data }),
			 0);
}

static void expect_archive(void)
{
	struct xxh64 sum;

	xxh64_init(&sum);
	xxh64_update(&sum, archive.data, archive.len);
	job.files_bytes = archive.len;
	job.files_xxh64 = xxh64_value(&sum);
}

/* In two halves, as windows cut where they like. */
static int unpack(void)
{
	static struct unpack u;
	size_t half = archive.len / 2;
	int r;

	assert_int_equal(cpio_finish(&writer), 0);
	expect_archive();
	unpack_init(&u, root_fd);
	r = unpack_feed(&u, archive.data, half, &err);
	if (r == 0)
		r = unpack_feed(&u, archive.data + half, archive.len - half, &err);
	if (r == 0)
		r = unpack_finish(&u, &job, &err);
	unpack_deinit(&u);
	return r;
}

static int set_up(void **state)
{
	(void)state;
	job = (struct job){ 0 };
	scratch_create(&scratch);
	archive = (struct strbuf)STRBUF_INIT;
	cpio_writer_to_strbuf(&writer, &archive);
	root_fd = open(scratch.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(root_fd);
	strbuf_deinit(&archive);
	scratch_destroy(&scratch);
	return 0;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static void check_text(const char *name, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;

	assert_int_equal(io_read_file(scratch_path(&scratch, name), &text, &err), 0);
	assert_string_equal(strbuf_str(&text), wanted);
	strbuf_deinit(&text);
}

static void files_folders_and_links_are_there(void **state)
{
	char target[64] = "";

	(void)state;
	add("bin", 040755, "");
	add("bin/test", 0100755, "#!test");
	add("empty", 0100600, "");
	add("secret", 040700, "");
	add("bin/link", 0120777, "test");
	assert_int_equal(unpack(), 0);
	assert_int_equal(mode_of("bin/test"), 0100755);
	assert_int_equal(mode_of("empty"), 0100600);
	assert_int_equal(mode_of("secret"), 040700);
	check_text("bin/test", "#!test");
	check_text("bin/link", "#!test");
	assert_int_equal(readlinkat(root_fd, "bin/link", target, sizeof(target)), 4);
}

static void what_is_there_is_replaced(void **state)
{
	int fd;

	(void)state;
	scratch_text(&scratch, "bin/test", "old");
	scratch_text(&scratch, "bin/link", "old");
	fd = open(scratch_path(&scratch, "bin/test"), O_RDONLY | O_CLOEXEC);
	add("bin", 040755, "");
	add("bin/test", 0100755, "new");
	add("bin/link", 0120777, "test");
	assert_int_equal(unpack(), 0);
	check_text("bin/test", "new");
	check_text("bin/link", "new");
	/* A program that runs keeps its old file. */
	assert_int_equal(read(fd, (char[8]){ 0 }, 8), 3);
	close(fd);
}

static int feed(const void *bytes, size_t size)
{
	static struct unpack u;
	int r;

	unpack_init(&u, root_fd);
	r = unpack_feed(&u, bytes, size, &err);
	if (r == 0)
		r = unpack_finish(&u, &job, &err);
	unpack_deinit(&u);
	return r;
}

static void no_files_are_fine_if_the_job_says_so(void **state)
{
	(void)state;
	expect_archive();
	assert_int_equal(feed("", 0), 0);
	job.files_bytes = 1;
	assert_int_equal(feed("", 0), -EBADMSG);
	assert_non_null(strstr(err.text, "0 bytes with XXH64 ef46db3751d8e999, the job says 1"));
}

/* Whole as an archive, and yet not the one that was sent. */
static void another_archive_is_refused(void **state)
{
	(void)state;
	add("file", 0100644, "content");
	assert_int_equal(cpio_finish(&writer), 0);
	expect_archive();
	assert_int_equal(feed(archive.data, archive.len), 0);
	*(char *)memmem(archive.data, archive.len, "content", 7) = 'k';
	assert_int_equal(feed(archive.data, archive.len), -EBADMSG);
	assert_non_null(strstr(err.text, "arrived damaged"));
	*(char *)memmem(archive.data, archive.len, "kontent", 7) = 'c';
	strbuf_add(&archive, "\0\0\0\0", 4);
	assert_int_equal(feed(archive.data, archive.len), -EBADMSG);
	expect_archive();
	assert_int_equal(feed(archive.data, archive.len), 0);
}

static void a_folder_that_is_a_file_is_refused(void **state)
{
	(void)state;
	scratch_text(&scratch, "bin", "file");
	add("bin", 040755, "");
	assert_int_equal(unpack(), -ENOTDIR);
	assert_non_null(strstr(err.text, "'/bin'"));
}

static void a_file_in_no_folder_is_refused(void **state)
{
	(void)state;
	add("nowhere/file", 0100644, "x");
	assert_int_equal(unpack(), -ENOENT);
	assert_non_null(strstr(err.text, "'/nowhere/file'"));
}

static void a_cut_archive_is_noticed(void **state)
{
	(void)state;
	add("file", 0100644, "content");
	expect_archive();
	assert_int_equal(feed(archive.data, archive.len), -EINVAL);
	assert_non_null(strstr(err.text, "the job's files: cpio archive: cut short"));
	assert_int_equal(feed(archive.data, archive.len - 4), -EBADMSG);
}

static void a_large_file_is_whole(void **state)
{
	static char large[4 << 20];

	(void)state;
	for (size_t i = 0; i < sizeof(large) - 1; i++)
		large[i] = (char)('a' + i % 23);
	add("large", 0100644, large);
	add("after", 0100644, "x");
	assert_int_equal(unpack(), 0);
	check_text("large", large);
	check_text("after", "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_folders_and_links_are_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_there_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_files_are_fine_if_the_job_says_so, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_archive_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_is_a_file_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_in_no_folder_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_archive_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_file_is_whole, set_up, tear_down),
	};

	umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
