/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* file.h - scenarios out of the text of a file; docs/format/scenario.md. */
#ifndef KTSTR_SCENARIO_FILE_H
#define KTSTR_SCENARIO_FILE_H

#include "scenario/model.h"
#include <ktstr/catalogue.h>

enum { FILE_VERSION = 1, PROJECT_CHECKS = 32 };

struct file_scenario {
	const struct ktstr_scenario *scenario;
	const char *place; /* "basic.yaml:12" */
};

struct file_scenarios {
	struct file_scenario items[KTSTR_CATALOGUE_SCENARIOS];
	size_t nr;
};

/* Adds what is in a file; rows and names are those of @arena.  @name: what messages call the file.
 * Return: 0, -EINVAL ("NAME:LINE: what is wrong"; also a scenario whose name another one has), -E2BIG,
 * -ENOMEM.  On failure @scenarios may have got some. */
int file_read(const char *name, const char *text, size_t length, struct model_arena *arena,
	      struct file_scenarios *scenarios, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* A project's own demands, in its ktstr.yaml: {ktstr: 1, checks: [...]}.  @rows has PROJECT_CHECKS rows, and
 * ends with the first that is zero.  Return: as file_read(). */
int file_read_project(const char *name, const char *text, size_t length, struct model_arena *arena,
		      struct ktstr_demand *rows, size_t *ret_nr,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;

/* A scheduler under test: {ktstr: 1, scheduler: {binary, args, flags, checks, ...}}, all of it in @arena.
 * Return: as file_read(). */
int file_read_scheduler(const char *name, const char *text, size_t length,
			struct model_arena *arena, struct ktstr_scheduler *ret_scheduler,
			struct ktstr_error *err) KTSTR_MUST_CHECK;

/* A file that is built in; NULL behind the last.  Its text ends at @end. */
struct file_embedded {
	const char *name, *text, *end;
};
const struct file_embedded *file_embedded(size_t index);

#endif
