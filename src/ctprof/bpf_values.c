// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctprof/bpf_records.h"
#include "ctprof/fault.h"

enum { TICK_NS = 10000000, MAX_RT_PRIO = 100, DEFAULT_PRIO = 120 };
enum { POLICY_NORMAL = 0, POLICY_BATCH = 3, POLICY_EXT = 7 };

/* Which metric a slot is. */
struct slot {
	enum ctprof_slot slot;
	enum ktstr_ctprof_metric metric;
};

#define SLOT(id) { CTPROF_##id, KTSTR_CTPROF_##id },

static const struct slot plain[] = {
#define FIELD(id, member) SLOT(id)
#define VALUE(id)	  SLOT(id)
#include "bpf/ctprof_fields.def"
};

static const struct slot statistics[] = {
#define STATISTIC(id, member) SLOT(id)
#include "bpf/ctprof_fields.def"
};

static const struct slot delays[] = {
#define DELAY(id, member) SLOT(id)
#include "bpf/ctprof_fields.def"
};

/* What stays 0 until something is delayed. */
static const enum ktstr_ctprof_metric shortest[] = {
	KTSTR_CTPROF_CPU_DELAY_MIN,	  KTSTR_CTPROF_BLKIO_DELAY_MIN,
	KTSTR_CTPROF_SWAPIN_DELAY_MIN,	  KTSTR_CTPROF_FREEPAGES_DELAY_MIN,
	KTSTR_CTPROF_THRASHING_DELAY_MIN, KTSTR_CTPROF_COMPACT_DELAY_MIN,
	KTSTR_CTPROF_WPCOPY_DELAY_MIN,	  KTSTR_CTPROF_IRQ_DELAY_MIN,
};

static bool has(const struct ctprof_thread *r, enum ctprof_slot slot)
{
	return r->present[slot / 64] >> (slot % 64) & 1;
}

static void set(struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric metric, uint64_t value)
{
	if (value <= INT64_MAX)
		thread_set(t, metric, (int64_t)value);
}

static void set_slots(const struct ctprof_thread *r, const struct slot *slots, size_t nr,
		      struct ktstr_ctprof_thread *t)
{
	for (size_t i = 0; i < nr; i++)
		if (has(r, slots[i].slot))
			set(t, slots[i].metric, r->values[slots[i].slot]);
}

/* See bpf_set_values(). */
static void set_times(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	uint64_t utime = r->values[CTPROF_RAW_UTIME], stime = r->values[CTPROF_RAW_STIME];
	uint64_t run = r->values[CTPROF_RUN_TIME];
	uint64_t shown_utime = r->values[CTPROF_RAW_PREV_UTIME];
	uint64_t shown_stime = r->values[CTPROF_RAW_PREV_STIME];

	if (!has(r, CTPROF_RAW_UTIME) || !has(r, CTPROF_RAW_STIME) || !has(r, CTPROF_RUN_TIME))
		return;
	if (shown_utime + shown_stime < run) {
		if (!stime)
			stime = 0;
		else if (!utime)
			stime = run;
		else
			stime = (uint64_t)((unsigned __int128)stime * run /
					   ((unsigned __int128)stime + utime));
		if (stime < shown_stime)
			stime = shown_stime;
		utime = run - stime;
		if (utime < shown_utime) {
			utime = shown_utime;
			stime = run - utime;
		}
		shown_utime = utime;
		shown_stime = stime;
	}
	set(t, KTSTR_CTPROF_UTIME, shown_utime / TICK_NS);
	set(t, KTSTR_CTPROF_STIME, shown_stime / TICK_NS);
}

static void set_priorities(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	if (has(r, CTPROF_RAW_PRIO))
		thread_set(t, KTSTR_CTPROF_PRIORITY,
			   (int64_t)(int32_t)r->values[CTPROF_RAW_PRIO] - MAX_RT_PRIO);
	if (has(r, CTPROF_RAW_STATIC_PRIO))
		thread_set(t, KTSTR_CTPROF_NICE,
			   (int64_t)(int32_t)r->values[CTPROF_RAW_STATIC_PRIO] - DEFAULT_PRIO);
}

