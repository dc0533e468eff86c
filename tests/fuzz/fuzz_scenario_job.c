// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written, and reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_arena *arena = model_arena_create();
	struct scenario_job *job = calloc(1, sizeof(*job)), *back = calloc(1, sizeof(*back));
	struct ktstr_error err;
	char *text = NULL, *again = NULL;

	if (scenario_job_decode((const char *)data, size, arena, job, &err) == 0) {
		if (scenario_job_encode(job, &text, &err) < 0 ||
		    scenario_job_decode(text, strlen(text), arena, back, &err) < 0 ||
		    scenario_job_encode(back, &again, &err) < 0 || strcmp(text, again) != 0)
			__builtin_trap();
	}
	json_decref(job->ops_offsets);
	json_decref(back->ops_offsets);
	free(text);
	free(again);
	free(job);
	free(back);
	model_arena_destroy(arena);
	return 0;
}
