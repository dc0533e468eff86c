// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/group.h"
#include "tests/lib/work_rows.h"
#include "work/worker.h"

#define MOMENT_NS (50 * NSEC_PER_MSEC)

enum { MANY_NS = 2000000000 };

static const struct ktstr_work spin = { .name = "hogs", .type = KTSTR_WORK_spin };

static void await_time(uint64_t ns)
{
	uint64_t end_ns = clock_mono_ns() + ns;

	while (clock_mono_ns() < end_ns)
		rows_pause();
}

static void workers_wait_until_let_go(void **state)
{
	struct work_row *row = rows_start(&spin, 3);

	(void)state;
	assert_int_equal(work_row_count(row), 3);
	for (uint32_t i = 0; i < 3; i++) {
		char comm[16];

		snprintf(comm, sizeof(comm), "hogs/%u", i);
		assert_string_equal(rows_task(row, i).comm, comm);
		assert_int_equal(work_row_tid(row, i), work_row_pid(row, i));
		assert_int_equal(rows_look(row, i).state, WORK_WAITING);
		assert_false(rows_read_now(row, i, 0).began);
		assert_int_equal(rows_read_now(row, i, 0).gap.ns, 0);
	}
	work_row_go(row, 0);
	for (uint32_t i = 0; i < 3; i++) {
		rows_await(row, i, 2);
		assert_int_equal(rows_look(row, i).state, WORK_RUNNING);
	}
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	assert_int_equal(rows_look(row, 2).state, WORK_ENDED);
	assert_false(rows_look(row, 2).finished);
	work_row_destroy(row);
}

static void names_keep_their_number(void **state)
{
	const struct ktstr_work work = { .name = "a-very-long-name-of-a-row",
					 .type = KTSTR_WORK_spin };
	struct work_row *row = rows_start(&work, 11);

	(void)state;
	assert_string_equal(rows_task(row, 0).comm, "a-very-long-n/0");
	assert_string_equal(rows_task(row, 10).comm, "a-very-long-/10");
	work_row_destroy(row);
}

static void threads_share_a_process(void **state)
{
	const struct ktstr_work work = { .name = "t", .type = KTSTR_WORK_spin, .threads = true };
	struct work_row *row = rows_start(&work, 4);
	char path[64], comm[16] = "";
	FILE *f;

	(void)state;
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(work_row_pid(row, i), work_row_pid(row, 0));
		assert_int_not_equal(work_row_tid(row, i), work_row_tid(row, i - 1));
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)work_row_pid(row, 0),
		 (int)work_row_tid(row, 3));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(comm, sizeof(comm), f));
	fclose(f);
	assert_string_equal(comm, "t/3\n");
	work_row_go(row, 0);
	for (uint32_t i = 0; i < 4; i++)
		rows_await(row, i, 1);
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	work_row_destroy(row);
}

static void phases_have_their_own_slots(void **state)
{
	struct work_row *row = rows_start(&spin, 1);
	struct work_reading first, second;

	(void)state;
	work_row_go(row, 0);
	rows_await(row, 0, 5);
	work_row_set_phase(row, 1);
	do {
		second = rows_read_now(row, 0, 1);
	} while (second.iterations < 5);
	first = rows_read(row, 0);
	assert_true(second.began && first.began);
	assert_true(second.first_ns > first.last_ns);
	rows_await_state(row, 0, WORK_RUNNING);
	assert_int_equal(rows_read(row, 0).iterations, first.iterations);
	assert_false(rows_read_now(row, 0, 2).began);
	work_row_destroy(row);
}

static void standing_still_is_a_gap(void **state)
{
	struct work_row *row = rows_start(&spin, 1);
	struct work_reading reading;

	(void)state;
	work_row_go(row, 0);
	rows_await(row, 0, 1);
	kill(work_row_pid(row, 0), SIGSTOP);
	rows_await_state(row, 0, WORK_STOPPED);
	await_time(MOMENT_NS);
	/* A stopped worker does not want to run; who let it go on counts the whole time. */
	assert_false(rows_read_now(row, 0, 0).gap.open);
	kill(work_row_pid(row, 0), SIGCONT);
	rows_await_state(row, 0, WORK_RUNNING);
	rows_await(row, 0, rows_read(row, 0).iterations + 2);
	reading = rows_read(row, 0);
	assert_true(reading.gap.ns >= MOMENT_NS);
	assert_true(reading.gap.begin_ns >= reading.first_ns);
	assert_true(reading.gap.begin_ns + reading.gap.ns <= reading.last_ns);
	work_row_destroy(row);
}

