/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* findings.h - findings as the reports have them. */
#ifndef KTSTR_CHECK_FINDINGS_H
#define KTSTR_CHECK_FINDINGS_H

#include <jansson.h>

#include "check/judge.h"

/* {"check", "verdict", "subject", "step"?, "value"?, "bound"?, "unit"?, "from", "text"}; NULL: lack of
 * memory. */
json_t *finding_to_json(const struct judge_finding *finding);
/* As a CHECK record of protocol.h has it, with "check" and "error": true if the verdict is ERROR; text
 * says what was demanded, why the finding's sentence.  NULL: lack of memory. */
json_t *finding_to_check(const struct judge_finding *finding);

#endif
