// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "run/body.h"
#include "run/scenario.h"

enum { BODY_ARGS = 6 };

/* What the job brought is what is run. */
static const struct ktstr_scenario brought = { 0 };
static const struct ktstr_test brought_test = { .scenario = &brought };

bool body_is_asked_for(int argc, char **argv)
{
	return argc == BODY_ARGS && !strcmp(argv[1], PROTOCOL_BODY_OPTION);
}

static int complain(const char *program)
{
	fprintf(stderr, "%s: %s is for the runner and the guest's agent only\n", path_base(program),
		PROTOCOL_BODY_OPTION);
	return KTSTR_EXIT_USAGE;
}

int body_main(char **argv, const struct registry *registry)
{
	const struct ktstr_entry brought_entry = { .abi = KTSTR_TEST_ABI,
						   .test_size = sizeof(struct ktstr_test),
						   .name = argv[2],
						   .file = "",
						   .test = &brought_test };
	struct body_opts opts = { .entry = registry ? registry_find(registry, argv[2]) : NULL };
	uint32_t fd;

	if (!opts.entry && scenario_is_there())
		opts.entry = &brought_entry;
	if (!opts.entry || seed_parse(argv[3], &opts.seed) < 0 ||
	    perturb_parse(argv[4], &opts.perturb) < 0 || parse_u32(argv[5], &fd) < 0 ||
	    fcntl((int)fd, F_GETFD) < 0)
		return complain(argv[0]);
	/* Programs the body starts must not hold it. */
	fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	opts.record_fd = (int)fd;
	return body_run(&opts);
}
