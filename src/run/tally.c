// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/text.h"
#include "run/verdict.h"

struct tally_test {
	const struct ktstr_entry *entry;
	unsigned int counts[KTSTR_ERROR + 1];
	char failing_mode[8]; /* of a run that failed */
};

struct tally_seed {
	bool failed;
	size_t index; /* in the matrix, of the run that gave the hash */
	char events_sha256[65];
};

int tally_init(struct tally *t, const struct plan_opts *opts, const struct plan *plan)
{
	*t = (struct tally){
		.plan = plan,
		.first_seed = opts->first_seed,
		.nr_seeds = opts->last_seed - opts->first_seed + 1,
		.repetitions = opts->repetitions,
	};
	t->nr_tests = plan->nr_all / (t->nr_seeds * t->repetitions);
	t->tests = calloc(t->nr_tests + 1, sizeof(*t->tests));
	t->seeds = calloc(t->nr_tests * t->nr_seeds + 1, sizeof(*t->seeds));
	return t->tests && t->seeds ? 0 : -ENOMEM;
}

void tally_deinit(struct tally *t)
{
	free(t->tests);
	free(t->seeds);
	*t = (struct tally){ 0 };
}

bool tally_is_matrix(const struct tally *t)
{
	return t->nr_seeds > 1 || t->repetitions > 1;
}

static struct tally_seed *seed_of(const struct tally *t, const struct plan_item *item)
{
	return &t->seeds[item->index / t->repetitions];
}

/* Only what came to its end by itself is the same each time. */
static bool is_comparable(const struct result *result)
{
	return !strcmp(result->mode, "exact") && result->events_sha256[0] &&
	       !verdict_is_of_host(result->end);
}

bool tally_has_parted(const struct tally *t, const struct plan_item *item, struct result *result)
{
	const struct tally_seed *seed = seed_of(t, item);
	char *reasons;

	if (!is_comparable(result) || !seed->events_sha256[0] ||
	    !strcmp(seed->events_sha256, result->events_sha256))
		return false;
	reasons = path_format("two runs of the same inputs parted: this one and '%s'\n"
			      "  events %s here\n  events %s there\n"
			      "  its verdict was %s; ktstr replay says where it parts%s%s",
			      t->plan->all_ids[seed->index], result->events_sha256,
			      seed->events_sha256, ktstr_verdict_name(result->verdict),
			      result->reasons && *result->reasons ? "\n" : "",
			      result->reasons ? result->reasons : "");
	if (reasons) {
		free(result->reasons);
		result->reasons = reasons;
	}
	result->verdict = KTSTR_ERROR;
	result_set_end(result, "parted");
	return true;
}

void tally_add(struct tally *t, const struct plan_item *item, const struct result *result)
{
	struct tally_test *test = &t->tests[item->index / (t->nr_seeds * t->repetitions)];
	struct tally_seed *seed = seed_of(t, item);

	test->entry = item->entry;
	test->counts[result->verdict]++;
	if (result->verdict == KTSTR_FAIL || result->verdict == KTSTR_ERROR) {
		memcpy(test->failing_mode, result->mode, sizeof(test->failing_mode));
		seed->failed = true;
	}
	if (!is_comparable(result) || seed->events_sha256[0])
		return;
	memcpy(seed->events_sha256, result->events_sha256, sizeof(seed->events_sha256));
	seed->index = item->index;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How many seeds have a hash, and how many of those differ.  Return: 0 or -ENOMEM. */
static int count_hashes(const struct tally *t, size_t test, size_t *ret_hashes,
			size_t *ret_distinct)
{
	_cleanup_free_ const char **hashes = calloc(t->nr_seeds, sizeof(*hashes));
	size_t nr = 0, distinct = 0;

	if (!hashes)
		return -ENOMEM;
	for (size_t s = 0; s < t->nr_seeds; s++)
		if (t->seeds[test * t->nr_seeds + s].events_sha256[0])
			hashes[nr++] = t->seeds[test * t->nr_seeds + s].events_sha256;
	if (nr)
		qsort(hashes, nr, sizeof(*hashes), compare_texts);
	for (size_t i = 0; i < nr; i++)
		distinct += i == 0 || strcmp(hashes[i - 1], hashes[i]) != 0;
	*ret_hashes = nr;
	*ret_distinct = distinct;
	return 0;
}

static unsigned int nr_runs(const struct tally_test *test)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(test->counts); i++)
		nr += test->counts[i];
	return nr;
}

