/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * demands.h - which demands apply to a run: layers merged, the more particular one wins.
 *
 * Layers: "ktstr" (built in: what every scheduler owes), "project" (ktstr.yaml in the folder of the
 * command, if there is one), "scheduler", "test", "command line".  Two demands are of the same thing if
 * check, work, cgroup and step are equal; a demand that names less applies wherever no other layer or
 * row says more.  A row that is "off" takes back the same demand of the layers before.
 */
#ifndef KTSTR_CHECK_DEMANDS_H
#define KTSTR_CHECK_DEMANDS_H

#include "scenario/model.h"

struct demand_layer {
	const char *name;
	const struct ktstr_demand *rows; /* up to @nr or the first without a check */
	size_t nr;
};

/* What every scheduler owes; ends with a row without a check. */
extern const struct ktstr_demand demands_built_in[];

/* Return: 0; -EINVAL (bounds of one check contradict each other, a bound is negative or not finite; the
 * text names both places); -E2BIG (more than MODEL_DEMANDS). */
int demands_merge(const struct demand_layer *layers, size_t nr_layers,
		  struct model_demand *ret_demands, size_t *ret_nr,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* One line per demand: what, bound with unit, where it applies, where it is from. */
int demands_print(const struct model_demand *demands, size_t nr, char **ret_text) KTSTR_MUST_CHECK;

#endif
