/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * history.h - how long runs took before, so that the longest can go first.
 *
 * $XDG_STATE_HOME/ktstr/history.json: {"version": 1, "tests": {KEY: [duration_ns, when_s], ...}}, where
 * KEY is program, test, topology and mode, and when_s the last time it was seen (seconds since 1970).
 * A run reads it at its beginning and folds what it saw in at its end, under a lock.  A file that is
 * damaged, or of another version, counts as none and is replaced.  Of more than HISTORY_KEYS_MAX
 * keys, those not seen for longest go.
 */
#ifndef KTSTR_RUN_HISTORY_H
#define KTSTR_RUN_HISTORY_H

#include <jansson.h>
#include <stdint.h>

#include <ktstr/error.h>

enum { HISTORY_KEYS_MAX = 20000, HISTORY_KEY_MAX = 512, HISTORY_FILE_MAX = 16 << 20 };

struct history {
	json_t *tests; /* as in the file; NULL: none */
	json_t *seen;  /* of this run: key -> duration_ns */
};

/* Never fails: what cannot be read is logged and empty. */
void history_load(struct history *h);
void history_deinit(struct history *h);

/* Return: the expected duration, 0 if nothing is known. */
uint64_t history_expect(const struct history *h, const char *key);

/* Several of one key: their mean, later ones counting more. */
void history_note(struct history *h, const char *key, uint64_t duration_ns);

/* Never fails: what cannot be written is logged. */
void history_save(const struct history *h);

/* The "tests" of a file's text, checked; a new reference.  Return: 0, -EINVAL, -E2BIG. */
int history_parse(const char *text, size_t len, json_t **ret_tests,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