/* Return: how many failed; the first one is in @ret_first. */
static size_t add_failing_seeds(const struct tally *t, size_t test, struct strbuf *out,
				uint64_t *ret_first)
{
	size_t nr = 0;

	for (size_t s = 0; s < t->nr_seeds; s++) {
		if (!t->seeds[test * t->nr_seeds + s].failed)
			continue;
		if (!nr)
			*ret_first = t->first_seed + s;
		if (nr < TALLY_SEEDS_SHOWN)
			strbuf_addf(out, " %" PRIu64, t->first_seed + s);
		nr++;
	}
	if (nr > TALLY_SEEDS_SHOWN)
		strbuf_addf(out, " and %zu more", nr - TALLY_SEEDS_SHOWN);
	return nr;
}

static void add_failing(const struct tally *t, size_t test, const struct tally_style *style,
			struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf seeds = STRBUF_INIT;
	struct plan_item item = { .entry = t->tests[test].entry };
	_cleanup_free_ char *again = NULL;

	if (!add_failing_seeds(t, test, &seeds, &item.seed))
		return;
	if (t->nr_seeds > 1)
		strbuf_addf(out, "    failing seeds:%s\n", strbuf_str(&seeds));
	again = style->again(style->arg, &item, t->tests[test].failing_mode);
	if (again)
		strbuf_addf(out, "    run again: %s\n", again);
}

static void add_test(const struct tally *t, size_t index, const struct tally_style *style,
		     struct strbuf *out)
{
	const struct tally_test *test = &t->tests[index];
	size_t hashes = 0, distinct = 0;

	strbuf_addf(out, "%s: %u of %u passed\n", test->entry->name, test->counts[KTSTR_PASS],
		    nr_runs(test));
	add_failing(t, index, style, out);
	if (t->nr_seeds > 1 && count_hashes(t, index, &hashes, &distinct) == 0 && hashes)
		strbuf_addf(out, "    %zu different courses of events over %zu seeds\n", distinct,
			    hashes);
}

void tally_text(const struct tally *t, const struct tally_style *style, struct strbuf *out)
{
	if (!tally_is_matrix(t))
		return;
	for (size_t i = 0; i < t->nr_tests; i++)
		if (t->tests[i].entry)
			add_test(t, i, style, out);
}

static json_t *seeds_json(const struct tally *t, size_t test)
{
	json_t *list = json_array();
	char text[24];

	for (size_t s = 0; s < t->nr_seeds; s++) {
		if (!t->seeds[test * t->nr_seeds + s].failed ||
		    json_array_size(list) == TALLY_SEEDS_SHOWN)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, t->first_seed + s);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *test_json(const struct tally *t, size_t index)
{
	const struct tally_test *test = &t->tests[index];
	size_t hashes = 0, distinct = 0;
	json_t *object = json_pack("{s:s, s:i, s:i, s:o}", "test", test->entry->name, "runs",
				   (int)nr_runs(test), "passed", (int)test->counts[KTSTR_PASS],
				   "failing_seeds", seeds_json(t, index));

	if (object && count_hashes(t, index, &hashes, &distinct) == 0 && hashes) {
		json_object_set_new(object, "seeds_hashed", json_integer((json_int_t)hashes));
		json_object_set_new(object, "distinct_events", json_integer((json_int_t)distinct));
	}
	return object;
}

json_t *tally_json(const struct tally *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->nr_tests; i++)
		if (t->tests[i].entry)
			json_array_append_new(list, test_json(t, i));
	return list;
}
