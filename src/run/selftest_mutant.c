// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/result.h"
#include "run/selftest.h"
#include <ktstr/test.h>

bool mutant_word_is_in(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; *p;) {
		size_t n = strcspn(p, "|");

		if (n == len && !memcmp(p, word, n))
			return true;
		p += n + (p[n] == '|');
	}
	return false;
}

static bool get_text(const json_t *object, const char *key, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || !*text || strlen(text) >= size)
		return false;
	memcpy(to, text, strlen(text) + 1);
	return true;
}

static uint32_t get_number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
}

static bool parse_one(const json_t *object, struct mutant *m)
{
	*m = (struct mutant){ .fate = MUTANT_NOT_RUN };
	m->cpus = get_number(object, "cpus");
	m->llcs = get_number(object, "llcs");
	m->nodes = get_number(object, "nodes");
	m->threads = get_number(object, "threads");
	return get_text(object, "name", m->name, sizeof(m->name)) &&
	       get_text(object, "about", m->about, sizeof(m->about)) &&
	       get_text(object, "group", m->groups, sizeof(m->groups)) &&
	       get_text(object, "checks", m->checks, sizeof(m->checks));
}

int mutants_parse(const char *text, struct mutant mutants[MUTANTS_MAX], struct ktstr_error *err)
{
	json_error_t where = { .line = -1 };
	json_t *list = json_loads(text, JSON_REJECT_DUPLICATES, &where), *object;
	int r = (int)json_array_size(list);
	size_t i;

	if (!json_is_array(list))
		r = ktstr_error_set(err, -EINVAL, "no JSON array, line %d: %s", where.line,
				    where.text);
	else if (r > MUTANTS_MAX)
		r = ktstr_error_set(err, -E2BIG, "more than %d faults", MUTANTS_MAX);
	json_array_foreach(list, i, object)
	{
		if (r >= 0 && !parse_one(object, &mutants[i]))
			r = ktstr_error_set(err, -EINVAL,
					    "fault %zu has not name, about, group and checks",
					    i + 1);
	}
	json_decref(list);
	return r;
}

static uint64_t place_of(const struct mutant *m, const json_t *result)
{
	const json_t *rank = json_object_get(result, "rank");

	return m->before + (rank ? (uint64_t)json_integer_value(rank) : m->runs - m->before - 1);
}

/* Has the same been found by one that comes before it? */
static bool is_late(const struct mutant *m, enum mutant_fate fate, const json_t *result)
{
	if (m->fate == fate)
		return m->place <= place_of(m, result);
	return m->fate == MUTANT_CAUGHT;
}

static void note(struct mutant *m, enum mutant_fate fate, const json_t *result, const char *check,
		 const char *sentence)
{
	if (is_late(m, fate, result))
		return;
	m->fate = fate;
	m->place = place_of(m, result);
	snprintf(m->scenario, sizeof(m->scenario), "%s", result_text(result, "scenario"));
	snprintf(m->preset, sizeof(m->preset), "%s", result_text(result, "preset"));
	snprintf(m->seed, sizeof(m->seed), "%s", result_text(result, "seed"));
	snprintf(m->check, sizeof(m->check), "%s", check);
	snprintf(m->sentence, sizeof(m->sentence), "%s", sentence);
}

/* The finding that is meant for it, or the first that failed. */
static const json_t *finding_of(const struct mutant *m, const json_t *result, bool *ret_meant)
{
	const json_t *findings = json_object_get(result, "findings"), *finding, *first = NULL;
	size_t i;

	*ret_meant = false;
	json_array_foreach(findings, i, finding)
	{
		if (strcmp(result_text(finding, "verdict"), "FAIL") != 0)
			continue;
		if (mutant_word_is_in(m->checks, result_text(finding, "check"))) {
			*ret_meant = true;
			return finding;
		}
		first = first ? first : finding;
	}
	return first;
}

/* A run that failed without a finding: a splat, a panic, a guest that hung. */
static bool take_end(struct mutant *m, const json_t *result)
{
	const char *end = result_text(result, "end"), *reasons = result_text(result, "reasons");
	bool meant = mutant_word_is_in(m->checks, end);

	note(m, meant ? MUTANT_CAUGHT : MUTANT_BY_ACCIDENT, result, end, reasons);
	return meant;
}

bool mutant_take(struct mutant *mutant, const json_t *result)
{
	const char *verdict = result_text(result, "verdict");
	const json_t *finding;
	bool meant;

	mutant->runs++;
	if (!strcmp(verdict, "ERROR") && mutant->fate == MUTANT_NOT_RUN)
		note(mutant, MUTANT_BROKEN, result, result_text(result, "end"),
		     result_text(result, "reasons"));
	if (!strcmp(verdict, "PASS") &&
	    (mutant->fate == MUTANT_NOT_RUN || mutant->fate == MUTANT_BROKEN))
		mutant->fate = MUTANT_MISSED;
	if (strcmp(verdict, "FAIL") != 0)
		return false;
	finding = finding_of(mutant, result, &meant);
	if (!finding)
		return take_end(mutant, result);
	note(mutant, meant ? MUTANT_CAUGHT : MUTANT_BY_ACCIDENT, result,
	     result_text(finding, "check"), result_text(finding, "text"));
	return meant;
}

uint64_t mutant_runs(const struct mutant *mutant)
{
	return mutant->fate == MUTANT_CAUGHT ? mutant->place + 1 : mutant->runs;
}

const char *mutant_fate_word(enum mutant_fate fate)
{
	static const char *const words[] = { "not run", "caught", "by accident", "missed",
					     "broken" };

	return words[fate];
}

json_t *mutant_to_json(const struct mutant *m)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}",
			 "type", "mutant", "version", 1, "fault", m->name, "about", m->about,
			 "fate", mutant_fate_word(m->fate), "meant_groups", m->groups,
			 "meant_checks", m->checks, "scenario", m->scenario, "preset", m->preset,
			 "seed", m->seed, "check", m->check, "sentence", m->sentence, "runs",
			 (json_int_t)mutant_runs(m), "took_ms", (json_int_t)(m->took_ns / 1000000));
}
