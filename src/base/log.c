// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <ktstr/log.h>

static ktstr_log_fn callback;
static void *callback_arg;

void ktstr_log_set(ktstr_log_fn fn, void *arg)
{
	callback = fn;
	callback_arg = arg;
}

void ktstr_log(enum ktstr_log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!callback)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	callback(callback_arg, level, line);
}