static void say_nothing(const struct ktstr_work_context *context)
{
	while (!*context->stop)
		pause();
}

static void open_gaps_count(void **state)
{
	const struct ktstr_work work = { .name = "c",
					 .type = KTSTR_WORK_custom,
					 .run = say_nothing };
	struct work_row *row = rows_start(&work, 1);
	struct work_gap gap;

	(void)state;
	work_row_go(row, 0);
	while (!rows_read(row, 0).began)
		rows_pause();
	await_time(MOMENT_NS);
	gap = rows_read_now(row, 0, 0).gap;
	assert_true(gap.open && gap.ns >= MOMENT_NS);
	assert_true(gap.begin_ns == rows_read(row, 0).last_ns);
	/* Not without the time, in another phase, or of one that has ended. */
	assert_false(rows_read(row, 0).gap.open);
	assert_false(rows_read_now(row, 0, 1).gap.open);
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	assert_false(rows_read_now(row, 0, 0).gap.open);
	work_row_destroy(row);
}

static void gaps_begin_with_their_phase(void **state)
{
	struct work_row *row = rows_start(&spin, 1);
	struct work_reading reading;
	uint64_t begin_ns;

	(void)state;
	work_row_go(row, 0);
	rows_await(row, 0, 1);
	kill(work_row_pid(row, 0), SIGSTOP);
	rows_await_state(row, 0, WORK_STOPPED);
	await_time(MOMENT_NS);
	begin_ns = clock_mono_ns();
	work_row_set_phase(row, 1);
	kill(work_row_pid(row, 0), SIGCONT);
	do {
		reading = rows_read_now(row, 0, 1);
	} while (!reading.began);
	assert_true(reading.gap.begin_ns >= begin_ns);
	work_row_destroy(row);
}

static void sleep_is_no_gap(void **state)
{
	const struct ktstr_work work = { .name = "t",
					 .type = KTSTR_WORK_timer,
					 .params = { 60000000 } };
	struct work_row *row = rows_start(&work, 1);
	struct work_reading reading;

	(void)state;
	work_row_go(row, 0);
	while (!rows_read(row, 0).began)
		rows_pause();
	while (rows_task(row, 0).state != 'S')
		rows_pause();
	reading = rows_read(row, 0);
	await_time(MOMENT_NS);
	assert_true(rows_read_now(row, 0, 0).gap.ns == reading.gap.ns);
	assert_int_equal(reading.wakes.count, 0);
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	work_row_destroy(row);
}

static void waking_up_late_is_told(void **state)
{
	const struct ktstr_work work = { .name = "t",
					 .type = KTSTR_WORK_timer,
					 .params = { 5000 } };
	struct work_row *row = rows_start(&work, 1);
	struct work_reading reading;

	(void)state;
	work_row_go(row, 0);
	rows_await(row, 0, 2);
	kill(work_row_pid(row, 0), SIGSTOP);
	rows_await_state(row, 0, WORK_STOPPED);
	await_time(MOMENT_NS);
	kill(work_row_pid(row, 0), SIGCONT);
	rows_await(row, 0, rows_read(row, 0).iterations + 3);
	reading = rows_read(row, 0);
	assert_true(reading.wakes.count >= 4);
	assert_true(reading.wakes.max_ns >= MOMENT_NS - 5 * NSEC_PER_MSEC);
	assert_true(reading.gap.ns >= reading.wakes.max_ns);
	assert_true(reading.wakes.p50_ns <= reading.wakes.p90_ns);
	assert_true(reading.wakes.p99_ns <= reading.wakes.max_ns);
	assert_true(reading.wakes.max_at_ns <= reading.last_ns);
	work_row_destroy(row);
}

