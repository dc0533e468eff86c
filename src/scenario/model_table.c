// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/model_table.h"

#include "scenario/model.h"

#define FIELD(struct_, key_, kind_, member_, ...)                                        \
	{                                                                                \
		.key = key_, .kind = kind_, .offset = offsetof(struct struct_, member_), \
		__VA_ARGS__                                                              \
	}

static int op_from_text(const char *text, const struct row_memory *memory, void *ret_row,
			struct ktstr_error *err)
{
	return step_op_parse(text, memory, ret_row, err);
}

static int demand_from_text(const char *text, const struct row_memory *memory, void *ret_row,
			    struct ktstr_error *err)
{
	return demand_parse(text, memory, ret_row, err);
}

static const struct model_table cgroup_table = {
	.noun = "a cgroup",
	.size = sizeof(struct ktstr_cgroup),
	.required = "name",
	.named = "name",
	.shorthand = "cpus",
	.fields = {
		FIELD(ktstr_cgroup, "name", MODEL_TEXT, name),
		FIELD(ktstr_cgroup, "cpus", MODEL_TEXT, cpus),
		FIELD(ktstr_cgroup, "mems", MODEL_TEXT, mems),
		FIELD(ktstr_cgroup, "quota", MODEL_TEXT, quota),
		FIELD(ktstr_cgroup, "weight", MODEL_U32, weight),
		FIELD(ktstr_cgroup, "idle", MODEL_BOOL, idle),
	},
};

static const struct model_table work_table = {
	.noun = "a work",
	.size = sizeof(struct ktstr_work),
	.required = "name",
	.named = "name",
	.shorthand = "type",
	.fields = {
		FIELD(ktstr_work, "name", MODEL_TEXT, name),
		FIELD(ktstr_work, "type", MODEL_TYPE, type),
		FIELD(ktstr_work, "count", MODEL_U32, count),
		FIELD(ktstr_work, "percent", MODEL_U32, percent),
		FIELD(ktstr_work, "cgroup", MODEL_TEXT, cgroup),
		FIELD(ktstr_work, "affinity", MODEL_TEXT, affinity),
		FIELD(ktstr_work, "policy", MODEL_TEXT, policy),
		FIELD(ktstr_work, "memory", MODEL_TEXT, memory),
		FIELD(ktstr_work, "nice", MODEL_I32, nice),
		FIELD(ktstr_work, "threads", MODEL_BOOL, threads),
		FIELD(ktstr_work, "params", MODEL_PARAMS, params),
		FIELD(ktstr_work, "iterations", MODEL_U64, iterations),
		FIELD(ktstr_work, "program", MODEL_TEXT, program),
		FIELD(ktstr_work, "args", MODEL_TEXTS, args, .max = KTSTR_WORK_ARGS),
	},
};

static const struct model_table op_table = {
	.noun = "an operation",
	.size = sizeof(struct ktstr_step_op),
	.required = "op",
	.from_text = op_from_text,
	.fields = {
		FIELD(ktstr_step_op, "op", MODEL_OP, kind),
		FIELD(ktstr_step_op, "target", MODEL_TEXT, target),
		FIELD(ktstr_step_op, "argument", MODEL_TEXT, argument),
	},
};

static const struct model_table step_table = {
	.noun = "a step",
	.size = sizeof(struct ktstr_step),
	.named = "name",
	.fields = {
		FIELD(ktstr_step, "name", MODEL_TEXT, name),
		FIELD(ktstr_step, "cgroups", MODEL_ROWS, cgroups, .max = KTSTR_STEP_CGROUPS,
		      .rows = &cgroup_table),
		FIELD(ktstr_step, "works", MODEL_ROWS, works, .max = KTSTR_STEP_WORKS,
		      .rows = &work_table),
		FIELD(ktstr_step, "ops", MODEL_ROWS, ops, .max = KTSTR_STEP_OPS,
		      .rows = &op_table),
		FIELD(ktstr_step, "hold", MODEL_TIME, hold_ns),
		FIELD(ktstr_step, "until", MODEL_TEXT, until),
	},
};

const struct model_table model_demand_table = {
	.noun = "a demand",
	.size = sizeof(struct ktstr_demand),
	.required = "check",
	.from_text = demand_from_text,
	.fields = {
		FIELD(ktstr_demand, "check", MODEL_CHECK, check),
		FIELD(ktstr_demand, "off", MODEL_BOOL, off),
		FIELD(ktstr_demand, "bound", MODEL_BOUND, bound),
		FIELD(ktstr_demand, "work", MODEL_TEXT, work),
		FIELD(ktstr_demand, "cgroup", MODEL_TEXT, cgroup),
		FIELD(ktstr_demand, "step", MODEL_TEXT, step),
	},
};

