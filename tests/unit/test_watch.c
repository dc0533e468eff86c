// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/watch.h"
#include "sched/watch_format.h"
#include "sched/watch_state.h"

enum { A = 100, B = 101, STRANGER = 7 };
#define MS 1000000ull

static const uint64_t both[WATCH_CPU_WORDS] = { 3 }, first[WATCH_CPU_WORDS] = { 1 };

static struct watch_state *state;

static int setup(void **unused)
{
	(void)unused;
	state = watch_state_create(2);
	assert_non_null(state);
	watch_state_begin(state, 1 * MS);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	watch_state_destroy(state);
	return 0;
}

static void run(uint64_t ms, uint32_t cpu, pid_t prev, pid_t next, bool prev_waits)
{
	struct watch_switch event = {
		.time_ns = ms * MS, .cpu = cpu, .prev = prev, .next = next, .prev_waits = prev_waits
	};

	snprintf(event.next_comm, sizeof(event.next_comm), "task-%d", next);
	watch_state_switch(state, &event);
}

static struct watch_wait look(pid_t tid, uint64_t ms)
{
	struct watch_wait wait;

	assert_int_equal(watch_state_read(state, tid, ms * MS, &wait), 0);
	return wait;
}

static void wait_is_from_wake_to_switch(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, first, 0), 0);
	run(2, 0, 0, STRANGER, false);
	run(2, 1, STRANGER, 0, false);
	watch_state_wake(state, A, 10 * MS);
	run(60, 0, STRANGER, A, true);
	struct watch_wait wait = look(A, 61);

	assert_int_equal(wait.wait_ns, 50 * MS);
	assert_int_equal(wait.begin_ns, 10 * MS);
	assert_false(wait.open);
	assert_int_equal(wait.switches, 1);
	assert_int_equal(wait.nr_holders, 1);
	assert_string_equal(wait.holders[0].who, "task-7");
	assert_int_equal(wait.holders[0].ns, 50 * MS);
	/* CPU 1 was idle, but not for it. */
	assert_int_equal(wait.idle_ns, 0);
	assert_int_equal(wait.ran_ns, 1 * MS);
}

static void time_near_memory_is_apart(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, both, 0), 0);
	assert_int_equal(watch_state_near(state, A, first), 0);
	assert_int_equal(watch_state_near(state, STRANGER, first), -ESRCH);
	run(2, 0, 0, A, false);
	run(12, 0, A, 0, true);
	run(20, 1, 0, A, false);
	struct watch_wait wait = look(A, 23);

	assert_int_equal(wait.ran_ns, 13 * MS);
	assert_int_equal(wait.near_ns, 10 * MS);
}

static void idle_cpu_while_waiting_is_seen(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, both, 0), 0);
	run(2, 0, 0, STRANGER, false);
	run(2, 1, STRANGER, 0, false);
	watch_state_wake(state, A, 10 * MS);
	run(40, 1, 0, 9, false);
	run(60, 0, STRANGER, A, true);
	struct watch_wait wait = look(A, 61);

	assert_int_equal(wait.wait_ns, 50 * MS);
	assert_int_equal(wait.idle_ns, 30 * MS);
	assert_int_equal(wait.idle_begin_ns, 10 * MS);
	assert_int_equal(wait.idle_cpu, 1);
	assert_int_equal(wait.nr_holders, 3);
	assert_string_equal(wait.holders[0].who, "task-7");
	assert_string_equal(wait.holders[1].who, "idle");
	assert_int_equal(wait.holders[1].ns, 30 * MS);
}

static void open_wait_counts_up_to_now(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, both, 0), 0);
	run(2, 1, STRANGER, 0, false);
	run(2, 0, 0, A, false);
	run(5, 0, A, STRANGER, true);
	struct watch_wait wait = look(A, 105);

	assert_int_equal(wait.wait_ns, 100 * MS);
	assert_true(wait.open);
	assert_int_equal(wait.idle_ns, 100 * MS);
	assert_int_equal(wait.waits_ns, 100 * MS);
	/* Reading changes nothing. */
	assert_int_equal(look(A, 105).wait_ns, 100 * MS);
	watch_state_begin(state, 50 * MS);
	wait = look(A, 105);
	assert_int_equal(wait.wait_ns, 100 * MS);
	assert_int_equal(wait.waits_ns, 55 * MS);
}

