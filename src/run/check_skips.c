// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/check_skips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct check_skip *find(struct check_skip *list, size_t *nr, const char *reason)
{
	for (size_t i = 0; i < *nr; i++)
		if (!strcmp(list[i].reason, reason))
			return &list[i];
	list[*nr].reason = reason;
	return &list[(*nr)++];
}

static void count(struct check_skip *skip, const struct ktstr_scenario *scenario)
{
	skip->runs++;
	if (skip->last == scenario)
		return;
	if (skip->nr_scenarios < CHECK_SKIP_NAMES)
		skip->scenarios[skip->nr_scenarios] = scenario;
	skip->nr_scenarios++;
	skip->last = scenario;
}

static int compare(const void *a, const void *b)
{
	const struct check_skip *one = a, *two = b;

	if (one->runs != two->runs)
		return one->runs > two->runs ? -1 : 1;
	return strcmp(one->reason, two->reason);
}

int check_skips_list(const struct check_matrix *matrix, struct check_skip **ret_list)
{
	size_t nr = 0, room = 1, r;
	struct check_skip *list;
	const json_t *result;

	for (size_t i = 0; i < matrix->nr_cells; i++)
		room += matrix->cells[i].counts[KTSTR_SKIP];
	list = calloc(room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < matrix->nr_cells; i++) {
		json_array_foreach(matrix->cells[i].results, r, result)
		{
			if (nr < room &&
			    !strcmp(result_text(result, "verdict"), ktstr_verdict_name(KTSTR_SKIP)))
				count(find(list, &nr, result_text(result, "reasons")),
				      matrix->cells[i].scenario);
		}
	}
	qsort(list, nr, sizeof(*list), compare);
	*ret_list = list;
	return (int)nr;
}
