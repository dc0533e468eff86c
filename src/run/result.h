/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * result.h - one judged test as the reports see it, and the sums over a run.
 */
#ifndef KTSTR_RUN_RESULT_H
#define KTSTR_RUN_RESULT_H

#include <jansson.h>

#include "run/verdict.h"
#include <ktstr/test.h>

enum {
	RESULT_VERSION = 2,
	RESULT_OUTPUT_LINES = 10,
	RESULT_END_SIZE = 24,	  /* of the word and its NUL */
	RESULT_ID_MAX = 4095,	  /* bytes of an id or a test's name */
	RESULT_TEXT_MAX = 4 << 20 /* bytes of any other text */
};

/* All texts are cleaned (text.h) but folder, rerun and those in the JSON lists, which are as they
 * came; NULL and 0 where there is nothing. */
struct result {
	char *name, *about; /* of the test */
	/* What was run of it: plan.h.  The id alone is unique within a run. */
	char *id;
	uint64_t seed;
	uint32_t repetition; /* from 1 */
	char mode[8];	     /* "exact", "live" or "host" */
	/* Exact and live runs: all that the run is a function of ("inputs"), and what came of it. */
	json_t *inputs;
	char events_sha256[65]; /* of the guest's records; "" if they are not whole */
	uint64_t nr_events;
	uint64_t virtual_ns; /* guest time from HELLO to its last record; 0: not known */
	bool cloned;	     /* restored from a template */
	enum ktstr_verdict verdict;
	char end[RESULT_END_SIZE]; /* one word for programs, such as "panic" */
	char *reasons;		   /* lines; "" for PASS */
	json_t *failed, *notes, *values, *payloads;
	json_t *findings; /* of a scenario's judge */
	uint64_t nr_checks, nr_failed, nr_notes, nr_values;
	uint64_t duration_ns;		    /* from the start of its set-up to the verdict */
	uint64_t hello_ns;		    /* from the start of QEMU to the agent's hello */
	uint64_t body_ns;		    /* from the start of the body to its end */
	char topology[KTSTR_TOPOLOGY_TEXT]; /* "" for host_only */
	char *kernel;			    /* uname -r as the guest said */
	char *console_tail, *output_tail;   /* only if they matter */
	char *folder, *rerun;
	bool no_capacity;
};

/* Takes what it needs out of @e.  @ret_result is zeroed by the caller. */
int result_from_evidence(struct evidence *e, const struct ktstr_entry *entry,
			 struct result *ret_result) KTSTR_MUST_CHECK;
/* A test that never had evidence: not met needs, broken declaration. */
int result_without_run(const struct ktstr_entry *entry, enum ktstr_verdict verdict,
		       const char *reason, struct result *ret_result) KTSTR_MUST_CHECK;
void result_set_end(struct result *result, const char *word);
void result_deinit(struct result *result);

/* One JSON object, "type": "result"; keys as in docs/format/results.md.  NULL: lack of memory. */
json_t *result_to_json(const struct result *result);
/* The reverse, whole or not at all: every field is as it was written.  Unknown keys are ignored;
 * lists and inputs are shared with @object.
 *
 * Return: 0, -EINVAL (a key is missing or of another type, named in @err), -E2BIG (over a limit),
 * -ENOTSUP (written by a newer version), -ENOMEM. */
int result_from_json(const json_t *object, struct result *ret_result,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Is it an id: one clean line of 1 to RESULT_ID_MAX bytes?  Tests with names that are refused have
 * results too, so blanks are fine.  @text may be NULL. */
bool result_is_id(const char *text, size_t len);

/* What tells it from the others of its run: the id, if it has one, else the name. */
const char *result_label(const struct result *result);

/* The first line of the reasons, malloc'ed; "" if there are none. */
char *result_headline(const struct result *result);

/* A text of a result, or of one of its findings, that is JSON; "" if there is none. */
const char *result_text(const json_t *object, const char *key);

struct totals {
	unsigned int planned;
	unsigned int counts[KTSTR_ERROR + 1]; /* by verdict */
	unsigned int nr_no_capacity;	      /* of the errors */
	uint64_t duration_ns;
	bool interrupted, time_over, failed_fast;
	bool output_lost; /* a report could not be written */
	bool input_damaged; /* merging: a file could not be read, or exact runs contradict each other */
	bool empty_shard; /* a part of a run that has none of its runs */
	char seeds[48];	  /* "1" or "1..9"; "" if it is not known */
	/* Of runs of one test more than once (tally.h): lines for people, and a list; borrowed, NULL
	 * if there is nothing to say. */
	const char *tally;
	json_t *tests;
	/* What the guests ran on, borrowed; NULL if none was started. */
	const char *kernel, *qemu, *accelerator;
};

enum { TOTALS_PARTS = 5 };

/* The counts in the order and the words in which people read them. */
extern const struct totals_part {
	enum ktstr_verdict verdict;
	const char *word;
} totals_parts[TOTALS_PARTS];

/* How many have a verdict. */
unsigned int totals_ran(const struct totals *totals);
void totals_add(struct totals *totals, const struct result *result);
/* "type": "summary". */
json_t *totals_to_json(const struct totals *totals);
/* Interrupted beats time over beats lost output and damaged input beats FAIL beats ERROR beats UNDECIDED.
 * An empty shard passes: what is there has run. */
enum ktstr_exit totals_exit(const struct totals *totals);

#endif
