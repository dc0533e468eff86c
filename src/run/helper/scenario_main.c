// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* ktstr-scenario: the body's process where a run is nothing but a scenario. */
#include <stdio.h>

#include "run/body.h"

int main(int argc, char **argv)
{
	if (!body_is_asked_for(argc, argv)) {
		fputs("ktstr-scenario is started by the guest's agent, and does nothing else\n",
		      stderr);
		return KTSTR_EXIT_USAGE;
	}
	return body_main(argv, NULL);
}
