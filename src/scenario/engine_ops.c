// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "scenario/engine_private.h"

typedef int (*op_fn)(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err);

static int number_of(const struct ktstr_step_op *op, int64_t *ret_number, struct ktstr_error *err)
{
	if (parse_i64(op->argument, ret_number) < 0)
		return ktstr_error_set(err, -EINVAL, "'%s' is no number", op->argument);
	return 0;
}

static struct engine_row *row_of(struct engine *e, const struct ktstr_step_op *op,
				 struct ktstr_error *err)
{
	struct engine_row *row = engine_row(e, op->target);

	if (!row)
		ktstr_error_set(err, -EINVAL, "there are no workers '%s' in this step", op->target);
	return row;
}

static int write_number(struct engine *e, const struct ktstr_step_op *op, const char *file,
			struct ktstr_error *err)
{
	int64_t number;
	int r = number_of(op, &number, err);

	return r < 0 ? r : cgroups_write(e->cgroups, op->target, file, op->argument, err);
}

/* --- cgroups ----------------------------------------------------------------------------------- */

static int do_remove_cgroup(struct engine *e, const struct ktstr_step_op *op,
			    struct ktstr_error *err)
{
	if (!engine_group(e, op->target))
		return ktstr_error_set(err, -EINVAL, "there is no cgroup '%s' in this step",
				       op->target);
	for (size_t i = 0; i < e->nr_rows; i++)
		if (e->rows[i].row && engine_is_below(e->rows[i].cgroup, op->target))
			work_row_stop(e->rows[i].row);
	for (size_t i = 0; i < e->nr_rows; i++) {
		if (!e->rows[i].row || !engine_is_below(e->rows[i].cgroup, op->target))
			continue;
		work_row_reap(e->rows[i].row, ENGINE_STOP_NS);
		engine_row_end(e, &e->rows[i]);
	}
	return engine_group_remove(e, op->target, err);
}

static int do_set_cpus(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return engine_group_set_cpus(e, op->target, op->argument, err);
}

static int do_clear_cpus(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return engine_group_set_cpus(e, op->target, NULL, err);
}

/* Siblings may swap at will; for others the kernel cuts what their parents do not have. */
static int do_swap_cpus(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	const struct engine_group *one = engine_group(e, op->target);
	const struct engine_group *other = engine_group(e, op->argument);
	char one_list[ENGINE_LIST], other_list[ENGINE_LIST];
	int r;

	if (!one || !other)
		return ktstr_error_set(err, -EINVAL, "there is no cgroup '%s' in this step",
				       one ? op->argument : op->target);
	cpuset_format(&one->cpus, one_list, sizeof(one_list));
	cpuset_format(&other->cpus, other_list, sizeof(other_list));
	r = cgroups_write(e->cgroups, one->name, "cpuset.cpus", other_list, err);
	return r < 0 ? r : cgroups_write(e->cgroups, other->name, "cpuset.cpus", one_list, err);
}

static int do_set_mems(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return engine_group_set_mems(e, op->target, op->argument, err);
}

static int do_set_weight(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return write_number(e, op, "cpu.weight", err);
}

static int do_set_quota(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return engine_group_set_quota(e, op->target, op->argument, err);
}

static int do_set_idle(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return write_number(e, op, "cpu.idle", err);
}

static int do_freeze(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return engine_group_freeze(e, op->target, true, err);
}

static int do_thaw(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return engine_group_freeze(e, op->target, false, err);
}

/* --- workers ----------------------------------------------------------------------------------- */

static int do_move(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	struct engine_row *row = row_of(e, op, err);

	return row ? engine_row_move(e, row, op->argument, err) : -EINVAL;
}

static int do_stop(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	struct engine_row *row = row_of(e, op, err);

	if (!row)
		return -EINVAL;
	work_row_stop(row->row);
	work_row_reap(row->row, ENGINE_STOP_NS);
	engine_row_end(e, row);
	return 0;
}

static int do_set_affinity(struct engine *e, const struct ktstr_step_op *op,
			   struct ktstr_error *err)
{
	struct engine_row *row = row_of(e, op, err);

	return row ? engine_row_set_affinity(e, row, op->argument, err) : -EINVAL;
}

