/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* payloads.h - the payload programs of this build, for tests. */
#ifndef KTSTR_TESTS_LIB_PAYLOADS_H
#define KTSTR_TESTS_LIB_PAYLOADS_H

/* Absolute path of a payload program, malloc'ed; the test fails if it was not built. */
char *payload_path(const char *name);

#endif
