/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* loader.h - parts of ktstr-sched's loader. */
#ifndef KTSTR_SCHEDULERS_LOADER_H
#define KTSTR_SCHEDULERS_LOADER_H

#include <stdint.h>

#include "sched.h"

enum { EXIT_EJECTED = 1, EXIT_USAGE = 2, EXIT_LOAD = 3 };

struct settings {
	struct sched_options options;
	uint32_t watchdog_ms; /* 0: the kernel's default */
};

/* Fills in @settings from the command line.  --help and --list-faults print and exit.  Return: 0, or
 * -EINVAL; stderr says why. */
int settings_parse(int argc, char **argv, struct settings *settings);

/* What sysfs tells of this machine.  Return: 0, or -errno; stderr says why. */
int machine_read(struct sched_machine *ret_machine);

#endif
