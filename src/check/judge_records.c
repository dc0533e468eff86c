// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "check/judge_records.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/judge_fields.h"

static const char *const event_words[] = { "attached", "detached", "ejected", "failed", NULL };
static const char *const end_words[] = { "time", "event", "limit", "broken", NULL };
static const char *const state_words[] = { "running", "stopped", "ended", "missing", NULL };

static const struct field begin_fields[] = {
	FIELD(FIELD_TEXT, records, scenario),
	FIELD(FIELD_TEXT, records, scheduler),
	FIELD(FIELD_TEXT, records, watch),
	FIELD(FIELD_U64, records, nr_cpus),
	{ 0 },
};

static const struct field scheduler_fields[] = {
	FIELD(FIELD_U64, rec_scheduler, at_ns),
	FIELD(FIELD_TEXT, rec_scheduler, text),
	FIELD(FIELD_SOME_TEXT, rec_scheduler, ops),
	FIELD(FIELD_SOME_TEXT, rec_scheduler, story),
	FIELD(FIELD_SOME_TEXT, rec_scheduler, reason),
	FIELD(FIELD_SOME_TEXT, rec_scheduler, message),
	FIELD(FIELD_READING, rec_scheduler, exit_kind),
	{ 0 },
};

static const struct field op_fields[] = {
	FIELD(FIELD_U64, rec_op, step),
	FIELD(FIELD_TEXT, rec_op, op),
	FIELD(FIELD_TEXT, rec_op, error),
	{ 0 },
};

static const struct field row_fields[] = {
	FIELD(FIELD_U64, rec_row, step),
	FIELD(FIELD_TEXT, rec_row, work),
	FIELD(FIELD_TEXT, rec_row, type),
	FIELD(FIELD_TEXT, rec_row, cgroup),
	FIELD(FIELD_U64, rec_row, workers),
	FIELD(FIELD_TEXT, rec_row, policy),
	FIELD(FIELD_I64, rec_row, nice),
	FIELD(FIELD_BOOL, rec_row, busy),
	FIELD(FIELD_BOOL, rec_row, threads),
	FIELD(FIELD_BOOL, rec_row, ends),
	{ 0 },
};

static const struct field worker_fields[] = {
	FIELD(FIELD_U64, rec_worker, step),
	FIELD(FIELD_TEXT, rec_worker, work),
	FIELD(FIELD_U64, rec_worker, index),
	FIELD(FIELD_U64, rec_worker, tid),
	FIELD(FIELD_TEXT, rec_worker, cgroup),
	FIELD(FIELD_U64, rec_worker, begin_ns),
	FIELD(FIELD_U64, rec_worker, end_ns),
	FIELD(FIELD_SOME_TEXT, rec_worker, trouble),
	FIELD(FIELD_READING, rec_worker, iterations),
	FIELD(FIELD_READING, rec_worker, units),
	FIELD(FIELD_READING, rec_worker, cpu_ns),
	FIELD(FIELD_READING, rec_worker, run_delay_ns),
	FIELD(FIELD_READING, rec_worker, migrations),
	FIELD(FIELD_CPUS, rec_worker, allowed),
	FIELD(FIELD_READING, rec_worker, outside_ns),
	FIELD(FIELD_READING, rec_worker, gap_ns),
	FIELD(FIELD_READING, rec_worker, gap_begin_ns),
	FIELD(FIELD_READING, rec_worker, gap_cpu),
	FIELD(FIELD_BOOL, rec_worker, frozen),
	FIELD(FIELD_READING, rec_worker, frozen_iterations),
	FIELD(FIELD_READING, rec_worker, exit),
	FIELD(FIELD_READING, rec_worker, signal),
	FIELD(FIELD_READING, rec_worker, local_ns),
	FIELD(FIELD_READING, rec_worker, remote_ns),
	{ 0 },
};

