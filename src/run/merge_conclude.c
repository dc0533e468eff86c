// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/merge.h"

/* Missing results that have one cause. */
struct gap {
	uint32_t shard; /* 0: no shard */
	uint32_t nr;
	uint32_t named[MERGE_NAMED];
};

static void add_missing(struct gap *gap, uint32_t index)
{
	if (gap->nr < MERGE_NAMED)
		gap->named[gap->nr] = index;
	gap->nr++;
}

static void add_names(struct strbuf *out, const struct merge_program *program,
		      const struct gap *gap)
{
	for (uint32_t i = 0; i < gap->nr && i < MERGE_NAMED; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", program->ids[gap->named[i]]);
	if (gap->nr > MERGE_NAMED)
		strbuf_addf(out, " and %u more", gap->nr - MERGE_NAMED);
}

static void say_section(struct merge *merge, const struct merge_section *section,
			const struct gap *gap)
{
	const struct merge_program *program = &merge->programs[section->program];
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	const char *dir = merge->files[section->file].dir;
	const char *how = !section->ended	 ? "has not ended (killed, or still running)"
			  : section->interrupted ? "was interrupted"
						 : "ended";

	if (!gap->nr && !section->ended)
		merge_notice(merge, MERGE_NOTE, "'%s': its run of '%s' %s", dir, program->name,
			     how);
	if (!gap->nr)
		return;
	add_names(&names, program, gap);
	merge_notice(merge, MERGE_MISSING,
		     "'%s': its run of '%s' %s, and %u of %u have no result: %s", dir,
		     program->name, how, gap->nr, section->nr_planned, strbuf_str(&names));
}

static void say_shard(struct merge *merge, const struct merge_program *program,
		      const struct gap *gap)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;

	add_names(&names, program, gap);
	if (gap->shard)
		merge_notice(merge, MERGE_MISSING,
			     "shard %s:%u/%u of '%s' is missing: no result of %u: %s",
			     program->shard.partition == PLAN_HASH ? "hash" : "slice", gap->shard,
			     program->shard.of, program->name, gap->nr, strbuf_str(&names));
	else
		merge_notice(merge, MERGE_MISSING,
			     "no folder was to run %u of '%s', so they have no result: %s", gap->nr,
			     program->name, strbuf_str(&names));
}

/* The gap of that shard; the last one takes what finds no place. */
static struct gap *gap_of(struct gap *gaps, uint32_t shard)
{
	uint32_t i = 0;

	while (i < MERGE_FILES_MAX && gaps[i].nr && gaps[i].shard != shard)
		i++;
	if (i < MERGE_FILES_MAX)
		gaps[i].shard = shard;
	return &gaps[i];
}

static void find_gaps(const struct merge_program *program, struct gap *sections, struct gap *shards)
{
	for (uint32_t i = 0; i < program->nr; i++) {
		const struct merge_slot *slot = &program->slots[i];

		if (slot->len)
			continue;
		if (slot->section)
			add_missing(&sections[slot->section - 1], i);
		else if (program->shard.partition == PLAN_WHOLE)
			add_missing(&shards[MERGE_FILES_MAX], i);
		else
			add_missing(
				gap_of(shards, plan_shard_of(&program->shard, i, program->ids[i])),
				i);
	}
}

static void conclude_program(struct merge *merge, const struct merge_program *program,
			     struct gap *sections)
{
	_cleanup_free_ struct gap *shards = calloc(MERGE_FILES_MAX + 1, sizeof(*shards));

	if (!shards) {
		merge->out_of_memory = true;
		return;
	}
	find_gaps(program, sections, shards);
	for (uint32_t i = 0; i <= MERGE_FILES_MAX; i++)
		if (shards[i].nr)
			say_shard(merge, program, &shards[i]);
}

void merge_conclude(struct merge *merge)
{
	_cleanup_free_ struct gap *gaps = calloc(merge->nr_sections + 1UL, sizeof(*gaps));

	if (!gaps) {
		merge->out_of_memory = true;
		return;
	}
	for (uint32_t i = 0; i < merge->nr_programs; i++)
		conclude_program(merge, &merge->programs[i], gaps);
	for (uint32_t i = 0; i < merge->nr_sections; i++)
		say_section(merge, &merge->sections[i], &gaps[i]);
	if (merge->nr_superseded)
		merge_notice(
			merge, MERGE_NOTE,
			"%llu of the ids have a result that was not finished and one that was, "
			"which counts, such as %s",
			(unsigned long long)merge->nr_superseded,
			merge->superseded_example ? merge->superseded_example : "?");
	if (merge->nr_same)
		merge_notice(merge, MERGE_NOTE,
			     "%llu of the ids have more than one result, of the same verdict, such "
			     "as %s",
			     (unsigned long long)merge->nr_same,
			     merge->same_example ? merge->same_example : "?");
}
