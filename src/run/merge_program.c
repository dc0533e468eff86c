// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/merge.h"

enum { VALUE_SHOWN = 80 };

/* What must agree for results to be of one kind; the first are keys of the run line, the others of
 * a result's inputs. */
static const char *const facts[] = { "ktstr",	      "mode",	      "seeds",	    "repetitions",
				     "perturb",	      "topology",     "qemu",	    "kernel",
				     "kernel_sha256", "image_sha256", "accelerator" };
enum { RUN_FACTS = 6 };

void merge_program_deinit(struct merge_program *program)
{
	for (uint32_t i = 0; program->ids && i < program->nr; i++)
		free(program->ids[i]);
	free(program->ids);
	free(program->order);
	free(program->slots);
	free(program->name);
	json_decref(program->facts);
	*program = (struct merge_program){ 0 };
}

static int by_id(const void *a, const void *b, void *arg)
{
	char **ids = arg;

	return strcmp(ids[*(const uint32_t *)a], ids[*(const uint32_t *)b]);
}

int64_t merge_find(const struct merge_program *program, const char *id)
{
	uint32_t low = 0, high = program->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(id, program->ids[program->order[middle]]);

		if (order == 0)
			return program->order[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

static int sort_ids(struct merge_program *program, struct ktstr_error *err)
{
	for (uint32_t i = 0; i < program->nr; i++)
		program->order[i] = i;
	qsort_r(program->order, program->nr, sizeof(*program->order), by_id, program->ids);
	for (uint32_t i = 1; i < program->nr; i++) {
		const char *id = program->ids[program->order[i]];

		if (!strcmp(id, program->ids[program->order[i - 1]]))
			return ktstr_error_set(err, -EBADMSG, "'%s' stands twice in \"all\"", id);
	}
	return 0;
}

static int fill(struct merge_program *program, const struct results_run *run,
		struct ktstr_error *err)
{
	size_t nr = json_array_size(run->all);

	program->name = strdup(run->program);
	program->ids = calloc(nr + 1, sizeof(*program->ids));
	program->order = calloc(nr + 1, sizeof(*program->order));
	program->slots = calloc(nr + 1, sizeof(*program->slots));
	program->facts = json_object();
	if (!program->name || !program->ids || !program->order || !program->slots ||
	    !program->facts)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < nr; i++) {
		program->ids[i] = strdup(json_string_value(json_array_get(run->all, i)));
		if (!program->ids[i])
			return ktstr_error_nomem(err);
		program->nr++;
	}
	return sort_ids(program, err);
}

static int add_program(struct merge *merge, uint32_t file, const struct results_run *run,
		       struct ktstr_error *err)
{
	struct merge_program program = { .first_file = file };
	struct merge_program *programs;
	int r;

	if (merge->nr_programs == MERGE_PROGRAMS_MAX)
		return ktstr_error_set(err, -E2BIG, "more than %d programs", MERGE_PROGRAMS_MAX);
	if (merge->nr_ids + json_array_size(run->all) > MERGE_IDS_MAX)
		return ktstr_error_set(err, -E2BIG, "more than %d runs", MERGE_IDS_MAX);
	programs = reallocarray(merge->programs, merge->nr_programs + 1, sizeof(*programs));
	if (!programs)
		return ktstr_error_nomem(err);
	merge->programs = programs;
	r = fill(&program, run, err);
	if (r < 0) {
		merge_program_deinit(&program);
		return r;
	}
	programs[merge->nr_programs++] = program;
	merge->nr_ids += program.nr;
	return 0;
}

/* An id that only one of the two has; NULL: only the order or the number differs. */
static const char *odd_one(const struct merge_program *program, const json_t *all, bool *ret_theirs)
{
	_cleanup_free_ bool *seen = calloc(program->nr + 1, sizeof(*seen));
	json_t *id;
	size_t i;

	json_array_foreach(all, i, id)
	{
		int64_t index = merge_find(program, json_string_value(id));

		*ret_theirs = true;
		if (index < 0)
			return json_string_value(id);
		if (seen)
			seen[index] = true;
	}
	*ret_theirs = false;
	for (uint32_t k = 0; seen && k < program->nr; k++)
		if (!seen[k])
			return program->ids[k];
	return NULL;
}

static int compare(const struct merge *merge, const struct merge_program *program, uint32_t file,
		   const struct results_run *run, struct ktstr_error *err)
{
	const char *ours = merge->files[program->first_file].dir, *theirs = merge->files[file].dir;
	bool same = json_array_size(run->all) == program->nr, is_theirs = false;
	const char *id;

	for (uint32_t i = 0; same && i < program->nr; i++)
		same = !strcmp(json_string_value(json_array_get(run->all, i)), program->ids[i]);
	if (same)
		return 0;
	id = odd_one(program, run->all, &is_theirs);
	if (!id)
		return ktstr_error_set(err, -EINVAL,
				       "'%s' and '%s' are not parts of one run of '%s': the same "
				       "tests, but in another order",
				       ours, theirs, program->name);
	return ktstr_error_set(
		err, -EINVAL,
		"'%s' and '%s' are not parts of one run of '%s': only '%s' has '%s'; "
		"give all shards the same tests, --seeds and --repeat",
		ours, theirs, program->name, is_theirs ? theirs : ours, id);
}

int merge_enter_program(struct merge *merge, uint32_t file, const struct results_run *run,
			uint32_t *ret_program, struct ktstr_error *err)
{
	int r;

	for (uint32_t i = 0; i < merge->nr_programs; i++) {
		if (strcmp(merge->programs[i].name, run->program) != 0)
			continue;
		r = compare(merge, &merge->programs[i], file, run, err);
		if (r == 0)
			*ret_program = i;
		return r;
	}
	r = add_program(merge, file, run, err);
	if (r == 0)
		*ret_program = merge->nr_programs - 1;
	return r;
}

static char *shown(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text && strlen(text) > VALUE_SHOWN)
		memcpy(text + VALUE_SHOWN - 3, "...", 4);
	return text;
}

