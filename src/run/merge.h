/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * merge.h - what the results files of several runs say together.
 *
 * Results stay in their files: a merge keeps where each one stands, so that memory grows with the
 * number of ids only.  An id is taken once:
 *
 *	finished beats not finished ("interrupted", "run-timeout") beats "no-result",
 *	of equals the worse verdict counts: FAIL, ERROR, UNDECIDED, SKIP, PASS,
 *	else the file that came first.
 *
 * What is odd becomes a notice.  Damage means that something was written that cannot be read.
 */
#ifndef KTSTR_RUN_MERGE_H
#define KTSTR_RUN_MERGE_H

#include "run/result.h"
#include "run/results_file.h"

enum {
	MERGE_FILES_MAX = 4096,
	MERGE_PROGRAMS_MAX = 256,
	MERGE_IDS_MAX = 4000000, /* of all programs */
	MERGE_NOTICES_MAX = 200, /* of a kind; more are counted */
	MERGE_NAMED = 5		 /* ids that a notice names */
};

#define MERGE_NO_RESULT "no-result" /* the end of what is missing */

enum merge_notice_kind { MERGE_NOTE, MERGE_MISSING, MERGE_CONFLICT, MERGE_DAMAGE, MERGE_KINDS };

struct merge_notice {
	enum merge_notice_kind kind;
	char *text; /* clean, one line */
};

/* Where the result of an id is, and who was to run it. */
struct merge_slot {
	uint64_t offset;
	uint32_t len;	  /* 0: no result */
	uint32_t file;	  /* of the result */
	uint32_t section; /* the first whose plan has it, plus 1; 0: none */
	uint32_t remark;  /* in merge.remarks, plus 1; 0: none */
};

/* A run line and what stood behind it, up to the next one. */
struct merge_section {
	uint32_t file, program;
	char partition[64];
	uint32_t nr_planned;
	uint32_t facts_said;	 /* a bit for each fact that was said to differ */
	bool ended, interrupted; /* from the summary */
};

struct merge_program {
	char *name;
	char **ids;	 /* in the order of the run lines */
	uint32_t *order; /* indexes, sorted by id */
	struct merge_slot *slots;
	uint32_t nr;
	uint32_t first_file;
	json_t *facts;		 /* by key: "value", "file" that said it first, "differs" */
	struct plan_shard shard; /* of the first section that is one */
};

struct merge_file {
	char *dir, *path;
};

struct merge {
	struct merge_file *files;
	struct merge_section *sections;
	struct merge_program *programs;
	struct merge_notice *notices;
	char **remarks; /* on single results */
	uint32_t nr_files, nr_sections, nr_programs, nr_notices, nr_remarks;
	uint64_t nr_ids;
	uint64_t nr_kind[MERGE_KINDS];	 /* notices, also those beyond the limit */
	uint64_t nr_same, nr_superseded; /* doubles */
	char *same_example, *superseded_example;
	/* What the guests ran on, from the summaries, while they agree. */
	char *kernel, *qemu, *accelerator;
	bool machines_differ;
	bool events_parted; /* one exact run has two streams of events */
	bool out_of_memory;
};

#define _cleanup_merge_ __attribute__((cleanup(merge_deinit)))

/* A zeroed merge is empty. */
void merge_deinit(struct merge *merge);

/* Takes in one results file; @dir is its name in messages.  What is wrong with the file alone is a
 * notice.
 *
 * Return: 0, -EINVAL (its matrix is not that of the same program's other files; @err has an
 * example), -E2BIG (over a limit), -ENOMEM. */
int merge_add(struct merge *merge, const char *dir, const char *path,
	      struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Once, after the last merge_add(): notices on doubles and on what is missing. */
void merge_conclude(struct merge *merge);

/* The result of one id, or the error that there is none.  Return: 0 or -ENOMEM. */
int merge_load(const struct merge *merge, const struct merge_program *program, uint32_t index,
	       struct result *ret_result) KTSTR_MUST_CHECK;

/* The events of the first exact run of a test and seed; zeroed at first. */
struct merge_course {
	char *name, *id;
	uint64_t seed;
	json_t *inputs;
	char events_sha256[65];
};

/* Results are shown to it in the order of the matrix, where repetitions stand together.  One that
 * took another course than its first repetition with the same inputs becomes an ERROR, as it would
 * within one run.  Return: 0 or -1 for lack of memory. */
int merge_course_check(struct merge_course *course, struct result *result) KTSTR_MUST_CHECK;
void merge_course_deinit(struct merge_course *course);

/* A run line for the merged file. */
json_t *merge_run_line(const struct merge_program *program);

/* "note", "missing", "conflict" or "damage". */
const char *merge_notice_word(enum merge_notice_kind kind);

/* --- parts of merge_add() and merge_conclude() ------------------------------------------------ */

void merge_notice(struct merge *merge, enum merge_notice_kind kind, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);
/* The program of @run, new or known, in @ret_program.  Return: as merge_add(). */
int merge_enter_program(struct merge *merge, uint32_t file, const struct results_run *run,
			uint32_t *ret_program, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Index of @id, or -1. */
int64_t merge_find(const struct merge_program *program, const char *id);
/* Notes what the run line or a result says of the machine, and what others said otherwise. */
void merge_facts_of_run(struct merge *merge, struct merge_section *section, const json_t *run);
void merge_facts_of_result(struct merge *merge, struct merge_section *section,
			   const struct result *result);
/* Takes in a result that stands at @place of the section's file. */
void merge_take(struct merge *merge, struct merge_section *section, const struct result *result,
		const struct line *place);
void merge_program_deinit(struct merge_program *program);

#endif