/* By the highest bit, as task_state_array[] of fs/proc/array.c. */
static void set_state(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	static const char letters[] = "RSDTtXZPI";
	uint64_t bits = r->values[CTPROF_RAW_STATE];
	unsigned int i = bits ? 64 - (unsigned int)__builtin_clzll(bits) : 0;

	if (has(r, CTPROF_RAW_STATE) && i < sizeof(letters) - 1)
		thread_set(t, KTSTR_CTPROF_STATE, letters[i]);
}

static void set_statistics(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	uint64_t asleep = r->values[CTPROF_RAW_SLEEP_SUM], blocked = r->values[CTPROF_BLOCK_SUM];

	set_slots(r, statistics, ARRAY_SIZE(statistics), t);
	if (has(r, CTPROF_RAW_SLEEP_SUM) && has(r, CTPROF_BLOCK_SUM))
		set(t, KTSTR_CTPROF_VOLUNTARY_SLEEP, asleep > blocked ? asleep - blocked : 0);
}

static void set_delays(const struct ctprof_thread *r, const struct bpf_units *units,
		       struct ktstr_ctprof_thread *t)
{
	set_slots(r, delays, ARRAY_SIZE(delays), t);
	if (has(r, CTPROF_TIMESLICES))
		set(t, KTSTR_CTPROF_CPU_DELAY_COUNT, r->values[CTPROF_TIMESLICES]);
	if (has(r, CTPROF_WAIT_TIME))
		set(t, KTSTR_CTPROF_CPU_DELAY_TOTAL, r->values[CTPROF_WAIT_TIME]);
	/* The kernel has the fields whether it counts or not. */
	for (unsigned int m = KTSTR_CTPROF_IRQ_DELAY_COUNT; m <= KTSTR_CTPROF_IRQ_DELAY_MIN; m++)
		if (!units->has_irq && !r->values[CTPROF_IRQ_DELAY_COUNT])
			thread_clear(t, m);
	for (size_t i = 0; i < ARRAY_SIZE(shortest); i++)
		if (!ktstr_ctprof_get_or_zero(t, shortest[i]))
			thread_clear(t, shortest[i]);
}

static void set_bytes(const struct ctprof_thread *r, const struct bpf_units *units,
		      struct ktstr_ctprof_thread *t)
{
	if (has(r, CTPROF_RAW_PEAK_RSS_PAGES))
		set(t, KTSTR_CTPROF_HIWATER_RSS,
		    r->values[CTPROF_RAW_PEAK_RSS_PAGES] * units->page_bytes);
	if (has(r, CTPROF_RAW_PEAK_VM_PAGES))
		set(t, KTSTR_CTPROF_HIWATER_VM,
		    r->values[CTPROF_RAW_PEAK_VM_PAGES] * units->page_bytes);
}

static bool is_fair(int64_t policy)
{
	return policy == POLICY_NORMAL || policy == POLICY_BATCH || policy == POLICY_EXT;
}

void bpf_set_values(const struct ctprof_thread *r, const struct bpf_units *units,
		    struct ktstr_ctprof_thread *t)
{
	set_slots(r, plain, ARRAY_SIZE(plain), t);
	if (ctprof_fault() == KTSTR_CTPROF_FAULT_WRONG_FIELD)
		set(t, KTSTR_CTPROF_MINFLT, r->values[CTPROF_MAJFLT]);
	set_times(r, t);
	set_priorities(r, t);
	set_state(r, t);
	set_bytes(r, units, t);
	set_delays(r, units, t);
	if (units->has_statistics)
		set_statistics(r, t);
	if (has(r, CTPROF_RAW_START))
		set(t, KTSTR_CTPROF_START_TIME,
		    (r->values[CTPROF_RAW_START] + (uint64_t)units->boot_offset_ns) / TICK_NS);
	/* Every thread has one, but it means something for these policies only. */
	if (!is_fair(ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_POLICY)))
		thread_clear(t, KTSTR_CTPROF_FAIR_SLICE);
}
