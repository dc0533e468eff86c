// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A capture inside a guest sees what a jemalloc program there allocates, invents nothing for
 * kernel threads, and survives threads that come and go while it looks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <ktstr/ctprof.h>
#include <ktstr/test.h>

/* Far above what jemalloc caches per thread, so the counters move at once. */
static const int64_t known_bytes = 16 << 20;
/* Allocator and start-up on top of it; more means a wrong address or a leak. */
static const int64_t max_slop_bytes = 4 << 20;

enum { KTHREADD = 2, PREVIEW = 16, TEXT_BYTES = 256 };

#define WORKER_EXITS                                                                               \
	{                                                                                          \
		{ 2, "BYTES is 0" }, { 3, "more than one thread at its start" },                   \
			{ 4, "ready marker not written" }, { 5, "BYTES missing or not a number" }, \
			{ 6, "/proc/self/task unreadable" },                                       \
		{                                                                                  \
			7, "out of memory"                                                         \
		}                                                                                  \
	}

static const struct ktstr_payload alloc_worker = {
	.name = "alloc_worker",
	.binary = "ktstr-jemalloc-alloc-worker",
	.exits = WORKER_EXITS,
};

static const struct ktstr_payload churn_worker = {
	.name = "alloc_worker_churn",
	.binary = "ktstr-jemalloc-alloc-worker",
	.args = { "--churn" },
	.exits = WORKER_EXITS,
};

/* What the threads of one process say together. */
struct process_view {
	size_t nr_threads;
	const struct ktstr_ctprof_thread *leader;
	int64_t allocated, deallocated; /* the largest of any thread; absent reads as 0 */
	enum ktstr_jemalloc_tag tag;	/* of the last thread without counters */
};

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct process_view view_process(const struct ktstr_ctprof *snap, uint32_t tgid)
{
	struct process_view v = { .leader = ktstr_ctprof_find(snap, tgid, tgid) };

	for (size_t i = 0; i < snap->nr_threads; i++) {
		const struct ktstr_ctprof_thread *th = &snap->threads[i];

		if (th->tgid != tgid)
			continue;
		v.nr_threads++;
		v.allocated =
			larger(v.allocated, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_ALLOCATED));
		v.deallocated = larger(v.deallocated,
				       ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_DEALLOCATED));
		if (th->jemalloc != KTSTR_JEMALLOC_OK)
			v.tag = th->jemalloc;
	}
	return v;
}

/* "1 2 3 (of 41 processes)": tells a process that is missing from a walk that went wrong. */
static const char *preview(const struct ktstr_ctprof *snap, char *buf, size_t size)
{
	size_t nr = 0, len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < snap->nr_threads; i++) {
		if (i && snap->threads[i].tgid == snap->threads[i - 1].tgid)
			continue;
		if (nr++ < PREVIEW && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%u ",
						snap->threads[i].tgid);
	}
	if (len < size)
		snprintf(buf + len, size - len, "(of %zu processes)", nr);
	return buf;
}

static int capture(struct ktstr *t, struct ktstr_ctprof **ret_snap)
{
	struct ktstr_error err;
	int r = ktstr_ctprof_capture(NULL, ret_snap, &err);

	if (r < 0)
		ktstr_note(t, "capture: %s", err.text);
	return r;
}

static void planted_allocation(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *worker = NULL;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct process_view v;
	pid_t pid;

	ASSERT_OK(t, ktstr_payload_spawn(t, &alloc_worker, KTSTR_ARGS("16777216"), &worker));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, worker, SECS(5)));
	pid = ktstr_proc_pid(worker);
	ASSERT_GT(t, pid, 0);
	ASSERT_OK(t, capture(t, &snap));
	/* Before anything is judged, so that no early return leaves it behind. */
	EXPECT_OK(t, ktstr_proc_kill(t, worker));

	v = view_process(snap, (uint32_t)pid);
	if (!v.nr_threads)
		KTSTR_FAIL_NOW(t, "worker tgid=%d is not among the %zu threads of the snapshot",
			       pid, snap->nr_threads);
	ktstr_note(t, "tgid=%d threads=%zu allocated=%" PRId64 " deallocated=%" PRId64, pid,
		   v.nr_threads, v.allocated, v.deallocated);
	ktstr_measured(t, "allocated_bytes", (double)v.allocated, "B");
	ktstr_measured(t, "deallocated_bytes", (double)v.deallocated, "B");
	if (v.allocated < known_bytes)
		ktstr_note(t,
			   "counters absent or too small, tag '%s': no debug information and an "
			   "unknown build, symbol not found, or ptrace refused",
			   ktstr_jemalloc_tag_name(v.tag));
	ASSERT_GE(t, v.allocated, known_bytes);
	/* More: a wrong address, or a leak. */
	ASSERT_LE(t, v.allocated, known_bytes + max_slop_bytes);
	/* The worker holds its block until it is killed. */
	ASSERT_LT(t, v.deallocated, known_bytes);
}

