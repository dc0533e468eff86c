/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * settings.h - the command line of a test program.
 */
#ifndef KTSTR_RUN_SETTINGS_H
#define KTSTR_RUN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "run/machine.h"
#include "run/plan.h"
#include "run/protocol.h"
#include <ktstr/options.h>
#include <ktstr/topology.h>

enum { SETTINGS_JOBS_MAX = 1024 };

struct settings {
	bool list, dump, json, keep, verbose, version, help;
	bool fail_fast;	  /* after the first FAIL or ERROR start nothing more */
	bool no_template; /* boot every guest */
	bool console;	  /* guests' consoles go to stderr as they are written; one job at a time */
	struct ktstr_option_list patterns; /* of -t, then the operands */
	const char *junit_path, *topology_text, *kernel_spec, *qemu_path, *run_dir;
	bool has_topology;
	struct ktstr_topology topology;
	uint64_t run_timeout_ns;  /* 0: none */
	uint64_t test_timeout_ns; /* 0: the test's own */
	uint64_t memory_bytes;	  /* 0: the test's own */
	const char *kernel_args;  /* behind the test's own; NULL: none */
	bool color;		  /* on stderr */
	enum machine_mode mode;
	enum perturb perturb;
	uint64_t first_seed, last_seed; /* both within INT64_MAX, which JSON can say */
	uint32_t repetitions;
	uint32_t jobs;		    /* at once; 0: by cores and memory */
	uint64_t wall_limit_ns;	    /* of an exact run's body; 0: the default */
	const char *partition_text; /* NULL: none */
	struct plan_shard shard;
};

/* Texts are borrowed from @argv.  Return: 0, or -EINVAL with one line that says what is wrong. */
int settings_parse(int argc, char **argv, struct settings *ret_settings,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* As on the command line. */
const char *settings_mode_word(enum machine_mode mode);

/* "always", "never", or "auto" (NULL too): is stderr a terminal and NO_COLOR unset?
 * Return: 0, or -EINVAL. */
int settings_decide_color(const char *word, bool *ret_color,
			  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The help, for stdout. */
void settings_help(const char *program, FILE *out);

#endif
