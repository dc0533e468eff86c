// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenario/words.h"

static void times(void **state)
{
	static const struct {
		const char *words;
		uint64_t ns;
		int result;
	} rows[] = {
		{ "250us", 250000, 0 },
		{ "1.5s", 1500000000, 0 },
		{ "10ms", 10000000, 0 },
		{ "80ns", 80, 0 },
		{ "1h", 3600000000000, 0 },
		{ "", 0, -EINVAL },
		{ "10", 0, -EINVAL },
		{ "ms", 0, -EINVAL },
		{ "10 ms", 0, -EINVAL },
		{ "-1ms", 0, -EINVAL },
		{ "10days", 0, -EINVAL },
		{ "0ms", 0, -ERANGE },
		{ "0.1ns", 0, -ERANGE },
		{ "3601s", 0, -ERANGE },
		{ "99999999999999999999s", 0, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ktstr_error err = { 0 };
		uint64_t ns = 7;

		assert_int_equal(words_time(rows[i].words, &ns, &err), rows[i].result);
		assert_int_equal(ns, rows[i].result ? 7 : rows[i].ns);
		assert_int_equal(err.code, rows[i].result);
	}
}

static void policies(void **state)
{
	static const struct {
		const char *words;
		struct policy_words wanted;
		int result;
	} rows[] = {
		{ "normal", { .policy = SCHED_OTHER }, 0 },
		{ "batch", { .policy = SCHED_BATCH }, 0 },
		{ "idle", { .policy = SCHED_IDLE }, 0 },
		{ "ext", { .policy = 7 }, 0 },
		{ "fifo:50", { .policy = SCHED_FIFO, .priority = 50 }, 0 },
		{ "rr:1", { .policy = SCHED_RR, .priority = 1 }, 0 },
		{ "fifo:90", { .policy = SCHED_FIFO, .priority = 90 }, 0 },
		{ "deadline:2ms/10ms/20ms",
		  { .policy = 6,
		    .runtime_ns = 2000000,
		    .deadline_ns = 10000000,
		    .period_ns = 20000000 },
		  0 },
		{ "deadline:1024ns/100us/100us",
		  { .policy = 6, .runtime_ns = 1024, .deadline_ns = 100000, .period_ns = 100000 },
		  0 },
		{ "", { 0 }, -EINVAL },
		{ "Normal", { 0 }, -EINVAL },
		{ "normal:1", { 0 }, -EINVAL },
		{ "fifo", { 0 }, -EINVAL },
		{ "fifo:", { 0 }, -EINVAL },
		{ "fifo:x", { 0 }, -EINVAL },
		{ "fifo:-1", { 0 }, -EINVAL },
		{ "fifo:0", { 0 }, -ERANGE },
		{ "fifo:91", { 0 }, -ERANGE },
		{ "deadline:2ms/10ms", { 0 }, -EINVAL },
		{ "deadline:2ms/10ms/", { 0 }, -EINVAL },
		{ "deadline:2ms/10ms/20ms/", { 0 }, -EINVAL },
		{ "deadline:2ms/10ms/20ms/30ms", { 0 }, -EINVAL },
		{ "deadline:2/10/20", { 0 }, -EINVAL },
		{ "deadline:11ms/10ms/20ms", { 0 }, -ERANGE },
		{ "deadline:2ms/21ms/20ms", { 0 }, -ERANGE },
		{ "deadline:1023ns/10ms/20ms", { 0 }, -ERANGE },
		{ "deadline:2us/10us/99us", { 0 }, -ERANGE },
		{ "deadline:2ms/10ms/5s", { 0 }, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy_words policy = { 0 };
		struct ktstr_error err = { 0 };

		assert_int_equal(words_policy(rows[i].words, &policy, &err), rows[i].result);
		assert_memory_equal(&policy, &rows[i].wanted, sizeof(policy));
		assert_int_equal(err.code, rows[i].result);
	}
}

static void memories(void **state)
{
	static const struct {
		const char *words;
		struct memory_words wanted;
		int result;
	} rows[] = {
		{ "local", { .mode = MPOL_LOCAL }, 0 },
		{ "bind:0", { MPOL_BIND, 1 }, 0 },
		{ "interleave:0-1", { MPOL_INTERLEAVE, 3 }, 0 },
		{ "preferred:1", { MPOL_PREFERRED, 2 }, 0 },
		{ "nodes:0,7", { -1, 0x81 }, 0 },
		{ "", { 0 }, -EINVAL },
		{ "local:0", { 0 }, -EINVAL },
		{ "bind:", { 0 }, -EINVAL },
		{ "bind:x", { 0 }, -EINVAL },
		{ "preferred:0-1", { 0 }, -EINVAL },
		{ "remote:0", { 0 }, -EINVAL },
		{ "bind:8", { 0 }, -ERANGE },
		{ "bind:64", { 0 }, -ERANGE },
		{ "bind:9999", { 0 }, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct memory_words memory = { 0 };
		struct ktstr_error err = { 0 };

		assert_int_equal(words_memory(rows[i].words, &memory, &err), rows[i].result);
		assert_int_equal(memory.mode, rows[i].wanted.mode);
		assert_int_equal(memory.nodes, rows[i].wanted.nodes);
		assert_int_equal(err.code, rows[i].result);
	}
}

static void quotas(void **state)
{
	static const struct {
		const char *words;
		uint64_t quota_ns, period_ns;
		int result;
	} rows[] = {
		{ "50ms/100ms", 50000000, 100000000, 0 },
		{ "150%", 150000000, 100000000, 0 },
		{ "1%", 1000000, 100000000, 0 },
		{ "max", 0, 0, 0 },
		{ "1ms/1ms", 1000000, 1000000, 0 },
		{ "256s/1s", 256000000000, 1000000000, 0 },
		{ "", 0, 0, -EINVAL },
		{ "%", 0, 0, -EINVAL },
		{ "1.5%", 0, 0, -EINVAL },
		{ "50ms", 0, 0, -EINVAL },
		{ "50ms/", 0, 0, -EINVAL },
		{ "/100ms", 0, 0, -EINVAL },
		{ "50ms/100ms/1s", 0, 0, -EINVAL },
		{ "max/100ms", 0, 0, -EINVAL },
		{ "0%", 0, 0, -ERANGE },
		{ "25601%", 0, 0, -ERANGE },
		{ "99999999999999999999%", 0, 0, -ERANGE },
		{ "999us/100ms", 0, 0, -ERANGE },
		{ "50ms/999us", 0, 0, -ERANGE },
		{ "50ms/1001ms", 0, 0, -ERANGE },
		{ "257s/1s", 0, 0, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t quota_ns = 7, period_ns = 7;
		struct ktstr_error err = { 0 };
		bool good = !rows[i].result;

		assert_int_equal(words_quota(rows[i].words, &quota_ns, &period_ns, &err),
				 rows[i].result);
		assert_int_equal(quota_ns, good ? rows[i].quota_ns : 7);
		assert_int_equal(period_ns, good ? rows[i].period_ns : 7);
		assert_int_equal(err.code, rows[i].result);
	}
}

static void events(void **state)
{
	static const struct {
		const char *words;
		struct event_words wanted;
		int result;
	} rows[] = {
		{ "scheduler gone", { .kind = EVENT_SCHEDULER_GONE }, 0 },
		{ "done hogs", { .kind = EVENT_DONE, .work = "hogs" }, 0 },
		{ "iterations pairs 500",
		  { .kind = EVENT_ITERATIONS, .work = "pairs", .iterations = 500 },
		  0 },
		{ "", { 0 }, -EINVAL },
		{ "scheduler", { 0 }, -EINVAL },
		{ "scheduler gone ", { 0 }, -EINVAL },
		{ "done", { 0 }, -EINVAL },
		{ "done ", { 0 }, -EINVAL },
		{ "done hogs ", { 0 }, -EINVAL },
		{ "done hogs cats", { 0 }, -EINVAL },
		{ "done  hogs", { 0 }, -EINVAL },
		{ "done a-name-of-forty-eight-bytes-is-one-byte-too-long", { 0 }, -EINVAL },
		{ "iterations pairs", { 0 }, -EINVAL },
		{ "iterations pairs x", { 0 }, -EINVAL },
		{ "iterations pairs -1", { 0 }, -EINVAL },
		{ "iterations pairs 0", { 0 }, -ERANGE },
		{ "iterations pairs 18446744073709551616", { 0 }, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct event_words event = { 0 };
		struct ktstr_error err = { 0 };

		assert_int_equal(words_event(rows[i].words, &event, &err), rows[i].result);
		assert_int_equal(event.kind, rows[i].wanted.kind);
		assert_string_equal(event.work, rows[i].wanted.work);
		assert_int_equal(event.iterations, rows[i].wanted.iterations);
		assert_int_equal(err.code, rows[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),  cmocka_unit_test(policies), cmocka_unit_test(memories),
		cmocka_unit_test(quotas), cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
