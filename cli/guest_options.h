/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* guest_options.h - the options that 'ktstr shell' and 'ktstr exec' share. */
#ifndef KTSTR_GUEST_OPTIONS_H
#define KTSTR_GUEST_OPTIONS_H

#include <stdbool.h>

#include <ktstr/options.h>
#include <ktstr/vm.h>

enum { GUEST_OPTION_ROWS = 10 };

struct guest_options {
	const char *topology, *kernel, *kernel_args, *qemu, *mode, *keep_dir;
	bool no_template;
	uint64_t memory_bytes, timeout_ns;
	struct ktstr_option_list includes;
};

void guest_options_rows(struct guest_options *options, struct ktstr_option rows[GUEST_OPTION_ROWS]);

/* Runs @argv (NULL: a shell) in a guest.  Return: an exit code; failures are printed. */
int guest_options_run(const struct guest_options *options, const char *const *argv);

#endif
