// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/cleanup.h"
#include "base/io.h"

static struct scratch scratch;

static void a_file_is_read_whole(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct ktstr_error err = { 0 };
	char *big = malloc(100000);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 100000);
	strbuf_addstr(&out, "old");
	assert_int_equal(io_read_file(scratch_text(&scratch, "f", "new\n"), &out, &err), 0);
	assert_string_equal(strbuf_str(&out), "new\n");
	assert_int_equal(io_read_file(scratch_text(&scratch, "f", ""), &out, &err), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(io_read_file(scratch_write(&scratch, "f", big, 100000, 0600), &out, &err),
			 0);
	assert_int_equal(out.len, 100000);
	assert_memory_equal(out.data, big, 100000);
	strbuf_deinit(&out);
	free(big);
}

static void unreadable_files_are_named(void **state)
{
	struct strbuf out = STRBUF_INIT_LIMIT(4);
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(io_read_file("/nowhere/f", &out, &err), -ENOENT);
	assert_string_equal(err.text, "read '/nowhere/f': No such file or directory");
	assert_int_equal(io_read_file(scratch_text(&scratch, "f", "12345"), &out, &err), -E2BIG);
	assert_non_null(strstr(err.text, "larger than the limit of 4 bytes"));
	assert_int_equal(io_read_file(scratch.dir, &out, &err), -EISDIR);
	strbuf_deinit(&out);
}

