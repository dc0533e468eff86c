// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/store.h"

#include "../lib/scratch.h"

#define KEY "0123abcd"

enum { NR_RACERS = 10, NR_ROUNDS = 40 };

static const uint64_t NO_CAP = UINT64_MAX;

static struct scratch scratch;
static struct ktstr_error err;
static char logged[2048];
static int progress_fd = -1;
static unsigned int nr_progress;

static void note_log(void *arg, enum ktstr_log_level level, const char *text)
{
	(void)arg;
	if (level == KTSTR_LOG_WARN)
		snprintf(logged, sizeof(logged), "%s", text);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	logged[0] = '\0';
	nr_progress = 0;
	progress_fd = -1;
	ktstr_log_set(note_log, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static const char *root(void)
{
	return scratch_path(&scratch, "store");
}

static void count_progress(void *arg, const char *text)
{
	(void)arg;
	(void)text;
	nr_progress++;
	if (progress_fd >= 0 && write(progress_fd, "", 1) != 1)
		abort();
}

static int acquire(const char *key, struct store_entry **ret)
{
	const struct store_opts opts = {
		.root = root(), .key = key, .cancel_fd = -1, .progress = count_progress
	};

	return store_acquire(&opts, ret, &err);
}

/* In the entry's folder. */
static void put(const struct store_entry *e, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_format("%s/%s", store_entry_dir(e), name);

	if (io_write_file(path, text, strlen(text), 0644, NULL) < 0)
		abort();
}

static json_t *about(const char *text)
{
	return json_pack("{s:s}", "text", text);
}

static void make(const char *key)
{
	struct store_entry *e = NULL;

	assert_int_equal(acquire(key, &e), 0);
	assert_true(store_entry_writable(e));
	put(e, "ram", "memory");
	put(e, "state", "device");
	assert_int_equal(store_commit(e, about(key), NO_CAP, &err), 0);
	store_release(e);
}

static bool exists(const char *name)
{
	return access(scratch_path(&scratch, name), F_OK) == 0;
}

static void made_once_and_used_from_then_on(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	make(KEY);
	assert_int_equal(acquire(KEY, &e), 1);
	assert_false(store_entry_writable(e));
	assert_string_equal(path_base(store_entry_dir(e)), KEY);
	store_release(e);
	assert_int_equal(nr_progress, 0);
	assert_string_equal(logged, "");
}

static void visible_only_when_whole(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	assert_int_equal(acquire(KEY, &e), 0);
	put(e, "ram", "memory");
	assert_false(exists("store/" KEY));
	assert_int_equal(store_commit(e, about("x"), NO_CAP, &err), 0);
	assert_true(exists("store/" KEY "/ram"));
	assert_true(exists("store/" KEY "/manifest.json"));
	assert_false(exists("store/" KEY ".new"));
	store_release(e);
}

static void given_up_leaves_nothing(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	assert_int_equal(acquire(KEY, &e), 0);
	put(e, "ram", "memory");
	store_release(e);
	assert_int_equal(rmdir(root()), 0);
	store_release(NULL);
}

static void what_cannot_be_kept_is_removed(void **state)
{
	struct store_entry *e = NULL;
	_cleanup_free_ char *path = NULL;

	(void)state;
	assert_int_equal(acquire(KEY, &e), 0);
	path = path_format("%s/folder", store_entry_dir(e));
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(store_commit(e, about("x"), NO_CAP, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'folder' is no regular file"));
	assert_int_equal(rmdir(root()), 0);
}

static void keys_are_digits(void **state)
{
	static const char *const bad[] = { "", "..", "ab/c", "ABC", "xyz", "ab.new" };
	struct store_entry *e = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(acquire(bad[i], &e), -EINVAL);
	assert_null(e);
	assert_false(exists("store"));
}

static void a_used_entry_is_shared(void **state)
{
	struct store_entry *one = NULL, *other = NULL;

	(void)state;
	make(KEY);
	assert_int_equal(acquire(KEY, &one), 1);
	assert_int_equal(acquire(KEY, &other), 1);
	store_release(one);
	assert_int_equal(store_remove(root(), KEY, &err), -EBUSY);
	store_release(other);
	assert_int_equal(store_remove(root(), KEY, &err), 0);
	assert_int_equal(rmdir(root()), 0);
}

/* In a child; exits 10 if it was the maker, 11 if it found the entry. */
static void race_in_child(void)
{
	struct store_entry *e = NULL;
	int r = acquire(KEY, &e);

	if (r == 0) {
		put(e, "ram", "memory");
		put(e, "state", "device");
		if (store_commit(e, about("x"), NO_CAP, &err) < 0)
			_exit(1);
	}
	if (r < 0 || !exists("store/" KEY "/state"))
		_exit(2);
	store_release(e);
	_exit(10 + r);
}

static void race(unsigned int nr, unsigned int exits[256])
{
	int gate[2];
	pid_t pids[NR_RACERS];
	char byte;

	memset(exits, 0, 256 * sizeof(*exits));
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	for (unsigned int i = 0; i < nr; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] > 0)
			continue;
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 0)
			race_in_child();
		_exit(3);
	}
	close(gate[0]);
	close(gate[1]);
	for (unsigned int i = 0; i < nr; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		exits[WEXITSTATUS(status)]++;
	}
}

static void of_two_processes_one_makes(void **state)
{
	unsigned int exits[256];

	(void)state;
	for (int i = 0; i < NR_ROUNDS; i++) {
		race(2, exits);
		assert_int_equal(exits[10], 1);
		assert_int_equal(exits[11], 1);
		assert_int_equal(store_remove(root(), KEY, &err), 0);
	}
}

static void of_ten_processes_one_makes(void **state)
{
	unsigned int exits[256];

	(void)state;
	race(NR_RACERS, exits);
	assert_int_equal(exits[10], 1);
	assert_int_equal(exits[11], NR_RACERS - 1);
}

static void ten_processes_mend_damage_once(void **state)
{
	unsigned int exits[256];

	(void)state;
	make(KEY);
	scratch_text(&scratch, "store/" KEY "/ram", "MEMORY");
	race(NR_RACERS, exits);
	assert_int_equal(exits[10], 1);
	assert_int_equal(exits[11], NR_RACERS - 1);
}

struct racer {
	pthread_t thread;
	int result;
};

static void *race_in_thread(void *arg)
{
	struct racer *racer = arg;
	struct ktstr_error why;
	struct store_entry *e = NULL;
	const struct store_opts opts = { .root = root(), .key = KEY, .cancel_fd = -1 };

	racer->result = store_acquire(&opts, &e, &why);
	if (racer->result == 0) {
		put(e, "ram", "memory");
		if (store_commit(e, about("x"), NO_CAP, &why) < 0)
			racer->result = -1;
	}
	store_release(e);
	return NULL;
}

static void of_ten_threads_one_makes(void **state)
{
	struct racer racers[NR_RACERS] = { 0 };
	int sum = 0;

	(void)state;
	for (int i = 0; i < NR_RACERS; i++)
		assert_int_equal(
			pthread_create(&racers[i].thread, NULL, race_in_thread, &racers[i]), 0);
	for (int i = 0; i < NR_RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		assert_true(racers[i].result >= 0);
		sum += racers[i].result;
	}
	assert_int_equal(sum, NR_RACERS - 1);
}

/* Makers that give up, so that lock files come and go: never two at once. */
static void churn_in_child(void)
{
	for (int i = 0; i < NR_ROUNDS; i++) {
		struct store_entry *e = NULL;

		if (acquire(KEY, &e) != 0 || mkdir(scratch_path(&scratch, "alone"), 0777) < 0)
			_exit(1);
		put(e, "ram", "memory");
		if (rmdir(scratch_path(&scratch, "alone")) < 0)
			_exit(2);
		store_release(e);
	}
	_exit(0);
}

static void a_lock_that_goes_away_is_no_lock(void **state)
{
	pid_t pids[4];
	int status;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			churn_in_child();
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(rmdir(root()), 0);
}

/* A child that holds KEY to make it, from when this returns until it is killed. */
static pid_t start_maker(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store_entry *e = NULL;

		if (acquire(KEY, &e) != 0)
			_exit(1);
		put(e, "ram", "half");
		if (write(ready[1], "", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop_maker(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void a_killed_maker_leaves_the_next_one_alone(void **state)
{
	struct store_entry *e = NULL;
	_cleanup_free_ char *path = NULL;

	(void)state;
	stop_maker(start_maker());
	assert_true(exists("store/" KEY ".new/ram"));
	assert_int_equal(acquire(KEY, &e), 0);
	path = path_format("%s/ram", store_entry_dir(e));
	assert_int_equal(access(path, F_OK), -1);
	put(e, "ram", "whole");
	assert_int_equal(store_commit(e, about("x"), NO_CAP, &err), 0);
	store_release(e);
}

static void who_waits_says_so_and_can_give_up(void **state)
{
	struct store_entry *e = NULL;
	int cancel[2];
	pid_t maker = start_maker();
	struct store_opts opts = { .root = root(), .key = KEY, .progress = count_progress };

	(void)state;
	assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
	opts.cancel_fd = cancel[0];
	progress_fd = cancel[1];
	assert_int_equal(store_acquire(&opts, &e, &err), -EINTR);
	assert_int_equal(nr_progress, 1);
	assert_null(e);
	stop_maker(maker);
	close(cancel[0]);
	close(cancel[1]);
}

static void *kill_when_told(void *arg)
{
	int *fds = arg;
	char byte;

	if (read(fds[0], &byte, 1) == 1)
		stop_maker(fds[1]);
	return NULL;
}

static void who_waits_takes_over_from_a_killed_maker(void **state)
{
	struct store_entry *e = NULL;
	pthread_t killer;
	int told[2], fds[2];

	(void)state;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	fds[0] = told[0];
	fds[1] = start_maker();
	progress_fd = told[1];
	assert_int_equal(pthread_create(&killer, NULL, kill_when_told, fds), 0);
	assert_int_equal(acquire(KEY, &e), 0);
	pthread_join(killer, NULL);
	store_release(e);
	close(told[0]);
	close(told[1]);
}

static void damage_in_use_is_left_to_its_users(void **state)
{
	struct store_entry *user = NULL, *e = NULL;

	(void)state;
	make(KEY);
	assert_int_equal(acquire(KEY, &user), 1);
	scratch_text(&scratch, "store/" KEY "/ram", "MEMORY");
	assert_int_equal(acquire(KEY, &e), -EBUSY);
	assert_non_null(strstr(err.text, "damaged and in use by others: 'ram' "));
	assert_true(exists("store/" KEY "/ram"));
	store_release(user);
	assert_int_equal(acquire(KEY, &e), 0);
	assert_non_null(strstr(logged, "damaged and will be made anew: 'ram' "));
	store_release(e);
}

static void a_store_under_a_file_is_an_error(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	scratch_text(&scratch, "store", "a file");
	assert_int_equal(acquire(KEY, &e), -ENOTDIR);
	assert_null(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made_once_and_used_from_then_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(visible_only_when_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(given_up_leaves_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_kept_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_digits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_used_entry_is_shared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_two_processes_one_makes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_ten_processes_one_makes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ten_processes_mend_damage_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_ten_threads_one_makes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lock_that_goes_away_is_no_lock, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_killed_maker_leaves_the_next_one_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_waits_says_so_and_can_give_up, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_waits_takes_over_from_a_killed_maker, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damage_in_use_is_left_to_its_users, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_store_under_a_file_is_an_error, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
