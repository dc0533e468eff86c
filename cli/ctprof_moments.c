// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof_moments.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/api.h>

#include "base/io.h"
#include "base/parse.h"
#include "cli.h"

void ctprof_moments_deinit(struct ctprof_moments *m)
{
	for (size_t i = 0; i < CTPROF_MOMENTS_FILES; i++)
		ktstr_ctprof_series_destroy(m->series[i]);
}

/* Says what of a file was passed over. */
static void warn(const char *path, const struct ktstr_ctprof_series *series)
{
	if (series->cut_short)
		fprintf(stderr, "ktstr: '%s' ends in the middle of a snapshot, which is left out\n",
			path);
	for (size_t i = 0; i < series->snapshots[0]->nr_warnings; i++)
		fprintf(stderr, "ktstr: '%s': %s\n", path, series->snapshots[0]->warnings[i]);
}

/* @ret_number 0: the whole file. */
static int load(struct ctprof_moments *m, size_t file, char *operand, uint32_t *ret_number)
{
	char *at = strrchr(operand, '@');
	struct ktstr_error err;
	int r;

	*ret_number = 0;
	snprintf(m->names[file], sizeof(m->names[file]), "%s", operand);
	if (at && parse_u32(at + 1, ret_number) == 0 && access(operand, F_OK) < 0) {
		*at = '\0';
		if (!*ret_number)
			return cli_failf(KTSTR_EXIT_USAGE, "moments are counted from 1: '%s@0'",
					 operand);
	} else {
		*ret_number = 0;
	}
	r = ktstr_ctprof_series_load(operand, &m->series[file], &err);
	if (r < 0)
		return cli_fail(io_path_is_wrong(r) ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS, &err);
	warn(operand, m->series[file]);
	if (*ret_number > m->series[file]->nr)
		return cli_failf(KTSTR_EXIT_USAGE, "'%s' has %zu moment%s, there is no %u", operand,
				 m->series[file]->nr, m->series[file]->nr == 1 ? "" : "s",
				 *ret_number);
	return -1;
}

static void take_side(struct ctprof_moments *m, size_t file, size_t moment)
{
	m->sides[m->nr_sides++] = (struct ktstr_ctprof_side){
		.snapshot = m->series[file]->snapshots[moment],
		.name = m->names[file],
	};
}

int ctprof_moments_one(char **operands, struct ctprof_moments *ret_moments)
{
	struct ctprof_moments *m = ret_moments;
	uint32_t number;
	int r = load(m, 0, operands[0], &number);

	if (r < 0)
		take_side(m, 0, number ? number - 1 : m->series[0]->nr - 1);
	return r;
}

static int take_series(struct ctprof_moments *m, const char *path)
{
	if (m->series[0]->nr < 2)
		return cli_failf(KTSTR_EXIT_USAGE,
				 "'%s' holds one moment: name a second file to compare it with",
				 path);
	take_side(m, 0, 0);
	take_side(m, 0, m->series[0]->nr - 1);
	return -1;
}

int ctprof_moments_two(char **operands, size_t nr, struct ctprof_moments *ret_moments)
{
	struct ctprof_moments *m = ret_moments;

	for (size_t i = 0; i < nr; i++) {
		uint32_t number;
		int r = load(m, i, operands[i], &number);

		if (r >= 0)
			return r;
		if (nr == 1 && number)
			return cli_failf(KTSTR_EXIT_USAGE,
					 "one moment of '%s': name a second to compare it with",
					 operands[i]);
		if (nr == 1)
			return take_series(m, operands[i]);
		take_side(m, i, number ? number - 1 : m->series[i]->nr - 1);
		if (!number && m->series[i]->nr > 1)
			m->sides[i].since = m->series[i]->snapshots[0];
	}
	return -1;
}