static const struct field wakes_fields[] = {
	FIELD(FIELD_U64, rec_wakes, count),	    FIELD(FIELD_READING, rec_wakes, p50_ns),
	FIELD(FIELD_READING, rec_wakes, p99_ns),    FIELD(FIELD_READING, rec_wakes, max_ns),
	FIELD(FIELD_READING, rec_wakes, max_at_ns), { 0 },
};

static const struct field wait_fields[] = {
	FIELD(FIELD_U64, rec_wait, step),
	FIELD(FIELD_TEXT, rec_wait, work),
	FIELD(FIELD_U64, rec_wait, index),
	FIELD(FIELD_U64, rec_wait, wait_ns),
	FIELD(FIELD_U64, rec_wait, begin_ns),
	FIELD(FIELD_BOOL, rec_wait, open),
	FIELD(FIELD_CPUS, rec_wait, allowed),
	FIELD(FIELD_U64, rec_wait, idle_ns),
	FIELD(FIELD_READING, rec_wait, idle_begin_ns),
	FIELD(FIELD_READING, rec_wait, idle_cpu),
	FIELD(FIELD_READING, rec_wait, waits_ns),
	FIELD(FIELD_READING, rec_wait, held_ns),
	FIELD(FIELD_U64, rec_wait, lost),
	{ 0 },
};

static const struct field cgroup_fields[] = {
	FIELD(FIELD_U64, rec_cgroup, step),	  FIELD(FIELD_TEXT, rec_cgroup, cgroup),
	FIELD(FIELD_TEXT, rec_cgroup, parent),	  FIELD(FIELD_U64, rec_cgroup, begin_ns),
	FIELD(FIELD_U64, rec_cgroup, end_ns),	  FIELD(FIELD_READING, rec_cgroup, usage_ns),
	FIELD(FIELD_READING, rec_cgroup, weight), FIELD(FIELD_READING, rec_cgroup, throttled_ns),
	FIELD(FIELD_U64, rec_cgroup, quota_ns),	  FIELD(FIELD_U64, rec_cgroup, period_ns),
	FIELD(FIELD_CPUS, rec_cgroup, cpus),	  FIELD(FIELD_BOOL, rec_cgroup, frozen),
	FIELD(FIELD_BOOL, rec_cgroup, busy),	  { 0 },
};

static const struct field cpu_fields[] = {
	FIELD(FIELD_U64, rec_cpu, step),
	FIELD(FIELD_U64, rec_cpu, cpu),
	FIELD(FIELD_BOOL, rec_cpu, online),
	FIELD(FIELD_READING, rec_cpu, kicks),
	FIELD(FIELD_READING, rec_cpu, busy_ns),
	FIELD(FIELD_READING, rec_cpu, idle_ns),
	{ 0 },
};

struct step_head {
	uint64_t step, begin_ns, end_ns;
	const char *event;
};

static const struct field step_begin_fields[] = {
	FIELD(FIELD_U64, step_head, step),
	FIELD(FIELD_U64, step_head, begin_ns),
	{ 0 },
};

static const struct field step_end_fields[] = {
	FIELD(FIELD_U64, step_head, step),
	FIELD(FIELD_U64, step_head, begin_ns),
	FIELD(FIELD_U64, step_head, end_ns),
	FIELD(FIELD_SOME_TEXT, step_head, event),
	{ 0 },
};

struct demand_head {
	const char *check, *work, *cgroup, *step, *from;
};

static const struct field demand_fields[] = {
	FIELD(FIELD_TEXT, demand_head, check),	   FIELD(FIELD_TEXT, demand_head, from),
	FIELD(FIELD_SOME_TEXT, demand_head, work), FIELD(FIELD_SOME_TEXT, demand_head, cgroup),
	FIELD(FIELD_SOME_TEXT, demand_head, step), { 0 },
};

struct end_head {
	uint64_t steps, records;
	bool clean;
	const char *left;
};

