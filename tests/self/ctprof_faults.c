// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The tests of ctprof against captures that are broken on purpose: each of these must fail. */
#include "ctprof/fault.h"
#include "tests/vm/ctprof_jemalloc.c"

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
