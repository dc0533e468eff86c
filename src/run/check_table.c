// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/check.h"
#include "run/report.h"
#include "run/text.h"

enum { NAME_WIDTH = 34, CELL_WIDTH = 11, CELL_TEXT = 48, WORST_SHOWN = 12 };

/* The worst that one of its runs came to. */
static enum ktstr_verdict verdict_of(const struct check_cell *cell)
{
	static const enum ktstr_verdict order[] = { KTSTR_FAIL, KTSTR_ERROR, KTSTR_UNDECIDED,
						    KTSTR_PASS, KTSTR_SKIP };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (cell->counts[order[i]])
			return order[i];
	return KTSTR_SKIP;
}

static unsigned int ran(const struct check_cell *cell)
{
	unsigned int nr = 0;

	for (int v = 0; v <= KTSTR_ERROR; v++)
		nr += cell->counts[v];
	return nr;
}

static const char *color_of(enum ktstr_verdict verdict)
{
	static const char *const colors[] = { [KTSTR_PASS] = "\033[32m",
					      [KTSTR_SKIP] = "\033[2m",
					      [KTSTR_UNDECIDED] = "\033[33m",
					      [KTSTR_FAIL] = "\033[31m",
					      [KTSTR_ERROR] = "\033[35m" };

	return colors[verdict];
}

static void add_cell(const struct check_cell *cell, bool color, struct strbuf *out)
{
	char text[CELL_TEXT];
	enum ktstr_verdict verdict = cell ? verdict_of(cell) : KTSTR_SKIP;
	unsigned int nr = cell ? ran(cell) : 0;
	const char *word = verdict == KTSTR_PASS	? "pass"
			   : verdict == KTSTR_UNDECIDED ? "undecided"
			   : verdict == KTSTR_SKIP	? "skip"
							: ktstr_verdict_name(verdict);

	if (!nr)
		snprintf(text, sizeof(text), "%s", cell ? "not run" : "-");
	else if (nr > 1 && verdict != KTSTR_PASS)
		snprintf(text, sizeof(text), "%s %u/%u",
			 verdict == KTSTR_UNDECIDED ? "undec" : word, cell->counts[verdict], nr);
	else
		snprintf(text, sizeof(text), "%s", word);
	if (color && nr)
		strbuf_addf(out, " %s%-*s\033[0m", color_of(verdict), CELL_WIDTH, text);
	else
		strbuf_addf(out, " %-*s", CELL_WIDTH, text);
}

static const struct check_cell *cell_at(const struct check_matrix *m,
					const struct ktstr_scenario *scenario,
					const struct check_topology *topology)
{
	for (size_t i = 0; i < m->nr_cells; i++)
		if (m->cells[i].scenario == scenario && m->cells[i].topology == topology)
			return &m->cells[i];
	return NULL;
}

static void end_line(struct strbuf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	strbuf_addch(out, '\n');
}

static void add_rows(const struct check_matrix *m, bool color, struct strbuf *out)
{
	strbuf_addf(out, "%-*s", NAME_WIDTH, "");
	for (size_t t = 0; t < m->nr_topologies; t++)
		strbuf_addf(out, " %-*.*s", CELL_WIDTH, CELL_WIDTH, m->topologies[t].name);
	end_line(out);
	for (size_t s = 0; s < m->nr_scenarios; s++) {
		strbuf_addf(out, "%-*s", NAME_WIDTH, m->scenarios[s]->name);
		for (size_t t = 0; t < m->nr_topologies; t++)
			add_cell(cell_at(m, m->scenarios[s], &m->topologies[t]), color, out);
		end_line(out);
	}
}

static void add_result(const json_t *result, bool color, enum ktstr_verdict verdict,
		       struct strbuf *out)
{
	const char *reasons = json_string_value(json_object_get(result, "reasons"));
	const char *again = json_string_value(json_object_get(result, "rerun"));
	const char *id = json_string_value(json_object_get(result, "id"));

	strbuf_addf(out, "\n%s%s%s  %s\n", color ? color_of(verdict) : "",
		    ktstr_verdict_name(verdict), color ? "\033[0m" : "", id ? id : "?");
	text_add_lines(out, "  ", reasons ? reasons : "");
	if (again)
		strbuf_addf(out, "  again: %s\n", again);
}

static unsigned int add_worst(const struct check_matrix *m, enum ktstr_verdict verdict, bool color,
			      unsigned int shown, struct strbuf *out)
{
	for (size_t i = 0; i < m->nr_cells; i++) {
		json_t *result;
		size_t r;

		json_array_foreach(m->cells[i].results, r, result)
		{
			const char *word = json_string_value(json_object_get(result, "verdict"));

			if (!word || strcmp(word, ktstr_verdict_name(verdict)) != 0)
				continue;
			if (shown++ < WORST_SHOWN)
				add_result(result, color, verdict, out);
		}
	}
	return shown;
}

void check_table(const struct check_matrix *matrix, const struct totals *totals, bool color,
		 struct strbuf *out)
{
	static const enum ktstr_verdict worst[] = { KTSTR_FAIL, KTSTR_ERROR, KTSTR_UNDECIDED };
	unsigned int shown = 0;

	add_rows(matrix, color, out);
	for (size_t i = 0; i < ARRAY_SIZE(worst); i++)
		shown = add_worst(matrix, worst[i], color, shown, out);
	if (shown > WORST_SHOWN)
		strbuf_addf(out, "\nand %u more, in the run folder\n", shown - WORST_SHOWN);
	if (matrix->nr_left_out)
		strbuf_addf(out, "\n%zu more were left out for lack of time: --budget, --all\n",
			    matrix->nr_left_out);
	strbuf_addch(out, '\n');
	summary_totals(out, totals, NULL, color);
}
