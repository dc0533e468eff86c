// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/merge.h"

enum { DIGITS_SHOWN = 12 };

static bool is_worse(enum ktstr_verdict a, enum ktstr_verdict b)
{
	static const int ranks[] = { [KTSTR_PASS] = 0,
				     [KTSTR_SKIP] = 1,
				     [KTSTR_UNDECIDED] = 2,
				     [KTSTR_ERROR] = 3,
				     [KTSTR_FAIL] = 4 };

	return ranks[a] > ranks[b];
}

/* How far its run came. */
static int progress_of(const struct result *result)
{
	if (!strcmp(result->end, MERGE_NO_RESULT))
		return 0;
	return strcmp(result->end, "interrupted") != 0 && strcmp(result->end, "run-timeout") != 0
		       ? 2
		       : 1;
}

/* --- loading ----------------------------------------------------------------------------------*/

static int read_line(const char *path, const struct merge_slot *slot, struct result *ret_result,
		     struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = malloc((size_t)slot->len + 1);
	json_t *object;
	ssize_t n;
	int r;

	if (!text)
		return ktstr_error_nomem(err);
	if (fd < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", path, strerror(errno));
	do {
		n = pread(fd, text, slot->len, (off_t)slot->offset);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)slot->len)
		return ktstr_error_set(err, -EIO, "read '%s': %s", path,
				       n < 0 ? strerror(errno) : "it has become shorter");
	object = json_loadb(text, slot->len, JSON_REJECT_DUPLICATES, NULL);
	r = result_from_json(object, ret_result, err);
	json_decref(object);
	return r < 0 ? ktstr_error_wrap(err, r, "'%s' has changed", path) : 0;
}

/* The folder may have moved since, from another machine even. */
static void find_folder(const char *dir, struct result *result)
{
	_cleanup_free_ char *here = NULL;

	if (!result->folder)
		return;
	here = path_format("%s/%s", dir, path_base(result->folder));
	if (!here || !path_is_dir(here))
		return;
	free(result->folder);
	result->folder = take_ptr(here);
}

static int make_missing(const struct merge *merge, const struct merge_program *program,
			uint32_t index, struct result *ret_result)
{
	const struct merge_slot *slot = &program->slots[index];
	const struct merge_section *section =
		slot->section ? &merge->sections[slot->section - 1] : NULL;
	const char *id = program->ids[index];
	size_t name_len = strcspn(id, "@#");
	struct result result = {
		.name = strndup(id, name_len ? name_len : strlen(id)),
		.id = strdup(id),
		.verdict = KTSTR_ERROR,
		.end = MERGE_NO_RESULT,
	};

	if (section)
		result.reasons = path_format("no result: '%s' was to run it, but %s",
					     merge->files[section->file].dir,
					     !section->ended	    ? "has not ended its run"
					     : section->interrupted ? "was interrupted before"
								    : "ended without it");
	else if (program->shard.partition != PLAN_WHOLE)
		result.reasons =
			path_format("no result: shard %u of %u was to run it, and is missing",
				    plan_shard_of(&program->shard, index, id), program->shard.of);
	else
		result.reasons = strdup("no result: no folder was to run it");
	if (!result.name || !result.id || !result.reasons) {
		result_deinit(&result);
		return -ENOMEM;
	}
	*ret_result = result;
	return 0;
}

static void add_remark(const char *remark, struct result *result)
{
	json_t *notes = result->notes ? json_copy(result->notes) : json_array();

	if (json_array_size(notes) < EVIDENCE_NOTES)
		json_array_append_new(notes, json_string(remark));
	json_decref(result->notes);
	result->notes = notes;
	result->nr_notes++;
}

int merge_load(const struct merge *merge, const struct merge_program *program, uint32_t index,
	       struct result *ret_result)
{
	const struct merge_slot *slot = &program->slots[index];
	struct ktstr_error err;
	int r;

	if (!slot->len)
		return make_missing(merge, program, index, ret_result);
	r = read_line(merge->files[slot->file].path, slot, ret_result, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		r = make_missing(merge, program, index, ret_result);
		if (r < 0)
			return r;
		free(ret_result->reasons);
		ret_result->reasons = path_format("no result: %s", err.text);
		return ret_result->reasons ? 0 : -ENOMEM;
	}
	find_folder(merge->files[slot->file].dir, ret_result);
	if (slot->remark)
		add_remark(merge->remarks[slot->remark - 1], ret_result);
	return 0;
}

