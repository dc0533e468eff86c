// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "run/report.h"

/* @text is cleaned, so only the characters with a meaning in XML are left to replace. */
static void add_escaped(struct strbuf *out, const char *text)
{
	for (; text && *text; text++) {
		switch (*text) {
		case '<':
			strbuf_addstr(out, "&lt;");
			break;
		case '>':
			strbuf_addstr(out, "&gt;");
			break;
		case '&':
			strbuf_addstr(out, "&amp;");
			break;
		case '"':
			strbuf_addstr(out, "&quot;");
			break;
		case '\n': /* in an attribute a bare one would be read as a blank */
			strbuf_addstr(out, "&#10;");
			break;
		default:
			strbuf_addch(out, *text);
		}
	}
}

static void add_clean_escaped(struct strbuf *out, const char *text)
{
	_cleanup_free_ char *clean = text_clean(text, TEXT_LONG_MAX);

	add_escaped(out, clean);
}

static void add_seconds(struct strbuf *out, uint64_t ns)
{
	strbuf_addf(out, "%llu.%03llu", (unsigned long long)(ns / NSEC_PER_SEC),
		    (unsigned long long)(ns % NSEC_PER_SEC / NSEC_PER_MSEC));
}

static void add_trouble(struct strbuf *out, const struct result *result)
{
	_cleanup_free_ char *headline = result_headline(result);
	const char *tag = result->verdict == KTSTR_FAIL	   ? "failure"
			  : result->verdict == KTSTR_ERROR ? "error"
							   : "skipped";

	strbuf_addf(out, "<%s message=\"", tag);
	if (result->verdict == KTSTR_UNDECIDED)
		strbuf_addstr(out, "UNDECIDED: ");
	add_escaped(out, headline);
	if (!strcmp(tag, "skipped")) {
		strbuf_addstr(out, "\"/>");
		return;
	}
	strbuf_addf(out, "\" type=\"%s\">", result->end);
	add_escaped(out, result->reasons);
	if (result->console_tail) {
		strbuf_addstr(out, "&#10;last lines of the guest console:&#10;");
		add_escaped(out, result->console_tail);
	}
	if (result->rerun) {
		strbuf_addstr(out, "&#10;run again: ");
		add_clean_escaped(out, result->rerun);
	}
	if (result->folder) {
		strbuf_addstr(out, "&#10;files: ");
		add_clean_escaped(out, result->folder);
	}
	strbuf_addf(out, "</%s>", tag);
}

static void add_attached(struct strbuf *out, const struct result *result)
{
	json_t *item;
	size_t i;

	if (!json_array_size(result->values) && !json_array_size(result->notes))
		return;
	strbuf_addstr(out, "<system-out>");
	json_array_foreach(result->values, i, item)
	{
		add_clean_escaped(out, json_string_value(json_object_get(item, "name")));
		strbuf_addstr(out, " = ");
		text_add_number(out, json_number_value(json_object_get(item, "value")));
		strbuf_addch(out, ' ');
		add_clean_escaped(out, json_string_value(json_object_get(item, "unit")) ?: "");
		strbuf_addstr(out, "&#10;");
	}
	json_array_foreach(result->notes, i, item)
	{
		add_clean_escaped(out, json_string_value(item));
		strbuf_addstr(out, "&#10;");
	}
	strbuf_addstr(out, "</system-out>");
}

void junit_case(struct strbuf *out, const char *program, const struct result *result)
{
	strbuf_addstr(out, "  <testcase classname=\"");
	add_clean_escaped(out, program);
	strbuf_addstr(out, "\" name=\"");
	add_escaped(out, result_label(result));
	strbuf_addstr(out, "\" time=\"");
	add_seconds(out, result->duration_ns);
	strbuf_addstr(out, "\">");
	if (result->verdict != KTSTR_PASS)
		add_trouble(out, result);
	add_attached(out, result);
	strbuf_addstr(out, "</testcase>\n");
}

void junit_document(struct strbuf *out, const char *program, const struct totals *totals,
		    const char *cases)
{
	const unsigned int *counts = totals->counts;
	unsigned int ran = 0;

	for (size_t i = 0; i < ARRAY_SIZE(totals->counts); i++)
		ran += counts[i];
	strbuf_addstr(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
	add_clean_escaped(out, program);
	strbuf_addf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"",
		    ran, counts[KTSTR_FAIL], counts[KTSTR_ERROR],
		    counts[KTSTR_SKIP] + counts[KTSTR_UNDECIDED]);
	add_seconds(out, totals->duration_ns);
	strbuf_addf(out, "\">\n%s</testsuite>\n", cases);
}