static void blocked_thread_does_not_wait(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, both, 0), 0);
	run(2, 0, 0, A, false);
	run(5, 0, A, 0, false);
	struct watch_wait wait = look(A, 500);

	assert_int_equal(wait.wait_ns, 0);
	assert_false(wait.open);
	assert_int_equal(wait.ran_ns, 3 * MS);
	/* Woken while it runs: no wait. */
	run(500, 0, 0, A, false);
	watch_state_wake(state, A, 501 * MS);
	run(600, 0, A, 0, false);
	assert_int_equal(look(A, 700).wait_ns, 0);
}

static void foreign_cpu_is_seen_after_the_grace(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, both, 0), 0);
	run(2, 1, 0, A, false);
	assert_int_equal(watch_state_track(state, A, first, 100 * MS), 0);
	struct watch_wait wait = look(A, 110);

	assert_int_equal(wait.outside_ns, 0);
	wait = look(A, 150);
	assert_int_equal(wait.outside[0], 2);
	assert_int_equal(wait.outside_ns, 30 * MS);
}

static void lost_events_make_nothing_up(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, both, 0), 0);
	run(2, 0, 0, STRANGER, false);
	watch_state_wake(state, A, 10 * MS);
	watch_state_lost(state, 5);
	struct watch_wait wait = look(A, 500);
	struct watch_cpu cpu;

	assert_int_equal(wait.wait_ns, 0);
	assert_int_equal(wait.lost, 5);
	assert_int_equal(watch_state_read_cpu(state, 0, 500 * MS, &cpu), -ENODATA);
	/* Nor is what comes behind the whole of it. */
	run(600, 0, 0, STRANGER, false);
	assert_int_equal(watch_state_read_cpu(state, 0, 700 * MS, &cpu), -ENODATA);
	watch_state_begin(state, 700 * MS);
	assert_int_equal(watch_state_read_cpu(state, 0, 800 * MS, &cpu), 0);
	assert_int_equal(cpu.busy_ns, 100 * MS);
}

static void busy_and_idle_add_up(void **unused)
{
	struct watch_cpu cpu;

	(void)unused;
	run(0, 0, 0, STRANGER, false);
	run(11, 0, STRANGER, 0, false);
	run(31, 0, 0, STRANGER, false);
	assert_int_equal(watch_state_read_cpu(state, 0, 41 * MS, &cpu), 0);
	assert_int_equal(cpu.busy_ns, 20 * MS);
	assert_int_equal(cpu.idle_ns, 20 * MS);
	assert_int_equal(watch_state_read_cpu(state, 1, 41 * MS, &cpu), -ENODATA);
}

static void what_ran_on_a_cpu_is_told(void **unused)
{
	struct watch_cpu cpu;

	(void)unused;
	run(0, 0, 0, STRANGER, false);
	run(11, 0, STRANGER, A, false);
	run(41, 0, A, 0, false);
	assert_int_equal(watch_state_read_cpu(state, 0, 51 * MS, &cpu), 0);
	assert_int_equal(cpu.nr_ran, 2);
	run(51, 0, 0, STRANGER, false);
	assert_int_equal(watch_state_read_cpu(state, 0, 61 * MS, &cpu), 0);
	assert_int_equal(cpu.nr_ran, 2);
	assert_string_equal(cpu.ran[0].who, "task-100");
	assert_int_equal(cpu.ran[0].ns, 30 * MS);
	assert_string_equal(cpu.ran[1].who, "task-7");
	assert_int_equal(cpu.ran[1].ns, 20 * MS);
	/* Reading changes nothing, and a new window begins anew. */
	assert_int_equal(watch_state_read_cpu(state, 0, 61 * MS, &cpu), 0);
	assert_int_equal(cpu.ran[1].ns, 20 * MS);
	watch_state_begin(state, 61 * MS);
	assert_int_equal(watch_state_read_cpu(state, 0, 71 * MS, &cpu), 0);
	assert_int_equal(cpu.nr_ran, 1);
	assert_int_equal(cpu.ran[0].ns, 10 * MS);
}

static void many_names_leave_the_longest(void **unused)
{
	struct watch_cpu cpu;

	(void)unused;
	for (uint64_t i = 0; i < 20; i++)
		run(1 + i * i, 0, 0, (pid_t)(200 + i), false);
	assert_int_equal(watch_state_read_cpu(state, 0, (1 + 20 * 20) * MS, &cpu), 0);
	assert_int_equal(cpu.nr_ran, WATCH_RAN);
	assert_string_equal(cpu.ran[0].who, "task-219");
	assert_int_equal(cpu.ran[0].ns, 39 * MS);
	assert_int_equal(cpu.busy_ns, 400 * MS);
}

