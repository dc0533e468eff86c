// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "scenario/engine_private.h"

/* All there is to know of a worker when its window ends. */
struct sight {
	struct engine_reading end;
	bool has_reading, has_wait;
	struct work_reading reading;
	struct work_end how;
	struct watch_wait wait;
};

json_t *engine_record(const struct engine *e, const char *kind)
{
	return json_pack("{s:s, s:I}", "kind", kind, "step", (json_int_t)e->step);
}

void engine_set_u64(json_t *record, const char *key, uint64_t value)
{
	json_object_set_new(record, key, json_integer((json_int_t)value));
}

void engine_set_text(json_t *record, const char *key, const char *text)
{
	json_object_set_new(record, key, json_string(text));
}

void engine_set_cpus(json_t *record, const char *key, const struct cpuset *set)
{
	char list[ENGINE_LIST];

	engine_set_text(record, key, cpuset_format(set, list, sizeof(list)));
}

void engine_send(struct engine *e, json_t *record)
{
	e->records++;
	if (e->held)
		json_array_append_new(e->held, record);
	else
		e->opts->send(e->opts->arg, record);
}

void engine_tell_counters(struct engine *e, const struct sched_events *begin, bool of_step)
{
	struct sched_events now = { 0 };
	json_t *events, *record;

	if (!e->attached)
		return;
	scheduler_events(e->scheduler, &now);
	events = sched_events_increase(begin->known ? begin : NULL, &now);
	if (!events)
		return;
	record = engine_record(e, "counters");
	if (!of_step)
		json_object_del(record, "step");
	json_object_set_new(record, "events", events);
	engine_send(e, record);
}

void engine_send_held(struct engine *e)
{
	json_t *held = e->held;
	json_t *record;
	size_t i;

	e->held = NULL;
	json_array_foreach(held, i, record)
	{
		e->opts->send(e->opts->arg, json_incref(record));
	}
	json_decref(held);
}

const char *engine_step_name(const struct engine *e, uint32_t step, char *buf, size_t size)
{
	const char *name = e->scenario->steps[step].name;

	if (name)
		return name;
	snprintf(buf, size, "step%u", step + 1);
	return buf;
}

static void set_words(json_t *record, const char *key, const uint64_t words[CPUSET_WORDS])
{
	struct cpuset set;

	memcpy(set.bits, words, sizeof(set.bits));
	engine_set_cpus(record, key, &set);
}

/* --- looking ----------------------------------------------------------------------------------- */

static void look(struct engine *e, const struct engine_row *row, uint32_t index, struct sight *s)
{
	uint64_t now_ns = clock_mono_ns();

	s->end.at_ns = now_ns;
	s->end.has = work_row_cpu(row->row, index, &s->end.cpu_ns, &s->end.delay_ns) == 0;
	s->has_reading = work_row_read(row->row, index, e->step, now_ns, &s->reading) == 0;
	if (work_row_look(row->row, index, &s->how) < 0)
		s->how = (struct work_end){ .state = WORK_MISSING, .exit_code = -1, .signal = -1 };
}

/* --- telling ----------------------------------------------------------------------------------- */

static void tell_row(struct engine *e, const struct engine_row *row)
{
	json_t *record = engine_record(e, "work");

	engine_set_text(record, "work", row->work->name);
	engine_set_text(record, "type", ktstr_work_info(row->work->type)->name);
	engine_set_text(record, "cgroup", row->cgroup);
	engine_set_u64(record, "workers", row->count);
	engine_set_text(record, "policy", row->policy);
	json_object_set_new(record, "nice", json_integer(row->nice));
	json_object_set_new(record, "busy", json_boolean(row->traits.busy));
	json_object_set_new(record, "threads", json_boolean(row->work->threads));
	json_object_set_new(record, "ends", json_boolean(row->traits.ends));
	engine_send(e, record);
}

static void set_gap(json_t *record, const struct work_gap *gap)
{
	engine_set_u64(record, "gap_ns", gap->ns);
	engine_set_u64(record, "gap_begin_ns", gap->begin_ns);
	engine_set_u64(record, "gap_cpu", gap->cpu);
}

static void set_wakes(json_t *record, const struct engine_row *row, const struct work_wakes *wakes)
{
	json_t *object;

	if (!row->traits.wakes)
		return;
	object = json_pack("{s:I}", "count", (json_int_t)wakes->count);
	if (wakes->count) {
		engine_set_u64(object, "p50_ns", wakes->p50_ns);
		engine_set_u64(object, "p90_ns", wakes->p90_ns);
		engine_set_u64(object, "p99_ns", wakes->p99_ns);
		engine_set_u64(object, "max_ns", wakes->max_ns);
		engine_set_u64(object, "max_at_ns", wakes->max_at_ns);
	}
	json_object_set_new(record, "wakes", object);
}

