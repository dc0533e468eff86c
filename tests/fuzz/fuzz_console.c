// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static unsigned int lines_of(const char *text)
{
	unsigned int nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console console;

	require(console_scan((const char *)data, size, &console) == 0);
	require(!console.nr_splats || (console.splat && console.splat_kind));
	require(!console.splat || lines_of(console.splat) <= CONSOLE_SPLAT_LINES);
	require(!console.tail || lines_of(console.tail) <= CONSOLE_TAIL_LINES);
	console_deinit(&console);
	return 0;
}
