// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/merge_tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* What all files say; NULL if they do not agree or do not say it. */
static const json_t *agreed(const struct merge_program *program, const char *key)
{
	const json_t *fact = json_object_get(program->facts, key);

	return json_object_get(fact, "differs") ? NULL : json_object_get(fact, "value");
}

/* "7" is one seed here, other than on a command line.  Return: false if it is none. */
static bool read_seeds(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	struct ktstr_error ignored;

	if (!text)
		return false;
	if (strstr(text, ".."))
		return plan_parse_seeds(text, ret_first, ret_last, &ignored) == 0;
	if (parse_u64(text, ret_first) < 0)
		return false;
	*ret_last = *ret_first;
	return true;
}

void merge_seeds(const struct merge_program *program, char text[48])
{
	const char *seeds = json_string_value(agreed(program, "seeds"));
	uint64_t first, last;

	text[0] = '\0';
	if (read_seeds(seeds, &first, &last))
		snprintf(text, 48, "%s", seeds);
}

/* Seeds and repetitions that make as many runs as there are. */
static bool read_shape(const struct merge_program *program, struct merge_tally *mt)
{
	json_int_t repetitions = json_integer_value(agreed(program, "repetitions"));
	uint64_t each;

	if (repetitions < 1 || repetitions > PLAN_ITEMS_MAX ||
	    !read_seeds(json_string_value(agreed(program, "seeds")), &mt->first_seed,
			&mt->last_seed))
		return false;
	mt->repetitions = (uint32_t)repetitions;
	each = (mt->last_seed - mt->first_seed + 1) * mt->repetitions;
	if (program->nr % each != 0 || each == 1)
		return false;
	mt->nr_tests = program->nr / each;
	return true;
}

bool merge_is_matrix(const struct merge_program *program)
{
	struct merge_tally mt = { 0 };

	return read_shape(program, &mt);
}

static int make_entries(struct merge_tally *mt, const struct merge_program *program)
{
	size_t each = mt->nr_tests ? program->nr / mt->nr_tests : 0;

	mt->entries = calloc(mt->nr_tests + 1, sizeof(*mt->entries));
	mt->names = calloc(mt->nr_tests + 1, sizeof(*mt->names));
	mt->reruns = calloc(mt->nr_tests + 1, sizeof(*mt->reruns));
	if (!mt->entries || !mt->names || !mt->reruns)
		return -ENOMEM;
	for (size_t i = 0; i < mt->nr_tests; i++) {
		const char *id = program->ids[i * each];

		mt->names[i] = strndup(id, strcspn(id, "@#"));
		if (!mt->names[i])
			return -ENOMEM;
		mt->entries[i].name = mt->names[i];
	}
	return 0;
}

int merge_tally_init(struct merge_tally *mt, const struct merge_program *program)
{
	struct plan_opts opts;

	*mt = (struct merge_tally){ .plan = { .all_ids = program->ids, .nr_all = program->nr } };
	if (!read_shape(program, mt))
		return 0;
	opts = (struct plan_opts){ .first_seed = mt->first_seed,
				   .last_seed = mt->last_seed,
				   .repetitions = mt->repetitions };
	if (make_entries(mt, program) == 0 && tally_init(&mt->tally, &opts, &mt->plan) == 0)
		return 0;
	merge_tally_deinit(mt);
	return -ENOMEM;
}

void merge_tally_deinit(struct merge_tally *mt)
{
	tally_deinit(&mt->tally);
	for (size_t i = 0; i < mt->nr_tests; i++) {
		if (mt->names)
			free(mt->names[i]);
		if (mt->reruns)
			free(mt->reruns[i]);
	}
	free(mt->entries);
	free(mt->names);
	free(mt->reruns);
	*mt = (struct merge_tally){ 0 };
}

void merge_tally_add(struct merge_tally *mt, uint32_t index, const struct result *result)
{
	uint64_t nr_seeds = mt->last_seed - mt->first_seed + 1;
	struct plan_item item = { .index = index };
	size_t test;

	/* What is missing neither passed nor failed. */
	if (!mt->entries || !strcmp(result->end, MERGE_NO_RESULT))
		return;
	test = index / (nr_seeds * mt->repetitions);
	item.entry = &mt->entries[test];
	item.seed = mt->first_seed + index / mt->repetitions % nr_seeds;
	tally_add(&mt->tally, &item, result);
	if ((result->verdict == KTSTR_FAIL || result->verdict == KTSTR_ERROR) &&
	    !mt->reruns[test] && result->rerun)
		mt->reruns[test] = strdup(result->rerun);
}

static char *again(void *arg, const struct plan_item *item, const char *mode)
{
	const struct merge_tally *mt = arg;
	const char *rerun = mt->reruns[item->entry - mt->entries];

	(void)mode;
	return rerun ? strdup(rerun) : NULL;
}

void merge_tally_end(const struct merge_tally *mt, struct strbuf *text, json_t *list)
{
	const struct tally_style style = { .again = again, .arg = (void *)mt };
	json_t *tests;

	if (!mt->entries)
		return;
	tally_text(&mt->tally, &style, text);
	tests = tally_json(&mt->tally);
	json_array_extend(list, tests);
	json_decref(tests);
}
