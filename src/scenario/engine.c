// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "scenario/engine_private.h"

enum { STUCK_MAX = 4, POLICY_EXT = 7 };

#define CHANGE_NS SECS(10)

static bool has_scheduler(const struct engine *e)
{
	return e->opts->job->scheduler.binary != NULL;
}

static uint32_t nr_steps(const struct ktstr_scenario *scenario)
{
	uint32_t nr = 0;

	while (nr < KTSTR_SCENARIO_STEPS &&
	       (scenario->steps[nr].hold_ns || scenario->steps[nr].until ||
		scenario->steps[nr].name || scenario->steps[nr].works[0].name ||
		scenario->steps[nr].cgroups[0].name || scenario->steps[nr].ops[0].kind))
		nr++;
	return nr;
}

/* --- needs ------------------------------------------------------------------------------------- */

static bool needs_sched_ext(const struct engine *e)
{
	if (has_scheduler(e))
		return true;
	for (uint32_t s = 0; s < nr_steps(e->scenario); s++) {
		const struct ktstr_step *step = &e->scenario->steps[s];

		for (size_t i = 0; i < KTSTR_STEP_WORKS && step->works[i].name; i++)
			if (step->works[i].policy && !strcmp(step->works[i].policy, "ext"))
				return true;
		for (size_t i = 0; i < KTSTR_STEP_OPS && step->ops[i].kind; i++)
			if (step->ops[i].kind == KTSTR_OP_replace)
				return true;
	}
	return false;
}

static void check_op(struct engine *e, const struct ktstr_step_op *op)
{
	uint32_t cpu;

	switch (op->kind) {
	case KTSTR_OP_cpu_offline:
	case KTSTR_OP_cpu_online:
		if (engine_cpu_number(e, op->target, &cpu, NULL) == 0 &&
		    !engine_cpu_has_switch(e, cpu))
			snprintf(e->skip, sizeof(e->skip),
				 "this kernel cannot take CPU %u off line, which the scenario does",
				 cpu);
		break;
	case KTSTR_OP_detach:
	case KTSTR_OP_attach:
	case KTSTR_OP_restart:
		if (!has_scheduler(e))
			snprintf(e->skip, sizeof(e->skip),
				 "the scenario is about attaching a scheduler, and there is none "
				 "but the kernel's own");
		break;
	default:
		break;
	}
}

static void check_needs(struct engine *e)
{
	if (needs_sched_ext(e) && !sched_is_supported(e->opts->sysfs)) {
		snprintf(
			e->skip, sizeof(e->skip),
			"this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT), which the scheduler "
			"under test needs");
		return;
	}
	for (uint32_t s = 0; s < nr_steps(e->scenario); s++)
		for (size_t i = 0; i < KTSTR_STEP_OPS && e->scenario->steps[s].ops[i].kind; i++)
			check_op(e, &e->scenario->steps[s].ops[i]);
}

/* --- the beginning ----------------------------------------------------------------------------- */

static int become_realtime(struct ktstr_error *err)
{
	const struct sched_param param = { .sched_priority = ENGINE_PRIORITY };

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		return ktstr_error_set(err, -errno, "take the real-time priority %d: %s",
				       ENGINE_PRIORITY, strerror(errno));
	return 0;
}

static void become_ordinary(void)
{
	const struct sched_param param = { 0 };
	int r = sched_setscheduler(0, SCHED_OTHER, &param);

	(void)r;
}

static int create_tree(struct engine *e, struct ktstr_error *err)
{
	int r = engine_tree_create(e, err);

	if (r != -ENODEV && r != -ENOENT)
		return r;
	snprintf(e->skip, sizeof(e->skip), "%s", err->text);
	return 0;
}

/* Functions are no data: those of a C test are taken from its declaration. */
static void take_functions(struct engine *e, struct ktstr_scenario *scenario)
{
	const struct ktstr_scenario *declared = e->opts->declared;

	*scenario = e->opts->job->scenario;
	for (size_t s = 0; declared && s < KTSTR_SCENARIO_STEPS; s++)
		for (size_t i = 0; i < KTSTR_STEP_WORKS; i++)
			if (scenario->steps[s].works[i].type == KTSTR_WORK_custom)
				scenario->steps[s].works[i].run = declared->steps[s].works[i].run;
	e->scenario = scenario;
}

static int prepare(struct engine *e, struct ktstr_error *err)
{
	struct ktstr_error why = { 0 };
	int r = ktstr_shape_read(e->opts->sysfs, &e->shape, err);

	if (r < 0)
		return r;
	cpuset_of_shape(&e->shape, &e->all);
	prng_init(&e->chance, e->opts->seed, ENGINE_STREAM_WORDS);
	r = engine_cpus_refresh(e, err);
	if (r < 0)
		return r;
	check_needs(e);
	if (*e->skip)
		return 0;
	r = become_realtime(err);
	if (r < 0)
		return r;
	e->changer = changer_create(CHANGE_NS, STUCK_MAX);
	if (!e->changer)
		return ktstr_error_nomem(err);
	r = create_tree(e, &why);
	if (r < 0 && err)
		*err = why;
	return r;
}

static json_t *step_names(const struct engine *e)
{
	json_t *array = json_array();
	char name[16];

	for (uint32_t i = 0; i < nr_steps(e->scenario); i++)
		json_array_append_new(array,
				      json_string(engine_step_name(e, i, name, sizeof(name))));
	return array;
}