static void writing_replaces_the_whole_file(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct stat st;
	const char *path = scratch_text(&scratch, "f", "a long old text");

	(void)state;
	assert_int_equal(io_write_file(path, "new", 3, 0640, NULL), 0);
	assert_int_equal(io_read_file(path, &out, NULL), 0);
	assert_string_equal(strbuf_str(&out), "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0640, 0);
	assert_int_equal(io_write_quickly(path, "newer", 5, 0640, NULL), 0);
	assert_int_equal(io_read_file(path, &out, NULL), 0);
	assert_string_equal(strbuf_str(&out), "newer");
	strbuf_deinit(&out);
}

static void failed_writing_leaves_the_old_file(void **state)
{
	struct ktstr_error err = { 0 };
	const char *dir = scratch_path(&scratch, "d");

	(void)state;
	assert_int_equal(io_write_file("/nowhere/f", "x", 1, 0644, &err), -ENOENT);
	assert_int_equal(io_check_target("/nowhere/f", &err), -ENOENT);
	assert_string_equal(err.text, "write '/nowhere/f': No such file or directory");
	assert_int_equal(io_check_target("", NULL), -ENOENT);
	assert_int_equal(io_check_target("/dev/full", NULL), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	/* A folder cannot be replaced by a file; the temporary file must not stay. */
	assert_int_equal(io_write_file(dir, "x", 1, 0644, &err), -EISDIR);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(scratch.dir), 0);
	assert_int_equal(mkdir(scratch.dir, 0755), 0);
}

static void outputs_are_made_anew(void **state)
{
	const char *path = scratch_path(&scratch, "out");
	struct ktstr_error err;
	int fd = -1;

	(void)state;
	assert_int_equal(io_write_file(path, "old", 3, 0644, NULL), 0);
	assert_int_equal(io_open_output(path, &fd, &err), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	fd = -1;
	assert_int_equal(io_open_output("/nowhere/f", &fd, &err), -ENOENT);
	assert_string_equal(err.text, "create '/nowhere/f': No such file or directory");
	assert_int_equal(fd, -1);
	assert_int_equal(io_open_output("-", &fd, &err), 0);
	assert_int_equal(fd, STDOUT_FILENO);
}

static void a_wrong_path_is_not_a_full_disk(void **state)
{
	static const int wrong[] = { ENOENT, ENOTDIR, EISDIR, EACCES,
				     EPERM,  EROFS,   ELOOP,  ENAMETOOLONG };
	static const int others[] = { ENOSPC, ENOMEM, EIO, EDQUOT, EMFILE, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_true(io_path_is_wrong(-wrong[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(io_path_is_wrong(-others[i]));
}

/* "--junit /dev/null" as root must not leave a file there. */
static void what_is_no_file_is_not_replaced(void **state)
{
	const char *fifo = scratch_path(&scratch, "fifo"), *link = scratch_path(&scratch, "link");
	const char *file = scratch_text(&scratch, "file", "much longer before");
	struct strbuf out = STRBUF_INIT;
	char bytes[8];
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(io_write_file(fifo, "new", 3, 0644, NULL), 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 3);
	close(fd);
	assert_int_equal(lstat(fifo, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(symlink(file, link), 0);
	assert_int_equal(io_write_file(link, "new", 3, 0644, NULL), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(io_read_file(file, &out, NULL), 0);
	assert_string_equal(strbuf_str(&out), "new");
	strbuf_deinit(&out);
}

static void short_writes_say_what_failed(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), fds[2];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, "x", 1), -ENOSPC);
	assert_int_equal(io_write_all(fd, "", 0), 0);
	close(fd);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(io_write_all(fds[0], "x", 1), -EBADF);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(io_write_sysfs("/dev/full", "x"), -ENOSPC);
	assert_int_equal(io_write_sysfs("/nowhere/f", "x"), -ENOENT);
	assert_int_equal(io_write_sysfs("/dev/null", "x"), 0);
}

static void copies_are_equal_or_absent(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct ktstr_error err = { 0 };
	const char *from = scratch_text(&scratch, "from", "content");
	const char *to = scratch_path(&scratch, "to");

	(void)state;
	assert_int_equal(io_copy_file(from, to, 0600, &err), 0);
	assert_int_equal(io_read_file(to, &out, NULL), 0);
	assert_string_equal(strbuf_str(&out), "content");
	assert_int_equal(unlink(to), 0);
	assert_int_equal(io_copy_file("/nowhere/f", to, 0600, &err), -ENOENT);
	assert_int_equal(access(to, F_OK), -1);
	assert_int_equal(io_copy_file(scratch.dir, to, 0600, &err), -EISDIR);
	assert_int_equal(access(to, F_OK), -1);
	assert_int_equal(io_copy_file(from, "/nowhere/f", 0600, &err), -ENOENT);
	strbuf_deinit(&out);
}

/* Files of /proc say that they are empty, so size must not decide. */
static void files_without_size_are_copied(void **state)
{
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	const char *to = scratch_path(&scratch, "to");

	(void)state;
	assert_int_equal(io_copy_file("/proc/version", to, 0600, NULL), 0);
	assert_int_equal(io_read_file("/proc/version", &a, NULL), 0);
	assert_int_equal(io_read_file(to, &b, NULL), 0);
	assert_true(a.len > 0);
	assert_string_equal(strbuf_str(&a), strbuf_str(&b));
	strbuf_deinit(&a);
	strbuf_deinit(&b);
}

/* The signal comes in the middle of the write. */
static void a_signal_leaves_no_temporary_file(void **state)
{
	const char *path = scratch_path(&scratch, "f");
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		static const struct rlimit nothing = { 0, 0 };

		setrlimit(RLIMIT_CORE, &nothing);
		setrlimit(RLIMIT_FSIZE, &nothing);
		_exit(io_write_file(path, "x", 1, 0644, NULL) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
	/* It would not be empty. */
	assert_int_equal(rmdir(scratch.dir), 0);
	assert_int_equal(mkdir(scratch.dir, 0755), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_file_is_read_whole, scratch),
		SCRATCH_TEST(unreadable_files_are_named, scratch),
		SCRATCH_TEST(writing_replaces_the_whole_file, scratch),
		SCRATCH_TEST(outputs_are_made_anew, scratch),
		cmocka_unit_test(a_wrong_path_is_not_a_full_disk),
		SCRATCH_TEST(what_is_no_file_is_not_replaced, scratch),
		SCRATCH_TEST(failed_writing_leaves_the_old_file, scratch),
		SCRATCH_TEST(short_writes_say_what_failed, scratch),
		SCRATCH_TEST(copies_are_equal_or_absent, scratch),
		SCRATCH_TEST(files_without_size_are_copied, scratch),
		SCRATCH_TEST(a_signal_leaves_no_temporary_file, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
