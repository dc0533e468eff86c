// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "base/near.h"
#include "base/parse.h"
#include "scenario/check.h"

enum {
	HINT_BYTES = NEAR_WORD + 32,
	WEIGHT_MAX = 10000,
	PERCENT_MAX = 100000,
	NICE_MIN = -20,
	NICE_MAX = 19
};

/* --- looking up ------------------------------------------------------------------------------ */

static struct check_cgroup *cgroup_by_name(struct check_state *state, const char *name, size_t len)
{
	for (size_t i = 0; i < state->nr_cgroups; i++) {
		const char *known = state->cgroups[i].row->name;

		if (!strncmp(known, name, len) && !known[len])
			return &state->cgroups[i];
	}
	return NULL;
}

int check_find_cgroup(struct check_state *state, const char *name, struct check_cgroup **ret_cgroup)
{
	struct check_cgroup *c = cgroup_by_name(state, name, strlen(name));
	struct near near = near_start(name);
	char hint[HINT_BYTES];

	if (c && c->there) {
		*ret_cgroup = c;
		return 0;
	}
	for (size_t i = 0; i < state->nr_cgroups; i++)
		if (state->cgroups[i].there)
			near_offer(&near, state->cgroups[i].row->name);
	return ktstr_error_set(state->err, -EINVAL, "%s cgroup '%s'%s",
			       c ? "by then there is no more" : "there is no", name,
			       near_hint(&near, hint, sizeof(hint)));
}

int check_find_work(struct check_state *state, const char *name, struct check_work **ret_work)
{
	struct near near = near_start(name);
	bool was = false;
	char hint[HINT_BYTES];

	for (size_t i = 0; i < state->nr_works; i++) {
		struct check_work *w = &state->works[i];

		if (!w->there) {
			was |= !strcmp(w->row->name, name);
			continue;
		}
		if (!strcmp(w->row->name, name)) {
			*ret_work = w;
			return 0;
		}
		near_offer(&near, w->row->name);
	}
	return ktstr_error_set(state->err, -EINVAL, "%s work '%s'%s",
			       was ? "by then there is no more" : "there is no", name,
			       near_hint(&near, hint, sizeof(hint)));
}

/* The kernel gives a cpuset that lost all its CPUs those of its parent. */
static void narrow(struct cpuset *cpus, const struct cpuset *own)
{
	struct cpuset both = *cpus;

	cpuset_cut(&both, own);
	if (cpuset_count(&both))
		*cpus = both;
}

static void cpus_of(const struct check_state *state, const char *name, size_t len,
		    struct cpuset *ret_cpus)
{
	*ret_cpus = state->online;
	for (size_t end = 1; end <= len; end++) {
		const struct check_cgroup *c;

		if (end < len && name[end] != '/')
			continue;
		c = cgroup_by_name((struct check_state *)state, name, end);
		if (c && c->has_cpus)
			narrow(ret_cpus, &c->cpus);
	}
}

void check_cpus_of(const struct check_state *state, const char *name, struct cpuset *ret_cpus)
{
	cpus_of(state, name ? name : "", name ? strlen(name) : 0, ret_cpus);
}

void check_cpus_above(const struct check_state *state, const char *name, struct cpuset *ret_cpus)
{
	const char *slash = strrchr(name, '/');

	cpus_of(state, name, slash ? (size_t)(slash - name) : 0, ret_cpus);
}

/* --- words ----------------------------------------------------------------------------------- */

static int check_memory(struct check_state *state, const char *words, bool mems)
{
	struct memory_words memory;
	int r = words_memory(words, &memory, state->err);

	if (r < 0)
		return r;
	if (mems != (memory.mode < 0))
		return ktstr_error_set(
			state->err, -EINVAL, "'%s': %s", words,
			mems ? "nodes of a cgroup are 'nodes:0-1'"
			     : "'nodes:' is for cgroups; a worker's memory is 'local', "
			       "'bind:0', 'interleave:0-1' or 'preferred:1'");
	if (state->shape && memory.nodes >> state->shape->nr_nodes)
		return ktstr_error_set(state->err, -ERANGE, "'%s': there are %u NUMA nodes", words,
				       state->shape->nr_nodes);
	return 0;
}

