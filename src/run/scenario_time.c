// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "run/scenario.h"
#include "sched/attach.h"

static uint64_t attach_ns(const struct ktstr_scheduler *scheduler)
{
	if (!scheduler || !scheduler->binary)
		return 0;
	return scheduler->attach_timeout_ns ? scheduler->attach_timeout_ns
					    : SCHEDULER_ATTACH_MAX_NS;
}

static bool attaches(enum ktstr_step_op_kind kind)
{
	return kind == KTSTR_OP_attach || kind == KTSTR_OP_restart || kind == KTSTR_OP_replace;
}

uint64_t scenario_time_ns(const struct ktstr_test *test)
{
	uint64_t each = attach_ns(test->scheduler), ns = each;

	if (!test->scenario)
		return 0;
	for (size_t s = 0; s < KTSTR_SCENARIO_STEPS; s++) {
		const struct ktstr_step *step = &test->scenario->steps[s];

		ns = clock_add_ns(ns, step->hold_ns);
		for (size_t i = 0; i < KTSTR_STEP_OPS; i++)
			if (attaches(step->ops[i].kind))
				ns = clock_add_ns(ns, each);
	}
	return ns;
}