static void tell_begin(struct engine *e)
{
	const struct scenario_job *job = e->opts->job;
	json_t *record =
		json_pack("{s:s, s:i, s:s, s:s, s:i, s:o, s:o, s:s}", "kind", "begin", "version",
			  RECORDS_VERSION, "scenario", e->scenario->name ? e->scenario->name : "",
			  "scheduler",
			  !has_scheduler(e)	? ""
			  : job->scheduler.name ? job->scheduler.name
						: job->scheduler.binary,
			  "nr_cpus", (int)e->shape.nr_cpus, "steps", step_names(e), "demands",
			  demands_to_json(job->demands, job->nr_demands), "watch", e->why_no_watch);

	engine_send(e, record);
}

/* --- the middle -------------------------------------------------------------------------------- */

static int drive(struct engine *e, uint32_t *ret_done, struct ktstr_error *err)
{
	uint32_t nr = nr_steps(e->scenario);
	int r = 1;

	e->held = json_array();
	engine_watch_open(e);
	tell_begin(e);
	if (has_scheduler(e))
		r = engine_attach(e, &e->opts->job->scheduler, err);
	engine_check_ops(e);
	if (*e->skip)
		return 0;
	engine_send_held(e);
	if (r <= 0)
		return r;
	if (e->attached)
		scheduler_events(e->scheduler, &e->run_events);
	for (e->step = 0; e->step < nr; e->step++) {
		enum engine_ended ended;

		r = engine_step(e, &ended, err);
		if (r < 0)
			return r;
		*ret_done += ended != ENDED_NEVER;
		if (ended == ENDED_BROKEN || ended == ENDED_NEVER)
			break;
	}
	return 0;
}

/* --- the end ----------------------------------------------------------------------------------- */

static void note_left(char *left, size_t size, const char *text)
{
	size_t len = strlen(left);

	snprintf(left + len, size - len, "%s%s", len ? "; " : "", text);
}

/* What does not thaw is killed as it is. */
static void thaw_all(struct engine *e)
{
	for (size_t i = 0; i < e->nr_tree; i++) {
		int r = e->tree[i].told_to_freeze
				? engine_group_freeze(e, e->tree[i].name, false, NULL)
				: 0;

		(void)r;
	}
}

static void end_workers(struct engine *e)
{
	uint64_t until_ns = clock_mono_ns() + ENGINE_STOP_NS;

	thaw_all(e);
	for (size_t i = 0; i < e->nr_rows; i++)
		if (e->rows[i].row)
			work_row_stop(e->rows[i].row);
	for (size_t i = 0; i < e->nr_rows; i++) {
		uint64_t now_ns = clock_mono_ns();

		if (!e->rows[i].row)
			continue;
		work_row_reap(e->rows[i].row, until_ns > now_ns ? until_ns - now_ns : 0);
		engine_row_end(e, &e->rows[i]);
	}
}

/* A scheduler that keeps tasks from dying is gone when the rest is tried again. */
static void remove_tree(struct engine *e)
{
	while (cgroups_count(e->cgroups)) {
		const char *name = cgroups_name(e->cgroups, cgroups_count(e->cgroups) - 1);

		if (cgroups_remove(e->cgroups, name, NULL) < 0)
			return;
	}
}

static void bring_cpus_back(struct engine *e, char *left, size_t size)
{
	for (uint32_t cpu = 0; cpu < ENGINE_CPUS; cpu++) {
		struct ktstr_error err = { 0 };

		if (cpuset_has(&e->all, cpu) && !cpuset_has(&e->online, cpu) &&
		    engine_cpu_set(e, cpu, true, &err) < 0)
			note_left(left, size, err.text);
	}
}

static void finish(struct engine *e, char *left, size_t size)
{
	struct ktstr_error err = { 0 };

	end_workers(e);
	if (e->cgroups)
		remove_tree(e);
	engine_scheduler_is_fine(e);
	engine_tell_counters(e, &e->run_events, false);
	if (engine_detach(e, &err) < 0)
		note_left(left, size, err.text);
	if (e->cgroups && cgroups_destroy(e->cgroups, &err) < 0)
		note_left(left, size, err.text);
	e->cgroups = NULL;
	if (e->changer)
		bring_cpus_back(e, left, size);
	changer_destroy(e->changer);
	closep(&e->state_fd);
	engine_watch_close(e);
}

static void tell_end(struct engine *e, uint32_t done, const char *left)
{
	json_t *record = json_pack("{s:s, s:i, s:b, s:I}", "kind", "end", "steps", (int)done,
				   "clean", !*left, "records", e->records + 1);

	if (*left)
		engine_set_text(record, "left", left);
	engine_send(e, record);
}

static int open_state(const char *sysfs)
{
	_cleanup_free_ char *path = path_format("%s/kernel/sched_ext/state", sysfs);

	return path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

int engine_run(const struct engine_opts *opts, struct ktstr_error *err)
{
	_cleanup_free_ struct engine *e = calloc(1, sizeof(*e));
	_cleanup_free_ struct ktstr_scenario *scenario = calloc(1, sizeof(*scenario));
	char left[1024] = "";
	uint32_t done = 0;
	int r;

	if (!e || !scenario)
		return ktstr_error_nomem(err);
	e->opts = opts;
	e->state_fd = open_state(opts->sysfs);
	take_functions(e, scenario);
	r = prepare(e, err);
	if (r == 0 && !*e->skip)
		r = drive(e, &done, err);
	finish(e, left, sizeof(left));
	if (e->records && !*e->skip)
		tell_end(e, done, left);
	json_decref(e->held);
	become_ordinary();
	if (r == 0 && *e->skip)
		opts->skip(opts->arg, e->skip);
	return r;
}