static int set_cpus(struct check_state *state, struct check_cgroup *c, const char *words)
{
	struct cpuset above;
	int r;

	if (!strcmp(words, "inherit"))
		return ktstr_error_set(state->err, -EINVAL,
				       "'inherit' is for affinities; a cgroup without 'cpus' has "
				       "those of its parent");
	check_cpus_above(state, c->row->name, &above);
	r = words_cpus(words, state->shape, &above, NULL, &c->cpus, state->err);
	if (r == 0)
		c->has_cpus = true;
	return r;
}

static int check_quota(struct check_state *state, const char *words)
{
	uint64_t quota_ns, period_ns;

	return words_quota(words, &quota_ns, &period_ns, state->err);
}

static int check_nice(struct check_state *state, int64_t nice)
{
	return nice >= NICE_MIN && nice <= NICE_MAX
		       ? 0
		       : ktstr_error_set(state->err, -EINVAL, "nice %lld is not from %d to %d",
					 (long long)nice, NICE_MIN, NICE_MAX);
}

static int check_weight(struct check_state *state, int64_t weight)
{
	return weight >= 1 && weight <= WEIGHT_MAX
		       ? 0
		       : ktstr_error_set(state->err, -EINVAL, "weight %lld is not from 1 to %d",
					 (long long)weight, WEIGHT_MAX);
}

/* --- cgroups --------------------------------------------------------------------------------- */

static int check_parent(struct check_state *state, const char *name)
{
	const char *slash = strrchr(name, '/');
	const struct check_cgroup *c;

	if (!slash)
		return 0;
	c = cgroup_by_name(state, name, (size_t)(slash - name));
	if (c && c->there)
		return 0;
	return ktstr_error_set(state->err, -EINVAL, "'%.*s', which it is to be in, is not there",
			       (int)(slash - name), name);
}

static int check_cgroup_row(struct check_state *state, struct check_cgroup *c)
{
	const struct ktstr_cgroup *row = c->row;
	int r = check_parent(state, row->name);

	if (r == 0 && row->cpus)
		r = set_cpus(state, c, row->cpus);
	if (r == 0 && row->mems)
		r = check_memory(state, row->mems, true);
	if (r == 0 && row->quota)
		r = check_quota(state, row->quota);
	if (r == 0 && row->weight)
		r = check_weight(state, row->weight);
	if (r == 0 && row->weight && row->idle)
		r = ktstr_error_set(state->err, -EINVAL, "an idle cgroup has no weight");
	return r;
}

int check_add_cgroup(struct check_state *state, const struct ktstr_cgroup *row)
{
	struct check_cgroup *c = &state->cgroups[state->nr_cgroups];
	int r = check_name(state, "cgroup", row->name, true);

	if (r < 0)
		return r;
	if (cgroup_by_name(state, row->name, strlen(row->name)))
		return ktstr_error_set(state->err, -EINVAL, "two cgroups are named '%s'",
				       row->name);
	*c = (struct check_cgroup){ .row = row, .there = true };
	r = check_cgroup_row(state, c);
	if (r < 0)
		return ktstr_error_wrap(state->err, r, "cgroup '%s'", row->name);
	state->nr_cgroups++;
	return 0;
}

/* --- workers --------------------------------------------------------------------------------- */

static int check_params(struct check_state *state, const struct ktstr_work *row)
{
	const struct ktstr_work_info *info = ktstr_work_info(row->type);

	for (int i = 0; i < KTSTR_WORK_PARAMS; i++) {
		const struct ktstr_work_param *p = &info->params[i];

		if (!row->params[i])
			continue;
		if (!p->name)
			return ktstr_error_set(state->err, -EINVAL, "%s has no parameter %d",
					       info->name, i + 1);
		if (row->params[i] < p->lowest || row->params[i] > p->highest)
			return ktstr_error_set(
				state->err, -EINVAL, "%s %llu is not from %llu to %llu", p->name,
				(unsigned long long)row->params[i], (unsigned long long)p->lowest,
				(unsigned long long)p->highest);
	}
	return 0;
}

static uint32_t group_of(const struct ktstr_work *row)
{
	const struct ktstr_work_info *info = ktstr_work_info(row->type);

	if (info->group)
		return info->group;
	for (int i = 0; i < KTSTR_WORK_PARAMS && info->params[i].name; i++)
		if (!strcmp(info->params[i].name, "group"))
			return (uint32_t)(row->params[i] ? row->params[i]
							 : info->params[i].fallback);
	return 1;
}