/* More than any hash keeps apart, each twice. */
static void names_are_kept_apart(void **unused)
{
	struct watch_cpu cpu;
	uint64_t ms = 1;

	(void)unused;
	for (int round = 0; round < 2; round++) {
		for (pid_t i = 1; i <= 64; i++) {
			run(ms, 0, 0, 200 + i, false);
			ms += (uint64_t)i;
		}
	}
	assert_int_equal(watch_state_read_cpu(state, 0, ms * MS, &cpu), 0);
	for (pid_t i = 0; i < WATCH_RAN; i++) {
		char name[WATCH_COMM];

		snprintf(name, sizeof(name), "task-%d", 264 - i);
		assert_string_equal(cpu.ran[i].who, name);
		assert_int_equal(cpu.ran[i].ns, 2 * (64 - (uint64_t)i) * MS);
	}
	/* One more finds no room; its time is told. */
	run(ms, 0, 0, STRANGER, false);
	assert_int_equal(watch_state_read_cpu(state, 0, (ms + 1000) * MS, &cpu), 0);
	assert_string_equal(cpu.ran[0].who, "task-264");
	assert_int_equal(cpu.busy_ns, (ms - 1 + 1000) * MS);
}

/* The kernel's records have a field of fixed size, with anything behind the name's end. */
static void names_end_where_they_end(void **unused)
{
	struct watch_switch event = { .next = A, .time_ns = 1 * MS };
	struct watch_cpu cpu;

	(void)unused;
	memcpy(event.next_comm, "short\0garbage-1", WATCH_COMM);
	watch_state_switch(state, &event);
	event.time_ns = 11 * MS;
	memcpy(event.next_comm, "short\0garbage-2", WATCH_COMM);
	watch_state_switch(state, &event);
	event.time_ns = 31 * MS;
	memcpy(event.next_comm, "sixteen-bytes-at", WATCH_COMM);
	watch_state_switch(state, &event);
	assert_int_equal(watch_state_read_cpu(state, 0, 41 * MS, &cpu), 0);
	assert_int_equal(cpu.nr_ran, 2);
	assert_string_equal(cpu.ran[0].who, "short");
	assert_int_equal(cpu.ran[0].ns, 30 * MS);
	assert_string_equal(cpu.ran[1].who, "sixteen-bytes-a");
}

static void idle_before_the_first_switch_counts(void **unused)
{
	struct watch_cpu cpu;

	(void)unused;
	run(101, 0, 0, STRANGER, false);
	assert_int_equal(watch_state_read_cpu(state, 0, 111 * MS, &cpu), 0);
	assert_int_equal(cpu.idle_ns, 100 * MS);
	/* What ran there before has no name. */
	run(101, 1, A, 0, false);
	assert_int_equal(watch_state_read_cpu(state, 1, 111 * MS, &cpu), 0);
	assert_int_equal(cpu.idle_ns, 10 * MS);
	assert_int_equal(cpu.busy_ns, 0);
	/* It was not there all the time. */
	watch_state_begin(state, 111 * MS);
	watch_state_cpu_gone(state, 0);
	run(211, 0, 0, STRANGER, false);
	assert_int_equal(watch_state_read_cpu(state, 0, 221 * MS, &cpu), 0);
	assert_int_equal(cpu.idle_ns, 0);
	assert_int_equal(cpu.busy_ns, 10 * MS);
}

static void threads_come_and_go(void **unused)
{
	struct watch_wait wait;

	(void)unused;
	for (pid_t tid = 1; tid <= WATCH_THREADS; tid++)
		assert_int_equal(watch_state_track(state, tid, both, 0), 0);
	assert_int_equal(watch_state_track(state, 9999, both, 0), -ENOSPC);
	watch_state_forget(state, 17);
	assert_int_equal(watch_state_read(state, 17, 0, &wait), -ESRCH);
	assert_int_equal(watch_state_track(state, 9999, both, 0), 0);
	assert_int_equal(watch_state_read(state, 9999, 0, &wait), 0);
	watch_state_forget(state, 12345);
}

static void long_history_says_it_was_cut(void **unused)
{
	(void)unused;
	assert_int_equal(watch_state_track(state, A, first, 0), 0);
	run(2, 0, 0, STRANGER, false);
	watch_state_wake(state, A, 10 * MS);
	for (uint64_t ms = 11; ms < 11 + 2 * WATCH_TURNS; ms++)
		run(ms, 0, STRANGER, STRANGER, true);
	struct watch_wait wait = look(A, 11 + 2 * WATCH_TURNS);

	assert_int_equal(wait.nr_holders, 1);
	assert_int_equal(wait.held_ns, WATCH_TURNS * MS);
	assert_int_equal(wait.wait_ns, (1 + 2 * WATCH_TURNS) * MS);
}

