// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Both collectors look at the same busy threads of this machine. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/bpf_load.h"
#include "ctprof/fault.h"
#include "tests/lib/both.h"
#include "tests/lib/libbpf.h"

enum { PROCESSES = 3, ROUNDS = 12, TURN_BYTES = 4096, CROWD = 24, NOBODY = 65534 };

static pid_t children[PROCESSES];
static bool wants_old;
static int old_program_fd = -1;
static char missing[1100];	    /* for the old one */
static const volatile bool is_over; /* never: they are killed */

/* --- the population ------------------------------------------------------------------------- */
static void *reader(void *unused)
{
	int from = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int to = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char bytes[TURN_BYTES];

	(void)unused;
	prctl(PR_SET_NAME, "re ad)er");
	for (;;)
		if (read(from, bytes, sizeof(bytes)) < 0 || write(to, bytes, sizeof(bytes)) < 0)
			return NULL;
}

static void *hopper(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "hopper\xff");
	for (unsigned int i = 0; !is_over; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	return NULL;
}

static void *faulter(void *unused)
{
	(void)unused;
	setpriority(PRIO_PROCESS, 0, 7);
	for (size_t bytes = 4096; !is_over; bytes = bytes % (1 << 20) + 4096) {
		char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		for (size_t at = 0; p != MAP_FAILED && at < bytes; at += 4096)
			p[at] = 1;
		munmap(p, bytes);
	}
	return NULL;
}

static void *sleeper(void *unused)
{
	const struct sched_param param = { 0 };

	(void)unused;
	sched_setscheduler(0, SCHED_BATCH, &param);
	while (!is_over)
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	return NULL;
}

static void *idler(void *unused)
{
	const struct sched_param param = { 0 };

	(void)unused;
	sched_setscheduler(0, SCHED_IDLE, &param);
	while (!is_over)
		pause();
	return NULL;
}

/* Threads come and go. */
static void *parent_of_short_lives(void *unused)
{
	(void)unused;
	while (!is_over) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return NULL;
}

static void live(int ready)
{
	static void *(*const kinds[])(void *) = { reader, hopper, faulter, sleeper, idler };
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < CROWD; i++)
		if (pthread_create(&thread, NULL, kinds[(size_t)i % ARRAY_SIZE(kinds)], NULL))
			_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	parent_of_short_lives(NULL);
}

static int start_population(void **state)
{
	int fds[2];
	char byte;

	(void)state;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			live(fds[1]);
		if (children[i] < 0 || read(fds[0], &byte, 1) != 1)
			return -1;
	}
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int end_population(void **state)
{
	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	return 0;
}

/* Captures to come use the program that is kept, so it is replaced by the one for old kernels. */
static int start_with_old_program(void **state)
{
	_cleanup_bpf_ struct bpf_loaded old = BPF_LOADED_INIT, usual = BPF_LOADED_INIT;
	struct ktstr_error err;

	wants_old = true;
	if (bpf_take(&usual, &err) < 0) {
		snprintf(missing, sizeof(missing), "BPF: %s", err.text);
	} else if (!libbpf_is_installed()) {
		snprintf(missing, sizeof(missing), "libbpf (Debian: libbpf1)");
	} else if (bpf_load(BPF_BY_LIBBPF, &old, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	old_program_fd = old.program_fd;
	bpf_give(&old);
	return start_population(state);
}

static int was_old_program(void **state)
{
	_cleanup_bpf_ struct bpf_loaded used = BPF_LOADED_INIT;

	(void)state;
	if (old_program_fd < 0)
		return 0;
	return bpf_take(&used, NULL) == 0 && used.program_fd == old_program_fd ? 0 : -1;
}

/* --- the tests ------------------------------------------------------------------------------- */
static bool is_ours(uint32_t tgid)
{
	for (int i = 0; i < PROCESSES; i++)
		if (tgid == (uint32_t)children[i])
			return true;
	return false;
}

static void capture(pid_t pid, struct both *both)
{
	struct ktstr_error err;
	int r;

	if (wants_old && old_program_fd < 0) {
		print_message("needs %s\n", missing);
		skip();
	}
	r = both_capture(pid, both, &err);
	if (r == -EOPNOTSUPP) {
		print_message("needs BPF: %s\n", err.text);
		skip();
	}
	if (r < 0)
		fail_msg("%s", err.text);
}

static void bpf_lies_between_two_readings(void **state)
{
	size_t threads = 0, values = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_both_ struct both both = { 0 };
		struct both_result result;

		capture(0, &both);
		result = both_compare(&both, is_ours);
		if (result.wrong)
			fail_msg("%zu of %zu: %s", result.wrong, result.values, result.text);
		threads += result.threads;
		values += result.values;
	}
	assert_true(threads >= (size_t)ROUNDS * PROCESSES * CROWD);
	assert_true(values > threads * 30);
}

static void one_process_alone_is_the_same(void **state)
{
	_cleanup_both_ struct both both = { 0 };
	struct both_result result;

	(void)state;
	capture(children[0], &both);
	for (size_t i = 0; i < both.bpf->nr_threads; i++)
		assert_int_equal(both.bpf->threads[i].tgid, children[0]);
	result = both_compare(&both, NULL);
	if (result.wrong)
		fail_msg("%s", result.text);
	assert_int_equal(result.threads, CROWD + 1);
}

static void all_that_procfs_fills_bpf_fills(void **state)
{
	_cleanup_both_ struct both both = { 0 };

	(void)state;
	capture(0, &both);
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++)
		if (both.first->filled_by[m] && !both.bpf->filled_by[m])
			fail_msg("%s is absent", ktstr_ctprof_metric_info(m)->name);
}

