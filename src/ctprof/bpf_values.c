// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctprof/bpf_records.h"
#include "ctprof/fault.h"

enum { TICK_NS = 10000000, MAX_RT_PRIO = 100, DEFAULT_PRIO = 120 };
enum { POLICY_NORMAL = 0, POLICY_BATCH = 3, POLICY_EXT = 7 };

#define METRIC(id) [CTPROF_##id] = KTSTR_CTPROF_##id,

/* Of slots that are metrics. */
static const enum ktstr_ctprof_metric metrics[] = {
#define FIELD(id, member)     METRIC(id)
#define STATISTIC(id, member) METRIC(id)
#define DELAY(id, member)     METRIC(id)
#define VALUE(id)	      METRIC(id)
#include "bpf/ctprof_fields.def"
};

#define BIT(id, word) | (CTPROF_##id / 64 == (word) ? 1ull << CTPROF_##id % 64 : 0)

/* Which slots are metrics. */
static const uint64_t shown[CTPROF_PRESENT_WORDS] = {
#define FIELD(id, member)     BIT(id, 0)
#define STATISTIC(id, member) BIT(id, 0)
#define DELAY(id, member)     BIT(id, 0)
#define VALUE(id)	      BIT(id, 0)
	0
#include "bpf/ctprof_fields.def"
	,
#define FIELD(id, member)     BIT(id, 1)
#define STATISTIC(id, member) BIT(id, 1)
#define DELAY(id, member)     BIT(id, 1)
#define VALUE(id)	      BIT(id, 1)
	0
#include "bpf/ctprof_fields.def"
};

_Static_assert(CTPROF_PRESENT_WORDS == 2, "slots are bits of two words");

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

/* 0: it is not there. */
static uint64_t value_of(const struct ctprof_thread *r, enum ctprof_slot slot)
{
	return slot < r->nr_values ? r->values[slot] : 0;
}

/* The bits of a word that are slots from @first up to @end. */
static uint64_t part_of(unsigned int word, unsigned int first, unsigned int end)
{
	unsigned int base = word * 64;
	uint64_t bits = ~0ull;

	if (first >= base + 64 || end <= base)
		return 0;
	if (first > base)
		bits &= ~0ull << (first - base);
	if (end < base + 64)
		bits &= ~0ull >> (base + 64 - end);
	return bits;
}

static void set_slots(const struct ctprof_thread *r, unsigned int first, unsigned int end,
		      struct ktstr_ctprof_thread *t)
{
	for (unsigned int word = 0; word < CTPROF_PRESENT_WORDS; word++) {
		uint64_t bits = r->present[word] & shown[word] & part_of(word, first, end);

		for (; bits; bits &= bits - 1) {
			unsigned int slot = word * 64 + (unsigned int)__builtin_ctzll(bits);

			set(t, metrics[slot], r->values[slot]);
		}
	}
}

/* See bpf_set_values(). */
static void set_times(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	uint64_t utime = value_of(r, CTPROF_RAW_UTIME), stime = value_of(r, CTPROF_RAW_STIME);
	uint64_t run = value_of(r, CTPROF_RUN_TIME);
	uint64_t shown_utime = value_of(r, CTPROF_RAW_PREV_UTIME);
	uint64_t shown_stime = value_of(r, CTPROF_RAW_PREV_STIME);

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
			   (int64_t)(int32_t)value_of(r, CTPROF_RAW_PRIO) - MAX_RT_PRIO);
	if (has(r, CTPROF_RAW_STATIC_PRIO))
		thread_set(t, KTSTR_CTPROF_NICE,
			   (int64_t)(int32_t)value_of(r, CTPROF_RAW_STATIC_PRIO) - DEFAULT_PRIO);
}

/* By the highest bit, as task_state_array[] of fs/proc/array.c. */
static void set_state(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	static const char letters[] = "RSDTtXZPI";
	uint64_t bits = value_of(r, CTPROF_RAW_STATE);
	unsigned int i = bits ? 64 - (unsigned int)__builtin_clzll(bits) : 0;

	if (has(r, CTPROF_RAW_STATE) && i < sizeof(letters) - 1)
		thread_set(t, KTSTR_CTPROF_STATE, letters[i]);
}

static void set_statistics(const struct ctprof_thread *r, struct ktstr_ctprof_thread *t)
{
	uint64_t asleep = value_of(r, CTPROF_RAW_SLEEP_SUM),
		 blocked = value_of(r, CTPROF_BLOCK_SUM);

	set_slots(r, CTPROF_STATISTICS, CTPROF_DELAYS, t);
	if (has(r, CTPROF_RAW_SLEEP_SUM) && has(r, CTPROF_BLOCK_SUM))
		set(t, KTSTR_CTPROF_VOLUNTARY_SLEEP, asleep > blocked ? asleep - blocked : 0);
}

static void set_delays(const struct ctprof_thread *r, const struct bpf_units *units,
		       struct ktstr_ctprof_thread *t)
{
	set_slots(r, CTPROF_DELAYS, CTPROF_NR_SLOTS, t);
	if (has(r, CTPROF_TIMESLICES))
		set(t, KTSTR_CTPROF_CPU_DELAY_COUNT, value_of(r, CTPROF_TIMESLICES));
	if (has(r, CTPROF_WAIT_TIME))
		set(t, KTSTR_CTPROF_CPU_DELAY_TOTAL, value_of(r, CTPROF_WAIT_TIME));
	/* The kernel has the fields whether it counts or not. */
	for (unsigned int m = KTSTR_CTPROF_IRQ_DELAY_COUNT; m <= KTSTR_CTPROF_IRQ_DELAY_MIN; m++)
		if (!units->has_irq && !value_of(r, CTPROF_IRQ_DELAY_COUNT))
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
		    value_of(r, CTPROF_RAW_PEAK_RSS_PAGES) * units->page_bytes);
	if (has(r, CTPROF_RAW_PEAK_VM_PAGES))
		set(t, KTSTR_CTPROF_HIWATER_VM,
		    value_of(r, CTPROF_RAW_PEAK_VM_PAGES) * units->page_bytes);
}

static bool is_fair(int64_t policy)
{
	return policy == POLICY_NORMAL || policy == POLICY_BATCH || policy == POLICY_EXT;
}

void bpf_set_values(const struct ctprof_thread *r, const struct bpf_units *units,
		    struct ktstr_ctprof_thread *t)
{
	set_slots(r, 0, CTPROF_STATISTICS, t);
	if (ctprof_fault() == KTSTR_CTPROF_FAULT_WRONG_FIELD)
		set(t, KTSTR_CTPROF_MINFLT, value_of(r, CTPROF_MAJFLT));
	set_times(r, t);
	set_priorities(r, t);
	set_state(r, t);
	set_bytes(r, units, t);
	set_delays(r, units, t);
	if (units->has_statistics)
		set_statistics(r, t);
	if (has(r, CTPROF_RAW_START))
		set(t, KTSTR_CTPROF_START_TIME,
		    (value_of(r, CTPROF_RAW_START) + (uint64_t)units->boot_offset_ns) / TICK_NS);
	/* Every thread has one, but it means something for these policies only. */
	if (!is_fair(ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_POLICY)))
		thread_clear(t, KTSTR_CTPROF_FAIR_SLICE);
}