static void formats_are_read(void **unused)
{
	static const char text[] =
		"name: x\nID: 3\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
		"\tfield:int odd;\toffset:99999;\tsize:4;\tsigned:1;\n"
		"\tfield:int none;\n";
	struct watch_field field = { 0 };

	(void)unused;
	assert_int_equal(watch_format_field(text, "prev_pid", &field), 0);
	assert_int_equal(field.offset, 24);
	assert_int_equal(field.size, 4);
	assert_int_equal(watch_format_field(text, "prev_comm", &field), 0);
	assert_int_equal(field.size, 16);
	assert_int_equal(watch_format_field(text, "pid", &field), -ENOENT);
	assert_int_equal(watch_format_field(text, "odd", &field), -EINVAL);
	assert_int_equal(watch_format_field(text, "none", &field), -EINVAL);
	assert_int_equal(watch_format_field("", "pid", &field), -ENOENT);
}

/* --- on this machine -------------------------------------------------------------------------- */
/* It has that name, and is on that CPU, when this returns. */
static pid_t spinner(const char *name, int cpu)
{
	cpu_set_t set;
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (volatile unsigned long i = 0;; i++)
			;
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	assert_int_equal(sched_setaffinity(pid, sizeof(set), &set), 0);
	return pid;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static bool is_held_by(const struct watch_wait *wait, const char *name)
{
	for (uint32_t i = 0; i < wait->nr_holders; i++)
		if (!strcmp(wait->holders[i].who, name))
			return true;
	return false;
}

static void two_on_one_cpu_wait_for_each_other(void **unused)
{
	const struct watch_opts opts = { .tracefs = "/sys/kernel/tracing",
					 .nr_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF) };
	struct timespec pause = { .tv_nsec = 50 * MS };
	bool seen[2] = { false, false };
	uint64_t outside_ns = 0;
	struct watch_wait a = { 0 }, b = { 0 };
	struct watch *watch = NULL;
	struct ktstr_error err = { 0 };
	pid_t left, right;

	(void)unused;
	if (geteuid() != 0) {
		print_message("needs root, to watch context switches\n");
		skip();
	}
	if (watch_open(&opts, &watch, &err) == -ENOTSUP) {
		print_message("needs a kernel that tells of context switches: %s\n", err.text);
		skip();
	}
	assert_non_null(watch);
	left = spinner("watch-left", 0);
	right = spinner("watch-right", 0);
	assert_int_equal(watch_track(watch, left, first, now_ns()), 0);
	assert_int_equal(watch_track(watch, right, first, now_ns()), 0);
	/* They take turns some time; a window's longest wait may be for others on a busy machine. */
	for (int i = 0; i < 1000 && !(seen[0] && seen[1]); i++) {
		watch_begin(watch, now_ns());
		nanosleep(&pause, NULL);
		assert_int_equal(watch_drain(watch), 0);
		assert_int_equal(watch_read(watch, left, now_ns(), &a), 0);
		assert_int_equal(watch_read(watch, right, now_ns(), &b), 0);
		seen[0] |= is_held_by(&a, "watch-right") && a.wait_ns > 0 && a.ran_ns > 0 &&
			   a.switches > 0;
		seen[1] |= is_held_by(&b, "watch-left") && b.wait_ns > 0;
		outside_ns += a.outside_ns + b.outside_ns;
	}
	kill(left, SIGKILL);
	kill(right, SIGKILL);
	waitpid(left, NULL, 0);
	waitpid(right, NULL, 0);
	watch_close(watch);
	assert_true(seen[0]);
	assert_true(seen[1]);
	assert_int_equal(outside_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(wait_is_from_wake_to_switch, setup, teardown),
		cmocka_unit_test_setup_teardown(time_near_memory_is_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(idle_cpu_while_waiting_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(open_wait_counts_up_to_now, setup, teardown),
		cmocka_unit_test_setup_teardown(blocked_thread_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_cpu_is_seen_after_the_grace, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lost_events_make_nothing_up, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_and_idle_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_ran_on_a_cpu_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(many_names_leave_the_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_kept_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(names_end_where_they_end, setup, teardown),
		cmocka_unit_test_setup_teardown(idle_before_the_first_switch_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(threads_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(long_history_says_it_was_cut, setup, teardown),
		cmocka_unit_test(formats_are_read),
		cmocka_unit_test(two_on_one_cpu_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