/* Seen by itself, by the watch, or by both. */
static void set_outside(json_t *record, const struct sight *s)
{
	struct cpuset outside = { 0 };
	uint64_t ns = 0;

	if (!s->has_reading && !s->has_wait)
		return;
	for (size_t i = 0; i < CPUSET_WORDS; i++)
		outside.bits[i] = (s->has_reading ? s->reading.outside[i] : 0) |
				  (s->has_wait ? s->wait.outside[i] : 0);
	if (s->has_reading)
		ns = s->reading.outside_ns;
	if (s->has_wait && s->wait.outside_ns > ns)
		ns = s->wait.outside_ns;
	engine_set_cpus(record, "outside", &outside);
	engine_set_u64(record, "outside_ns", ns);
}

static void set_reading(json_t *record, const struct engine_row *row, const struct sight *s,
			bool frozen)
{
	const struct work_reading *reading = &s->reading;

	if (!s->has_reading)
		return;
	engine_set_u64(record, "iterations", reading->iterations);
	engine_set_u64(record, "units", reading->units);
	engine_set_u64(record, "migrations", reading->migrations);
	set_words(record, "cpus", reading->cpus);
	/* What a function of a test program waits for is its own business. */
	if (row->work->type != KTSTR_WORK_custom)
		set_gap(record, &reading->gap);
	set_wakes(record, row, &reading->wakes);
	if (frozen)
		engine_set_u64(record, "frozen_iterations", reading->iterations);
}

/* Only of those whose memory is somewhere; events that were lost may have told otherwise. */
static void set_locality(struct engine *e, json_t *record, const struct engine_row *row,
			 const struct sight *s)
{
	struct cpuset near;

	engine_near_cpus(e, row, &near);
	if (!s->has_wait || s->wait.lost || !cpuset_count(&near))
		return;
	engine_set_cpus(record, "near", &near);
	engine_set_u64(record, "local_ns", s->wait.near_ns);
	engine_set_u64(record, "remote_ns", s->wait.ran_ns - s->wait.near_ns);
}

static void set_end(json_t *record, const struct work_end *end)
{
	bool ended = end->state == WORK_ENDED || end->state == WORK_EXITED ||
		     end->state == WORK_SIGNALED || end->state == WORK_KILLED;

	engine_set_text(record, "state",
			ended			     ? "ended"
			: end->state == WORK_MISSING ? "missing"
						     : "running");
	if (ended && end->signal > 0)
		engine_set_u64(record, "signal", (uint64_t)end->signal);
	else if (ended)
		engine_set_u64(record, "exit", end->exit_code > 0 ? (uint64_t)end->exit_code : 0);
	if (*end->trouble)
		engine_set_text(record, "trouble", end->trouble);
}

static void tell_worker(struct engine *e, const struct engine_row *row, uint32_t index,
			const struct sight *s)
{
	const struct engine_group *group = engine_group(e, row->cgroup);
	const struct engine_member *member = &row->members[index];
	bool frozen = group && group->frozen;
	json_t *record = engine_record(e, "worker");

	engine_set_text(record, "work", row->work->name);
	engine_set_u64(record, "index", index);
	engine_set_u64(record, "tid", (uint64_t)work_row_tid(row->row, index));
	engine_set_text(record, "cgroup", row->cgroup);
	engine_set_u64(record, "begin_ns", member->began_ns);
	engine_set_u64(record, "end_ns", s->end.at_ns);
	if (s->end.has && member->begin.has) {
		engine_set_u64(record, "cpu_ns", s->end.cpu_ns - member->begin.cpu_ns);
		engine_set_u64(record, "run_delay_ns", s->end.delay_ns - member->begin.delay_ns);
	}
	engine_set_cpus(record, "allowed", &member->allowed);
	json_object_set_new(record, "frozen", json_boolean(frozen));
	set_reading(record, row, s, frozen);
	set_outside(record, s);
	set_locality(e, record, row, s);
	set_end(record, &s->how);
	engine_send(e, record);
	if (s->has_wait)
		engine_tell_wait(e, row, index, &s->wait);
}

void engine_tell_step(struct engine *e)
{
	uint64_t now_ns;
	_cleanup_free_ struct sight *sights = calloc(KTSTR_SCENARIO_WORKERS, sizeof(*sights));
	size_t nr = 0;

	if (!sights) {
		engine_send(e, NULL);
		return;
	}
	for (size_t i = 0; i < e->nr_rows; i++)
		for (uint32_t k = 0; e->rows[i].row && k < e->rows[i].count; k++)
			look(e, &e->rows[i], k, &sights[nr++]);
	engine_tree_end(e);
	now_ns = clock_mono_ns();
	engine_watch_drain(e);
	engine_tell_cpus(e, now_ns);
	for (size_t i = 1; i < e->nr_tree; i++)
		engine_tell_group(e, &e->tree[i]);
	nr = 0;
	for (size_t i = 0; i < e->nr_rows; i++) {
		if (!e->rows[i].row)
			continue;
		tell_row(e, &e->rows[i]);
		for (uint32_t k = 0; k < e->rows[i].count; k++, nr++) {
			pid_t tid = work_row_tid(e->rows[i].row, k);

			sights[nr].has_wait = engine_watch_read(e, tid, now_ns, &sights[nr].wait);
			tell_worker(e, &e->rows[i], k, &sights[nr]);
		}
	}
}
