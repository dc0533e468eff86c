/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * error.h - what went wrong, as a plain value on the caller's stack.
 *
 * Every function that can fail for more than one reason takes a last parameter
 * struct ktstr_error *err, which may be NULL.  Nothing is allocated and nothing must be freed.
 * A text says what failed, with what, and what to do next; lower case, no full stop, the subject
 * in quotes.  It is valid only after a call has failed.
 */
#ifndef KTSTR_ERROR_H
#define KTSTR_ERROR_H

#include <ktstr/api.h>

struct ktstr_error {
	int code;	 /* negative errno */
	char text[1020]; /* always terminated; cut texts end in "..." */
};

/**
 * ktstr_error_set() - record an error and return its code, for one-line returns.
 * @err:	filled; may be NULL
 * @code:	negative errno
 * @fmt:	printf format of the text
 *
 * Return: @code.
 */
KTSTR_API int ktstr_error_set(struct ktstr_error *err, int code, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);

/**
 * ktstr_error_wrap() - put what the caller was doing in front of an error's text.
 * @err:	an error already set; may be NULL
 * @code:	negative errno to return and keep
 * @fmt:	printf format of what was being done; ": " and the old text follow
 *
 * Return: @code.
 */
KTSTR_API int ktstr_error_wrap(struct ktstr_error *err, int code, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);

/**
 * ktstr_error_nomem() - the error of a failed allocation; needs no memory itself.
 * @err:	filled; may be NULL
 *
 * Return: -ENOMEM.
 */
KTSTR_API int ktstr_error_nomem(struct ktstr_error *err);

#endif
