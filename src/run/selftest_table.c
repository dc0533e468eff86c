// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/selftest.h"

static const char *color_of(enum mutant_fate fate)
{
	if (fate == MUTANT_CAUGHT)
		return "\033[32m";
	return fate == MUTANT_MISSED || fate == MUTANT_BROKEN ? "\033[31m" : "\033[33m";
}

static unsigned int count(const struct mutant *mutants, size_t nr, enum mutant_fate fate)
{
	unsigned int n = 0;

	for (size_t i = 0; i < nr; i++)
		n += mutants[i].fate == fate;
	return n;
}

static void add_sums(const struct mutant *mutants, size_t nr, struct strbuf *out)
{
	strbuf_addf(out, "%u of %zu caught by the check that is meant for them",
		    count(mutants, nr, MUTANT_CAUGHT), nr);
	for (enum mutant_fate f = MUTANT_NOT_RUN; f <= MUTANT_BROKEN; f++)
		if (f != MUTANT_CAUGHT && count(mutants, nr, f))
			strbuf_addf(out, ", %u %s", count(mutants, nr, f), mutant_fate_word(f));
	strbuf_addch(out, '\n');
}

static void add_where(const struct mutant *m, struct strbuf *out)
{
	if (m->fate == MUTANT_CAUGHT || m->fate == MUTANT_BY_ACCIDENT)
		strbuf_addf(out, "%s.%s by %s", m->scenario, m->preset, m->check);
	else
		strbuf_addf(out, "%u runs", (unsigned int)mutant_runs(m));
}

void mutants_table(const struct mutant *mutants, size_t nr, bool color, struct strbuf *out)
{
	for (size_t i = 0; i < nr; i++) {
		const struct mutant *m = &mutants[i];
		_cleanup_strbuf_ struct strbuf where = STRBUF_INIT;

		add_where(m, &where);
		strbuf_addf(out, "%s%-11s%s %-24s %6.1f s  %s\n", color ? color_of(m->fate) : "",
			    mutant_fate_word(m->fate), color ? "\033[0m" : "", m->name,
			    (double)m->took_ns / 1e9, strbuf_str(&where));
		if (m->fate != MUTANT_CAUGHT && m->sentence[0])
			text_add_lines(out, "            ", m->sentence);
	}
	add_sums(mutants, nr, out);
}

static void add_cell(struct strbuf *out, const char *text)
{
	for (; *text && *text != '\n'; text++) {
		if (*text == '|')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *text);
	}
}

void mutants_markdown(const struct mutant *mutants, size_t nr, struct strbuf *out)
{
	strbuf_addstr(
		out,
		"# Bugs put in on purpose, and what found them\n\n"
		"Made by `ktstr selftest --mutants --markdown FILE`.  Each row is a fault "
		"switch of `ktstr-sched`;\n\"caught\" means that a run failed by a check "
		"that is meant for the fault; \"runs\" is how many that took,\nor all that were "
		"made.  With `--mode exact` the table is the same on any machine.\n\n");
	add_sums(mutants, nr, out);
	strbuf_addstr(out,
		      "\n| fault | what it does | fate | scenario | topology | check | runs | what "
		      "was said |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < nr; i++) {
		const struct mutant *m = &mutants[i];

		strbuf_addf(out, "| %s | ", m->name);
		add_cell(out, m->about);
		strbuf_addf(out, " | %s | %s | %s | %s | %u | ", mutant_fate_word(m->fate),
			    m->scenario, m->preset, m->check, (unsigned int)mutant_runs(m));
		add_cell(out, m->sentence);
		strbuf_addstr(out, " |\n");
	}
}
