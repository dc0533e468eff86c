// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <ktstr/api.h>
#include <ktstr/kernel.h>

#include "cli.h"

static int exit_code_of(int code)
{
	return code == -EINTR ? KTSTR_EXIT_INTERRUPTED : KTSTR_EXIT_HARNESS;
}

static const char *fact_text(enum ktstr_kernel_fact fact)
{
	static const char *const texts[] = { "?", "no", "yes" };

	return texts[fact];
}

static json_t *fact_json(enum ktstr_kernel_fact fact)
{
	return fact == KTSTR_KERNEL_UNKNOWN ? json_null() : json_boolean(fact == KTSTR_KERNEL_YES);
}

static json_t *text_json(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *kernel_json(const void *item)
{
	const struct ktstr_kernel *k = item;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, "
			 "s:I}",
			 "name", k->name, "release", text_json(k->release), "version",
			 text_json(k->version), "build_id", text_json(k->build_id), "image",
			 text_json(k->image_path), "vmlinux", k->vmlinux_path, "config",
			 text_json(k->config_path), "modules", text_json(k->modules_path), "pvh",
			 k->pvh, "imported", k->imported, "sched_ext", fact_json(k->sched_ext),
			 "btf", fact_json(k->btf), "schedstats", fact_json(k->schedstats), "hz",
			 k->hz ? json_integer(k->hz) : json_null(), "size_bytes",
			 (json_int_t)k->size_bytes);
}

static void on_signal(int signal)
{
	(void)signal;
	ktstr_kernel_interrupt();
}

