/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* order.h - which runs go first, by how long the like took before (history.h). */
#ifndef KTSTR_RUN_ORDER_H
#define KTSTR_RUN_ORDER_H

#include "run/history.h"
#include "run/plan.h"
#include "run/result.h"
#include "run/settings.h"

struct order {
	const char *program; /* its file's name */
	const struct settings *settings;
	bool exact; /* how guests run */
};

/* Sets what is expected of each item and sorts the plan by it. */
void order_plan(const struct order *order, const struct history *history, struct plan *plan);

/* Remembers what a run took, if it came to its end by itself. */
void order_note(const struct order *order, struct history *history, const struct plan_item *item,
		const struct result *result);

#endif