/* Of those that are there. */
static uint32_t all_workers(const struct check_state *state)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < state->nr_works; i++)
		if (state->works[i].there)
			nr += state->works[i].workers;
	return nr;
}

static int check_count(struct check_state *state, struct check_work *w)
{
	const struct ktstr_work *row = w->row;
	uint64_t group = group_of(row), wanted = row->count;
	struct cpuset cpus;

	if (row->count && row->percent)
		return ktstr_error_set(state->err, -EINVAL, "'count' and 'percent' at once");
	if (row->count % group)
		return ktstr_error_set(state->err, -EINVAL, "%u workers; %s works in groups of %u",
				       row->count, ktstr_work_info(row->type)->name,
				       (uint32_t)group);
	if (row->percent > PERCENT_MAX)
		return ktstr_error_set(state->err, -EINVAL, "more than %d percent", PERCENT_MAX);
	if (row->percent && state->shape) {
		check_cpus_of(state, row->cgroup, &cpus);
		wanted = ((uint64_t)cpuset_count(&cpus) * row->percent + 99) / 100;
	}
	wanted = ((wanted ? wanted : 1) + group - 1) / group * group;
	if (wanted + all_workers(state) > KTSTR_SCENARIO_WORKERS)
		return ktstr_error_set(
			state->err, -ERANGE, "that would be %llu workers at once; a guest holds %d",
			(unsigned long long)wanted + all_workers(state), KTSTR_SCENARIO_WORKERS);
	w->workers = (uint32_t)wanted;
	return 0;
}

static int check_affinity(struct check_state *state, const struct check_work *w, const char *words)
{
	struct cpuset within, cpus;

	check_cpus_of(state, w->cgroup, &within);
	return words_cpus(words, state->shape, &within, NULL, &cpus, state->err);
}

static int check_type(struct check_state *state, const struct ktstr_work *row)
{
	if (!ktstr_work_info(row->type))
		return ktstr_error_set(state->err, -EINVAL, "there is no work type %d",
				       (int)row->type);
	if (row->type == KTSTR_WORK_program && !row->program)
		return ktstr_error_set(state->err, -EINVAL, "which program is to be run?");
	if (row->type != KTSTR_WORK_program && (row->program || row->args[0]))
		return ktstr_error_set(state->err, -EINVAL, "%s runs no program; type program does",
				       ktstr_work_info(row->type)->name);
	if (row->type == KTSTR_WORK_custom && !row->run)
		return ktstr_error_set(state->err, -EINVAL,
				       "a custom work has a function, which only a test in C can "
				       "name");
	return 0;
}

static int check_work_row(struct check_state *state, struct check_work *w)
{
	const struct ktstr_work *row = w->row;
	struct policy_words policy;
	struct check_cgroup *c;
	int r = check_type(state, row);

	if (r == 0 && row->cgroup)
		r = check_find_cgroup(state, row->cgroup, &c);
	if (r == 0)
		r = check_params(state, row);
	if (r == 0)
		r = check_count(state, w);
	if (r == 0 && row->affinity)
		r = check_affinity(state, w, row->affinity);
	if (r == 0 && row->policy)
		r = words_policy(row->policy, &policy, state->err);
	if (r == 0 && row->memory)
		r = check_memory(state, row->memory, false);
	return r < 0 ? r : check_nice(state, row->nice);
}

int check_add_work(struct check_state *state, const struct ktstr_work *row)
{
	struct check_work *w = &state->works[state->nr_works];
	int r = check_name(state, "work", row->name, false);

	if (r < 0)
		return r;
	for (size_t i = 0; i < state->nr_works; i++)
		if (!strcmp(state->works[i].row->name, row->name))
			return ktstr_error_set(state->err, -EINVAL, "two works are named '%s'",
					       row->name);
	*w = (struct check_work){ .row = row, .there = true, .cgroup = row->cgroup };
	r = check_work_row(state, w);
	if (r < 0)
		return ktstr_error_wrap(state->err, r, "work '%s'", row->name);
	state->nr_works++;
	return 0;
}

/* --- operations ------------------------------------------------------------------------------ */

struct op_rows {
	struct check_cgroup *cgroup, *other; /* of target, of argument */
	struct check_work *work;
	uint32_t cpu;
	int64_t number;
};

