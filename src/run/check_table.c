// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/check.h"
#include "run/check_skips.h"
#include "run/check_worst.h"
#include "run/report.h"

enum { NAME_LEAST = 12, NAME_MOST = 40, CELL_LEAST = 9, CELL_TEXT = 48, WORST_SHOWN = 12 };

/* How a table is laid out: topologies first..end - 1 beside each other, the others below. */
struct layout {
	const struct check_matrix *matrix;
	const struct check_style *style;
	int name_width, cell_width;
	size_t first, end;
};

static const char *color_of(enum ktstr_verdict verdict)
{
	static const char *const colors[] = { [KTSTR_PASS] = "\033[32m",
					      [KTSTR_SKIP] = "\033[2m",
					      [KTSTR_UNDECIDED] = "\033[33m",
					      [KTSTR_FAIL] = "\033[31m",
					      [KTSTR_ERROR] = "\033[35m" };

	return colors[verdict];
}

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

static const struct check_cell *cell_at(const struct check_matrix *m, size_t scenario,
					size_t topology)
{
	for (size_t i = 0; i < m->nr_cells; i++)
		if (m->cells[i].scenario == m->scenarios[scenario] &&
		    m->cells[i].topology == &m->topologies[topology])
			return &m->cells[i];
	return NULL;
}

/* Did any of it run? */
static bool has_row(const struct check_matrix *m, size_t scenario)
{
	for (size_t t = 0; t < m->nr_topologies; t++) {
		const struct check_cell *cell = cell_at(m, scenario, t);

		if (cell && ran(cell))
			return true;
	}
	return false;
}

/* --- the table ---------------------------------------------------------------------------------*/

static void add_cell(const struct layout *l, const struct check_cell *cell, struct strbuf *out)
{
	static const char *const words[] = { [KTSTR_PASS] = "pass",
					     [KTSTR_SKIP] = "skip",
					     [KTSTR_UNDECIDED] = "undecided",
					     [KTSTR_FAIL] = "FAIL",
					     [KTSTR_ERROR] = "ERROR" };
	enum ktstr_verdict verdict = cell ? verdict_of(cell) : KTSTR_SKIP;
	unsigned int nr = cell ? ran(cell) : 0;
	char text[CELL_TEXT];

	if (!nr)
		snprintf(text, sizeof(text), "%s", cell ? "not run" : "-");
	else if (nr > 1 && verdict != KTSTR_PASS)
		snprintf(text, sizeof(text), "%s %u/%u",
			 verdict == KTSTR_UNDECIDED ? "undec" : words[verdict],
			 cell->counts[verdict], nr);
	else
		snprintf(text, sizeof(text), "%s", words[verdict]);
	if (l->style->color && nr)
		strbuf_addf(out, " %s%-*s\033[0m", color_of(verdict), l->cell_width, text);
	else
		strbuf_addf(out, " %-*s", l->cell_width, text);
}

static void end_line(struct strbuf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	strbuf_addch(out, '\n');
}

static void add_counts(const unsigned int counts[KTSTR_ERROR + 1], bool color, struct strbuf *out)
{
	const char *lead = "";

	for (size_t i = 0; i < TOTALS_PARTS; i++) {
		enum ktstr_verdict verdict = totals_parts[i].verdict;

		if (!counts[verdict])
			continue;
		strbuf_addf(out, "%s%s%u %s%s", lead, color ? color_of(verdict) : "",
			    counts[verdict], totals_parts[i].word, color ? "\033[0m" : "");
		lead = ", ";
	}
}

static const char *group_of(const struct check_matrix *m, size_t scenario)
{
	return m->scenarios[scenario]->group ? m->scenarios[scenario]->group : "";
}

