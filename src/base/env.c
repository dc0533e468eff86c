// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/env.h"

#include <stdlib.h>
#include <string.h>

bool env_terminal_is_dumb(void)
{
	const char *name = getenv("TERM");

	return !name || !*name || !strcmp(name, "dumb");
}

bool env_allows_color(void)
{
	const char *no_color = getenv("NO_COLOR");

	return !env_terminal_is_dumb() && !(no_color && *no_color);
}
