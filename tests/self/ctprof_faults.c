// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The tests of ctprof against captures that are broken on purpose: each _must_fail. */
#include "ctprof/fault.h"
#include "tests/vm/ctprof_jemalloc.c"

static const struct ktstr_payload shared_worker = {
	.name = "shared_worker",
	.binary = "jemalloc-worker-shared",
};

#define ONE_CPU                                                                  \
	{                                                                        \
		.nodes = 1, .llcs = 1, .cores_per_llc = 1, .threads_per_core = 1 \
	}

static void with_wrong_offset(struct ktstr *t)
{
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_WRONG_OFFSET);
	planted_allocation(t);
}

static void with_kernel_threads(struct ktstr *t)
{
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_KERNEL_THREADS);
	kernel_threads_absent(t);
}

static void without_leaders(struct ktstr *t)
{
	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_LEADER_DROPPED);
	thread_churn(t);
}

/* No fault to be noticed: the way that builds nobody knows are read must work in a guest too. */
static void with_unknown_builds(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *alike = NULL, *asked = NULL;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct process_view v;

	ktstr_ctprof_fault_set(KTSTR_CTPROF_FAULT_UNKNOWN_BUILDS);
	ASSERT_OK(t, ktstr_payload_spawn(t, &shared_worker, KTSTR_ARGS("16777216"), &asked));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, asked, SECS(5)));
	ASSERT_OK(t, ktstr_payload_spawn(t, &alloc_worker, KTSTR_ARGS("16777216"), &alike));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, alike, SECS(5)));
	ASSERT_OK(t, capture(t, &snap));
	v = view_process(snap, (uint32_t)ktstr_proc_pid(asked));
	EXPECT_GE(t, v.allocated, known_bytes);
	EXPECT_LE(t, v.allocated, known_bytes + max_slop_bytes);
	/* Static, but with the same thread data as the library that is there for the other. */
	v = view_process(snap, (uint32_t)ktstr_proc_pid(alike));
	EXPECT_GE(t, v.allocated, known_bytes);
	EXPECT_LE(t, v.allocated, known_bytes + max_slop_bytes);
	ktstr_proc_kill(t, asked);
	ktstr_proc_kill(t, alike);
}

KTSTR_TEST(unknown_build_is_calibrated) = {
	.about = "a library that is in no table is asked where its counters are",
	.topology = ONE_CPU,
	.payloads = { &shared_worker, &alloc_worker },
	.run = with_unknown_builds,
};

KTSTR_TEST(wrong_offset_must_fail) = {
	.about = "counters read 8 bytes too far give no number",
	.topology = ONE_CPU,
	.payloads = { &alloc_worker },
	.run = with_wrong_offset,
};

KTSTR_TEST(kernel_threads_must_fail) = {
	.about = "kernel threads that got counters are noticed",
	.topology = ONE_CPU,
	.run = with_kernel_threads,
};

KTSTR_TEST(leader_dropped_must_fail) = {
	.about = "a leader taken for a ghost is missed",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 2 },
	.payloads = { &churn_worker },
	.run = without_leaders,
};
