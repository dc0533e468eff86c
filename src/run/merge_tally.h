/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* merge_tally.h - tally.h over the results of shards: how often each test passed, and which seeds
 * failed, if seeds and repetitions are the same in all of them. */
#ifndef KTSTR_RUN_MERGE_TALLY_H
#define KTSTR_RUN_MERGE_TALLY_H

#include "run/merge.h"
#include "run/tally.h"

struct merge_tally {
	struct tally tally;
	struct plan plan; /* ids are the program's */
	uint64_t first_seed, last_seed;
	uint32_t repetitions;
	struct ktstr_entry *entries; /* NULL: there is nothing to tally */
	char **names, **reruns;	     /* of each test; the command for its first failing run */
	size_t nr_tests;
};

/* Return: 0 or -ENOMEM. */
int merge_tally_init(struct merge_tally *mt, const struct merge_program *program) KTSTR_MUST_CHECK;
void merge_tally_deinit(struct merge_tally *mt);

/* @index as in the program's ids; each once, in any order. */
void merge_tally_add(struct merge_tally *mt, uint32_t index, const struct result *result);

/* Appends lines for people to @text and objects to @list, nothing if there is no matrix. */
void merge_tally_end(const struct merge_tally *mt, struct strbuf *text, json_t *list);

/* "7", "1..9"; "" if the files do not say it or disagree. */
void merge_seeds(const struct merge_program *program, char text[48]);
/* Was a test to run more than once? */
bool merge_is_matrix(const struct merge_program *program);

#endif