/* A comparison that cannot fail proves nothing. */
/* Some kernels' iterators leave it out. */
static void the_first_process_is_there(void **state)
{
	struct both both;

	(void)state;
	capture(0, &both);
	assert_non_null(ktstr_ctprof_find(both.first, 1, 1));
	assert_non_null(ktstr_ctprof_find(both.bpf, 1, 1));
	both_destroy(&both);
}

static void a_wrong_field_is_noticed(void **state)
{
	_cleanup_both_ struct both both = { 0 };
	struct both_result result;

	(void)state;
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_WRONG_FIELD);
	capture(0, &both);
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_NONE);
	result = both_compare(&both, is_ours);
	assert_true(result.wrong > 0);
	assert_non_null(strstr(result.text, "minflt of"));
}

/* In a child, as changing the user cannot be undone.  Return: what was wrong; 0: nothing. */
static int refused_as_nobody(void)
{
	const struct ktstr_ctprof_opts opts = { .collector = KTSTR_COLLECTOR_BPF };
	const struct ktstr_ctprof_opts any = { .pid = getpid() };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct ktstr_error err;

	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	if (ktstr_ctprof_capture(&opts, &snap, &err) != -EOPNOTSUPP)
		return 2;
	if (!strstr(err.text, "run as root, or with CAP_BPF and CAP_PERFMON"))
		return 3;
	if (ktstr_ctprof_capture(&any, &snap, &err) < 0)
		return 4;
	return strcmp(snap->collector, "procfs") ? 5 : 0;
}

static void without_rights_it_says_why(void **state)
{
	_cleanup_both_ struct both both = { 0 };
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root, to become somebody with fewer rights\n");
		skip();
	}
	/* A program that is loaded already must not serve somebody else. */
	capture(children[0], &both);
	pid = fork();
	if (pid == 0)
		_exit(refused_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int64_t state_of(const struct ktstr_ctprof *snap, pid_t pid)
{
	const struct ktstr_ctprof_thread *t = ktstr_ctprof_find(snap, (uint32_t)pid, (uint32_t)pid);

	assert_non_null(t);
	return ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_STATE);
}

/* It has neither memory nor maps, and nobody need try. */
static void the_dead_are_not_looked_into(void **state)
{
	static const enum ktstr_ctprof_collector collectors[] = { KTSTR_COLLECTOR_PROCFS,
								  KTSTR_COLLECTOR_BPF };
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	for (size_t i = 0; i < ARRAY_SIZE(collectors); i++) {
		const struct ktstr_ctprof_opts opts = { .pid = pid, .collector = collectors[i] };
		_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
		struct ktstr_error err;
		int r = ktstr_ctprof_capture(&opts, &snap, &err);

		if (r == -EOPNOTSUPP) {
			print_message("needs BPF: %s\n", err.text);
			break;
		}
		if (r < 0)
			fail_msg("%s", err.text);
		assert_int_equal(state_of(snap, pid), 'Z');
		assert_int_equal(snap->threads[0].jemalloc, KTSTR_JEMALLOC_THREAD_GONE);
		assert_null(snap->threads[0].leader);
		for (unsigned int reason = 0; reason < KTSTR_CTPROF_NR_REASONS; reason++)
			assert_int_equal(
				snap->summary.failures[KTSTR_CTPROF_FILE_SMAPS_ROLLUP][reason], 0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void few_threads_are_left_to_procfs(void **state)
{
	const struct ktstr_ctprof_opts opts = { .pid = children[0], .no_smaps = true };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct ktstr_error err;

	(void)state;
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), 0);
	assert_string_equal(snap->collector, "procfs");
	assert_true(snap->nr_warnings > 0);
	assert_non_null(strstr(snap->warnings[0], "the BPF collector was not used"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf_lies_between_two_readings),
		cmocka_unit_test(one_process_alone_is_the_same),
		cmocka_unit_test(all_that_procfs_fills_bpf_fills),
		cmocka_unit_test(the_first_process_is_there),
		cmocka_unit_test(a_wrong_field_is_noticed),
		cmocka_unit_test(without_rights_it_says_why),
		cmocka_unit_test(the_dead_are_not_looked_into),
		cmocka_unit_test(few_threads_are_left_to_procfs),
	};

	const struct CMUnitTest old_tests[] = {
		cmocka_unit_test_teardown(bpf_lies_between_two_readings, was_old_program),
		cmocka_unit_test_teardown(one_process_alone_is_the_same, was_old_program),
		cmocka_unit_test_teardown(all_that_procfs_fills_bpf_fills, was_old_program),
		cmocka_unit_test_teardown(the_first_process_is_there, was_old_program),
		cmocka_unit_test_teardown(a_wrong_field_is_noticed, was_old_program),
	};
	int r = cmocka_run_group_tests(tests, start_population, end_population);

	return r + cmocka_run_group_tests_name("with the program for old kernels", old_tests,
					       start_with_old_program, end_population);
}
