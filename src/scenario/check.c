// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/near.h"
#include "base/shape.h"

enum { HINT_BYTES = NEAR_WORD + 32 };

#define HOLD_MAX_NS UINT64_C(3600000000000)

/* Members of struct sched_ext_ops that a scheduler may have or not. */
static const char *const sched_ops[] = {
	"select_cpu",
	"enqueue",
	"dequeue",
	"dispatch",
	"tick",
	"runnable",
	"running",
	"stopping",
	"quiescent",
	"yield",
	"core_sched_before",
	"set_weight",
	"set_cpumask",
	"update_idle",
	"cpu_acquire",
	"cpu_release",
	"init_task",
	"exit_task",
	"enable",
	"disable",
	"dump",
	"dump_cpu",
	"dump_task",
	"cgroup_init",
	"cgroup_exit",
	"cgroup_prep_move",
	"cgroup_move",
	"cgroup_cancel_move",
	"cpu_online",
	"cpu_offline",
	"init",
	"exit",
	"cgroup_set_weight",
	"cgroup_set_bandwidth",
	"cgroup_set_idle",
};

int check_name(struct check_state *state, const char *noun, const char *name, bool cgroup)
{
	const char *extra = cgroup ? "_-/" : "_-.";

	if (!name || !*name)
		return ktstr_error_set(state->err, -EINVAL, "%s without a name", noun);
	if (strlen(name) >= KTSTR_SCENARIO_NAME)
		return ktstr_error_set(state->err, -EINVAL, "%s '%s': names have at most %d bytes",
				       noun, name, KTSTR_SCENARIO_NAME - 1);
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(extra, *p))
			return ktstr_error_set(state->err, -EINVAL,
					       "%s '%s': a name has letters, digits and '%s'", noun,
					       name, extra);
	if (cgroup && (*name == '/' || name[strlen(name) - 1] == '/' || strstr(name, "//")))
		return ktstr_error_set(state->err, -EINVAL, "%s '%s': no name between '/'", noun,
				       name);
	return 0;
}

static int check_limits(const struct ktstr_scenario *s, const struct ktstr_shape *shape,
			struct ktstr_error *err)
{
	const struct ktstr_limits *l = &s->limits;
	uint32_t llcs = 0, cores = 0, threads;

	if (l->cpus_max && l->cpus_min > l->cpus_max)
		return ktstr_error_set(err, -EINVAL, "at least %u CPUs and at most %u", l->cpus_min,
				       l->cpus_max);
	if (!shape)
		return 0;
	for (uint32_t i = 0; i < shape->nr_cpus; i++) {
		llcs += shape->cpus[i].llc == shape->cpus[i].cpu;
		cores += shape->cpus[i].core == shape->cpus[i].cpu;
	}
	threads = shape->nr_cpus / (cores ? cores : 1);
	if (shape->nr_cpus < l->cpus_min || (l->cpus_max && shape->nr_cpus > l->cpus_max))
		return ktstr_error_set(err, -ERANGE, "%u CPUs; it needs %s%u", shape->nr_cpus,
				       shape->nr_cpus < l->cpus_min ? "at least " : "at most ",
				       shape->nr_cpus < l->cpus_min ? l->cpus_min : l->cpus_max);
	if (llcs < l->llcs_min)
		return ktstr_error_set(err, -ERANGE, "%u LLCs; it needs %u", llcs, l->llcs_min);
	if (shape->nr_nodes < l->nodes_min)
		return ktstr_error_set(err, -ERANGE, "%u NUMA nodes; it needs %u", shape->nr_nodes,
				       l->nodes_min);
	if (threads < l->threads_min)
		return ktstr_error_set(err, -ERANGE, "%u threads per core; it needs %u", threads,
				       l->threads_min);
	return 0;
}

static int check_needs_ops(const struct ktstr_scenario *s, struct ktstr_error *err)
{
	char hint[HINT_BYTES];

	for (size_t i = 0; i < KTSTR_SCENARIO_NEEDS_OPS && s->needs_ops[i]; i++) {
		struct near near = near_start(s->needs_ops[i]);
		bool known = false;

		for (size_t j = 0; j < ARRAY_SIZE(sched_ops) && !known; j++) {
			known = !strcmp(sched_ops[j], s->needs_ops[i]);
			near_offer(&near, sched_ops[j]);
		}
		if (!known)
			return ktstr_error_set(err, -EINVAL, "sched_ext has no operation '%s'%s",
					       s->needs_ops[i],
					       near_hint(&near, hint, sizeof(hint)));
	}
	return 0;
}

