// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <ktstr/api.h>
#include <ktstr/template.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli.h"

enum { SHOWN_KEY = 12 };

static const char *const state_names[] = {
	[KTSTR_TEMPLATE_WHOLE] = "whole",
	[KTSTR_TEMPLATE_DAMAGED] = "damaged",
	[KTSTR_TEMPLATE_MAKING] = "making",
	[KTSTR_TEMPLATE_LEFTOVER] = "leftover",
};

static json_t *text_json(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static const char *used_at(const struct ktstr_template *t, char buf[32])
{
	time_t used = (time_t)(t->used_ns / NSEC_PER_SEC);
	struct tm tm;

	*buf = '\0';
	if (t->used_ns && gmtime_r(&used, &tm))
		strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

static json_t *template_json(const void *item)
{
	const struct ktstr_template *t = item;
	char used[32];

	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "key",
			 t->key, "state", state_names[t->state], "in_use", t->in_use, "qemu",
			 text_json(t->qemu), "kernel", text_json(t->kernel), "topology",
			 text_json(t->topology), "memory_bytes",
			 t->memory_bytes ? json_integer((json_int_t)t->memory_bytes) : json_null(),
			 "mode", text_json(t->mode), "ktstr", text_json(t->ktstr), "made_at",
			 text_json(t->made_at), "used_at", text_json(used_at(t, used)),
			 "disk_bytes", (json_int_t)t->disk_bytes, "why", text_json(t->why));
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static int width_of(const struct ktstr_template *templates, int nr, size_t field, const char *head)
{
	int width = (int)strlen(head);

	for (int i = 0; i < nr; i++) {
		int len = (int)strlen((const char *)&templates[i] + field);

		width = len > width ? len : width;
	}
	return width;
}

static void print_templates(const void *items, int nr)
{
	const struct ktstr_template *templates = items;
	int kernel = width_of(templates, nr, offsetof(struct ktstr_template, kernel), "KERNEL");
	int shape = width_of(templates, nr, offsetof(struct ktstr_template, topology), "TOPOLOGY");

	printf("%-*s  %-8s  %-8s  %-*s  %-*s  %8s  %8s  %-16s  %s\n", SHOWN_KEY, "KEY", "MODE",
	       "QEMU", kernel, "KERNEL", shape, "TOPOLOGY", "MEMORY", "SIZE", "USED (UTC)",
	       "STATE");
	for (int i = 0; i < nr; i++) {
		const struct ktstr_template *t = &templates[i];
		bool in_use = t->in_use && t->state != KTSTR_TEMPLATE_MAKING;
		const char *qemu = or_dash(t->qemu);
		char memory[32] = "-", used[32];

		if (t->memory_bytes)
			snprintf(memory, sizeof(memory), "%" PRIu64 " MiB", t->memory_bytes >> 20);
		/* Behind QEMU's version stands what the distribution calls it. */
		printf("%-*.*s  %-8s  %-8.*s  %-*s  %-*s  %8s  %4" PRIu64
		       " MiB  %-16.16s  %s%s%s%s\n",
		       SHOWN_KEY, SHOWN_KEY, t->key, or_dash(t->mode), (int)strcspn(qemu, " "),
		       qemu, kernel, or_dash(t->kernel), shape, or_dash(t->topology), memory,
		       t->disk_bytes >> 20, used_at(t, used), state_names[t->state],
		       in_use ? ", in use" : "", *t->why ? ": " : "", t->why);
	}
}

static int template_list(int argc, char **argv)
{
	bool json;
	const struct ktstr_command command = {
		.name = "ktstr template list",
		.usage = "[OPTION]...",
		.about = "Lists the templates in the cache, last used first. Each is verified:\n"
			 "a damaged one is made anew when a test next needs it.",
	};
	struct ktstr_operands operands;
	struct ktstr_template *templates = NULL;
	struct ktstr_error err;
	int nr, r = cli_parse_json(&command, argc, argv, &json, &operands);

	if (r >= 0)
		return r;
	nr = ktstr_template_list(&templates, &err);
	if (nr < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	r = cli_print_list(
		&(struct cli_list){ .items = templates,
				    .nr = nr,
				    .item_size = sizeof(*templates),
				    .none = "no template is cached; a test makes the one it needs",
				    .print = print_templates,
				    .json = template_json },
		json);
	free(templates);
	return r;
}

static int template_rm(int argc, char **argv)
{
	bool json;
	const struct ktstr_command command = {
		.name = "ktstr template rm",
		.usage = "[OPTION]... KEY...",
		.about =
			"Removes templates from the cache. The first digits of a key are enough if\n"
			"no other begins so. One that is in use stays.",
		.operands_min = 1,
		.operands_max = 1024,
	};
	struct ktstr_operands operands;
	char key[KTSTR_TEMPLATE_KEY];
	struct ktstr_error err;
	int r = cli_parse_json(&command, argc, argv, &json, &operands);

	if (r >= 0)
		return r;
	r = KTSTR_EXIT_PASS;
	for (size_t i = 0; i < operands.nr; i++) {
		if (ktstr_template_remove(operands.items[i], key, &err) < 0)
			r = cli_fail(cli_exit_code(err.code), &err);
		else if (json && cli_print_json(json_pack("{s:s}", "removed", key)) != 0)
			r = KTSTR_EXIT_HARNESS;
	}
	return r;
}

static int print_pruned(const struct ktstr_template_pruned *p, uint64_t max_bytes, bool json)
{
	if (json)
		return cli_print_json(json_pack("{s:i, s:I, s:i, s:I}", "removed", p->removed,
						"freed_bytes", (json_int_t)p->freed_bytes, "kept",
						p->kept, "kept_bytes", (json_int_t)p->kept_bytes));
	printf("removed %d, freed %" PRIu64 " MiB; kept %d, %" PRIu64 " MiB\n", p->removed,
	       p->freed_bytes >> 20, p->kept, p->kept_bytes >> 20);
	if (p->kept_bytes > max_bytes)
		fputs("what is in use was kept; run this again when no test runs\n", stderr);
	return KTSTR_EXIT_PASS;
}

static int template_prune(int argc, char **argv)
{
	const uint64_t not_given = UINT64_MAX;
	bool json = false, all = false;
	uint64_t max_bytes = not_given;
	struct ktstr_template_pruned pruned;
	const struct ktstr_option options[] = {
		{ 0, "max-size", "SIZE", "what templates may still take (default 8GiB)",
		  KTSTR_OPTION_BYTES, &max_bytes },
		{ 0, "all", NULL, "remove every template that is not in use", KTSTR_OPTION_FLAG,
		  &all },
		{ 0, "json", NULL, "write JSON", KTSTR_OPTION_FLAG, &json },
	};
	const struct ktstr_command command = {
		.name = "ktstr template prune",
		.usage = "[OPTION]...",
		.about =
			"Frees space: removes damaged templates, what killed runs left half made, and\n"
			"then the least recently used ones until the rest fits. What is in use stays.",
		.options = options,
		.nr_options = ARRAY_SIZE(options),
	};
	struct ktstr_operands operands;
	struct ktstr_error err;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	if (all && max_bytes != not_given)
		return cli_failf(KTSTR_EXIT_USAGE, "--all and --max-size exclude each other");
	if (all)
		max_bytes = 0;
	else if (max_bytes == not_given)
		max_bytes = KTSTR_TEMPLATE_MAX_BYTES;
	if (ktstr_template_prune(max_bytes, &pruned, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	return print_pruned(&pruned, max_bytes, json);
}

int cmd_template(int argc, char **argv)
{
	static const struct cli_verb verbs[] = {
		{ "list", "list cached templates", template_list },
		{ "rm", "remove templates from the cache", template_rm },
		{ "prune", "free space", template_prune },
	};

	return cli_dispatch(
		argc, argv,
		&(struct cli_verbs){
			.prefix = "ktstr template",
			.about =
				"A template is a machine that was booted once; tests run in clones of it.\n"
				"They are made and verified as tests need them, and the least recently used\n"
				"go when all take more than 8 GiB.",
			.verbs = verbs,
			.nr = ARRAY_SIZE(verbs) });
}