/* --- doubles ----------------------------------------------------------------------------------*/

struct pair {
	struct merge *merge;
	struct merge_slot *slot;
	const char *id;
	const struct result *old, *new;
	const char *old_dir, *new_dir;
};

/* On the result itself; what was remarked before stays in front. */
static void remark(struct pair *pair, const char *text)
{
	struct merge *merge = pair->merge;
	char **remarks;

	if (pair->slot->remark) {
		char **slot = &merge->remarks[pair->slot->remark - 1];
		char *longer = path_format("%s; %s", *slot, text);

		if (longer && strlen(longer) < RESULT_TEXT_MAX / 2) {
			free(*slot);
			*slot = longer;
		} else {
			free(longer);
		}
		return;
	}
	remarks = reallocarray(merge->remarks, merge->nr_remarks + 1, sizeof(*remarks));
	if (!remarks) {
		merge->out_of_memory = true;
		return;
	}
	merge->remarks = remarks;
	remarks[merge->nr_remarks] = strdup(text);
	if (remarks[merge->nr_remarks])
		pair->slot->remark = ++merge->nr_remarks;
	else
		merge->out_of_memory = true;
}

static void say_conflict(struct pair *pair)
{
	_cleanup_free_ char *text =
		path_format("%s in '%s', but %s in '%s'; the worse counts",
			    ktstr_verdict_name(pair->old->verdict), pair->old_dir,
			    ktstr_verdict_name(pair->new->verdict), pair->new_dir);

	if (!text)
		return;
	merge_notice(pair->merge, MERGE_CONFLICT, "'%s': %s", pair->id, text);
	remark(pair, text);
}

/* One exact run is one stream of events. */
static void check_events(struct pair *pair)
{
	const struct result *old = pair->old, *new = pair->new;
	_cleanup_free_ char *text = NULL;

	if (strcmp(old->mode, "exact") != 0 || strcmp(new->mode, "exact") != 0 ||
	    !*old->events_sha256 || !*new->events_sha256 || old->seed != new->seed ||
	    !old->inputs || !json_equal(old->inputs, new->inputs) ||
	    !strcmp(old->events_sha256, new->events_sha256))
		return;
	text = path_format("exact and of the same inputs, but the events hash to %.*s in '%s' and "
			   "to %.*s in '%s'",
			   DIGITS_SHOWN, old->events_sha256, pair->old_dir, DIGITS_SHOWN,
			   new->events_sha256, pair->new_dir);
	if (!text)
		return;
	pair->merge->events_parted = true;
	merge_notice(pair->merge, MERGE_CONFLICT, "'%s': %s", pair->id, text);
	remark(pair, text);
}

static void count(uint64_t *counter, char **example, const struct pair *pair)
{
	if (!(*counter)++)
		*example = path_format("'%s' in '%s' and '%s'", pair->id, pair->old_dir,
				       pair->new_dir);
}

/* Return: is the new one to be taken? */
static bool settle(struct pair *pair)
{
	int before = progress_of(pair->old), after = progress_of(pair->new);

	if (before != after) {
		count(&pair->merge->nr_superseded, &pair->merge->superseded_example, pair);
		return after > before;
	}
	check_events(pair);
	if (pair->old->verdict == pair->new->verdict) {
		count(&pair->merge->nr_same, &pair->merge->same_example, pair);
		return false;
	}
	say_conflict(pair);
	return is_worse(pair->new->verdict, pair->old->verdict);
}

void merge_take(struct merge *merge, struct merge_section *section, const struct result *result,
		const struct line *place)
{
	struct merge_program *program = &merge->programs[section->program];
	int64_t index = merge_find(program, result->id);
	struct merge_slot *slot = &program->slots[index];
	struct result old = { 0 };
	bool taken = !slot->len;

	merge_facts_of_result(merge, section, result);
	if (!taken) {
		if (merge_load(merge, program, (uint32_t)index, &old) < 0) {
			merge->out_of_memory = true;
			return;
		}
		taken = settle(&(struct pair){ .merge = merge,
					       .slot = slot,
					       .id = program->ids[index],
					       .old = &old,
					       .new = result,
					       .old_dir = merge->files[slot->file].dir,
					       .new_dir = merge->files[section->file].dir });
		result_deinit(&old);
	}
	if (!taken)
		return;
	slot->file = section->file;
	slot->offset = place->offset;
	slot->len = (uint32_t)place->len;
}
