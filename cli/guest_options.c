// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/api.h>
#include <ktstr/log.h>

#include "cli.h"

void guest_options_rows(struct guest_options *options, struct ktstr_option rows[GUEST_OPTION_ROWS])
{
	const struct ktstr_option all[GUEST_OPTION_ROWS] = {
		{ 'i', "include", "FILE",
		  "take this host file along, to /files/NAME or as FILE:/guest/path (repeatable)",
		  KTSTR_OPTION_LIST, &options->includes },
		{ 0, "topology", "T", "CPU topology of the guest, such as 1n2l4c2t",
		  KTSTR_OPTION_TEXT, &options->topology },
		{ 0, "kernel", "SPEC",
		  "boot this: a cached name, version, bzImage, vmlinux or tree", KTSTR_OPTION_TEXT,
		  &options->kernel },
		{ 0, "qemu", "PATH", "use this QEMU", KTSTR_OPTION_TEXT, &options->qemu },
		{ 0, "memory", "SIZE", "memory of the guest, such as 512M", KTSTR_OPTION_BYTES,
		  &options->memory_bytes },
		{ 0, "kernel-args", "WORDS", "more words for the kernel's command line",
		  KTSTR_OPTION_TEXT, &options->kernel_args },
		{ 0, "mode", "MODE", "live (this machine's time) or exact (virtual time)",
		  KTSTR_OPTION_TEXT, &options->mode },
		{ 0, "no-template", NULL, "boot the guest instead of cloning a booted one",
		  KTSTR_OPTION_FLAG, &options->no_template },
		{ 0, "timeout", "TIME", "end it after this long, such as 90s or 10m",
		  KTSTR_OPTION_DURATION, &options->timeout_ns },
		{ 0, "keep", "DIR", "keep the run's files in this folder, new or empty",
		  KTSTR_OPTION_TEXT, &options->keep_dir },
	};

	memcpy(rows, all, sizeof(all));
}

static int exit_code_of(int code)
{
	switch (code) {
	case -EINTR:
		return KTSTR_EXIT_INTERRUPTED;
	case -ETIMEDOUT:
		return KTSTR_EXIT_TIMEOUT;
	case -EEXIST:
	case -EINVAL:
		return KTSTR_EXIT_USAGE;
	default:
		return KTSTR_EXIT_HARNESS;
	}
}

static void warn(void *arg, enum ktstr_log_level level, const char *text)
{
	(void)arg;
	if (level <= KTSTR_LOG_WARN)
		fprintf(stderr, "ktstr: warning: %s\n", text);
}

int guest_options_run(const struct guest_options *options, const char *const *argv)
{
	const char *includes[KTSTR_OPTION_LIST_MAX + 1] = { NULL };
	struct ktstr_guest_opts opts = {
		.argv = argv,
		.kernel_spec = options->kernel,
		.qemu_path = options->qemu,
		.memory_bytes = options->memory_bytes,
		.kernel_args = options->kernel_args,
		.timeout_ns = options->timeout_ns,
		.includes = includes,
		.keep_dir = options->keep_dir,
		.exact = options->mode && !strcmp(options->mode, "exact"),
		.cold = options->no_template,
	};
	struct ktstr_error err = { 0 };
	int status, r;

	if (options->mode && !opts.exact && strcmp(options->mode, "live") != 0)
		return cli_failf(KTSTR_EXIT_USAGE, "--mode '%s': live or exact is meant",
				 options->mode);
	memcpy(includes, options->includes.items, options->includes.nr * sizeof(includes[0]));
	if (options->kernel_args && ktstr_kernel_args_check(options->kernel_args, &err) < 0)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	if (options->topology && ktstr_topology_parse(options->topology, &opts.topology, &err) < 0)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	ktstr_log_set(warn, NULL);
	r = ktstr_guest_run(&opts, &status, &err);
	ktstr_log_set(NULL, NULL);
	if (r >= 0)
		return status;
	if (cli_folder_is_wrong(options->keep_dir, r))
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	return cli_fail(exit_code_of(r), &err);
}