static void outside_is_where_it_may_not_run(void **state)
{
	const uint64_t none[WORK_CPU_WORDS] = { 0 };
	struct work_row *row = rows_start(&spin, 2);
	struct work_reading reading;
	cpu_set_t set;
	uint64_t all[WORK_CPU_WORDS];

	(void)state;
	memset(all, 0xff, sizeof(all));
	memset(&set, 0xff, sizeof(set));
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	sched_getaffinity(0, sizeof(set), &set);
	work_row_allow(row, 0, none, 0);
	work_row_allow(row, 1, all, 0);
	work_row_go(row, 0);
	rows_await(row, 0, 20);
	rows_await(row, 1, 20);
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	reading = rows_read(row, 0);
	assert_memory_equal(reading.outside, reading.cpus, sizeof(reading.cpus));
	assert_true(reading.outside_ns > 0 &&
		    reading.outside_ns <= reading.last_ns - reading.first_ns + reading.gap.ns);
	reading = rows_read(row, 1);
	assert_memory_equal(reading.outside, none, sizeof(none));
	assert_int_equal(reading.outside_ns, 0);
	for (uint32_t cpu = 0; cpu < 256; cpu++) {
		if (reading.cpus[cpu / 64] >> cpu % 64 & 1)
			assert_true(CPU_ISSET(cpu, &set));
	}
	work_row_destroy(row);
}

/* A time to come allows everything until then. */
static void allowed_cpus_count_from_a_time(void **state)
{
	const uint64_t none[WORK_CPU_WORDS] = { 0 };
	struct work_row *row = rows_start(&spin, 1);

	(void)state;
	work_row_allow(row, 0, none, UINT64_MAX);
	work_row_go(row, 0);
	rows_await(row, 0, 10);
	assert_int_equal(rows_read(row, 0).outside_ns, 0);
	work_row_destroy(row);
}

static void cpu_time_is_told_to_the_end(void **state)
{
	struct ktstr_work work = { .name = "o", .type = KTSTR_WORK_once, .params = { 3000 } };
	uint64_t cpu_ns = 0, delay_ns = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct work_row *row;

		work.threads = i == 1;
		row = rows_run(&work, 2);
		assert_int_equal(work_row_cpu(row, 1, &cpu_ns, &delay_ns), 0);
		/* 3000 units of 1024 dependent multiplications take a millisecond on any machine. */
		assert_true(cpu_ns > NSEC_PER_MSEC);
		assert_int_equal(rows_read(row, 1).units, 3000);
		work_row_destroy(row);
	}
}

static void crash(const struct ktstr_work_context *context)
{
	context->did(context->handle, 1);
	raise(context->index == 0 ? SIGSEGV : SIGABRT);
}

static void a_crash_is_told(void **state)
{
	const struct ktstr_work work = { .name = "c", .type = KTSTR_WORK_custom, .run = crash };
	const struct rlimit none = { 0, 0 };
	struct work_row *row;

	(void)state;
	setrlimit(RLIMIT_CORE, &none);
	row = rows_start(&work, 2);
	work_row_go(row, 0);
	rows_await_end(row);
	assert_int_equal(rows_look(row, 0).state, WORK_SIGNALED);
	assert_int_equal(rows_look(row, 0).signal, SIGSEGV);
	assert_int_equal(rows_look(row, 1).signal, SIGABRT);
	assert_int_equal(rows_look(row, 1).exit_code, -1);
	assert_int_equal(rows_read(row, 0).iterations, 1);
	assert_int_equal(work_row_reap(row, 0), 0);
	work_row_destroy(row);
}

static void leave(const struct ktstr_work_context *context)
{
	_exit(context->index == 0 ? 0 : 3);
}

static void leaving_early_is_told(void **state)
{
	const struct ktstr_work work = { .name = "c", .type = KTSTR_WORK_custom, .run = leave };
	struct work_row *row = rows_start(&work, 2);

	(void)state;
	work_row_go(row, 0);
	rows_await_end(row);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(rows_look(row, i).state, WORK_EXITED);
		assert_int_equal(rows_look(row, i).exit_code, i * 3);
		assert_false(rows_look(row, i).finished);
	}
	work_row_destroy(row);
}

static void go_on(const struct ktstr_work_context *context)
{
	for (;;)
		context->did(context->handle, 1);
}

static void who_does_not_end_is_killed(void **state)
{
	struct ktstr_work work = { .name = "c", .type = KTSTR_WORK_custom, .run = go_on };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct work_row *row;

		work.threads = i == 1;
		row = rows_start(&work, 2);
		work_row_go(row, 0);
		rows_await(row, 0, 1);
		rows_await(row, 1, 1);
		assert_int_equal(work_row_reap(row, NSEC_PER_MSEC), 2);
		assert_int_equal(rows_look(row, 1).state, WORK_KILLED);
		assert_true(work_row_is_done(row));
		assert_true(rows_read(row, 1).iterations > 0);
		work_row_destroy(row);
	}
}

