/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * results_file.h - results.jsonl read back (docs/format/results.md), whoever wrote it.
 */
#ifndef KTSTR_RUN_RESULTS_FILE_H
#define KTSTR_RUN_RESULTS_FILE_H

#include <jansson.h>

#include "base/lines.h"
#include "run/plan.h"
#include <ktstr/error.h>

enum { RESULTS_LINES_MAX = 8000000, RESULTS_PROGRAM_MAX = 255 };

enum results_kind {
	RESULTS_RUN,
	RESULTS_RESULT,
	RESULTS_SUMMARY,
	RESULTS_OTHER,	 /* of a type that is nothing to us */
	RESULTS_CUT,	 /* the last line, without its end */
	RESULTS_DAMAGED, /* no line of such a file; why says it */
	RESULTS_NEWER	 /* likewise: of a newer version; nothing behind it can be trusted */
};

struct results_line {
	enum results_kind kind;
	json_t *object; /* RUN, RESULT, SUMMARY; lives until the next call */
	struct line place;
	struct ktstr_error why;
};

struct results_reader {
	struct lines lines;
	json_t *object;
};

/* Reads @fd (borrowed) from where it stands. */
void results_reader_init(struct results_reader *reader, int fd);
void results_reader_deinit(struct results_reader *reader);
#define _cleanup_results_reader_ __attribute__((cleanup(results_reader_deinit)))

/* Return: 1 and a line, 0 at the end, -E2BIG (too many lines), -ENOMEM, or -errno of read(2). */
int results_reader_next(struct results_reader *reader,
			struct results_line *ret_line) KTSTR_MUST_CHECK;

/* What a line of type "run" says about which folders belong together.  The lists are arrays of
 * ids, borrowed from its object. */
struct results_run {
	char program[RESULTS_PROGRAM_MAX + 1];
	const json_t *all, *plan; /* plan is all if it is not there */
	struct plan_shard shard;
	char partition[64]; /* its text; "" if whole */
};

/* Return: 0, -EINVAL, -E2BIG; @err names the key. */
int results_run_read(const json_t *object, struct results_run *ret_run,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
