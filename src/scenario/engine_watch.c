// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/engine_private.h"

void engine_watch_open(struct engine *e)
{
	struct ktstr_error err = { 0 };
	uint32_t nr = 0;

	if (e->watch || *e->why_no_watch)
		return;
	for (uint32_t cpu = 0; cpu < ENGINE_CPUS; cpu++)
		if (cpuset_has(&e->all, cpu))
			nr = cpu + 1;
	if (watch_open(&(struct watch_opts){ .tracefs = "/sys/kernel/tracing", .nr_cpus = nr },
		       &e->watch, &err) < 0)
		snprintf(e->why_no_watch, sizeof(e->why_no_watch), "%s", err.text);
}

void engine_watch_close(struct engine *e)
{
	watch_close(e->watch);
	e->watch = NULL;
}

void engine_watch_drain(struct engine *e)
{
	if (e->watch && watch_drain(e->watch) < 0)
		engine_watch_close(e);
}

/* A thread that finds no room is not watched: nothing is told of it. */
void engine_watch_track(struct engine *e, const struct engine_row *row, uint32_t index,
			uint64_t now_ns)
{
	const struct engine_member *member = &row->members[index];
	pid_t tid = work_row_tid(row->row, index);
	struct cpuset near;
	int r;

	if (!e->watch || watch_track(e->watch, tid, member->allowed.bits, now_ns) < 0)
		return;
	engine_near_cpus(e, row, &near);
	r = watch_near(e->watch, tid, near.bits);
	(void)r;
}

void engine_watch_relieve(struct engine *e)
{
	if (e->watch && watch_relieve(e->watch) < 0)
		engine_watch_close(e);
}

void engine_watch_begin(struct engine *e)
{
	engine_watch_drain(e);
	if (e->watch)
		watch_begin(e->watch, e->begin_ns);
}

bool engine_watch_read(struct engine *e, pid_t tid, uint64_t now_ns, struct watch_wait *ret_wait)
{
	return e->watch && watch_read(e->watch, tid, now_ns, ret_wait) == 0;
}

_Static_assert((int)WATCH_HOLDERS <= (int)RECORDS_HOLDERS && (int)WATCH_RAN <= (int)RECORDS_RAN,
	       "records have room for all that the watch tells");

void engine_set_holders(json_t *record, const char *key, const struct watch_holder *holders,
			uint32_t nr)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < nr; i++) {
		json_t *holder = json_object();

		engine_set_text(holder, "who", holders[i].who);
		engine_set_u64(holder, "ns", holders[i].ns);
		json_array_append_new(array, holder);
	}
	json_object_set_new(record, key, array);
}

void engine_tell_wait(struct engine *e, const struct engine_row *row, uint32_t index,
		      const struct watch_wait *wait)
{
	json_t *record = engine_record(e, "wait");

	engine_set_text(record, "work", row->work->name);
	engine_set_u64(record, "index", index);
	engine_set_u64(record, "wait_ns", wait->wait_ns);
	engine_set_u64(record, "begin_ns", wait->begin_ns);
	json_object_set_new(record, "open", json_boolean(wait->open));
	engine_set_cpus(record, "allowed", &row->members[index].allowed);
	engine_set_holders(record, "holders", wait->holders, wait->nr_holders);
	if (wait->nr_holders)
		engine_set_u64(record, "held_ns", wait->held_ns);
	engine_set_u64(record, "waits_ns", wait->waits_ns);
	engine_set_u64(record, "idle_ns", wait->idle_ns);
	if (wait->idle_ns) {
		engine_set_u64(record, "idle_begin_ns", wait->idle_begin_ns);
		engine_set_u64(record, "idle_cpu", wait->idle_cpu);
	}
	engine_set_u64(record, "switches", wait->switches);
	engine_set_u64(record, "lost", wait->lost);
	engine_send(e, record);
}