static int do_set_policy(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	struct engine_row *row = row_of(e, op, err);

	return row ? engine_row_set_policy(e, row, op->argument, row->nice, err) : -EINVAL;
}

static int do_set_nice(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	struct engine_row *row = row_of(e, op, err);
	int64_t nice;
	int r = row ? number_of(op, &nice, err) : -EINVAL;

	if (r < 0)
		return r;
	if (nice < -20 || nice > 19)
		return ktstr_error_set(err, -EINVAL, "nice values go from -20 to 19, not to %lld",
				       (long long)nice);
	return engine_row_set_policy(e, row, NULL, (int)nice, err);
}

/* --- CPUs -------------------------------------------------------------------------------------- */

static int switch_cpu(struct engine *e, const struct ktstr_step_op *op, bool online,
		      struct ktstr_error *err)
{
	uint32_t cpu;
	int r = engine_cpu_number(e, op->target, &cpu, err);

	return r < 0 ? r : engine_cpu_set(e, cpu, online, err);
}

static int do_cpu_offline(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return switch_cpu(e, op, false, err);
}

static int do_cpu_online(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	return switch_cpu(e, op, true, err);
}

/* --- the scheduler ----------------------------------------------------------------------------- */

static int do_detach(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	(void)op;
	return engine_detach(e, err);
}

/* That it did not attach is told of it, and no failure of the step. */
static int do_attach(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	int r = engine_attach(e, &e->opts->job->scheduler, err);

	(void)op;
	if (r == 0)
		e->broken = true;
	return r < 0 ? r : 0;
}

static int do_restart(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	int r = engine_detach(e, err);

	return r < 0 ? r : do_attach(e, op, err);
}

static int do_replace(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	const struct ktstr_scheduler *const *staged = e->scenario->staged;
	size_t i = 0;
	int r;

	while (i < KTSTR_SCENARIO_STAGED && staged[i] && strcmp(staged[i]->name, op->argument) != 0)
		i++;
	if (i == KTSTR_SCENARIO_STAGED || !staged[i])
		return ktstr_error_set(err, -EINVAL, "no scheduler '%s' is staged", op->argument);
	r = engine_detach(e, err);
	if (r == 0)
		r = engine_attach(e, staged[i], err);
	if (r == 0)
		e->broken = true;
	return r < 0 ? r : 0;
}

/* --- all of them ------------------------------------------------------------------------------- */

static const op_fn ops[] = {
#define OP(name, target, argument, about) [KTSTR_OP_##name] = do_##name,
#include <ktstr/ops.def>
};

static int perform(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	const struct ktstr_step_op_info *info = ktstr_step_op_info(op->kind);

	if ((info->target != KTSTR_WORD_NONE) != !!op->target ||
	    (info->argument != KTSTR_WORD_NONE) != !!op->argument)
		return ktstr_error_set(err, -EINVAL, "it has not the words that it is to have");
	return ops[op->kind](e, op, err);
}

int engine_op(struct engine *e, const struct ktstr_step_op *op, struct ktstr_error *err)
{
	const struct ktstr_step_op_info *info = ktstr_step_op_info(op->kind);
	uint64_t begin_ns = clock_mono_ns();
	struct ktstr_error why = { 0 };
	json_t *record;
	int r;

	if (!info)
		return ktstr_error_set(err, -EINVAL, "there is no operation %d", (int)op->kind);
	r = perform(e, op, &why);
	if (r == 0)
		r = engine_tree_refresh(e, &why);
	record = engine_record(e, "op");
	engine_set_text(record, "op", info->name);
	if (op->target)
		engine_set_text(record, "target", op->target);
	if (op->argument)
		engine_set_text(record, "argument", op->argument);
	engine_set_u64(record, "begin_ns", begin_ns);
	engine_set_u64(record, "took_ns", clock_mono_ns() - begin_ns);
	engine_set_text(record, "error", r < 0 ? why.text : "");
	engine_send(e, record);
	if (r < 0)
		return ktstr_error_set(err, r, "%s%s%s%s%s: %s", info->name, op->target ? " " : "",
				       op->target ? op->target : "", op->argument ? " " : "",
				       op->argument ? op->argument : "", why.text);
	return 0;
}
