// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/check_worst.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const enum ktstr_verdict order[] = { KTSTR_FAIL, KTSTR_ERROR, KTSTR_UNDECIDED };

static bool is_bound_below(const char *check)
{
	for (int i = 1; i < KTSTR_JUDGE_CHECKS; i++) {
		const struct ktstr_check_info *info = ktstr_check_info((enum ktstr_check_id)i);

		if (!strcmp(info->name, check))
			return info->relation == KTSTR_BOUND_BELOW;
	}
	return false;
}

static double excess_of(const json_t *finding)
{
	const json_t *value = json_object_get(finding, "value");
	const json_t *bound = json_object_get(finding, "bound");
	double seen = json_number_value(value), wanted = json_number_value(bound);

	if (!bound)
		return INFINITY;
	if (!value)
		return 0;
	if (is_bound_below(result_text(finding, "check")))
		return seen > 0 ? wanted / seen : INFINITY;
	return wanted > 0 ? seen / wanted : INFINITY;
}

static const json_t *worst_finding(const json_t *result, double *ret_excess)
{
	const json_t *found = NULL, *finding;
	size_t i;

	*ret_excess = 0;
	json_array_foreach(json_object_get(result, "findings"), i, finding)
	{
		double excess = excess_of(finding);

		if (strcmp(result_text(finding, "verdict"), result_text(result, "verdict")) != 0 ||
		    (found && excess <= *ret_excess))
			continue;
		found = finding;
		*ret_excess = excess;
	}
	return found;
}

/* Words with digits (numbers, tasks, CPUs) are all the same. */
static void add_alike(struct strbuf *out, const char *text)
{
	size_t line = strcspn(text, "\n;");

	for (size_t i = 0, len; i < line; i += len + 1) {
		len = strcspn(text + i, " \n");
		if (strcspn(text + i, "0123456789") < len)
			strbuf_addstr(out, "#");
		else
			strbuf_add(out, text + i, len);
		strbuf_addch(out, ' ');
	}
}

static char *key_of(const struct check_worst *w, const struct check_cell *cell)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	bool is_bounded = w->finding && json_object_get(w->finding, "bound");

	strbuf_addf(&key, "%d|%s|", (int)w->verdict, result_text(w->finding, "check"));
	add_alike(&key, result_text(w->finding, "subject"));
	strbuf_addf(&key, "|%s|", is_bounded ? result_text(w->finding, "step") : "");
	if (is_bounded)
		strbuf_addstr(&key, cell->scenario->name);
	else
		add_alike(&key, check_worst_text(w));
	return strbuf_take(&key);
}

const char *check_worst_text(const struct check_worst *worst)
{
	return worst->finding ? result_text(worst->finding, "text")
			      : result_text(worst->result, "reasons");
}

struct list {
	struct check_worst *items;
	size_t nr;
	const struct ktstr_scenario **last; /* that each of them counted */
};

static uint32_t topology_bit(const struct check_matrix *m, const struct check_cell *cell)
{
	return UINT32_C(1) << (cell->topology - m->topologies);
}

static void fold(struct list *list, size_t i, struct check_worst *w, const struct check_cell *cell)
{
	struct check_worst *old = &list->items[i];

	old->runs++;
	old->topologies |= w->topologies;
	old->scenarios += list->last[i] != cell->scenario;
	list->last[i] = cell->scenario;
	if (w->excess > old->excess) {
		old->result = w->result;
		old->finding = w->finding;
		old->excess = w->excess;
	}
	free(w->key);
}

static int add(struct list *list, const struct check_matrix *m, const struct check_cell *cell,
	       const json_t *result)
{
	struct check_worst w = {
		.result = result, .runs = 1, .scenarios = 1, .topologies = topology_bit(m, cell)
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (!strcmp(result_text(result, "verdict"), ktstr_verdict_name(order[i])))
			w.verdict = order[i];
	if (w.verdict == KTSTR_PASS)
		return 0;
	w.finding = worst_finding(result, &w.excess);
	w.key = key_of(&w, cell);
	if (!w.key)
		return -ENOMEM;
	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->items[i].key, w.key)) {
			fold(list, i, &w, cell);
			return 0;
		}
	}
	list->last[list->nr] = cell->scenario;
	list->items[list->nr++] = w;
	return 0;
}

static int rank(enum ktstr_verdict verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] == verdict)
			return (int)i;
	return (int)ARRAY_SIZE(order);
}

static int compare(const void *a, const void *b)
{
	const struct check_worst *one = a, *two = b;

	if (one->verdict != two->verdict)
		return rank(one->verdict) - rank(two->verdict);
	if (one->excess != two->excess)
		return one->excess > two->excess ? -1 : 1;
	if (one->runs != two->runs)
		return one->runs > two->runs ? -1 : 1;
	return strcmp(result_text(one->result, "id"), result_text(two->result, "id"));
}

static int fill(const struct check_matrix *m, struct list *list)
{
	const json_t *result;
	size_t r;

	for (size_t i = 0; i < m->nr_cells; i++) {
		json_array_foreach(m->cells[i].results, r, result)
		{
			if (add(list, m, &m->cells[i], result) < 0)
				return -ENOMEM;
		}
	}
	qsort(list->items, list->nr, sizeof(*list->items), compare);
	return 0;
}

int check_worst_list(const struct check_matrix *matrix, struct check_worst **ret_list)
{
	struct list list = { 0 };
	size_t nr = 1;
	int r = -ENOMEM;

	for (size_t i = 0; i < matrix->nr_cells; i++)
		nr += json_array_size(matrix->cells[i].results);
	list.items = calloc(nr, sizeof(*list.items));
	list.last = calloc(nr, sizeof(*list.last));
	if (list.items && list.last)
		r = fill(matrix, &list);
	free(list.last);
	if (r < 0) {
		check_worst_free(list.items, list.nr);
		return r;
	}
	*ret_list = list.items;
	return (int)list.nr;
}

void check_worst_free(struct check_worst *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(list[i].key);
	free(list);
}
