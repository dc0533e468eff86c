/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * settings.h - the command line of a test program.
 */
#ifndef KTSTR_RUN_SETTINGS_H
#define KTSTR_RUN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/options.h>
#include <ktstr/topology.h>

struct settings {
	bool list, json, keep, verbose, version, help;
	struct ktstr_option_list patterns; /* of -t, then the operands */
	const char *junit_path, *topology_text, *kernel_spec, *qemu_path, *run_dir;
	bool has_topology;
	struct ktstr_topology topology;
	uint64_t run_timeout_ns;  /* 0: none */
	uint64_t test_timeout_ns; /* 0: the test's own */
	uint64_t memory_bytes;	  /* 0: the test's own */
	bool color;		  /* on stderr */
};

/* Texts are borrowed from @argv.  Return: 0, or -EINVAL with one line that says what is wrong. */
int settings_parse(int argc, char **argv, struct settings *ret_settings,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The help, for stdout. */
void settings_help(const char *program, FILE *out);

#endif