static void say_difference(struct merge *merge, const struct merge_section *section,
			   const char *key, const json_t *value)
{
	const struct merge_program *program = &merge->programs[section->program];
	json_t *first = json_object_get(program->facts, key);
	json_int_t file = json_integer_value(json_object_get(first, "file"));
	_cleanup_free_ char *here = shown(value);
	_cleanup_free_ char *there = shown(json_object_get(first, "value"));

	if (!here || !there)
		return;
	json_object_set_new(first, "differs", json_true());
	merge_notice(merge, MERGE_NOTE, "'%s' of '%s' differs: %s in '%s', %s in '%s'", key,
		     program->name, there, merge->files[file].dir, here,
		     merge->files[section->file].dir);
}

static void check_fact(struct merge *merge, struct merge_section *section, size_t index,
		       json_t *value)
{
	struct merge_program *program = &merge->programs[section->program];
	json_t *known = json_object_get(program->facts, facts[index]);

	if (!value)
		return;
	if (!known) {
		json_object_set_new(
			program->facts, facts[index],
			json_pack("{s:O, s:i}", "value", value, "file", (int)section->file));
		return;
	}
	if (json_equal(json_object_get(known, "value"), value) || section->facts_said & 1U << index)
		return;
	section->facts_said |= 1U << index;
	say_difference(merge, section, facts[index], value);
}

void merge_facts_of_run(struct merge *merge, struct merge_section *section, const json_t *run)
{
	for (size_t i = 0; i < RUN_FACTS; i++)
		check_fact(merge, section, i, json_object_get(run, facts[i]));
}

void merge_facts_of_result(struct merge *merge, struct merge_section *section,
			   const struct result *result)
{
	for (size_t i = RUN_FACTS; i < ARRAY_SIZE(facts); i++)
		check_fact(merge, section, i, json_object_get(result->inputs, facts[i]));
}

json_t *merge_run_line(const struct merge_program *program)
{
	json_t *all = json_array();
	json_t *run = json_pack("{s:s, s:i, s:s, s:o}", "type", "run", "version", RESULT_VERSION,
				"program", program->name, "all", all);

	if (!run)
		return NULL;
	for (size_t i = 0; i < RUN_FACTS; i++) {
		const json_t *fact = json_object_get(program->facts, facts[i]);

		if (fact && !json_object_get(fact, "differs"))
			json_object_set(run, facts[i], json_object_get(fact, "value"));
	}
	for (uint32_t i = 0; i < program->nr; i++)
		json_array_append_new(all, json_string(program->ids[i]));
	return run;
}
