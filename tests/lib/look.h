/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * look.h - what a guest's kernel says of a scenario's cgroups, tasks and CPUs while it runs.
 *
 * look() is the function of a custom worker: it writes the next of the files look_read() reads, whose lines
 * are
 *
 *	cgroup NAME FILE CONTENT	"." is the scenario's own; newlines become blanks
 *	task COMM cgroup NAME policy N nice N rt N cpus LIST
 *	online LIST
 *	sched_ext STATE OPS
 */
#ifndef KTSTR_TESTS_LOOK_H
#define KTSTR_TESTS_LOOK_H

#include <ktstr/scenario.h>
#include <ktstr/test.h>

void look(const struct ktstr_work_context *context);

/* Look @n, from 0, has this line; else a failure is recorded with what it has. */
bool look_has(struct ktstr *t, unsigned int n, const char *line);
/* The rest of the line that begins like this, in a static buffer; NULL: there is none. */
const char *look_find(unsigned int n, const char *start);
/* How many looks there are. */
unsigned int look_count(void);
/* Nothing of a scenario is left: no cgroup, no scheduler, and all CPUs are on line. */
void look_clean(struct ktstr *t);

#endif