static void add_group(const struct layout *l, const char *group, struct strbuf *out)
{
	unsigned int counts[KTSTR_ERROR + 1] = { 0 };

	for (size_t i = 0; i < l->matrix->nr_cells; i++) {
		const struct check_cell *cell = &l->matrix->cells[i];

		if (strcmp(cell->scenario->group ? cell->scenario->group : "", group) != 0)
			continue;
		for (int v = 0; v <= KTSTR_ERROR; v++)
			counts[v] += cell->counts[v];
	}
	strbuf_addf(out, "%s: ", *group ? group : "scenarios");
	add_counts(counts, l->style->color, out);
	strbuf_addch(out, '\n');
}

static void add_block(const struct layout *l, struct strbuf *out)
{
	const struct check_matrix *m = l->matrix;
	const char *group = NULL;

	strbuf_addf(out, "%-*s", l->name_width, "");
	for (size_t t = l->first; t < l->end; t++)
		strbuf_addf(out, " %-*s", l->cell_width, m->topologies[t].name);
	end_line(out);
	for (size_t s = 0; s < m->nr_scenarios; s++) {
		if (!has_row(m, s))
			continue;
		if (!group || strcmp(group, group_of(m, s)) != 0) {
			group = group_of(m, s);
			add_group(l, group, out);
		}
		strbuf_addf(out, "  %-*.*s", l->name_width - 2, l->name_width - 2,
			    m->scenarios[s]->name);
		for (size_t t = l->first; t < l->end; t++)
			add_cell(l, cell_at(m, s, t), out);
		end_line(out);
	}
}

static struct layout lay_out(const struct check_matrix *m, const struct check_style *style)
{
	struct layout l = {
		.matrix = m, .style = style, .name_width = NAME_LEAST, .cell_width = CELL_LEAST
	};

	for (size_t s = 0; s < m->nr_scenarios; s++) {
		int width = (int)strlen(m->scenarios[s]->name) + 2;

		if (has_row(m, s) && width > l.name_width)
			l.name_width = width < NAME_MOST ? width : NAME_MOST;
	}
	for (size_t t = 0; t < m->nr_topologies; t++)
		if ((int)strlen(m->topologies[t].name) > l.cell_width)
			l.cell_width = (int)strlen(m->topologies[t].name);
	return l;
}

static void add_blocks(const struct check_matrix *m, const struct check_style *style,
		       struct strbuf *out)
{
	struct layout l = lay_out(m, style);
	int room = (int)style->columns - l.name_width;
	size_t per_block = room > l.cell_width ? (size_t)(room / (l.cell_width + 1)) : 1;

	for (l.first = 0; l.first < m->nr_topologies; l.first = l.end) {
		l.end = l.first + per_block < m->nr_topologies ? l.first + per_block
							       : m->nr_topologies;
		if (l.first)
			strbuf_addch(out, '\n');
		add_block(&l, out);
	}
}

/* --- below it ----------------------------------------------------------------------------------*/

static void add_excess(const struct check_worst *w, struct strbuf *out)
{
	const char *check = json_string_value(json_object_get(w->finding, "check"));

	if (!check)
		return;
	strbuf_addf(out, "  %s", check);
	if (w->verdict == KTSTR_FAIL && isfinite(w->excess) && w->excess >= 1)
		strbuf_addf(out, ", %.*f times its bound", w->excess < 10 ? 1 : 0, w->excess);
}

static void add_others(const struct check_worst *w, const struct check_matrix *m,
		       struct strbuf *out)
{
	const char *lead = " on ";

	if (w->runs == 1)
		return;
	strbuf_addf(out, isfinite(w->excess) ? "  the worst of %u runs" : "  so in %u runs",
		    w->runs);
	if (w->scenarios > 1)
		strbuf_addf(out, " of %u scenarios", w->scenarios);
	for (size_t t = 0; t < m->nr_topologies; t++) {
		if (!(w->topologies & UINT32_C(1) << t))
			continue;
		strbuf_addf(out, "%s%s", lead, m->topologies[t].name);
		lead = ", ";
	}
	strbuf_addch(out, '\n');
}