static const struct field end_fields[] = {
	FIELD(FIELD_U64, end_head, steps),
	FIELD(FIELD_U64, end_head, records),
	FIELD(FIELD_BOOL, end_head, clean),
	FIELD(FIELD_SOME_TEXT, end_head, left),
	{ 0 },
};

static enum ktstr_check_id check_of(const char *name)
{
	for (int id = KTSTR_JUDGE_none + 1; id < KTSTR_JUDGE_CHECKS; id++)
		if (!strcmp(ktstr_check_info((enum ktstr_check_id)id)->name, name))
			return (enum ktstr_check_id)id;
	return KTSTR_JUDGE_none;
}

static void read_demand(struct records *r, const json_t *object, size_t index)
{
	const json_t *bound = json_object_get(object, "bound"),
		     *off = json_object_get(object, "off");
	struct rec_demand *demand = &r->demands[r->nr_demands];
	const struct ktstr_check_info *info;
	struct demand_head head;

	if (r->nr_demands == MODEL_DEMANDS) {
		records_damage(r, index, "begin", "more than %d demands", MODEL_DEMANDS);
		return;
	}
	if (!fields_read(r, object, index, demand_fields, &head))
		return;
	info = ktstr_check_info(check_of(head.check));
	if (!info || (off && !json_is_boolean(off)) ||
	    (info->relation != KTSTR_HOLDS_ALWAYS && !json_is_true(off) &&
	     !(json_is_number(bound) && isfinite(json_number_value(bound))))) {
		records_damage(r, index, "begin", "demand %zu makes no sense", r->nr_demands + 1);
		return;
	}
	*demand = (struct rec_demand){
		.demand = { .check = check_of(head.check),
			    .off = json_is_true(off),
			    .bound = json_number_value(bound),
			    .work = head.work,
			    .cgroup = head.cgroup,
			    .step = head.step },
		.from = head.from,
		.built_in = !strcmp(head.from, "ktstr"),
		.of_test = !strcmp(head.from, "test"),
	};
	r->nr_demands++;
}

static void read_begin(struct records *r, const json_t *object, size_t index)
{
	const json_t *steps = json_object_get(object, "steps");
	const json_t *demands = json_object_get(object, "demands");
	const json_t *version = json_object_get(object, "version");
	json_t *item;
	size_t i;

	if (index || !json_is_integer(version) || json_integer_value(version) != RECORDS_VERSION) {
		records_damage(r, index, "begin",
			       index ? "it is not the first" : "it is of another version");
		return;
	}
	if (!fields_read(r, object, index, begin_fields, r))
		return;
	if (!json_is_array(steps) || json_array_size(steps) > KTSTR_SCENARIO_STEPS ||
	    !json_is_array(demands) || !r->nr_cpus || r->nr_cpus > RECORDS_CPUS) {
		records_damage(r, index, "begin", "steps, demands or nr_cpus make no sense");
		return;
	}
	json_array_foreach(steps, i, item)
	{
		r->steps[i].name = json_is_string(item) ? json_string_value(item) : "?";
		r->nr_steps++;
	}
	json_array_foreach(demands, i, item) read_demand(r, item, index);
	r->begun = true;
}

static void read_scheduler(struct records *r, const json_t *object, size_t index)
{
	struct rec_scheduler *s = &r->schedulers[r->nr_schedulers];
	int event = fields_word(r, object, index, "event", event_words);

	if (event < 0 || !fields_read(r, object, index, scheduler_fields, s))
		return;
	s->event = (enum scheduler_event)event;
	r->nr_schedulers++;
}

static struct rec_step *step_of(struct records *r, uint64_t step, size_t index, const char *kind)
{
	if (step < r->nr_steps)
		return &r->steps[step];
	records_damage(r, index, kind, "there is no step of that number");
	return NULL;
}