static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void show_progress(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

static const char *hz_text(uint32_t hz, char *buf, size_t size)
{
	if (!hz)
		return "?";
	snprintf(buf, size, "%u", hz);
	return buf;
}

static void print_kernels(const void *items, int nr)
{
	const struct ktstr_kernel *kernels = items;
	int width = (int)strlen("NAME");

	for (int i = 0; i < nr; i++)
		if ((int)strlen(kernels[i].name) > width)
			width = (int)strlen(kernels[i].name);
	printf("%-*s  %-9s  %-4s  %-10s  %4s  %9s\n", width, "NAME", "SCHED_EXT", "BTF",
	       "SCHEDSTATS", "HZ", "SIZE");
	for (int i = 0; i < nr; i++) {
		const struct ktstr_kernel *k = &kernels[i];
		char hz[16];

		printf("%-*s  %-9s  %-4s  %-10s  %4s  %6.1f MB\n", width, k->name,
		       fact_text(k->sched_ext), fact_text(k->btf), fact_text(k->schedstats),
		       hz_text(k->hz, hz, sizeof(hz)), (double)k->size_bytes / 1e6);
	}
}

static int print_offers(bool json)
{
	struct ktstr_kernel_offer *offers;
	struct ktstr_error err;
	int nr = ktstr_kernel_offers(show_progress, NULL, &offers, &err);
	int r = KTSTR_EXIT_PASS;

	if (nr < 0)
		return cli_fail(exit_code_of(nr), &err);
	if (!json)
		printf("%-10s  %-20s  %s\n", "VERSION", "SUITE", "PACKAGE");
	for (int i = 0; i < nr && r == KTSTR_EXIT_PASS; i++) {
		const struct ktstr_kernel_offer *o = &offers[i];

		if (json)
			r = cli_print_json(json_pack("{s:s, s:s, s:s, s:b}", "version", o->version,
						     "suite", o->suite, "package", o->package,
						     "sched_ext_likely", o->sched_ext_likely));
		else
			printf("%-10s  %-20s  %s\n", o->version, o->suite, o->package);
	}
	free(offers);
	return r;
}

static int kernel_fetch(int argc, char **argv)
{
	bool list = false, json = false;
	const struct ktstr_option options[] = {
		{ 'l', "list", NULL, "show what is on offer, fetch nothing", KTSTR_OPTION_FLAG,
		  &list },
		{ 0, "json", NULL, "write JSON, one object per line", KTSTR_OPTION_FLAG, &json },
	};
	const struct ktstr_command command = {
		.name = "ktstr kernel fetch",
		.usage = "[OPTION]... [VERSION|latest]",
		.about =
			"Brings a prebuilt Debian kernel into the cache: the newest one with\n"
			"sched_ext, or the newest whose version begins with VERSION. The mirror is\n"
			"the one this machine's apt uses; apt's own state is not touched.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.operands_max = 1,
	};
	struct ktstr_operands operands;
	struct ktstr_kernel kernel;
	struct ktstr_error err;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	if (list && operands.nr)
		return cli_failf(KTSTR_EXIT_USAGE, "--list takes no version, got '%s'",
				 operands.items[0]);
	catch_signals();
	if (list)
		return print_offers(json);
	r = ktstr_kernel_fetch(operands.nr ? operands.items[0] : NULL, show_progress, NULL, &kernel,
			       &err);
	if (r < 0)
		return cli_fail(exit_code_of(r), &err);
	if (json)
		return cli_print_json(kernel_json(&kernel));
	printf("%s\n", kernel.name);
	return KTSTR_EXIT_PASS;
}

static int kernel_list(int argc, char **argv)
{
	bool json;
	const struct ktstr_command command = {
		.name = "ktstr kernel list",
		.usage = "[OPTION]...",
		.about = "Lists the kernels in the cache, newest first.",
	};
	struct ktstr_kernel *kernels;
	struct ktstr_operands operands;
	struct ktstr_error err;
	int nr, r = cli_parse_json(&command, argc, argv, &json, &operands);

	if (r >= 0)
		return r;
	nr = ktstr_kernel_list(&kernels, &err);
	if (nr < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	r = cli_print_list(
		&(struct cli_list){ .items = kernels,
				    .nr = nr,
				    .item_size = sizeof(*kernels),
				    .none = "no kernel is cached; run: ktstr kernel fetch",
				    .print = print_kernels,
				    .json = kernel_json },
		json);
	free(kernels);
	return r;
}

static void print_line(const char *key, const char *value)
{
	printf("%-11s %s\n", key, *value ? value : "-");
}

static void print_info(const struct ktstr_kernel *k)
{
	char hz[16];

	print_line("name", k->name);
	print_line("release", k->release);
	print_line("version", k->version);
	print_line("build id", k->build_id);
	print_line("sched_ext", fact_text(k->sched_ext));
	print_line("BTF", fact_text(k->btf));
	print_line("schedstats", fact_text(k->schedstats));
	print_line("HZ", hz_text(k->hz, hz, sizeof(hz)));
	print_line("PVH entry", k->pvh ? "yes" : "no");
	print_line("bzImage", k->image_path);
	print_line("vmlinux", k->vmlinux_path);
	print_line("config", k->config_path);
	print_line("modules", k->modules_path);
}

static int kernel_info(int argc, char **argv)
{
	bool json;
	const struct ktstr_command command = {
		.name = "ktstr kernel info",
		.usage = "[OPTION]... [KERNEL]",
		.about = "Describes a kernel: a cached name, a version, a bzImage, a vmlinux or a\n"
			 "build tree; without one, the kernel that tests use by default.\n"
			 "The files of a cached kernel are compared with their checksums.",
		.operands_max = 1,
	};
	struct ktstr_operands operands;
	struct ktstr_kernel kernel;
	struct ktstr_error err;
	int r = cli_parse_json(&command, argc, argv, &json, &operands);

	if (r >= 0)
		return r;
	catch_signals();
	r = ktstr_kernel_resolve(operands.nr ? operands.items[0] : NULL, &kernel, &err);
	if (r < 0)
		return cli_fail(operands.nr && r != -EINTR ? KTSTR_EXIT_USAGE : exit_code_of(r),
				&err);
	r = ktstr_kernel_verify(&kernel, &err);
	if (r < 0)
		return cli_fail(exit_code_of(r), &err);
	if (json)
		return cli_print_json(kernel_json(&kernel));
	print_info(&kernel);
	return KTSTR_EXIT_PASS;
}

static int kernel_rm(int argc, char **argv)
{
	bool json;
	const struct ktstr_command command = {
		.name = "ktstr kernel rm",
		.usage = "[OPTION]... NAME...",
		.about = "Removes kernels from the cache.",
		.operands_min = 1,
		.operands_max = 64,
	};
	struct ktstr_operands operands;
	struct ktstr_error err;
	int r = cli_parse_json(&command, argc, argv, &json, &operands);

	if (r >= 0)
		return r;
	r = KTSTR_EXIT_PASS;
	for (size_t i = 0; i < operands.nr; i++) {
		const char *name = operands.items[i];

		if (ktstr_kernel_remove(name, &err) < 0)
			r = cli_fail(cli_exit_code(err.code), &err);
		else if (json && cli_print_json(json_pack("{s:s}", "removed", name)) != 0)
			r = KTSTR_EXIT_HARNESS;
	}
	return r;
}

int cmd_kernel(int argc, char **argv)
{
	static const struct cli_verb verbs[] = {
		{ "fetch", "bring a prebuilt kernel into the cache", kernel_fetch },
		{ "list", "list cached kernels", kernel_list },
		{ "info", "describe one kernel", kernel_info },
		{ "rm", "remove kernels from the cache", kernel_rm },
	};

	return cli_dispatch(argc, argv,
			    &(struct cli_verbs){ .prefix = "ktstr kernel",
						 .about = "Fetches, lists, describes and removes "
							  "kernels.",
						 .verbs = verbs,
						 .nr = sizeof(verbs) / sizeof(verbs[0]) });
}
