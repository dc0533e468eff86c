// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include <ktstr/vm.h>

/* What the runner itself says, or lives by; "lsm=" and the like may be said again. */
static const char *const reserved[] = { "console=", "rdinit=", "init=",	    "initrd=", "panic=",
					"reboot=",  "ktstr.",  "loglevel=", "tsc=",    "--" };

static int check_characters(const char *text, struct ktstr_error *err)
{
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			return ktstr_error_set(err, -EINVAL,
					       "kernel arguments: character %zu is not a printable "
					       "one of ASCII",
					       (size_t)(p - text) + 1);
	return 0;
}

int ktstr_kernel_args_check(const char *text, struct ktstr_error *err)
{
	int r = check_characters(text, err);

	if (r == 0 && strlen(text) >= KTSTR_KERNEL_ARGS_BYTES)
		return ktstr_error_set(err, -EINVAL, "kernel arguments: more than %d bytes",
				       KTSTR_KERNEL_ARGS_BYTES - 1);
	for (const char *word = text; r == 0 && *word; word += strcspn(word, " ")) {
		word += strspn(word, " ");
		for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
			if (!strncmp(word, reserved[i], strlen(reserved[i])))
				return ktstr_error_set(err, -EINVAL,
						       "kernel arguments: '%.*s' is for the "
						       "runner to say",
						       (int)strcspn(word, " "), word);
	}
	return r;
}