static void read_step_begin(struct records *r, const json_t *object, size_t index)
{
	struct step_head head = { 0 };
	struct rec_step *step;

	if (!fields_read(r, object, index, step_begin_fields, &head))
		return;
	step = step_of(r, head.step, index, "step_begin");
	if (!step)
		return;
	if (step->begun)
		records_damage(r, index, "step_begin", "it is there twice");
	step->begun = true;
	step->begin_ns = head.begin_ns;
}

static void read_step_end(struct records *r, const json_t *object, size_t index)
{
	int how = fields_word(r, object, index, "ended", end_words);
	struct step_head head = { 0 };
	struct rec_step *step;

	if (how < 0 || !fields_read(r, object, index, step_end_fields, &head))
		return;
	step = step_of(r, head.step, index, "step_end");
	if (!step)
		return;
	if (step->ended || !step->begun || head.end_ns < head.begin_ns)
		records_damage(r, index, "step_end", "it does not fit its beginning");
	step->ended = true;
	step->begin_ns = head.begin_ns;
	step->end_ns = head.end_ns;
	step->how = (enum step_end)how;
	step->event = head.event;
}

static void read_op(struct records *r, const json_t *object, size_t index)
{
	struct rec_op *op = &r->ops[r->nr_ops];

	if (fields_read(r, object, index, op_fields, op) && step_of(r, op->step, index, "op"))
		r->nr_ops++;
}

static void read_row(struct records *r, const json_t *object, size_t index)
{
	struct rec_row *row = &r->rows[r->nr_rows];

	if (!fields_read(r, object, index, row_fields, row) ||
	    !step_of(r, row->step, index, "work"))
		return;
	if (row->workers > KTSTR_SCENARIO_WORKERS) {
		records_damage(r, index, "work", "it has more workers than there can be");
		return;
	}
	r->nr_rows++;
}

/* Or not there. */
static bool is_list(const json_t *text, struct cpuset *ret_cpus)
{
	return !text ||
	       (json_is_string(text) && cpuset_parse(json_string_value(text), ret_cpus) >= 0);
}

static void read_worker(struct records *r, const json_t *object, size_t index)
{
	const json_t *outside = json_object_get(object, "outside");
	const json_t *wakes = json_object_get(object, "wakes");
	const json_t *near = json_object_get(object, "near");
	struct rec_worker *w = &r->workers[r->nr_workers];
	int state = fields_word(r, object, index, "state", state_words);

	*w = (struct rec_worker){ 0 };
	if (state < 0 || !fields_read(r, object, index, worker_fields, w) ||
	    !step_of(r, w->step, index, "worker"))
		return;
	w->state = (enum worker_state)state;
	w->outside_known = outside;
	w->wakes.known = wakes;
	if (!is_list(outside, &w->outside) || !is_list(near, &w->near))
		records_damage(r, index, "worker", "'%s' is no list of CPUs",
			       is_list(outside, &w->outside) ? "near" : "outside");
	else if (w->end_ns < w->begin_ns)
		records_damage(r, index, "worker", "its window ends before it begins");
	else if (!wakes || fields_read(r, wakes, index, wakes_fields, &w->wakes))
		r->nr_workers++;
}

static void read_wait(struct records *r, const json_t *object, size_t index)
{
	struct rec_wait *wait = &r->waits[r->nr_waits];
	const struct holders holders = { "holders", wait->holders, RECORDS_HOLDERS,
					 &wait->nr_holders };

	if (!fields_read(r, object, index, wait_fields, wait) ||
	    !step_of(r, wait->step, index, "wait") || !holders_read(r, object, index, &holders))
		return;
	r->nr_waits++;
}

static void read_cgroup(struct records *r, const json_t *object, size_t index)
{
	struct rec_cgroup *cgroup = &r->cgroups[r->nr_cgroups];

	if (!fields_read(r, object, index, cgroup_fields, cgroup) ||
	    !step_of(r, cgroup->step, index, "cgroup"))
		return;
	if (cgroup->end_ns < cgroup->begin_ns || (cgroup->quota_ns && !cgroup->period_ns)) {
		records_damage(r, index, "cgroup", "its times make no sense");
		return;
	}
	r->nr_cgroups++;
}

