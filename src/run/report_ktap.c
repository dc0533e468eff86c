// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/report.h"

void ktap_begin(struct strbuf *out, unsigned int planned)
{
	strbuf_addf(out, "KTAP version 1\n1..%u%s\n", planned,
		    planned ? "" : " # SKIP this shard has no runs");
}

/* Values and notes are as the guest sent them. */
static void add_clean_flat(struct strbuf *out, const char *text)
{
	_cleanup_free_ char *clean = text_clean(text, TEXT_MAX);

	text_add_flat(out, clean ? clean : "");
}

static void add_note(struct strbuf *out, const char *text)
{
	_cleanup_free_ char *clean = text_clean(text, TEXT_LONG_MAX);

	text_add_lines(out, "# note ", clean ? clean : "");
}

static void add_value(struct strbuf *out, const json_t *value)
{
	const char *unit = json_string_value(json_object_get(value, "unit"));

	strbuf_addstr(out, "# value ");
	add_clean_flat(out, json_string_value(json_object_get(value, "name")));
	strbuf_addstr(out, " = ");
	text_add_number(out, json_number_value(json_object_get(value, "value")));
	if (unit && *unit) {
		strbuf_addch(out, ' ');
		add_clean_flat(out, unit);
	}
	strbuf_addch(out, '\n');
}

static void add_attached(struct strbuf *out, const struct result *result)
{
	json_t *item;
	size_t i;

	json_array_foreach(result->values, i, item) add_value(out, item);
	json_array_foreach(result->notes, i, item) add_note(out, json_string_value(item));
	if (result->nr_notes > json_array_size(result->notes))
		strbuf_addf(out, "# %llu more notes\n",
			    (unsigned long long)result->nr_notes - json_array_size(result->notes));
	if (result->nr_values > json_array_size(result->values))
		strbuf_addf(out, "# %llu more values\n",
			    (unsigned long long)result->nr_values -
				    json_array_size(result->values));
}

static void add_replay(struct strbuf *out, const char *folder)
{
	strbuf_addstr(out, "# replay: ktstr replay ");
	strbuf_add_quoted(out, folder);
	strbuf_addch(out, '\n');
}

static void add_trouble(struct strbuf *out, const struct result *result)
{
	text_add_lines(out, "# ", result->reasons);
	if (result->console_tail) {
		strbuf_addstr(out, "# last lines of the guest console:\n");
		text_add_lines(out, "#   ", result->console_tail);
	}
	if (result->output_tail) {
		strbuf_addstr(out, "# last lines of the body's output:\n");
		text_add_lines(out, "#   ", result->output_tail);
	}
	if (result->verdict == KTSTR_SKIP)
		return;
	if (result->rerun)
		strbuf_addf(out, "# run again: %s\n", result->rerun);
	if (result->folder && !strcmp(result->mode, "exact"))
		add_replay(out, result->folder);
	if (result->folder)
		strbuf_addf(out, "# files: %s\n", result->folder);
}

/* What follows '#' on a result line must neither break the line nor start a second directive. */
static void add_directive(struct strbuf *out, const char *directive, const char *reason)
{
	strbuf_addf(out, " # %s", directive);
	for (const char *p = reason; *p; p++)
		strbuf_addch(out, *p == '#' || *p == '\t' ? ' ' : *p);
}

/* Some readers take any '#' for the start of a directive. */
static void add_label(struct strbuf *out, const struct result *result)
{
	for (const char *p = result_label(result); p && *p; p++)
		strbuf_addch(out, *p == '#' ? '.' : *p);
}

void ktap_result(struct strbuf *out, unsigned int number, const struct result *result)
{
	_cleanup_free_ char *headline = result_headline(result);
	const char *reason = headline ? headline : "";
	bool good = result->verdict == KTSTR_PASS || result->verdict == KTSTR_SKIP ||
		    result->verdict == KTSTR_UNDECIDED;

	if (result->about) {
		strbuf_addstr(out, "# ");
		text_add_flat(out, result->about);
		strbuf_addch(out, '\n');
	}
	add_attached(out, result);
	if (result->verdict != KTSTR_PASS)
		add_trouble(out, result);
	if (result->repetition)
		strbuf_addf(out, "# seed %llu\n", (unsigned long long)result->seed);
	if (result->duration_ns) {
		strbuf_addstr(out, "# took ");
		text_add_duration(out, result->duration_ns);
		strbuf_addch(out, '\n');
	}
	strbuf_addf(out, "%sok %u ", good ? "" : "not ", number);
	add_label(out, result);
	if (result->verdict == KTSTR_SKIP)
		add_directive(out, "SKIP ", reason);
	else if (result->verdict == KTSTR_UNDECIDED)
		add_directive(out, "SKIP UNDECIDED: ", reason);
	else if (result->verdict == KTSTR_ERROR)
		add_directive(out, "ERROR ", reason);
	else if (!strcmp(result->end, "timeout"))
		add_directive(out, "TIMEOUT ", reason);
	strbuf_addch(out, '\n');
}

void ktap_end(struct strbuf *out, const struct totals *totals)
{
	if (totals->interrupted)
		strbuf_addstr(out, "Bail out! interrupted\n");
	else if (totals->time_over)
		strbuf_addstr(out, "Bail out! the time limit of the run is over\n");
	else if (totals->failed_fast && totals_ran(totals) < totals->planned)
		strbuf_addstr(out, "Bail out! stopped at the first failure\n");
}
