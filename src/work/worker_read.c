// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "work/row.h"

enum { SCHEDSTAT_BYTES = 96, PATH_BYTES = 64 };

#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)

static void read_wakes(const struct work_slot *slot, struct work_wakes *wakes)
{
	static const uint32_t percents[] = { 50, 90, 99 };
	uint64_t *const values[] = { &wakes->p50_ns, &wakes->p90_ns, &wakes->p99_ns };
	uint32_t counts[WAKE_BUCKETS];
	struct work_peak_value peak;
	uint64_t passed = 0;
	size_t next = 0;

	for (uint32_t i = 0; i < WAKE_BUCKETS; i++) {
		counts[i] = GET(slot->wakes[i]);
		wakes->count += counts[i];
	}
	if (wakes->count == 0)
		return;
	work_peak_read(&slot->wake, &peak);
	wakes->max_ns = peak.ns;
	wakes->max_at_ns = peak.at_ns;
	for (uint32_t i = 0; i < WAKE_BUCKETS && next < ARRAY_SIZE(percents); i++) {
		uint64_t end_ns = wake_bucket_end(i);

		passed += counts[i];
		while (next < ARRAY_SIZE(percents) && passed * 100 >= wakes->count * percents[next])
			*values[next++] = end_ns < peak.ns ? end_ns : peak.ns;
	}
}

static void read_gap(const struct work_slot *slot, struct work_gap *gap)
{
	struct work_peak_value peak;

	work_peak_read(&slot->gap, &peak);
	*gap = (struct work_gap){ .ns = peak.ns, .begin_ns = peak.at_ns, .cpu = peak.cpu };
}

static void add_open_gap(const struct work_row *row, uint32_t index, uint64_t now_ns,
			 struct work_gap *gap)
{
	const struct work_seat *seat = &row->seats[index];
	uint64_t from_ns = atomic_load(&seat->wants_ns);
	uint64_t begin_ns = GET(row->shared->phase_begin_ns[GET(row->shared->phase)]);
	siginfo_t info;

	if (from_ns < begin_ns)
		from_ns = begin_ns;
	if (now_ns <= from_ns || now_ns - from_ns <= gap->ns || row->ops->mute ||
	    work_row_is_dead(row, index, &info) || info.si_pid != 0)
		return;
	*gap = (struct work_gap){
		.ns = now_ns - from_ns, .begin_ns = from_ns, .cpu = GET(seat->cpu), .open = true
	};
}

int work_row_read(const struct work_row *row, uint32_t index, uint32_t phase, uint64_t now_ns,
		  struct work_reading *ret_reading)
{
	struct work_reading reading = { .began = false };
	const struct work_seat *seat;
	const struct work_slot *slot;

	if (index >= row->count || phase >= WORK_PHASES)
		return -EINVAL;
	if (row->ops->mute)
		return -ENODATA;
	seat = &row->seats[index];
	slot = &seat->slots[phase];
	/* Signs come before what they are signs of. */
	reading.iterations = atomic_load_explicit(&slot->iterations, memory_order_acquire);
	reading.first_ns = GET(slot->first_ns);
	reading.began = reading.first_ns != 0;
	reading.last_ns = GET(slot->last_ns);
	reading.units = GET(slot->units);
	reading.migrations = GET(slot->migrations);
	reading.outside_ns = GET(slot->outside_ns);
	for (int i = 0; i < WORK_CPU_WORDS; i++) {
		reading.cpus[i] = GET(slot->cpus[i]);
		reading.outside[i] = GET(slot->outside[i]);
	}
	read_wakes(slot, &reading.wakes);
	read_gap(slot, &reading.gap);
	if (now_ns && phase == GET(row->shared->phase))
		add_open_gap(row, index, now_ns, &reading.gap);
	*ret_reading = reading;
	return 0;
}

static bool read_schedstat(const struct work_row *row, uint32_t index, uint64_t *ret_cpu_ns,
			   uint64_t *ret_delay_ns)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(SCHEDSTAT_BYTES);
	unsigned long long cpu_ns, delay_ns, turns;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat",
		 (int)work_row_process(row, index), (int)work_row_tid(row, index));
	if (io_read_file(path, &text, NULL) < 0 ||
	    sscanf(strbuf_str(&text), "%llu %llu %llu", &cpu_ns, &delay_ns, &turns) != 3 ||
	    turns == 0)
		return false;
	*ret_cpu_ns = cpu_ns;
	*ret_delay_ns = delay_ns;
	return true;
}

int work_row_cpu(const struct work_row *row, uint32_t index, uint64_t *ret_cpu_ns,
		 uint64_t *ret_delay_ns)
{
	uint64_t cpu_ns, delay_ns;
	clockid_t clock;

	if (index >= row->count)
		return -EINVAL;
	if (!read_schedstat(row, index, &cpu_ns, &delay_ns)) {
		if (!atomic_load(&row->seats[index].left))
			return -ENODATA;
		cpu_ns = atomic_load(&row->seats[index].cpu_ns);
		delay_ns = atomic_load(&row->seats[index].delay_ns);
	}
	/* Of one that runs, schedstat is as old as its last tick; this is not. */
	if (!row->work->threads && clock_getcpuclockid(work_row_process(row, index), &clock) == 0)
		cpu_ns = clock_ns(clock);
	*ret_cpu_ns = cpu_ns;
	*ret_delay_ns = delay_ns;
	return 0;
}