static int check_staged(struct check_state *state)
{
	const struct ktstr_scenario *s = state->scenario;

	state->where.part = CHECK_STAGED;
	for (size_t i = 0; i < KTSTR_SCENARIO_STAGED && s->staged[i]; i++) {
		int r;

		state->where.row = i;
		r = check_name(state, "staged scheduler", s->staged[i]->name, false);
		if (r < 0)
			return r;
		if (!s->staged[i]->binary)
			return ktstr_error_set(state->err, -EINVAL,
					       "staged scheduler '%s' has no binary",
					       s->staged[i]->name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(s->staged[j]->name, s->staged[i]->name))
				return ktstr_error_set(state->err, -EINVAL,
						       "two staged schedulers '%s'",
						       s->staged[i]->name);
	}
	return 0;
}

static bool is_step(const struct ktstr_step *step)
{
	static const struct ktstr_step none;

	return memcmp(step, &none, sizeof(none)) != 0;
}

static int check_step_name(struct check_state *state, size_t index)
{
	const struct ktstr_step *steps = state->scenario->steps;
	int r;

	if (!steps[index].name)
		return 0;
	r = check_name(state, "step", steps[index].name, false);
	for (size_t i = 0; r == 0 && i < index; i++)
		if (steps[i].name && !strcmp(steps[i].name, steps[index].name))
			r = ktstr_error_set(state->err, -EINVAL, "two steps are named '%s'",
					    steps[i].name);
	return r;
}

static int check_rows(struct check_state *state, const struct ktstr_step *step)
{
	struct check_where *where = &state->where;
	int r = 0;

	where->part = CHECK_CGROUP;
	for (size_t i = 0; r == 0 && i < KTSTR_STEP_CGROUPS && step->cgroups[i].name; i++) {
		where->row = i;
		r = check_add_cgroup(state, &step->cgroups[i]);
	}
	if (r == 0)
		where->part = CHECK_WORK;
	for (size_t i = 0; r == 0 && i < KTSTR_STEP_WORKS && step->works[i].name; i++) {
		where->row = i;
		r = check_add_work(state, &step->works[i]);
	}
	if (r == 0)
		where->part = CHECK_OP;
	for (size_t i = 0; r == 0 && i < KTSTR_STEP_OPS && step->ops[i].kind; i++) {
		where->row = i;
		r = check_do_op(state, &step->ops[i]);
	}
	return r;
}

static int check_step(struct check_state *state, size_t index)
{
	const struct ktstr_step *step = &state->scenario->steps[index];
	int r;

	state->where = (struct check_where){ .part = CHECK_STEP, .step = index };
	r = check_step_name(state, index);
	if (r == 0)
		r = check_rows(state, step);
	if (r == 0)
		state->where = (struct check_where){ .part = CHECK_STEP, .step = index };
	if (r == 0 && !step->hold_ns)
		r = ktstr_error_set(state->err, -EINVAL, "it never ends; say how long it holds%s",
				    step->until ? ", as a limit to its event" : "");
	if (r == 0 && step->hold_ns > HOLD_MAX_NS)
		r = ktstr_error_set(state->err, -EINVAL, "it holds for more than an hour");
	if (r == 0 && step->until)
		r = check_until(state, step->until);
	if (r < 0 && step->name)
		return ktstr_error_wrap(state->err, r, "step '%s'", step->name);
	return r < 0 ? ktstr_error_wrap(state->err, r, "step %zu", index + 1) : 0;
}

static int check_all(struct check_state *state)
{
	const struct ktstr_scenario *s = state->scenario;
	int r = check_limits(s, state->shape, state->err);

	if (r == 0)
		r = check_needs_ops(s, state->err);
	if (r == 0)
		r = check_staged(state);
	if (r < 0)
		return r;
	state->where = (struct check_where){ .part = CHECK_WHOLE };
	if (!is_step(&s->steps[0]))
		return ktstr_error_set(state->err, -EINVAL, "no step");
	for (size_t i = 0; r == 0 && i < KTSTR_SCENARIO_STEPS && is_step(&s->steps[i]); i++)
		r = check_step(state, i);
	return r < 0 ? r : check_demands(state);
}

int scenario_check_at(const struct ktstr_scenario *scenario, const struct ktstr_topology *topology,
		      struct check_where *ret_where, struct ktstr_error *err)
{
	_cleanup_free_ struct check_state *state = calloc(1, sizeof(*state));
	_cleanup_free_ struct ktstr_shape *shape = calloc(1, sizeof(*shape));
	int r = topology ? ktstr_topology_check(topology, err) : 0;

	if (!state || !shape)
		return ktstr_error_nomem(err);
	*ret_where = state->where;
	if (r < 0)
		return r;
	state->scenario = scenario;
	state->err = err;
	if (topology) {
		shape_of_topology(topology, shape);
		state->shape = shape;
		cpuset_of_shape(shape, &state->online);
	}
	r = check_all(state);
	if (r < 0)
		*ret_where = state->where;
	return r;
}

int ktstr_scenario_check(const struct ktstr_scenario *scenario,
			 const struct ktstr_topology *topology, struct ktstr_error *err)
{
	struct check_where where;

	return scenario_check_at(scenario, topology, &where, err);
}
