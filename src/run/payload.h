/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* payload.h - payloads of a running test, as the body's end sees them. */
#ifndef KTSTR_RUN_PAYLOAD_H
#define KTSTR_RUN_PAYLOAD_H

struct ktstr;

/* Kills and records what still runs.  Handles stay valid, as the body may hold them in statics. */
void payload_end_all(struct ktstr *t);

#endif
