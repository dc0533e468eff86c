/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * launch.h - start one guest: restored from a template where there is one to be had, else booted.
 */
#ifndef KTSTR_RUN_LAUNCH_H
#define KTSTR_RUN_LAUNCH_H

#include "run/evidence.h"
#include "run/machine.h"
#include "vm/template.h"

struct launch_opts {
	const struct machine *machine;
	struct ktstr_topology topology;
	uint64_t memory_bytes;
	const char *kernel_args; /* NULL: none */
	const char *job_path, *files_path;
	const char *dir;
	bool cold;    /* boot, whatever templates there are */
	int shell_fd; /* as in struct vm_opts, like the next three */
	const char *gdb_path;
	bool hold, pause_at_stop;
	/* Said when a template has to be made or waited for; NULL: to the log. */
	void (*progress)(void *arg, const char *text);
	void *progress_arg;
};

struct launch {
	struct vm *vm;
	struct template *template;
};

/* Without a template a warning says why, once per machine, and the guest is booted.
 * Return: 0, -EINTR, or as vm_start(). */
int launch_start(const struct launch_opts *opts, struct evidence *e, struct launch *ret_launch,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Ends QEMU if it runs, and frees.  A zeroed one is fine. */
void launch_end(struct launch *launch);

#endif
