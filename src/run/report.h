/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * report.h - what a run says: to programs, to people, to files.
 *
 * Writers (KTAP, JSON lines, JUnit, summary) only make text; struct report sends it where it
 * belongs and remembers what could not be written.  A lost destination does not end the run: the
 * others still get every result, and the exit code says that something was lost.
 */
#ifndef KTSTR_RUN_REPORT_H
#define KTSTR_RUN_REPORT_H

#include <stdbool.h>

#include "run/result.h"

/* --- text of the formats (report_ktap.c, report_junit.c, report_summary.c) ------------------- */

/* KTAP version 1, Documentation/dev-tools/ktap.rst of the kernel.  Diagnostics of a test stand
 * before its line, as kunit prints them.  UNDECIDED is "ok ... # SKIP UNDECIDED: reason": no
 * reader of KTAP counts it as passed or as failed.  A '#' in an id is written '.'. */
void ktap_begin(struct strbuf *out, unsigned int planned);
void ktap_result(struct strbuf *out, unsigned int number, const struct result *result);
/* "Bail out!" with the reason if the run ended before its plan did; else nothing. */
void ktap_end(struct strbuf *out, const struct totals *totals);

/* JUnit as Jenkins and GitLab read it: FAIL is <failure>, ERROR is <error>, SKIP and UNDECIDED
 * are <skipped>.  junit_case() for every result into one buffer, then junit_document(). */
void junit_case(struct strbuf *out, const char *program, const struct result *result);
void junit_document(struct strbuf *out, const char *program, const struct totals *totals,
		    const char *cases);

/* What a person reads about one test at the end of the run: a line, and with @details why it did
 * not pass. */
struct summary_style {
	bool color, details;
	bool brief; /* nothing about what passed or was skipped */
};
void summary_result(struct strbuf *out, const struct result *result,
		    const struct summary_style *style);
/* @run_dir may be NULL. */
void summary_totals(struct strbuf *out, const struct totals *totals, const char *run_dir,
		    bool color);

/* --- destinations (report.c) ------------------------------------------------------------------ */

/* Bytes of a JSON line without its newline.  Of a result that is longer, lists are left out (and
 * named under "cut") until it fits. */
enum {
	REPORT_LINE_MAX = 16 << 20,
	REPORT_RUN_LINE_MAX = 256 << 20,
	REPORT_JUNIT_MAX = 512 << 20 /* of the cases in a JUnit file */
};

struct report_opts {
	const char *program;	/* name for JUnit */
	const char *run_dir;	/* gets results.jsonl; NULL: none */
	const char *junit_path; /* NULL: none */
	bool json;		/* JSON lines on stdout instead of KTAP */
	bool color;		/* on stderr */
	bool progress;		/* stderr is a terminal */
	bool brief;		/* the summary does not list what passed or was skipped */
	bool silent;		/* nothing for stdout and stderr but progress: another reports */
	bool one_screen;	/* both streams are terminals: KTAP has shown the details */
};

struct report;

int report_create(const struct report_opts *opts, unsigned int planned, struct report **ret_report,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
/* A line that is replaced by the next one; nothing without a terminal. */
void report_progress(struct report *report, const char *text);
/* The line "type": "run" that comes before the results; takes @run.  See docs/format/results.md. */
void report_run(struct report *report, json_t *run);
/* Results that follow are of @program (borrowed until the next call or the end), and with
 * @label_it called "program:id". */
void report_program(struct report *report, const char *program, bool label_it);
/* One line on the results as a whole; @kind is a word for it. */
void report_notice(struct report *report, const char *kind, const char *text);
void report_result(struct report *report, const struct result *result);
/* Writes what comes last; sets output_lost in @totals. */
void report_end(struct report *report, struct totals *totals);
void report_destroy(struct report *report);

#endif
