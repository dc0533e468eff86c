// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/cache.h"

#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct scratch scratch;
static struct ktstr_error err;
static char logged[1024];

static void note_log(void *arg, enum ktstr_log_level level, const char *text)
{
	(void)arg;
	if (level == KTSTR_LOG_WARN)
		snprintf(logged, sizeof(logged), "%s", text);
}

static void make(const char *name, const char *release)
{
	_cleanup_cache_temp_ struct cache_temp temp = CACHE_TEMP_INIT;
	struct strbuf vmlinux = STRBUF_INIT;
	struct entry entry = { 0 };
	char file[300];

	assert_int_equal(cache_temp_create(&temp, &err), 0);
	fake_vmlinux(&(struct fake_vmlinux){ .release = release }, &vmlinux);
	snprintf(file, sizeof(file), "%s/vmlinux", temp.path + strlen(scratch.dir) + 1);
	scratch_write(&scratch, file, vmlinux.data, vmlinux.len, 0644);
	strbuf_deinit(&vmlinux);
	snprintf(entry.kernel.name, sizeof(entry.kernel.name), "%s", name);
	assert_int_equal(entry_create(temp.path, &entry, &err), 0);
	assert_int_equal(cache_temp_commit(&temp, name, &err), 0);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	setenv("XDG_CACHE_HOME", scratch_path(&scratch, "c"), 1);
	logged[0] = '\0';
	ktstr_log_set(note_log, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static void an_empty_cache_lists_nothing(void **state)
{
	struct ktstr_kernel *kernels = (void *)1;

	(void)state;
	assert_int_equal(ktstr_kernel_list(&kernels, &err), 0);
	assert_null(kernels);
	assert_int_equal(access(scratch_path(&scratch, "c"), F_OK), -1);
}

static void newest_comes_first(void **state)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;

	(void)state;
	make("a", "6.9.1");
	make("b", "7.10.0");
	make("c", "7.9.0");
	assert_int_equal(ktstr_kernel_list(&kernels, &err), 3);
	assert_string_equal(kernels[0].name, "b");
	assert_string_equal(kernels[1].name, "c");
	assert_string_equal(kernels[2].name, "a");
	assert_true(kernels[0].cached);
	assert_true(kernels[0].size_bytes > 0);
}

static void damaged_entries_are_left_out(void **state)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	struct entry entry;

	(void)state;
	make("good", "7.1");
	make("cut", "7.2");
	scratch_text(&scratch, "c/ktstr/kernels/cut/vmlinux", "half");
	assert_int_equal(ktstr_kernel_list(&kernels, &err), 1);
	assert_string_equal(kernels[0].name, "good");
	assert_non_null(strstr(logged, "kernel 'cut' (replace it: ktstr kernel rm cut): "));
	assert_int_equal(cache_load("cut", &entry, &err), -EINVAL);
	assert_int_equal(ktstr_kernel_remove("cut", &err), 0);
	logged[0] = '\0';
	free(kernels);
	kernels = NULL;
	assert_int_equal(ktstr_kernel_list(&kernels, &err), 1);
	assert_string_equal(logged, "");
}

static void removal_is_whole(void **state)
{
	(void)state;
	make("one", "7.1");
	assert_int_equal(ktstr_kernel_remove("two", &err), -ENOENT);
	assert_int_equal(ktstr_kernel_remove("../kernels/one", &err), -ENOENT);
	assert_int_equal(ktstr_kernel_remove(".", &err), -ENOENT);
	assert_int_equal(ktstr_kernel_remove("one", &err), 0);
	assert_int_equal(rmdir(scratch_path(&scratch, "c/ktstr/kernels")), 0);
}

static void what_is_being_made_is_not_removed(void **state)
{
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;

	(void)state;
	make("one", "7.1");
	assert_int_equal(cache_lock_kernel(&lock, "one", true, &err), 0);
	assert_int_equal(ktstr_kernel_remove("one", &err), -EBUSY);
	assert_non_null(strstr(err.text, "is being fetched now"));
	cache_lock_release(&lock);
	assert_int_equal(ktstr_kernel_remove("one", &err), 0);
}

/* Many processes add to a counter that only the lock protects. */
static void a_lock_excludes(void **state)
{
	enum { PROCESSES = 8, ROUNDS = 200 };
	_cleanup_close_ int fd = -1;
	pid_t pids[PROCESSES];
	int count = 0;

	(void)state;
	fd = open(scratch_path(&scratch, "count"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(pwrite(fd, &count, sizeof(count), 0), sizeof(count));
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		for (int n = 0; pids[i] == 0 && n < ROUNDS; n++) {
			struct cache_lock lock = CACHE_LOCK_INIT;

			if (cache_lock_kernel(&lock, "x", true, NULL) < 0 ||
			    pread(fd, &count, sizeof(count), 0) < 0)
				_exit(1);
			count++;
			if (pwrite(fd, &count, sizeof(count), 0) < 0)
				_exit(1);
			cache_lock_release(&lock);
		}
		if (pids[i] == 0)
			_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(pread(fd, &count, sizeof(count), 0), sizeof(count));
	assert_int_equal(count, PROCESSES * ROUNDS);
	assert_int_equal(rmdir(scratch_path(&scratch, "c/ktstr/kernels")), 0);
}

static void only_stale_folders_are_cleared(void **state)
{
	_cleanup_cache_temp_ struct cache_temp ours = CACHE_TEMP_INIT, more = CACHE_TEMP_INIT;

	(void)state;
	assert_int_equal(cache_temp_create(&ours, &err), 0);
	scratch_text(&scratch, "c/ktstr/kernels/.tmp-1-1/vmlinux", "left by a dead process");
	assert_int_equal(cache_temp_create(&more, &err), 0);
	assert_int_equal(access(ours.path, F_OK), 0);
	assert_int_equal(access(more.path, F_OK), 0);
	assert_int_equal(access(scratch_path(&scratch, "c/ktstr/kernels/.tmp-1-1"), F_OK), -1);
}

static void full_and_read_only_say_what_to_do(void **state)
{
	(void)state;
	ktstr_error_set(&err, -ENOSPC, "write 'x': No space left on device");
	assert_int_equal(cache_explain(-ENOSPC, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "set XDG_CACHE_HOME to a larger disk"));
	ktstr_error_set(&err, -EROFS, "create 'x': Read-only file system");
	assert_int_equal(cache_explain(-EROFS, &err), -EROFS);
	assert_non_null(strstr(err.text, "set XDG_CACHE_HOME to a folder that can"));
	ktstr_error_set(&err, -EINVAL, "x");
	assert_int_equal(cache_explain(-EINVAL, &err), -EINVAL);
	assert_string_equal(err.text, "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_cache_lists_nothing),	 TEST(newest_comes_first),
		TEST(damaged_entries_are_left_out),	 TEST(removal_is_whole),
		TEST(what_is_being_made_is_not_removed), TEST(a_lock_excludes),
		TEST(only_stale_folders_are_cleared),	 TEST(full_and_read_only_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
