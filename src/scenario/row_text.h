/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * row_text.h - demands and operations as one line of text, as people write them.
 *
 *	demand	   [not] CHECK [<= BOUND | >= BOUND] [for [work|cgroup] NAME] [in STEP]
 *	operation  OP [TARGET] [ARGUMENT], as ops.def says
 *
 * A check's name may lack its unit at the end: "gap <= 50ms" is gap_ns.  A bound is in the check's unit:
 * a time ("50ms"), percent ("20" or "20%"), or a number ("100" or "100/s").  "for NAME" is a cgroup if
 * the check looks at cgroups, else a row of works.
 */
#ifndef KTSTR_SCENARIO_ROW_TEXT_H
#define KTSTR_SCENARIO_ROW_TEXT_H

#include <stddef.h>

#include <ktstr/scenario.h>

enum { ROW_TEXT_BYTES = 256 };

/* Where names are kept: zeroed memory, or NULL. */
typedef void *(*row_alloc_fn)(void *arg, size_t size);

struct row_memory {
	row_alloc_fn alloc;
	void *arg;
};

/* Return: 0, -EINVAL (the text says what was expected, or which name is near), -E2BIG, -ENOMEM. */
int demand_parse(const char *text, const struct row_memory *memory, struct ktstr_demand *ret_demand,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The reverse.  @buf as snprintf().  Return: @buf. */
const char *demand_format(const struct ktstr_demand *demand, char *buf, size_t size);

/* A bound alone, in the unit of @check. */
int demand_parse_bound(enum ktstr_check_id check, const char *text, double *ret_bound,
		       struct ktstr_error *err) KTSTR_MUST_CHECK;
/* "50ms", "20%", "100/s".  @buf as snprintf().  Return: @buf. */
const char *demand_format_bound(enum ktstr_check_id check, double bound, char *buf, size_t size);

int step_op_parse(const char *text, const struct row_memory *memory, struct ktstr_step_op *ret_op,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Rows by name; @err suggests near ones. */
int work_type_find(const char *name, enum ktstr_work_type *ret_type,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
int step_op_find(const char *name, enum ktstr_step_op_kind *ret_kind,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;
int check_find(const char *name, enum ktstr_check_id *ret_check,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
