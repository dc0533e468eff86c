/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * log.h - one callback for everything the library has to say besides its results.
 *
 * The library itself uses DEBUG and WARN only; without a callback nothing is said.
 */
#ifndef KTSTR_LOG_H
#define KTSTR_LOG_H

#include <ktstr/api.h>

enum ktstr_log_level { KTSTR_LOG_ERROR, KTSTR_LOG_WARN, KTSTR_LOG_INFO, KTSTR_LOG_DEBUG };

typedef void (*ktstr_log_fn)(void *arg, enum ktstr_log_level level, const char *text);

/**
 * ktstr_log_set() - say where log lines go.
 * @fn:		called with one line without newline, from any thread; NULL for silence
 * @arg:	handed to @fn
 */
KTSTR_API void ktstr_log_set(ktstr_log_fn fn, void *arg);

/**
 * ktstr_log() - hand one line to the callback.
 * @level:	importance
 * @fmt:	printf format, no newline
 */
KTSTR_API void ktstr_log(enum ktstr_log_level level, const char *fmt, ...) KTSTR_PRINTF(2, 3);

#endif