static void kernel_threads_absent(struct ktstr *t)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	char buf[TEXT_BYTES];
	size_t nr = 0;

	ASSERT_OK(t, capture(t, &snap));
	if (!snap->nr_threads)
		KTSTR_FAIL_NOW(t, "no threads at all: /proc of the guest cannot be read");
	for (size_t i = 0; i < snap->nr_threads; i++) {
		const struct ktstr_ctprof_thread *th = &snap->threads[i];
		int64_t bytes;

		if (th->tgid != KTHREADD)
			continue;
		nr++;
		EXPECT_FALSE(t, ktstr_ctprof_get(th, KTSTR_CTPROF_ALLOCATED, &bytes));
		EXPECT_FALSE(t, ktstr_ctprof_get(th, KTSTR_CTPROF_DEALLOCATED, &bytes));
		EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_ALLOCATED), 0);
		EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_DEALLOCATED), 0);
		EXPECT_STREQ(t, ktstr_jemalloc_tag_name(th->jemalloc), "kernel-thread");
	}
	if (!nr)
		KTSTR_FAIL_NOW(t,
			       "kthreadd (tgid %d) is not in the snapshot of %zu threads; seen: %s",
			       KTHREADD, snap->nr_threads, preview(snap, buf, sizeof(buf)));
	ktstr_note(t, "kthreadd_threads=%zu total_threads=%zu", nr, snap->nr_threads);
	ktstr_measured(t, "total_threads", (double)snap->nr_threads, "");
}

static void thread_churn(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *worker = NULL;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct process_view v;
	char buf[TEXT_BYTES];
	pid_t pid;

	ASSERT_OK(t, ktstr_payload_spawn(t, &churn_worker, KTSTR_ARGS("1048576"), &worker));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, worker, SECS(5)));
	pid = ktstr_proc_pid(worker);
	ASSERT_GT(t, pid, 0);
	ASSERT_OK(t, capture(t, &snap));
	EXPECT_OK(t, ktstr_proc_kill(t, worker));

	ASSERT_GT(t, snap->nr_threads, 0);
	v = view_process(snap, (uint32_t)pid);
	if (!v.leader)
		KTSTR_FAIL_NOW(
			t,
			"leader tid=%d of the worker is missing, %zu of its threads are there; "
			"the capture took it for one that ended; seen: %s",
			pid, v.nr_threads, preview(snap, buf, sizeof(buf)));
	ktstr_note(t, "tgid=%d total_threads=%zu ghosts=%" PRIu64 " main_allocated=%" PRId64, pid,
		   snap->nr_threads, snap->summary.ghosts,
		   ktstr_ctprof_get_or_zero(v.leader, KTSTR_CTPROF_ALLOCATED));
	ktstr_measured(t, "total_threads", (double)snap->nr_threads, "");
}

KTSTR_TEST(ctprof_sees_planted_allocation) = {
	.about = "bytes planted by a jemalloc worker show up in its thread's record",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 1, .threads_per_core = 1 },
	.payloads = { &alloc_worker },
	.run = planted_allocation,
};

KTSTR_TEST(ctprof_leaves_kernel_threads_absent) = {
	.about = "kthreadd is in the record, and its allocation counters are absent, not zero",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 1, .threads_per_core = 1 },
	.run = kernel_threads_absent,
};

KTSTR_TEST(ctprof_survives_thread_churn) = {
	.about =
		"threads that end while they are captured cost neither the leader nor the snapshot",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 2 },
	.payloads = { &churn_worker },
	.run = thread_churn,
};

KTSTR_MAIN
