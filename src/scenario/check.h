/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * check.h - go through a scenario step by step, as the engine will, and say what cannot be.
 *
 * Cgroups, workers, CPUs and the scheduler are followed through the steps, so that words are resolved
 * among the CPUs that are there by then.  Without a topology words are only read.
 */
#ifndef KTSTR_SCENARIO_CHECK_H
#define KTSTR_SCENARIO_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/words.h"
#include <ktstr/scenario.h>

enum {
	CHECK_CGROUPS = KTSTR_SCENARIO_STEPS * KTSTR_STEP_CGROUPS,
	CHECK_WORKS = KTSTR_SCENARIO_STEPS * KTSTR_STEP_WORKS
};

enum check_part {
	CHECK_WHOLE,
	CHECK_STAGED,
	CHECK_STEP,
	CHECK_CGROUP,
	CHECK_WORK,
	CHECK_OP,
	CHECK_DEMAND
};

/* Which row is at fault; counts from 0. */
struct check_where {
	enum check_part part;
	size_t step, row;
};

struct check_cgroup {
	const struct ktstr_cgroup *row;
	bool there;
	bool has_cpus; /* of its own */
	struct cpuset cpus;
};

struct check_work {
	const struct ktstr_work *row;
	bool there;
	const char *cgroup; /* NULL: the scenario's own */
	uint32_t workers;
};

struct check_state {
	const struct ktstr_scenario *scenario;
	const struct ktstr_shape *shape; /* NULL: any machine */
	struct check_where where;
	struct ktstr_error *err;
	struct cpuset online;
	bool detached;
	size_t nr_cgroups, nr_works;
	struct check_cgroup cgroups[CHECK_CGROUPS];
	struct check_work works[CHECK_WORKS];
};

/* As ktstr_scenario_check(); @ret_where is written on failure. */
int scenario_check_at(const struct ktstr_scenario *scenario, const struct ktstr_topology *topology,
		      struct check_where *ret_where, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* --- its parts ------------------------------------------------------------------------------- */

/* Each: Return: 0, -EINVAL or -ERANGE, with the row named. */
int check_add_cgroup(struct check_state *state, const struct ktstr_cgroup *row);
int check_add_work(struct check_state *state, const struct ktstr_work *row);
int check_do_op(struct check_state *state, const struct ktstr_step_op *op);
int check_until(struct check_state *state, const char *until);
int check_demands(struct check_state *state);
/* Letters, digits, '_', '-' and '.', of at most KTSTR_SCENARIO_NAME - 1 bytes; of a cgroup also '/', and
 * no '.', as the kernel's own files have dots. */
int check_name(struct check_state *state, const char *noun, const char *name, bool cgroup);
/* Those that are there by now.  A name that nothing has is an error with a suggestion. */
int check_find_cgroup(struct check_state *state, const char *name,
		      struct check_cgroup **ret_cgroup);
int check_find_work(struct check_state *state, const char *name, struct check_work **ret_work);
/* CPUs that the workers of a cgroup may use; @name NULL: those of the machine. */
void check_cpus_of(const struct check_state *state, const char *name, struct cpuset *ret_cpus);
/* The same for the cgroup above. */
void check_cpus_above(const struct check_state *state, const char *name, struct cpuset *ret_cpus);

#endif