static void read_cpu(struct records *r, const json_t *object, size_t index)
{
	struct rec_cpu *cpu = &r->cpus[r->nr_cpu_records];
	const struct holders ran = { "ran", cpu->ran, RECORDS_RAN, &cpu->nr_ran };

	cpu->nr_ran = 0;
	cpu->ran_known = json_object_get(object, "ran");
	if (!fields_read(r, object, index, cpu_fields, cpu) ||
	    !step_of(r, cpu->step, index, "cpu") ||
	    (cpu->ran_known && !holders_read(r, object, index, &ran)))
		return;
	if (cpu->cpu >= RECORDS_CPUS) {
		records_damage(r, index, "cpu", "there is no CPU of that number");
		return;
	}
	r->nr_cpu_records++;
}

static void read_end(struct records *r, const json_t *object, size_t index)
{
	struct end_head head = { 0 };

	if (!fields_read(r, object, index, end_fields, &head))
		return;
	if (head.records != index + 1)
		records_damage(r, index, "end", "%" JSON_INTEGER_FORMAT " records were sent",
			       (json_int_t)head.records);
	r->ended = true;
	r->steps_done = head.steps;
	r->clean = head.clean;
	r->left = head.left;
}

static void read_counters(struct records *r, const json_t *object, size_t index)
{
	if (!json_is_object(json_object_get(object, "events")))
		records_damage(r, index, "counters", "'events' is missing");
}

#define LIMITED(kind_, read_, nr_, limit_)                          \
	{                                                           \
		kind_, read_, offsetof(struct records, nr_), limit_ \
	}

static const struct reader {
	const char *kind;
	void (*read)(struct records *r, const json_t *object, size_t index);
	size_t nr_offset, limit; /* 0: once or so, which it sees to itself */
} readers[] = {
	{ "begin", read_begin, 0, 0 },
	{ "counters", read_counters, 0, 0 },
	{ "step_begin", read_step_begin, 0, 0 },
	{ "step_end", read_step_end, 0, 0 },
	{ "end", read_end, 0, 0 },
	LIMITED("scheduler", read_scheduler, nr_schedulers, RECORDS_SCHEDULERS),
	LIMITED("op", read_op, nr_ops, RECORDS_OPS),
	LIMITED("work", read_row, nr_rows, RECORDS_ROWS),
	LIMITED("worker", read_worker, nr_workers, RECORDS_WORKERS),
	LIMITED("wait", read_wait, nr_waits, RECORDS_WORKERS),
	LIMITED("cgroup", read_cgroup, nr_cgroups, RECORDS_CGROUPS),
	LIMITED("cpu", read_cpu, nr_cpu_records, RECORDS_CPU_RECORDS),
};

static const struct reader *reader_of(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (!strcmp(readers[i].kind, kind))
			return &readers[i];
	return NULL;
}

static void read_record(struct records *r, const json_t *object, size_t index)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	const struct reader *reader = reader_of(kind ? kind : "?");
	const size_t *nr;

	if (!reader || r->ended) {
		records_damage(r, index, kind ? kind : "?",
			       r->ended ? "it comes after the end"
					: "there is no such kind of record");
		return;
	}
	nr = (const size_t *)((const char *)r + reader->nr_offset);
	if (reader->limit && *nr == reader->limit)
		records_damage(r, index, kind, "there are more than %zu of it", reader->limit);
	else
		reader->read(r, object, index);
}

static struct rec_row *find_row(struct records *r, uint64_t step, const char *work)
{
	for (size_t i = 0; i < r->nr_rows; i++)
		if (r->rows[i].step == step && !strcmp(r->rows[i].work, work))
			return &r->rows[i];
	return NULL;
}