const struct model_table model_layered_demand_table = {
	.noun = "a demand",
	.size = sizeof(struct model_demand),
	.required = "check",
	.fields = {
		FIELD(model_demand, "check", MODEL_CHECK, demand.check),
		FIELD(model_demand, "off", MODEL_BOOL, demand.off),
		FIELD(model_demand, "bound", MODEL_BOUND, demand.bound),
		FIELD(model_demand, "work", MODEL_TEXT, demand.work),
		FIELD(model_demand, "cgroup", MODEL_TEXT, demand.cgroup),
		FIELD(model_demand, "step", MODEL_TEXT, demand.step),
		FIELD(model_demand, "from", MODEL_TEXT, from),
	},
};

static const struct model_table flag_table = {
	.noun = "a flag",
	.size = sizeof(struct ktstr_scheduler_flag),
	.required = "name",
	.named = "name",
	.fields = {
		FIELD(ktstr_scheduler_flag, "name", MODEL_TEXT, name),
		FIELD(ktstr_scheduler_flag, "args", MODEL_TEXTS, args, .max = KTSTR_FLAG_LINKS),
		FIELD(ktstr_scheduler_flag, "requires", MODEL_TEXTS, requires,
		      .max = KTSTR_FLAG_LINKS),
		FIELD(ktstr_scheduler_flag, "excludes", MODEL_TEXTS, excludes,
		      .max = KTSTR_FLAG_LINKS),
	},
};

const struct model_table model_scheduler_table = {
	.noun = "a scheduler",
	.size = sizeof(struct ktstr_scheduler),
	.named = "name",
	.shorthand = "binary",
	.fields = {
		FIELD(ktstr_scheduler, "name", MODEL_TEXT, name),
		FIELD(ktstr_scheduler, "binary", MODEL_TEXT, binary),
		FIELD(ktstr_scheduler, "args", MODEL_TEXTS, args, .max = KTSTR_SCHEDULER_ARGS),
		FIELD(ktstr_scheduler, "files", MODEL_TEXTS, files, .max = KTSTR_SCHEDULER_FILES),
		FIELD(ktstr_scheduler, "flags", MODEL_ROWS, flags, .max = KTSTR_SCHEDULER_FLAGS,
		      .rows = &flag_table),
		FIELD(ktstr_scheduler, "checks", MODEL_ROWS, checks,
		      .max = KTSTR_SCHEDULER_CHECKS, .rows = &model_demand_table),
		FIELD(ktstr_scheduler, "attach_timeout", MODEL_TIME, attach_timeout_ns),
	},
};

/* Of a scenario, as its limits and the operations it needs are one thing to people. */
static const struct model_table needs_table = {
	.noun = "needs",
	.size = sizeof(struct ktstr_scenario),
	.fields = {
		FIELD(ktstr_scenario, "cpus", MODEL_U32, limits.cpus_min),
		FIELD(ktstr_scenario, "cpus_max", MODEL_U32, limits.cpus_max),
		FIELD(ktstr_scenario, "llcs", MODEL_U32, limits.llcs_min),
		FIELD(ktstr_scenario, "nodes", MODEL_U32, limits.nodes_min),
		FIELD(ktstr_scenario, "threads", MODEL_U32, limits.threads_min),
		FIELD(ktstr_scenario, "ops", MODEL_TEXTS, needs_ops,
		      .max = KTSTR_SCENARIO_NEEDS_OPS),
	},
};

const struct model_table model_scenario_table = {
	.noun = "a scenario",
	.size = sizeof(struct ktstr_scenario),
	.named = "name",
	.fields = {
		FIELD(ktstr_scenario, "name", MODEL_TEXT, name),
		FIELD(ktstr_scenario, "about", MODEL_TEXT, about),
		FIELD(ktstr_scenario, "group", MODEL_TEXT, group),
		{ .key = "needs", .kind = MODEL_OBJECT, .offset = 0, .rows = &needs_table },
		FIELD(ktstr_scenario, "staged", MODEL_POINTERS, staged,
		      .max = KTSTR_SCENARIO_STAGED, .rows = &model_scheduler_table),
		FIELD(ktstr_scenario, "steps", MODEL_ROWS, steps, .max = KTSTR_SCENARIO_STEPS,
		      .rows = &step_table),
		FIELD(ktstr_scenario, "checks", MODEL_ROWS, checks, .max = KTSTR_SCENARIO_CHECKS,
		      .rows = &model_demand_table),
	},
};
