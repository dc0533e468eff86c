/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * project.h - what a project demands of all its tests: ktstr.yaml in the current folder, if it is there.
 *
 * The layer "project" of check/demands.h.  The format is that of a scenario file's checks
 * (docs/format/scenario.md).
 */
#ifndef KTSTR_RUN_PROJECT_H
#define KTSTR_RUN_PROJECT_H

#include "scenario/file.h"
#include "scenario/model_arena.h"

#define PROJECT_FILE "ktstr.yaml"

struct project {
	struct model_arena *arena; /* has the names in @rows */
	struct ktstr_demand rows[PROJECT_CHECKS];
	size_t nr; /* 0 without a file */
};

#define _cleanup_project_ __attribute__((cleanup(project_deinit)))

/* Return: 0; -EINVAL ("ktstr.yaml:LINE: what is wrong"), -E2BIG, -errno of reading, -ENOMEM. */
int project_read(struct project *ret_project, struct ktstr_error *err) KTSTR_MUST_CHECK;
void project_deinit(struct project *project);

#endif
