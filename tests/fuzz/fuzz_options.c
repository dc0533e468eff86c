// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ktstr/options.h>

enum { MAX_WORDS = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	bool flag, other;
	const char *text;
	struct ktstr_option_list list;
	uint32_t u32;
	uint64_t u64, bytes, duration_ns;
} got;

static const struct ktstr_option rows[] = {
	{ 'f', "flag", NULL, "a flag", KTSTR_OPTION_FLAG, &got.flag },
	{ 'o', NULL, NULL, "no long name", KTSTR_OPTION_FLAG, &got.other },
	{ 't', "text", "TEXT", "a text", KTSTR_OPTION_TEXT, &got.text },
	{ 'l', "list", "ITEM", "a list", KTSTR_OPTION_LIST, &got.list },
	{ 0, "count", "N", "a number", KTSTR_OPTION_U32, &got.u32 },
	{ 0, "large", "N", "a large number", KTSTR_OPTION_U64, &got.u64 },
	{ 0, "size", "SIZE", "a size", KTSTR_OPTION_BYTES, &got.bytes },
	{ 0, "time", "TIME", "a time", KTSTR_OPTION_DURATION, &got.duration_ns },
};

/* Every word of the command line is accounted for, and a refusal says why. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ktstr_command command = {
		.name = "fuzz",
		.usage = "[OPTION]... [WORD]... [-- REST]",
		.about = "about",
		.options = rows,
		.nr_options = sizeof(rows) / sizeof(rows[0]),
		.operands_max = MAX_WORDS,
		.takes_rest = size && data[0] & 1,
	};
	char program[] = "fuzz", *argv[MAX_WORDS + 2] = { program };
	struct ktstr_error err = { .text = "" };
	struct ktstr_operands operands;
	char *copy = malloc(size + 1);
	int argc = 1;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	for (char *p = copy; p < copy + size && argc < MAX_WORDS; p += strlen(p) + 1)
		argv[argc++] = p;
	memset(&got, 0, sizeof(got));
	if (ktstr_options_parse(&command, argc, argv, &operands, &err) < 0) {
		if (!err.text[0])
			abort();
	} else if (!operands.want_help) {
		if (operands.nr + operands.nr_rest + operands.has_rest > (size_t)argc - 1 ||
		    got.list.nr > KTSTR_OPTION_LIST_MAX ||
		    (operands.has_rest && !command.takes_rest))
			abort();
	}
	free(copy);
	return 0;
}
