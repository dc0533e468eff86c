/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* run_line.h - the first line of results.jsonl: what was asked for. */
#ifndef KTSTR_RUN_RUN_LINE_H
#define KTSTR_RUN_RUN_LINE_H

#include <jansson.h>

#include "run/plan.h"
#include "run/settings.h"

enum { RUN_LINE_SEEDS = 48 };

/* "7", or "1..9". */
void run_line_seeds(const struct settings *settings, char text[RUN_LINE_SEEDS]);

/* One object of type "run", docs/format/results.md; NULL for lack of memory. */
json_t *run_line(const struct settings *settings, const struct plan *plan, const char *program);

#endif
