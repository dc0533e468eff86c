// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The shapes in which programs carry jemalloc, read inside a guest. */
#include <inttypes.h>
#include <string.h>

#include <ktstr/ctprof.h>
#include <ktstr/test.h>

#define WORKER(name_, binary_)                    \
	{                                         \
		.name = #name_, .binary = binary_ \
	}

static const struct ktstr_payload stripped = WORKER(stripped, "jemalloc-worker-stripped");
static const struct ktstr_payload shared = WORKER(shared, "jemalloc-worker-shared");
static const struct ktstr_payload inside = WORKER(inside, "jemalloc-worker-pie");
static const struct ktstr_payload own_layout = WORKER(own_layout, "jemalloc-dwarf-tsd");
static const struct ktstr_payload unproven = WORKER(unproven, "jemalloc-dwarf-tsd-stripped");

static enum ktstr_ctprof_collector collector;

/* Spawns, captures and kills; what is left is the snapshot. */
static int capture_payload(struct ktstr *t, const struct ktstr_payload *payload,
			   struct ktstr_ctprof **ret_snap, uint32_t *ret_pid)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	struct ktstr_ctprof_opts opts = { .collector = collector };
	struct ktstr_error err;
	int r = ktstr_payload_spawn(t, payload, KTSTR_ARGS("16777216"), &proc);

	if (r == 0)
		r = ktstr_proc_wait_ready(t, proc, SECS(5));
	if (r < 0)
		return r;
	opts.pid = ktstr_proc_pid(proc);
	*ret_pid = (uint32_t)opts.pid;
	r = ktstr_ctprof_capture(&opts, ret_snap, &err);
	if (r < 0)
		ktstr_note(t, "capture: %s", err.text);
	ktstr_proc_kill(t, proc);
	return r;
}

static void check_planted(struct ktstr *t, const struct ktstr_payload *payload)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *th;
	uint32_t pid = 0;
	int64_t bytes = -1;

	ASSERT_OK(t, capture_payload(t, payload, &snap, &pid));
	th = ktstr_ctprof_find(snap, pid, pid);
	ASSERT_NOT_NULL(t, th);
	ktstr_note(t, "%s: %s", payload->name, ktstr_jemalloc_tag_name(th->jemalloc));
	EXPECT_EQ(t, snap->summary.stops != 0, collector == KTSTR_COLLECTOR_PROCFS);
	ASSERT_TRUE(t, ktstr_ctprof_get(th, KTSTR_CTPROF_ALLOCATED, &bytes));
	EXPECT_GE(t, bytes, MIB(16));
	EXPECT_LE(t, bytes, MIB(20));
}

static void every_shape(struct ktstr *t)
{
	_cleanup_ctprof_ struct ktstr_ctprof *exact = NULL, *none = NULL;
	const struct ktstr_ctprof_thread *th;
	uint32_t pid = 0;

	check_planted(t, &stripped);
	check_planted(t, &shared);
	check_planted(t, &inside);

	ASSERT_OK(t, capture_payload(t, &own_layout, &exact, &pid));
	th = ktstr_ctprof_find(exact, pid, pid);
	ASSERT_NOT_NULL(t, th);
	EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_ALLOCATED), 1000003);
	EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_DEALLOCATED), 4099);

	ASSERT_OK(t, capture_payload(t, &unproven, &none, &pid));
	th = ktstr_ctprof_find(none, pid, pid);
	ASSERT_NOT_NULL(t, th);
	EXPECT_STREQ(t, ktstr_jemalloc_tag_name(th->jemalloc), "no-offsets");
	EXPECT_FALSE(t, ktstr_ctprof_get(th, KTSTR_CTPROF_ALLOCATED, &(int64_t){ 0 }));
}

static void every_shape_stopped(struct ktstr *t)
{
	collector = KTSTR_COLLECTOR_PROCFS;
	every_shape(t);
}

static void every_shape_running(struct ktstr *t)
{
	collector = KTSTR_COLLECTOR_BPF;
	every_shape(t);
}

KTSTR_TEST(ctprof_reads_jemalloc_while_it_runs) = {
	.about = "the same shapes, and no thread is stopped",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 1, .threads_per_core = 2 },
	.payloads = { &stripped, &shared, &inside, &own_layout, &unproven },
	.run = every_shape_running,
};

KTSTR_TEST(ctprof_reads_every_shape_of_jemalloc) = {
	.about = "stripped, shared, in a dynamic program, by debug information; never unproven",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 1, .threads_per_core = 2 },
	.payloads = { &stripped, &shared, &inside, &own_layout, &unproven },
	.run = every_shape_stopped,
};

KTSTR_MAIN
