/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * cli.h - what the commands of the ktstr program share.
 *
 * A command is one row in main.c and one file cmd_<name>.c: it parses with cli_parse(), calls the
 * public API, prints results to stdout and everything else to stderr, and returns an exit code of
 * enum ktstr_exit.
 */
#ifndef KTSTR_CLI_H
#define KTSTR_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <ktstr/error.h>
#include <ktstr/options.h>

struct cli_verb {
	const char *name;
	const char *about; /* for the list of commands: lower case, no full stop */
	/* argv[0] is the verb.  Return: an exit code. */
	int (*run)(int argc, char **argv);
};

/* Prints "ktstr: TEXT" on stderr and returns @exit_code. */
int cli_fail(int exit_code, const struct ktstr_error *err);
int cli_failf(int exit_code, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/* The exit code of a command that failed with @code: USAGE where what the command line names is not
 * there, is none or means several. */
int cli_exit_code(int code);

/* Can @path, which an option names, be made?  NULL: it was not given.
 * Return: -1 to go on, else an exit code; the complaint is printed. */
int cli_check_output(const char *path);

/* Did the work fail with @code because the folder @dir, which an option names, cannot be made?  NULL:
 * it was not given. */
bool cli_folder_is_wrong(const char *dir, int code);

/* Prints @object compact on a line of stdout and drops it; NULL is a lack of memory.  That stdout
 * takes no more is left to cli_close_stdout() to say.
 * Return: an exit code. */
int cli_print_json(json_t *object);

/* Parses a command line.  Return: -1 to go on, else the exit code to leave with (help or a
 * usage error, both already printed). */
int cli_parse(const struct ktstr_command *command, int argc, char **argv,
	      struct ktstr_operands *ret_operands);

/* The same for a command whose only option is --json. */
int cli_parse_json(const struct ktstr_command *command, int argc, char **argv, bool *ret_json,
		   struct ktstr_operands *ret_operands);

struct cli_list {
	const void *items;
	int nr;
	size_t item_size;
	const char *none; /* a line for stderr if there are none */
	void (*print)(const void *items, int nr);
	json_t *(*json)(const void *item);
};

/* Prints the list, or each of its items as JSON.  Return: an exit code. */
int cli_print_list(const struct cli_list *list, bool json);

/* A program or command that consists of verbs. */
struct cli_verbs {
	const char *prefix; /* "ktstr kernel"; for messages */
	const char *about;
	const struct cli_verb *verbs;
	size_t nr;
};

/* Runs the verb that argv[1] names, or prints the list of verbs for --help.
 * Return: an exit code. */
int cli_dispatch(int argc, char **argv, const struct cli_verbs *verbs);

/* Return: did all that was printed so far come out?  If not, cli_close_stdout() will say why. */
bool cli_flush_stdout(void);

/* Flushes and closes stdout, and says if anything was lost.  Return: @exit_code; HARNESS if something
 * was lost and the command was content. */
int cli_close_stdout(int exit_code);

/* The verbs, one per cmd_<name>.c. */
int cmd_check(int argc, char **argv);
int cmd_ctprof(int argc, char **argv);
int cmd_ctprof_capture(int argc, char **argv);
int cmd_ctprof_compare(int argc, char **argv);
int cmd_ctprof_metrics(int argc, char **argv);
int cmd_ctprof_probe(int argc, char **argv);
int cmd_ctprof_show(int argc, char **argv);
int cmd_ctprof_watch(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_kernel(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_runs(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_shell(int argc, char **argv);
int cmd_template(int argc, char **argv);
int cmd_topo(int argc, char **argv);

#endif