static void killing_and_stopping_is_told(void **state)
{
	struct work_row *row = rows_start(&spin, 3);

	(void)state;
	work_row_go(row, 0);
	rows_await(row, 0, 1);
	rows_await(row, 1, 1);
	rows_await(row, 2, 1);
	kill(work_row_pid(row, 0), SIGKILL);
	kill(work_row_pid(row, 1), SIGSTOP);
	rows_await_state(row, 0, WORK_SIGNALED);
	rows_await_state(row, 1, WORK_STOPPED);
	assert_int_equal(rows_look(row, 0).signal, SIGKILL);
	assert_int_equal(rows_look(row, 1).signal, SIGSTOP);
	work_row_stop(row);
	rows_await_state(row, 2, WORK_ENDED);
	assert_int_equal(work_row_reap(row, NSEC_PER_MSEC), 1);
	assert_int_equal(rows_look(row, 0).state, WORK_SIGNALED);
	assert_int_equal(rows_look(row, 1).state, WORK_KILLED);
	assert_int_equal(rows_look(row, 2).state, WORK_ENDED);
	work_row_destroy(row);
}

static void one_collected_elsewhere_is_missing(void **state)
{
	struct work_row *row = rows_start(&spin, 1);

	(void)state;
	work_row_go(row, 0);
	kill(work_row_pid(row, 0), SIGKILL);
	assert_int_equal(waitpid(work_row_pid(row, 0), NULL, 0), work_row_pid(row, 0));
	assert_int_equal(rows_look(row, 0).state, WORK_MISSING);
	assert_int_equal(rows_look(row, 0).signal, -1);
	work_row_destroy(row);
}

static uint32_t members(pid_t group)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint32_t nr = 0;

	group_describe(group, &text);
	for (const char *at = strbuf_str(&text); *at; at++)
		nr += *at == '(';
	return nr;
}

static void nothing_is_left(void **state)
{
	/* Children that would live for a second or more. */
	const struct ktstr_work work = { .name = "f",
					 .type = KTSTR_WORK_forks,
					 .params = { 1000000 } };
	struct work_row *row;
	int status, killed = 0;
	pid_t group;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	row = rows_start(&work, 3);
	work_row_go(row, 0);
	group = work_row_pid(row, 0);
	while (members(group) < 4)
		rows_pause();
	work_row_destroy(row);
	/* One may have had its second by then. */
	while (waitpid(-1, &status, 0) > 0) {
		assert_true(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
		killed += status != 0;
	}
	assert_true(killed > 0);
	assert_int_equal(members(group), 0);
	/* Not even let go. */
	work_row_destroy(rows_start(&spin, 2));
	work_row_destroy(NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void workers_die_with_their_starter(void **state)
{
	int ends[2];
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		/* The workers hold the pipe open as long as they live. */
		struct work_row *row = rows_start(&spin, 2);

		work_row_go(row, 0);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void stopping_comes_before_going(void **state)
{
	struct work_row *row = rows_start(&spin, 2);

	(void)state;
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	assert_int_equal(rows_look(row, 0).state, WORK_ENDED);
	assert_false(rows_look(row, 0).finished);
	assert_int_equal(rows_read(row, 0).iterations, 0);
	work_row_destroy(row);
}

static void real_time_starters_make_ordinary_workers(void **state)
{
	const struct sched_param high = { .sched_priority = 3 }, none = { .sched_priority = 0 };
	struct work_row *row;

	(void)state;
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &high) < 0) {
		print_message("needs the right to use SCHED_FIFO\n");
		skip();
	}
	row = rows_start(&spin, 2);
	assert_int_equal(sched_getscheduler(0), SCHED_FIFO | SCHED_RESET_ON_FORK);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(sched_getscheduler(work_row_tid(row, i)), SCHED_OTHER);
		assert_int_equal(rows_task(row, i).nice, 0);
	}
	work_row_go(row, 0);
	rows_await(row, 1, 1);
	assert_int_equal(work_row_reap(row, MANY_NS * 10ull), 0);
	work_row_destroy(row);
	assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &none), 0);
}