static void link_worker(struct records *r, struct rec_worker *w)
{
	const struct rec_row *row = find_row(r, w->step, w->work);

	if (!row || w->index >= row->workers || row->slots[w->index]) {
		records_damage(r, 0, "worker", "'%s/%d' belongs to no row", w->work, (int)w->index);
		return;
	}
	w->row = row;
	row->slots[w->index] = w;
}

static void link_wait(struct records *r, const struct rec_wait *wait)
{
	const struct rec_row *row = find_row(r, wait->step, wait->work);
	struct rec_worker *w = row && wait->index < row->workers ? row->slots[wait->index] : NULL;

	if (!w || w->wait)
		records_damage(r, 0, "wait", "'%s/%d' belongs to no worker", wait->work,
			       (int)wait->index);
	else
		w->wait = wait;
}

static int link_all(struct records *r)
{
	for (size_t i = 0; i < r->nr_rows; i++) {
		struct rec_row *row = &r->rows[i];

		if (find_row(r, row->step, row->work) != row)
			records_damage(r, 0, "work", "'%s' is there twice", row->work);
		row->slots = calloc(row->workers + 1, sizeof(struct rec_worker *));
		if (!row->slots)
			return -ENOMEM;
	}
	for (size_t i = 0; i < r->nr_workers; i++)
		link_worker(r, &r->workers[i]);
	for (size_t i = 0; i < r->nr_waits; i++)
		link_wait(r, &r->waits[i]);
	return 0;
}

static size_t room(size_t nr, size_t limit)
{
	return (nr < limit ? nr : limit) + 1;
}

static bool make_room(struct records *r, size_t nr)
{
	r->schedulers = calloc(room(nr, RECORDS_SCHEDULERS), sizeof(*r->schedulers));
	r->ops = calloc(room(nr, RECORDS_OPS), sizeof(*r->ops));
	r->rows = calloc(room(nr, RECORDS_ROWS), sizeof(*r->rows));
	r->workers = calloc(room(nr, RECORDS_WORKERS), sizeof(*r->workers));
	r->waits = calloc(room(nr, RECORDS_WORKERS), sizeof(*r->waits));
	r->cgroups = calloc(room(nr, RECORDS_CGROUPS), sizeof(*r->cgroups));
	r->cpus = calloc(room(nr, RECORDS_CPU_RECORDS), sizeof(*r->cpus));
	return r->schedulers && r->ops && r->rows && r->workers && r->waits && r->cgroups &&
	       r->cpus;
}

static void check_whole(struct records *r, bool whole, size_t nr)
{
	if (!r->begun)
		records_damage(r, 0, "begin", "the scenario's records have no beginning");
	if (!r->ended)
		records_damage(r, nr, "end",
			       "the records were cut off: nothing says how the scenario ended");
	else if (!whole)
		records_damage(r, nr, "end", "some of the records were lost on their way");
	for (size_t i = 0; i < r->nr_steps; i++)
		if (r->steps[i].begun && !r->steps[i].ended)
			records_damage(r, nr, "step_end", "step '%s' has no end", r->steps[i].name);
}

DEFINE_CLEANUP(struct records *, records_free);

int records_read(const json_t *array, bool whole, struct records **ret_records)
{
	_cleanup_(records_freep) struct records *r = calloc(1, sizeof(*r));
	json_t *object;
	size_t i;
	int result;

	if (!r || !make_room(r, json_array_size(array)))
		return -ENOMEM;
	json_array_foreach(array, i, object) read_record(r, object, i);
	result = link_all(r);
	if (result < 0)
		return result;
	check_whole(r, whole, json_array_size(array));
	*ret_records = take_ptr(r);
	return 0;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr_rows; i++)
		free(r->rows[i].slots);
	free(r->schedulers);
	free(r->ops);
	free(r->rows);
	free(r->workers);
	free(r->waits);
	free(r->cgroups);
	free(r->cpus);
	free(r);
}
