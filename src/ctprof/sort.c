// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

enum key_kind { KEY_METRIC, KEY_LABEL, KEY_THREADS, KEY_WEIGHT };

struct key {
	enum key_kind kind;
	const char *name;
	size_t len;
	bool ascending;
	int column; /* in the block that is being sorted; -1: it has none */
};

struct keys {
	struct key items[KTSTR_CTPROF_MAX_SORT_KEYS];
	size_t nr;
	const struct ktstr_ctprof_comparison *comparison;
};

static bool is_word(const struct key *k, const char *word)
{
	return strlen(word) == k->len && !memcmp(k->name, word, k->len);
}

static int check_key(const struct keys *keys, struct key *k, struct ktstr_error *err)
{
	if (!k->len)
		return ktstr_error_set(err, -EINVAL, "empty sort key");
	for (size_t i = 0; i < keys->nr; i++)
		if (keys->items[i].len == k->len && !memcmp(keys->items[i].name, k->name, k->len))
			return ktstr_error_set(err, -EINVAL, "sort key '%.*s' is given twice",
					       (int)k->len, k->name);
	if (is_word(k, "group") || is_word(k, "label"))
		k->kind = KEY_LABEL;
	else if (is_word(k, "threads"))
		k->kind = KEY_THREADS;
	else if (is_word(k, "weight"))
		k->kind = KEY_WEIGHT;
	else if (!columns_known(k->name, k->len))
		return columns_unknown(k->name, k->len, err);
	return 0;
}

/* One "NAME[:asc|:desc]" of @len bytes. */
static int parse_key(struct keys *keys, const char *text, size_t len, struct ktstr_error *err)
{
	size_t name = 0;
	struct key k = { .name = text };
	int r;

	while (name < len && text[name] != ':')
		name++;
	k.len = name;
	r = check_key(keys, &k, err);
	if (r < 0)
		return r;
	k.ascending = k.kind == KEY_LABEL;
	if (name < len) {
		k.ascending = len - name == 4 && !memcmp(text + name, ":asc", 4);
		if (!k.ascending && (len - name != 5 || memcmp(text + name, ":desc", 5) != 0))
			return ktstr_error_set(err, -EINVAL,
					       "sort key '%.*s' ends neither in ':asc' nor ':desc'",
					       (int)len, text);
	}
	if (keys->nr == KTSTR_CTPROF_MAX_SORT_KEYS)
		return ktstr_error_set(err, -EINVAL, "more than %d sort keys",
				       KTSTR_CTPROF_MAX_SORT_KEYS);
	keys->items[keys->nr++] = k;
	return 0;
}

static int parse_keys(const char *text, struct keys *keys, struct ktstr_error *err)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		int r = parse_key(keys, text, len, err);

		if (r < 0)
			return r;
		text += len;
		if (!*text++)
			return 0;
	}
}

static bool is_text(enum ktstr_ctprof_kind kind)
{
	return kind == KTSTR_CTPROF_KIND_TEXT || kind == KTSTR_CTPROF_KIND_CGROUP_TEXT ||
	       kind == KTSTR_CTPROF_KIND_HOST_TEXT;
}

static int find_columns(const struct ktstr_ctprof_block *block, struct keys *keys,
			struct ktstr_error *err)
{
	for (size_t i = 0; i < keys->nr; i++) {
		struct key *k = &keys->items[i];

		k->column = -1;
		for (size_t j = 0; k->kind == KEY_METRIC && j < block->nr_columns; j++)
			if (k->column < 0 && column_named(&block->columns[j], k->name, k->len))
				k->column = (int)j;
		if (k->column >= 0 && is_text(block->columns[k->column].kind))
			return ktstr_error_set(err, -EINVAL, "'%.*s' is no number to sort by",
					       (int)k->len, k->name);
	}
	return 0;
}

static bool number_of(const struct keys *keys, const struct key *k,
		      const struct ktstr_ctprof_group *g, double *ret_number)
{
	const struct ktstr_ctprof_cell *cell;

	if (k->kind == KEY_WEIGHT) {
		*ret_number = g->weight;
		return true;
	}
	if (k->kind == KEY_THREADS) {
		*ret_number = g->threads[0] > g->threads[1] ? g->threads[0] : g->threads[1];
		return true;
	}
	if (k->column < 0)
		return false;
	cell = &g->cells[k->column];
	if (keys->comparison->nr_sides == 2) {
		*ret_number = cell->delta;
		return cell->has_delta;
	}
	*ret_number = cell->sides[0].number;
	return cell->sides[0].there;
}

static int compare_by_key(const struct keys *keys, const struct key *k,
			  const struct ktstr_ctprof_group *x, const struct ktstr_ctprof_group *y)
{
	double a = 0, b = 0;
	bool has_a, has_b;
	int r;

	if (k->kind == KEY_LABEL) {
		r = strcmp(x->label, y->label);
		return k->ascending ? r : -r;
	}
	has_a = number_of(keys, k, x, &a);
	has_b = number_of(keys, k, y, &b);
	if (has_a != has_b)
		return has_a ? -1 : 1;
	if (!has_a || a == b)
		return 0;
	return (a < b) == k->ascending ? -1 : 1;
}

static int compare_groups(const void *a, const void *b, void *arg)
{
	const struct ktstr_ctprof_group *x = a, *y = b;
	const struct keys *keys = arg;
	int r = 0;

	for (size_t i = 0; i < keys->nr && !r; i++)
		r = compare_by_key(keys, &keys->items[i], x, y);
	if (!r)
		r = strcmp(x->label, y->label);
	if (!r)
		r = x->tgid < y->tgid ? -1 : x->tgid > y->tgid;
	if (!r)
		r = x->tid < y->tid ? -1 : x->tid > y->tid;
	/* Threads of two boots may have one id. */
	return r ? r : (int)y->on[0] - (int)x->on[0];
}

static bool has_run_time(const struct ktstr_ctprof_comparison *c)
{
	for (size_t i = 0; i < c->nr_blocks; i++)
		if (ktstr_ctprof_column_find(&c->blocks[i], "run_time_ns") < 0)
			return false;
	return true;
}

int ktstr_ctprof_comparison_sort(struct ktstr_ctprof_comparison *comparison, const char *keys,
				 struct ktstr_error *err)
{
	struct keys parsed = { .comparison = comparison };
	int r;

	if (!keys)
		keys = comparison->nr_sides == 1 && has_run_time(comparison) ? "run_time_ns"
									     : "weight";
	r = parse_keys(keys, &parsed, err);
	for (size_t i = 0; i < comparison->nr_blocks && r == 0; i++)
		r = find_columns(&comparison->blocks[i], &parsed, err);
	for (size_t i = 0; i < comparison->nr_blocks && r == 0; i++) {
		r = find_columns(&comparison->blocks[i], &parsed, err);
		qsort_r(comparison->blocks[i].groups, comparison->blocks[i].nr_groups,
			sizeof(*comparison->blocks[i].groups), compare_groups, &parsed);
	}
	return r;
}
