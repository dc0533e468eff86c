// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t')
			abort();
}

/* Whatever a guest prints, what is shown of it is printable, and kinds and texts go together. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console console;

	if (console_scan((const char *)data, size, &console) < 0)
		return 0;
	if (console.nr_splats && (!console.splat || !console.splat_kind))
		abort();
	check_clean(console.panic);
	check_clean(console.splat);
	check_clean(console.oom);
	check_clean(console.memcg_oom);
	check_clean(console.tail);
	console_deinit(&console);
	return 0;
}