static void add_one(const struct check_worst *w, const struct check_matrix *m, bool color,
		    struct strbuf *out)
{
	const char *again = json_string_value(json_object_get(w->result, "rerun"));
	const char *id = json_string_value(json_object_get(w->result, "id"));

	strbuf_addf(out, "\n%s%s%s  %s", color ? color_of(w->verdict) : "",
		    ktstr_verdict_name(w->verdict), color ? "\033[0m" : "", id ? id : "?");
	add_excess(w, out);
	strbuf_addch(out, '\n');
	text_add_lines(out, "  ", check_worst_text(w));
	add_others(w, m, out);
	if (again)
		strbuf_addf(out, "  again: %s\n", again);
}

static void add_worst(const struct check_matrix *m, bool color, struct strbuf *out)
{
	struct check_worst *list = NULL;
	int nr = check_worst_list(m, &list);

	if (nr < 0) {
		strbuf_addstr(out, "\nno memory to sort what was found: see the run folder\n");
		return;
	}
	for (int i = 0; i < nr && i < WORST_SHOWN; i++)
		add_one(&list[i], m, color, out);
	if (nr > WORST_SHOWN)
		strbuf_addf(out, "\nand %d others, in the run folder\n", nr - WORST_SHOWN);
	check_worst_free(list, (size_t)nr);
}

static void add_skip(const struct check_skip *skip, bool color, struct strbuf *out)
{
	const char *lead = ": ";

	strbuf_addf(out, "\n%s%s%s  %u %s", color ? color_of(KTSTR_SKIP) : "",
		    ktstr_verdict_name(KTSTR_SKIP), color ? "\033[0m" : "", skip->runs,
		    skip->runs == 1 ? "run" : "runs");
	for (unsigned int i = 0; i < skip->nr_scenarios && i < CHECK_SKIP_NAMES; i++) {
		strbuf_addf(out, "%s%s", lead, skip->scenarios[i]->name);
		lead = ", ";
	}
	if (skip->nr_scenarios > CHECK_SKIP_NAMES)
		strbuf_addf(out, " and %u others", skip->nr_scenarios - CHECK_SKIP_NAMES);
	strbuf_addch(out, '\n');
	text_add_lines(out, "  ", skip->reason);
}

static void add_skips(const struct check_matrix *m, bool color, struct strbuf *out)
{
	_cleanup_free_ struct check_skip *list = NULL;
	int nr = check_skips_list(m, &list);

	if (nr < 0)
		strbuf_addstr(out, "\nno memory to sort what was skipped: see the run folder\n");
	for (int i = 0; i < nr && i < WORST_SHOWN; i++)
		add_skip(&list[i], color, out);
	if (nr > WORST_SHOWN)
		strbuf_addf(out, "\nand %d other reasons, in the run folder\n", nr - WORST_SHOWN);
}

static void add_left_out(const struct check_matrix *m, struct strbuf *out)
{
	size_t rows = 0;

	for (size_t s = 0; s < m->nr_scenarios; s++)
		rows += has_row(m, s);
	if (m->nr_left_out)
		strbuf_addf(out, "\n%zu more were left out for lack of time: --budget, --all\n",
			    m->nr_left_out);
	if (rows < m->nr_scenarios)
		strbuf_addf(out, "%s%zu of %zu scenarios have no row: nothing of them was run\n",
			    m->nr_left_out ? "" : "\n", m->nr_scenarios - rows, m->nr_scenarios);
}

void check_table(const struct check_matrix *matrix, const struct totals *totals,
		 const struct check_style *style, struct strbuf *out)
{
	add_blocks(matrix, style, out);
	add_worst(matrix, style->color, out);
	add_skips(matrix, style->color, out);
	add_left_out(matrix, out);
	strbuf_addch(out, '\n');
	summary_totals(out, totals, NULL, style->color);
}
