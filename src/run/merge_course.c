// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/merge.h"
#include "run/verdict.h"

#define PARTED "parted"

void merge_course_deinit(struct merge_course *course)
{
	free(course->name);
	free(course->id);
	json_decref(course->inputs);
	*course = (struct merge_course){ 0 };
}

static bool is_comparable(const struct result *result)
{
	return !strcmp(result->mode, "exact") && *result->events_sha256 && result->inputs &&
	       !verdict_is_of_host(result->end) && strcmp(result->end, PARTED) != 0;
}

static bool is_repetition(const struct merge_course *course, const struct result *result)
{
	return course->name && !strcmp(course->name, result->name) && course->seed == result->seed;
}

static int begin(struct merge_course *course, const struct result *result)
{
	merge_course_deinit(course);
	course->name = strdup(result->name);
	course->id = strdup(result->id);
	course->inputs = json_incref(result->inputs);
	course->seed = result->seed;
	memcpy(course->events_sha256, result->events_sha256, sizeof(course->events_sha256));
	return course->name && course->id ? 0 : -1;
}

static void part(const struct merge_course *course, struct result *result)
{
	char *reasons = path_format("two runs of the same inputs parted: this one and '%s'\n"
				    "  events %s here\n  events %s there\n"
				    "  its verdict was %s; ktstr replay says where it parts%s%s",
				    course->id, result->events_sha256, course->events_sha256,
				    ktstr_verdict_name(result->verdict),
				    *result->reasons ? "\n" : "", result->reasons);

	if (reasons) {
		free(result->reasons);
		result->reasons = reasons;
	}
	result->verdict = KTSTR_ERROR;
	result_set_end(result, PARTED);
}

int merge_course_check(struct merge_course *course, struct result *result)
{
	if (!is_comparable(result))
		return 0;
	if (!is_repetition(course, result))
		return begin(course, result);
	if (json_equal(course->inputs, result->inputs) &&
	    strcmp(course->events_sha256, result->events_sha256) != 0)
		part(course, result);
	return 0;
}