static void refuse(const struct ktstr_work *work, uint32_t count, int code, const char *words)
{
	const struct work_row_opts opts = { .work = work, .count = count };
	struct work_row *row = NULL;
	struct ktstr_error err;

	assert_int_equal(work_row_start(&opts, &row, &err), code);
	assert_null(row);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in: %s", words, err.text);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct ktstr_work work = { .name = "p", .type = KTSTR_WORK_pipe_pair };

	(void)state;
	refuse(&work, 3, -EINVAL, "groups of 2");
	refuse(&work, 0, -EINVAL, "groups of 2");
	refuse(&work, 100000, -EINVAL, "at most");
	work.params[0] = 2000000;
	refuse(&work, 2, -EINVAL, "units of pipe_pair is 2000000");
	work = (struct ktstr_work){ .name = "x", .type = KTSTR_WORK_TYPES };
	refuse(&work, 1, -EINVAL, "no work type");
	work = (struct ktstr_work){ .name = "x", .type = KTSTR_WORK_custom };
	refuse(&work, 1, -EINVAL, "no function");
	work = (struct ktstr_work){ .name = "x", .type = KTSTR_WORK_program };
	refuse(&work, 1, -EINVAL, "no program");
	work.program = "no-such-program-anywhere";
	refuse(&work, 1, -ENOENT, "no-such-program-anywhere");
	work.program = "true";
	work.threads = true;
	refuse(&work, 1, -EINVAL, "threads");
}

static void traits_come_from_the_table(void **state)
{
	struct ktstr_work work = { .name = "q", .type = KTSTR_WORK_queue };
	struct work_traits traits;

	(void)state;
	assert_int_equal(work_traits(&work, &traits, NULL), 0);
	assert_int_equal(traits.group, 3);
	assert_true(traits.wakes && traits.tells && !traits.busy && !traits.ends);
	work.params[0] = 7;
	work.iterations = 1;
	assert_int_equal(work_traits(&work, &traits, NULL), 0);
	assert_int_equal(traits.group, 7);
	assert_true(traits.ends);
	assert_int_equal(work_param(&work, 0), 7);
	assert_int_equal(work_param(&work, 1), 1000);
	assert_int_equal(work_param(&work, KTSTR_WORK_PARAMS), 0);
	for (int type = 0; type < KTSTR_WORK_TYPES; type++) {
		work = (struct ktstr_work){ .name = "x", .type = (enum ktstr_work_type)type };
		assert_int_equal(work_traits(&work, &traits, NULL), 0);
		assert_true(traits.group >= 1);
	}
}

static void bad_numbers_are_refused(void **state)
{
	struct work_row *row = rows_start(&spin, 1);
	struct work_reading reading;
	struct work_end end;
	uint64_t ns;

	(void)state;
	assert_int_equal(work_row_read(row, 1, 0, 0, &reading), -EINVAL);
	assert_int_equal(work_row_read(row, 0, WORK_PHASES, 0, &reading), -EINVAL);
	assert_int_equal(work_row_look(row, 1, &end), -EINVAL);
	assert_int_equal(work_row_cpu(row, 1, &ns, &ns), -EINVAL);
	assert_int_equal(work_row_tid(row, 1), 0);
	assert_int_equal(work_row_pid(row, 1), 0);
	work_row_destroy(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_wait_until_let_go),
		cmocka_unit_test(names_keep_their_number),
		cmocka_unit_test(threads_share_a_process),
		cmocka_unit_test(phases_have_their_own_slots),
		cmocka_unit_test(standing_still_is_a_gap),
		cmocka_unit_test(open_gaps_count),
		cmocka_unit_test(gaps_begin_with_their_phase),
		cmocka_unit_test(sleep_is_no_gap),
		cmocka_unit_test(waking_up_late_is_told),
		cmocka_unit_test(outside_is_where_it_may_not_run),
		cmocka_unit_test(allowed_cpus_count_from_a_time),
		cmocka_unit_test(cpu_time_is_told_to_the_end),
		cmocka_unit_test(a_crash_is_told),
		cmocka_unit_test(leaving_early_is_told),
		cmocka_unit_test(who_does_not_end_is_killed),
		cmocka_unit_test(killing_and_stopping_is_told),
		cmocka_unit_test(one_collected_elsewhere_is_missing),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(workers_die_with_their_starter),
		cmocka_unit_test(stopping_comes_before_going),
		cmocka_unit_test(real_time_starters_make_ordinary_workers),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(traits_come_from_the_table),
		cmocka_unit_test(bad_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
