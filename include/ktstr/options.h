/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * options.h - command lines as tables: one row per option, help and parsing from the same rows.
 *
 * Accepted: -x, -xVALUE, -x VALUE, bundled flags (-lv), --long, --long VALUE, --long=VALUE;
 * options and operands in any order; everything after "--" is kept apart.  -h and --help are
 * understood without a row.  Nothing is printed by the parser.
 */
#ifndef KTSTR_OPTIONS_H
#define KTSTR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ktstr/error.h>

/* What a row's target points to. */
enum ktstr_option_kind {
	KTSTR_OPTION_FLAG,     /* bool, set to true */
	KTSTR_OPTION_TEXT,     /* const char *, borrowed from argv; the last one wins */
	KTSTR_OPTION_LIST,     /* struct ktstr_option_list, every occurrence in order */
	KTSTR_OPTION_U32,      /* uint32_t, decimal */
	KTSTR_OPTION_U64,      /* uint64_t, decimal */
	KTSTR_OPTION_BYTES,    /* uint64_t; 512M, 2GiB, 65536 */
	KTSTR_OPTION_DURATION, /* uint64_t nanoseconds; 250ms, 1.5s, 2m; a bare number is seconds */
};

enum { KTSTR_OPTION_LIST_MAX = 64 };

struct ktstr_option_list {
	size_t nr;
	const char *items[KTSTR_OPTION_LIST_MAX]; /* borrowed from argv */
};

struct ktstr_option {
	char short_name;       /* 0: none */
	const char *long_name; /* without "--"; NULL: none */
	const char *arg;       /* name of the value in the help, such as "FILE"; NULL for flags */
	const char *help;      /* one sentence, lower case, no full stop */
	enum ktstr_option_kind kind;
	void *target;
};

/* One command as its user sees it. */
struct ktstr_command {
	const char *name;  /* "ktstr run"; starts its usage line */
	const char *usage; /* what follows the name, such as "[OPTION]... PROGRAM [PATTERN]..." */
	const char *about; /* one line or more, no final newline */
	const struct ktstr_option *options;
	size_t nr_options;
	/* How many operands it takes before "--"; operands_max 0 means none. */
	size_t operands_min, operands_max;
	bool takes_rest; /* accepts "--" followed by anything */
};

/* What is left of argv. */
struct ktstr_operands {
	size_t nr;
	char **items; /* argv + 1, reordered */
	size_t nr_rest;
	char **rest;	/* after "--"; NULL-terminated as argv is */
	bool has_rest;	/* there was a "--" */
	bool want_help; /* -h or --help: print the help and leave; operands are not counted */
};

/**
 * ktstr_options_parse() - read a command line into the targets of its rows.
 * @command:	the table
 * @argc:	as main() has it
 * @argv:	argv[0] is skipped; entries are reordered, the texts stay
 * @ret_operands: written on success
 * @err:	one line that names the option and the way to the help; may be NULL
 *
 * Targets of rows that were met before an error stay written.
 *
 * Return: 0, or -EINVAL (unknown option, value missing, malformed or not wanted, too few or too
 * many operands, more than KTSTR_OPTION_LIST_MAX values).
 */
KTSTR_API int ktstr_options_parse(const struct ktstr_command *command, int argc, char **argv,
				  struct ktstr_operands *ret_operands,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_options_help() - write usage, sentence and the table of options.
 * @command:	the table
 * @out:	where to
 */
KTSTR_API void ktstr_options_help(const struct ktstr_command *command, FILE *out);

/**
 * ktstr_stdio_hold() - take the descriptors 0 to 2 that the program was started without.
 *
 * They are opened on /dev/null the wrong way round: nothing else ends up under their numbers, and
 * whoever reads or writes there fails with EBADF as before.  For the beginning of main(), while
 * there is one thread.
 */
KTSTR_API void ktstr_stdio_hold(void);

#endif
