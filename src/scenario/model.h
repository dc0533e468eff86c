/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * model.h - a scenario on its way from a file or a C test to the guest.
 *
 * A document is JSON in memory: what is read from a file (YAML, by file.h; JSON is YAML too) and what
 * travels in the job  have the same keys, those of the structs in
 * ktstr/scenario.h, and go through the same decoder.
 */
#ifndef KTSTR_SCENARIO_MODEL_H
#define KTSTR_SCENARIO_MODEL_H

#include <jansson.h>

#include <ktstr/scenario.h>

enum { MODEL_VERSION = 1, MODEL_DEPTH = 12, MODEL_DEMANDS = 96 };

/* What owns the strings and rows of decoded scenarios. */
struct model_arena;

struct model_arena *model_arena_create(void); /* NULL: lack of memory */
void model_arena_destroy(struct model_arena *arena);

/* Where something in a document came from: "basic.yaml:12"; NULL if that is not known. */
typedef const char *(*model_place_fn)(void *arg, const json_t *value);

struct model_source {
	model_place_fn
		place; /* NULL: messages name the path in the document, "steps.0.works.1.type" */
	void *arg;
};

/* All that is written is in @scenario; what has its default may be left out.
 * Return: the document, or NULL for lack of memory. */
json_t *scenario_to_json(const struct ktstr_scenario *scenario);
/* Unknown keys, words and types are errors that name near ones.  Does not look at how rows fit
 * together: ktstr_scenario_check().  @ret_scenario borrows from @arena.
 * Return: 0, -EINVAL, -E2BIG (too many rows), -ENOMEM. */
int scenario_from_json(const json_t *document, const struct model_source *source,
		       struct model_arena *arena, struct ktstr_scenario *ret_scenario,
		       struct ktstr_error *err) KTSTR_MUST_CHECK;

json_t *scheduler_to_json(const struct ktstr_scheduler *scheduler);
int scheduler_from_json(const json_t *document, const struct model_source *source,
			struct model_arena *arena, struct ktstr_scheduler *ret_scheduler,
			struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Demands with where they are from: {check, bound?, off?, work?, cgroup?, step?, from}. */
struct model_demand {
	struct ktstr_demand demand;
	const char *from; /* "ktstr", "project", "scheduler", "test", "command line" */
};
json_t *demands_to_json(const struct model_demand *demands, size_t nr);
int demands_from_json(const json_t *array, struct model_arena *arena, struct model_demand *demands,
		      size_t *ret_nr, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* What the body's process in the guest is to do. */
struct scenario_job {
	struct ktstr_scenario scenario;
	struct ktstr_scheduler
		scheduler; /* no binary: the kernel's own; its binary is a guest path */
	struct model_demand demands[MODEL_DEMANDS];
	size_t nr_demands;
	/* Where the kernel keeps a scheduler's operations, as kernel/ops_offsets.h reads them for
	 * sched/implemented.h, {"sched_ext_ops.cgroup_set_weight": 280, ...}; NULL: not known.
	 * Of a decoded job: a reference to drop. */
	json_t *ops_offsets;
};

/* Text for the job, malloc'ed.  Return: 0, -ENOMEM, -EINVAL (a text is not UTF-8). */
int scenario_job_encode(const struct scenario_job *job, char **ret_text,
			struct ktstr_error *err) KTSTR_MUST_CHECK;
/* @text need not be terminated.  Return: as scenario_from_json(). */
int scenario_job_decode(const char *text, size_t length, struct model_arena *arena,
			struct scenario_job *ret_job, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
