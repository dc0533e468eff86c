// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/run_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "run/result.h"

static json_t *list_all(const struct plan *plan)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < plan->nr_all; i++)
		json_array_append_new(ids, json_string(plan->all_ids[i]));
	return ids;
}

static json_t *list_mine(const struct plan *plan)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < plan->nr; i++)
		json_array_append_new(ids, json_string(plan->items[i].id));
	return ids;
}

void run_line_seeds(const struct settings *s, char text[RUN_LINE_SEEDS])
{
	if (s->first_seed == s->last_seed)
		snprintf(text, RUN_LINE_SEEDS, "%" PRIu64, s->first_seed);
	else
		snprintf(text, RUN_LINE_SEEDS, "%" PRIu64 "..%" PRIu64, s->first_seed,
			 s->last_seed);
}

json_t *run_line(const struct settings *s, const struct plan *plan, const char *program)
{
	char seeds[RUN_LINE_SEEDS];
	json_t *run;

	run_line_seeds(s, seeds);
	run = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "type", "run", "version",
			RESULT_VERSION, "ktstr", KTSTR_VERSION, "program", program, "mode",
			settings_mode_word(s->mode), "seeds", seeds, "repetitions",
			(int)s->repetitions, "perturb", perturb_name(s->perturb));
	if (!run)
		return NULL;
	json_object_set_new(run, "all", list_all(plan));
	if (!s->partition_text)
		return run;
	json_object_set_new(run, "partition", json_string(s->partition_text));
	json_object_set_new(run, "plan", list_mine(plan));
	return run;
}
