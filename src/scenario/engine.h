/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * engine.h - drive one scenario in a guest: cgroups, workers, steps, the scheduler, telemetry.
 *
 * The calling thread becomes SCHED_FIFO below the agent and the disturber (ENGINE_PRIORITY), so that
 * no scheduler under test can keep the engine from seeing what that scheduler does.  Workers are reset
 * to what their rows say.
 *
 * Order: the scheduler is attached, then the steps; at the end, in success and failure alike, workers
 * are ended and their cgroups removed, the scheduler is detached, CPUs come back.  A write to cgroupfs
 * that does not return in time is an error with the file's name.  A set-up that fails is an error, not
 * a verdict about the scheduler; what a scheduler did is told in records, and judged on the host.
 *
 * A scheduler that is gone though nothing asked it to go: the step is ended early ("broken") after
 * RECORDS are taken, and the remaining steps are not run, as they would say nothing about it.
 */
#ifndef KTSTR_SCENARIO_ENGINE_H
#define KTSTR_SCENARIO_ENGINE_H

#include <jansson.h>

#include "scenario/model.h"

enum { ENGINE_PRIORITY = 96 };

struct engine_opts {
	const struct scenario_job *job;
	uint64_t seed;
	const char *cgroup_mount; /* "/sys/fs/cgroup" */
	const char *sysfs;	  /* "/sys" */
	/* Of C tests: functions of custom workers by the name of their row; NULL: none. */
	const struct ktstr_scenario *declared;
	/* Takes @record, an object as in records.h. */
	void (*send)(void *arg, json_t *record);
	/* A need that is not met: the run is SKIP.  Called at most once, before anything is started. */
	void (*skip)(void *arg, const char *text);
	void *arg;
};

/* Return: 0 (records tell the rest, or it was skipped), or a negative errno: the harness or the
 * machine failed. */
int engine_run(const struct engine_opts *opts, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
