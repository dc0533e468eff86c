// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/error.h>

static void mark_cut(struct ktstr_error *err)
{
	memcpy(err->text + sizeof(err->text) - 4, "...", 4);
}

int ktstr_error_set(struct ktstr_error *err, int code, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(err->text))
		mark_cut(err);
	return code;
}

int ktstr_error_wrap(struct ktstr_error *err, int code, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	size_t left;
	va_list ap;
	int n;

	if (!err)
		return code;
	memcpy(inner, err->text, sizeof(inner));
	err->code = code;
	va_start(ap, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(err->text)) {
		mark_cut(err);
		return code;
	}
	left = sizeof(err->text) - (size_t)n;
	if (snprintf(err->text + n, left, ": %s", inner) >= (int)left)
		mark_cut(err);
	return code;
}

int ktstr_error_nomem(struct ktstr_error *err)
{
	return ktstr_error_set(err, -ENOMEM, "out of memory");
}
