// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/api.h>

#include "base/io.h"
#include "base/near.h"

/* errno of the first write to standard output that was seen to fail; 0: none. */
static int output_error;

bool cli_flush_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (!output_error)
		output_error = errno;
	return false;
}

int cli_fail(int exit_code, const struct ktstr_error *err)
{
	return cli_failf(exit_code, "%s", err->text);
}

int cli_failf(int exit_code, const char *fmt, ...)
{
	va_list ap;

	cli_flush_stdout();
	fputs("ktstr: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return exit_code;
}

int cli_exit_code(int code)
{
	switch (code) {
	case -EINTR:
		return KTSTR_EXIT_INTERRUPTED;
	case -ENOENT:
	case -ENOTUNIQ:
	case -EEXIST:
	case -EINVAL:
		return KTSTR_EXIT_USAGE;
	default:
		return KTSTR_EXIT_HARNESS;
	}
}

int cli_check_output(const char *path)
{
	struct ktstr_error err;
	int r = path ? io_check_target(path, &err) : 0;

	if (r == 0)
		return -1;
	return cli_fail(io_path_is_wrong(r) ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS, &err);
}

bool cli_folder_is_wrong(const char *dir, int code)
{
	return dir && io_path_is_wrong(code) && access(dir, F_OK) < 0;
}

int cli_print_json(json_t *object)
{
	int r = object ? json_dumpf(object, stdout, JSON_COMPACT) : -1;
	bool is_lost = ferror(stdout) && !cli_flush_stdout();

	json_decref(object);
	if (is_lost)
		return KTSTR_EXIT_HARNESS;
	if (r < 0)
		return cli_failf(KTSTR_EXIT_HARNESS, "cannot write JSON");
	putchar('\n');
	return KTSTR_EXIT_PASS;
}

int cli_parse(const struct ktstr_command *command, int argc, char **argv,
	      struct ktstr_operands *ret_operands)
{
	struct ktstr_error err;

	if (ktstr_options_parse(command, argc, argv, ret_operands, &err) < 0)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	if (!ret_operands->want_help)
		return -1;
	ktstr_options_help(command, stdout);
	return KTSTR_EXIT_PASS;
}

int cli_parse_json(const struct ktstr_command *command, int argc, char **argv, bool *ret_json,
		   struct ktstr_operands *ret_operands)
{
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "write JSON, one object per line", KTSTR_OPTION_FLAG, ret_json },
	};
	struct ktstr_command full = *command;

	*ret_json = false;
	full.options = options;
	full.nr_options = 1;
	return cli_parse(&full, argc, argv, ret_operands);
}

int cli_print_list(const struct cli_list *list, bool json)
{
	int r = KTSTR_EXIT_PASS;

	if (!json && !list->nr)
		fprintf(stderr, "%s\n", list->none);
	else if (!json)
		list->print(list->items, list->nr);
	for (int i = 0; json && i < list->nr && r == KTSTR_EXIT_PASS; i++)
		r = cli_print_json(
			list->json((const char *)list->items + (size_t)i * list->item_size));
	return r;
}

static int help(const struct cli_verbs *verbs)
{
	printf("usage: %s COMMAND [ARGUMENT]...\n\n%s\n\ncommands:\n", verbs->prefix, verbs->about);
	for (size_t i = 0; i < verbs->nr; i++)
		printf("  %-8s  %s\n", verbs->verbs[i].name, verbs->verbs[i].about);
	printf("\nExit status, where a command does not say its own: 0 done, 2 wrong command line,\n"
	       "or it names what is not there or cannot be made, 70 it did not work, 130 interrupted.\n");
	printf("'%s COMMAND --help' describes one command.\n", verbs->prefix);
	return KTSTR_EXIT_PASS;
}

static int unknown(const char *word, const struct cli_verbs *verbs)
{
	struct near near = near_start(word);
	char hint[2 * NEAR_WORD];

	if (word[0] == '-')
		return cli_failf(KTSTR_EXIT_USAGE, "unknown option '%s', try '%s --help'", word,
				 verbs->prefix);
	for (size_t i = 0; i < verbs->nr; i++)
		near_offer(&near, verbs->verbs[i].name);
	near_hint(&near, hint, sizeof(hint));
	return cli_failf(KTSTR_EXIT_USAGE, "unknown command '%s'%s%s '%s --help'", word, hint,
			 hint[0] ? " try" : ", try", verbs->prefix);
}

int cli_dispatch(int argc, char **argv, const struct cli_verbs *verbs)
{
	if (argc < 2)
		return cli_failf(KTSTR_EXIT_USAGE, "missing command, try '%s --help'",
				 verbs->prefix);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(verbs);
	for (size_t i = 0; i < verbs->nr; i++)
		if (!strcmp(argv[1], verbs->verbs[i].name))
			return verbs->verbs[i].run(argc - 1, argv + 1);
	return unknown(argv[1], verbs);
}

int cli_close_stdout(int exit_code)
{
	bool failed = !cli_flush_stdout();

	if (fclose(stdout) != 0 && !failed) {
		failed = true;
		output_error = errno;
	}
	if (!failed)
		return exit_code;
	fprintf(stderr, "ktstr: write to standard output: %s\n",
		output_error ? strerror(output_error) : "not all results could be written");
	return exit_code == KTSTR_EXIT_PASS ? KTSTR_EXIT_HARNESS : exit_code;
}