static bool is_below(const char *name, const char *above)
{
	size_t len = strlen(above);

	return name && !strncmp(name, above, len) && (!name[len] || name[len] == '/');
}

static void remove_cgroup(struct check_state *state, const char *name)
{
	for (size_t i = 0; i < state->nr_cgroups; i++)
		if (is_below(state->cgroups[i].row->name, name))
			state->cgroups[i].there = false;
	for (size_t i = 0; i < state->nr_works; i++)
		if (is_below(state->works[i].cgroup, name))
			state->works[i].there = false;
}

/* Of CPUs, one: its number or words. */
static int find_cpu(struct check_state *state, const char *target, uint32_t *ret_cpu)
{
	struct cpuset all = { 0 }, cpus;
	uint32_t cpu;
	int r;

	if (!state->shape && parse_u32(target, ret_cpu) == 0)
		return 0;
	if (state->shape)
		cpuset_of_shape(state->shape, &all);
	if (parse_u32(target, &cpu) == 0) {
		if (cpu >= state->shape->nr_cpus)
			return ktstr_error_set(state->err, -ERANGE, "there are CPUs 0 to %u",
					       state->shape->nr_cpus - 1);
		*ret_cpu = cpu;
		return 0;
	}
	r = words_cpus(target, state->shape, &all, NULL, &cpus, state->err);
	if (r < 0 || !state->shape)
		return r;
	if (cpuset_count(&cpus) != 1)
		return ktstr_error_set(state->err, -EINVAL, "'%s' is not one CPU", target);
	for (cpu = 0; !cpuset_has(&cpus, cpu);)
		cpu++;
	*ret_cpu = cpu;
	return 0;
}

static int find_scheduler(struct check_state *state, const char *name)
{
	const struct ktstr_scheduler *const *staged = state->scenario->staged;
	struct near near = near_start(name);
	char hint[HINT_BYTES];

	for (size_t i = 0; i < KTSTR_SCENARIO_STAGED && staged[i]; i++) {
		if (!strcmp(staged[i]->name, name))
			return 0;
		near_offer(&near, staged[i]->name);
	}
	return ktstr_error_set(state->err, -EINVAL, "no scheduler '%s' is staged%s", name,
			       near_hint(&near, hint, sizeof(hint)));
}

static int find_target(struct check_state *state, const struct ktstr_step_op *op,
		       struct op_rows *rows)
{
	switch (ktstr_step_op_info(op->kind)->target) {
	case KTSTR_WORD_CGROUP:
		return check_find_cgroup(state, op->target, &rows->cgroup);
	case KTSTR_WORD_WORK:
		return check_find_work(state, op->target, &rows->work);
	case KTSTR_WORD_CPU:
		return find_cpu(state, op->target, &rows->cpu);
	default:
		return 0;
	}
}

static int read_argument(struct check_state *state, const struct ktstr_step_op *op,
			 struct op_rows *rows)
{
	struct policy_words policy;

	switch (ktstr_step_op_info(op->kind)->argument) {
	case KTSTR_WORD_CGROUP:
		return check_find_cgroup(state, op->argument, &rows->other);
	case KTSTR_WORD_CPUS:
		return rows->cgroup ? set_cpus(state, rows->cgroup, op->argument)
				    : check_affinity(state, rows->work, op->argument);
	case KTSTR_WORD_MEMS:
		return check_memory(state, op->argument, true);
	case KTSTR_WORD_POLICY:
		return words_policy(op->argument, &policy, state->err);
	case KTSTR_WORD_QUOTA:
		return check_quota(state, op->argument);
	case KTSTR_WORD_SCHEDULER:
		return find_scheduler(state, op->argument);
	case KTSTR_WORD_NUMBER:
		return parse_i64(op->argument, &rows->number) < 0
			       ? ktstr_error_set(state->err, -EINVAL, "'%s' is no number",
						 op->argument)
			       : 0;
	default:
		return 0;
	}
}

static int check_number(struct check_state *state, const struct ktstr_step_op *op, int64_t number)
{
	if (op->kind == KTSTR_OP_set_weight)
		return check_weight(state, number);
	if (op->kind == KTSTR_OP_set_nice)
		return check_nice(state, number);
	return number == 0 || number == 1
		       ? 0
		       : ktstr_error_set(state->err, -EINVAL, "'%s' is neither 0 nor 1",
					 op->argument);
}

