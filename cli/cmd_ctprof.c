// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/api.h>

#include "cli.h"

int cmd_ctprof(int argc, char **argv)
{
	static const struct cli_verb verbs[] = {
		{ "capture", "record every thread of this machine", cmd_ctprof_capture },
		{ "show", "print a saved record", cmd_ctprof_show },
		{ "compare", "show what changed between two records", cmd_ctprof_compare },
		{ "watch", "show the top movers live", cmd_ctprof_watch },
		{ "probe", "read the jemalloc counters of one process", cmd_ctprof_probe },
		{ "metrics", "list the values of a record", cmd_ctprof_metrics },
	};

	return cli_dispatch(argc, argv,
			    &(struct cli_verbs){ .prefix = "ktstr ctprof",
						 .about = "Profiles threads by their counters.",
						 .verbs = verbs,
						 .nr = sizeof(verbs) / sizeof(verbs[0]) });
}
