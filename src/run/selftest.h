/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* selftest.h - mutants of a scheduler, what became of each, and the table of them. */
#ifndef KTSTR_RUN_SELFTEST_H
#define KTSTR_RUN_SELFTEST_H

#include <jansson.h>

#include "base/strbuf.h"
#include <ktstr/selftest.h>

enum { MUTANTS_MAX = 256, MUTANT_NAME = 48, MUTANT_WORDS = 128, MUTANT_TEXT = 512 };

enum mutant_fate {
	MUTANT_NOT_RUN,
	MUTANT_CAUGHT,
	MUTANT_BY_ACCIDENT,
	MUTANT_MISSED,
	MUTANT_BROKEN
};

struct mutant {
	char name[MUTANT_NAME], about[MUTANT_TEXT];
	char groups[MUTANT_WORDS], checks[MUTANT_WORDS]; /* "a|b" */
	uint32_t cpus, llcs, nodes, threads;		 /* at least */
	enum mutant_fate fate;
	char scenario[MUTANT_NAME], preset[MUTANT_NAME], seed[MUTANT_NAME], check[MUTANT_NAME];
	char sentence[MUTANT_TEXT];
	uint32_t runs;	  /* in all */
	uint32_t before;  /* of them in passes that are over */
	uint64_t place;	  /* of the one that is noted, among all in their order */
	uint64_t took_ns; /* on this machine */
};

/* Is @word one of those in "a|b"? */
bool mutant_word_is_in(const char *words, const char *word);
/* The array that selftest.h of the API has.  Return: how many, -EINVAL, -E2BIG. */
int mutants_parse(const char *text, struct mutant mutants[MUTANTS_MAX],
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Takes in one result, an object as ktstr_check() hands it out.  Of several that find the same the one
 * with the lowest rank counts, whoever comes first.  Return: true if it settles the matter. */
bool mutant_take(struct mutant *mutant, const json_t *result);
/* Until it was caught, in their order; or all. */
uint64_t mutant_runs(const struct mutant *mutant);
const char *mutant_fate_word(enum mutant_fate fate);
json_t *mutant_to_json(const struct mutant *mutant); /* NULL: lack of memory */
void mutants_table(const struct mutant *mutants, size_t nr, bool color, struct strbuf *out);
void mutants_markdown(const struct mutant *mutants, size_t nr, struct strbuf *out);

#endif