static int change_cpu(struct check_state *state, const struct ktstr_step_op *op, uint32_t cpu)
{
	bool online = cpuset_has(&state->online, cpu), bring = op->kind == KTSTR_OP_cpu_online;

	if (!state->shape)
		return 0;
	if (online == bring)
		return ktstr_error_set(state->err, -EINVAL, "CPU %u is %s by then", cpu,
				       online ? "there" : "away");
	if (cpu == 0)
		return ktstr_error_set(state->err, -EINVAL, "the kernel keeps CPU 0");
	state->online.bits[cpu / 64] ^= UINT64_C(1) << cpu % 64;
	return 0;
}

static int change_scheduler(struct check_state *state, const struct ktstr_step_op *op)
{
	if (state->detached == (op->kind == KTSTR_OP_attach)) {
		state->detached = op->kind == KTSTR_OP_detach;
		return 0;
	}
	return ktstr_error_set(state->err, -EINVAL, "the scheduler is %s by then",
			       state->detached ? "detached" : "attached");
}

static void swap(struct check_cgroup *a, struct check_cgroup *b)
{
	struct check_cgroup kept = *a;

	a->has_cpus = b->has_cpus;
	a->cpus = b->cpus;
	b->has_cpus = kept.has_cpus;
	b->cpus = kept.cpus;
}

static int change(struct check_state *state, const struct ktstr_step_op *op, struct op_rows *rows)
{
	switch (op->kind) {
	case KTSTR_OP_remove_cgroup:
		remove_cgroup(state, op->target);
		return 0;
	case KTSTR_OP_clear_cpus:
		rows->cgroup->has_cpus = false;
		return 0;
	case KTSTR_OP_swap_cpus:
		swap(rows->cgroup, rows->other);
		return 0;
	case KTSTR_OP_move:
		rows->work->cgroup = op->argument;
		return 0;
	case KTSTR_OP_stop:
		rows->work->there = false;
		return 0;
	case KTSTR_OP_set_weight:
	case KTSTR_OP_set_idle:
	case KTSTR_OP_set_nice:
		return check_number(state, op, rows->number);
	case KTSTR_OP_cpu_offline:
	case KTSTR_OP_cpu_online:
		return change_cpu(state, op, rows->cpu);
	case KTSTR_OP_detach:
	case KTSTR_OP_attach:
	case KTSTR_OP_restart:
	case KTSTR_OP_replace:
		return change_scheduler(state, op);
	default:
		return 0;
	}
}

int check_do_op(struct check_state *state, const struct ktstr_step_op *op)
{
	const struct ktstr_step_op_info *info = ktstr_step_op_info(op->kind);
	struct op_rows rows = { 0 };
	int r;

	if (!info)
		return ktstr_error_set(state->err, -EINVAL, "there is no operation %d",
				       (int)op->kind);
	if (!op->target != !info->target || !op->argument != !info->argument)
		return ktstr_error_set(state->err, -EINVAL, "%s has %s target and %s argument",
				       info->name, info->target ? "a" : "no",
				       info->argument ? "an" : "no");
	r = find_target(state, op, &rows);
	if (r == 0)
		r = read_argument(state, op, &rows);
	if (r == 0)
		r = change(state, op, &rows);
	return r < 0 ? ktstr_error_wrap(state->err, r, "%s%s%s", info->name, op->target ? " " : "",
					op->target ? op->target : "")
		     : 0;
}

/* --- events ---------------------------------------------------------------------------------- */

static bool has_end(const struct ktstr_work *row)
{
	return row->iterations || row->type == KTSTR_WORK_once || row->type == KTSTR_WORK_program ||
	       row->type == KTSTR_WORK_custom;
}

int check_until(struct check_state *state, const char *until)
{
	struct event_words event;
	struct check_work *w;
	int r = words_event(until, &event, state->err);

	if (r < 0 || event.kind == EVENT_SCHEDULER_GONE)
		return r;
	r = check_find_work(state, event.work, &w);
	if (r == 0 && event.kind == EVENT_DONE && !has_end(w->row))
		r = ktstr_error_set(state->err, -EINVAL, "the workers of '%s' never end",
				    event.work);
	return r < 0 ? ktstr_error_wrap(state->err, r, "until '%s'", until) : 0;
}
