// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "vm/store_lock.h"

#include "../lib/scratch.h"

enum { NR_HOLDERS = 4, NR_HOLDS = 400 };

static struct scratch scratch;

static const char *lock_path(void)
{
	return scratch_path(&scratch, "lock");
}

static int try_lock(int operation)
{
	return store_lock_try(lock_path(), operation, true);
}

static void many_share_or_one_excludes(void **state)
{
	int one, two;

	(void)state;
	one = try_lock(LOCK_SH);
	two = try_lock(LOCK_SH);
	assert_true(one >= 0 && two >= 0);
	assert_int_equal(try_lock(LOCK_EX), -EBUSY);
	store_lock_drop(&one);
	store_lock_drop(&two);
	assert_int_equal(one, -1);
	one = try_lock(LOCK_EX);
	assert_true(one >= 0);
	assert_int_equal(try_lock(LOCK_SH), -EBUSY);
	store_lock_drop(&one);
}

static void only_who_may_creates(void **state)
{
	(void)state;
	assert_int_equal(store_lock_try(lock_path(), LOCK_EX, false), -ENOENT);
	assert_int_equal(access(lock_path(), F_OK), -1);
}

static void a_link_is_no_lock(void **state)
{
	(void)state;
	scratch_text(&scratch, "precious", "");
	assert_int_equal(symlink(scratch_path(&scratch, "precious"), lock_path()), 0);
	assert_int_equal(try_lock(LOCK_EX), -ELOOP);
}

static void a_forked_child_does_not_keep_it(void **state)
{
	int fd = try_lock(LOCK_EX), hold[2], status;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) != 0);
	}
	store_lock_drop(&fd);
	fd = try_lock(LOCK_EX);
	assert_true(fd >= 0);
	store_lock_drop(&fd);
	close(hold[0]);
	close(hold[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Each deletes the file it holds, so the others time and again have opened one that is gone. */
static void hold_often(void)
{
	for (int i = 0; i < NR_HOLDS;) {
		int fd = try_lock(LOCK_EX);

		if (fd == -EBUSY) {
			sched_yield();
			continue;
		}
		if (fd < 0 || mkdir(scratch_path(&scratch, "alone"), 0777) < 0)
			_exit(1);
		if (rmdir(scratch_path(&scratch, "alone")) < 0 || unlink(lock_path()) < 0)
			_exit(2);
		store_lock_drop(&fd);
		i++;
	}
	_exit(0);
}

static void files_that_go_away_exclude_as_well(void **state)
{
	pid_t pids[NR_HOLDERS];
	int status;

	(void)state;
	for (int i = 0; i < NR_HOLDERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			hold_often();
	}
	for (int i = 0; i < NR_HOLDERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void a_pause_ends_when_cancelled(void **state)
{
	unsigned int turn = 0;
	int cancel[2];

	(void)state;
	assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
	assert_int_equal(store_lock_pause(cancel[0], &turn), 0);
	assert_int_equal(store_lock_pause(-1, &turn), 0);
	assert_int_equal(turn, 2);
	assert_int_equal(write(cancel[1], "", 1), 1);
	assert_int_equal(store_lock_pause(cancel[0], &turn), -EINTR);
	close(cancel[0]);
	close(cancel[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(many_share_or_one_excludes, scratch),
		SCRATCH_TEST(only_who_may_creates, scratch),
		SCRATCH_TEST(a_link_is_no_lock, scratch),
		SCRATCH_TEST(a_forked_child_does_not_keep_it, scratch),
		SCRATCH_TEST(files_that_go_away_exclude_as_well, scratch),
		SCRATCH_TEST(a_pause_ends_when_cancelled, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
