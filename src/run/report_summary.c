// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/report.h"

static const char *const colors[] = {
	[KTSTR_PASS] = "\033[32m", [KTSTR_SKIP] = "\033[36m",  [KTSTR_UNDECIDED] = "\033[33m",
	[KTSTR_FAIL] = "\033[31m", [KTSTR_ERROR] = "\033[35m",
};

static void add_verdict(struct strbuf *out, enum ktstr_verdict verdict, bool color)
{
	strbuf_addf(out, "%s%-9s%s", color ? colors[verdict] : "", ktstr_verdict_name(verdict),
		    color ? "\033[0m" : "");
}

static void add_times(struct strbuf *out, const struct result *result)
{
	if (result->duration_ns)
		text_add_duration(out, result->duration_ns);
	if (!result->hello_ns)
		return;
	strbuf_addstr(out, " (boot ");
	text_add_duration(out, result->hello_ns);
	if (result->body_ns) {
		strbuf_addstr(out, ", body ");
		text_add_duration(out, result->body_ns);
	}
	strbuf_addch(out, ')');
}

static void add_replay(struct strbuf *out, const char *folder)
{
	strbuf_addstr(out, "    replay:    ktstr replay ");
	strbuf_add_quoted(out, folder);
	strbuf_addch(out, '\n');
}

static void add_details(struct strbuf *out, const struct result *result)
{
	text_add_lines(out, "    ", result->reasons);
	if (result->console_tail) {
		strbuf_addstr(out, "    last lines of the guest console:\n");
		text_add_lines(out, "      ", result->console_tail);
	}
	if (result->output_tail) {
		strbuf_addstr(out, "    last lines of the body's output:\n");
		text_add_lines(out, "      ", result->output_tail);
	}
	if (result->rerun)
		strbuf_addf(out, "    run again: %s\n", result->rerun);
	if (result->folder && !strcmp(result->mode, "exact"))
		add_replay(out, result->folder);
	if (result->folder)
		strbuf_addf(out, "    files:     %s\n", result->folder);
}

void summary_result(struct strbuf *out, const struct result *result,
		    const struct summary_style *style)
{
	_cleanup_free_ char *headline = result_headline(result);

	if (style->brief && (result->verdict == KTSTR_PASS || result->verdict == KTSTR_SKIP))
		return;
	add_verdict(out, result->verdict, style->color);
	strbuf_addf(out, " %s%s", result_label(result), result->duration_ns ? "  " : "");
	add_times(out, result);
	if (result->verdict == KTSTR_SKIP && headline)
		strbuf_addf(out, "  %s", headline);
	strbuf_addch(out, '\n');
	if (style->details && result->verdict != KTSTR_PASS && result->verdict != KTSTR_SKIP)
		add_details(out, result);
}

void summary_totals(struct strbuf *out, const struct totals *totals, const char *run_dir,
		    bool color)
{
	unsigned int ran = totals_ran(totals);

	strbuf_addstr(out, totals->tally ? totals->tally : "");
	for (size_t i = 0; i < TOTALS_PARTS; i++) {
		unsigned int nr = totals->counts[totals_parts[i].verdict];

		strbuf_addf(out, "%s%s%u %s%s", i ? ", " : "",
			    color && nr ? colors[totals_parts[i].verdict] : "", nr,
			    totals_parts[i].word, color && nr ? "\033[0m" : "");
	}
	strbuf_addstr(out, " in ");
	text_add_duration(out, totals->duration_ns);
	strbuf_addch(out, '\n');
	if (totals->empty_shard)
		strbuf_addstr(out, "this shard has no runs\n");
	if (ran < totals->planned)
		strbuf_addf(out, "%s: %u of %u tests did not run\n",
			    totals->interrupted	  ? "interrupted"
			    : totals->time_over	  ? "time limit of the run reached"
			    : totals->failed_fast ? "stopped at the first failure"
						  : "stopped",
			    totals->planned - ran, totals->planned);
	if (totals->seeds[0])
		strbuf_addf(out, "%s: %s\n", strstr(totals->seeds, "..") ? "seeds" : "seed",
			    totals->seeds);
	if (totals->kernel)
		strbuf_addf(out, "guests: kernel %s, QEMU %s, %s\n", totals->kernel, totals->qemu,
			    totals->accelerator);
	if (run_dir)
		strbuf_addf(out, "files: %s\n", run_dir);
}
