// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/options.h>

static struct values {
	bool json, verbose;
	const char *file;
	struct ktstr_option_list lists;
	uint32_t count;
	uint64_t bytes, interval_ns;
} values;

static const struct ktstr_option rows[] = {
	{ 'j', "json", NULL, "write JSON", KTSTR_OPTION_FLAG, &values.json },
	{ 'v', NULL, NULL, "say more", KTSTR_OPTION_FLAG, &values.verbose },
	{ 'o', "output", "FILE", "write to FILE", KTSTR_OPTION_TEXT, &values.file },
	{ 'i', "include", "FILE", "take FILE along", KTSTR_OPTION_LIST, &values.lists },
	{ 'c', "count", "N", "repeat N times", KTSTR_OPTION_U32, &values.count },
	{ 0, "memory", "SIZE", "guest memory", KTSTR_OPTION_BYTES, &values.bytes },
	{ 0, "interval", "TIME", "pause", KTSTR_OPTION_DURATION, &values.interval_ns },
};

static const struct ktstr_command command = {
	.name = "ktstr probe",
	.usage = "[OPTION]... PID",
	.about = "Shows one process.",
	.options = rows,
	.nr_options = sizeof(rows) / sizeof(rows[0]),
	.operands_min = 1,
	.operands_max = 2,
	.takes_rest = true,
};

static struct ktstr_operands operands;
static struct ktstr_error err;

static int parse_with(const struct ktstr_command *c, const char *const *args)
{
	static char *argv[100];
	int argc = 0;

	memset(&values, 0, sizeof(values));
	memset(&operands, 0, sizeof(operands));
	memset(&err, 0, sizeof(err));
	argv[argc++] = (char *)"probe";
	while (*args)
		argv[argc++] = (char *)*args++;
	argv[argc] = NULL;
	return ktstr_options_parse(c, argc, argv, &operands, &err);
}

#define PARSE(...) parse_with(&command, (const char *const[]){ __VA_ARGS__, NULL })

static void all_forms_are_read(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-jv", "12", "-oa", "--count=7", "--memory", "2MiB", "13",
			       "--interval=250ms", "-i", "x", "--include", "y"),
			 0);
	assert_true(values.json && values.verbose);
	assert_string_equal(values.file, "a");
	assert_int_equal(values.count, 7);
	assert_int_equal(values.bytes, 2 << 20);
	assert_int_equal(values.interval_ns, 250000000);
	assert_int_equal(values.lists.nr, 2);
	assert_string_equal(values.lists.items[1], "y");
	assert_int_equal(operands.nr, 2);
	assert_string_equal(operands.items[0], "12");
	assert_string_equal(operands.items[1], "13");
	assert_false(operands.has_rest);
}

static void rest_is_kept_apart(void **state)
{
	(void)state;
	assert_int_equal(PARSE("1", "--", "-j", "--what", "x"), 0);
	assert_false(values.json);
	assert_int_equal(operands.nr, 1);
	assert_int_equal(operands.nr_rest, 3);
	assert_string_equal(operands.rest[0], "-j");
	assert_null(operands.rest[3]);
}

static void errors_are_specific(void **state)
{
	static const struct {
		const char *args[4], *text;
	} cases[] = {
		{ { "1", "--jsn" },
		  "unknown option '--jsn', did you mean '--json'? try "
		  "'ktstr probe --help'" },
		{ { "1", "--zzz=3" }, "unknown option '--zzz', try 'ktstr probe --help'" },
		{ { "1", "-jq" }, "unknown option '-q', try 'ktstr probe --help'" },
		{ { "1", "--output" }, "option '--output' needs a value: --output FILE" },
		{ { "1", "--json=1" }, "option '--json' takes no value, got '1'" },
		{ { "1", "-c", "x" }, "option '--count': 'x' is not a whole number" },
		{ { "1", "-c", "99999999999" }, "option '--count': '99999999999' is too large" },
		{ { "1", "--memory", "2Q" },
		  "option '--memory': '2Q' is not a size such as 512M or 2G" },
		{ { "1", "--interval", "-1" },
		  "option '--interval': '-1' is not a duration such as 250ms, 10s or 2m" },
		{ { "1", "2", "3" }, "unexpected argument '3', try 'ktstr probe --help'" },
		{ { NULL }, "missing argument, usage: ktstr probe [OPTION]... PID" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse_with(&command, cases[i].args), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.code, -EINVAL);
	}
}

static void rest_is_refused_where_not_taken(void **state)
{
	struct ktstr_command strict = command;

	(void)state;
	strict.takes_rest = false;
	assert_int_equal(parse_with(&strict, (const char *const[]){ "1", "--", "2", NULL }),
			 -EINVAL);
	assert_string_equal(err.text, "'ktstr probe' takes nothing after '--'");
}

static void lists_have_a_limit(void **state)
{
	const char *args[KTSTR_OPTION_LIST_MAX + 3] = { "1" };

	(void)state;
	for (int i = 1; i <= KTSTR_OPTION_LIST_MAX + 1; i++)
		args[i] = "-ix";
	assert_int_equal(parse_with(&command, args), -EINVAL);
	args[KTSTR_OPTION_LIST_MAX + 1] = NULL;
	assert_int_equal(parse_with(&command, args), 0);
	assert_int_equal(values.lists.nr, KTSTR_OPTION_LIST_MAX);
}

static void help_comes_from_the_rows(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(PARSE("--help"), 0);
	assert_true(operands.want_help);
	ktstr_options_help(&command, out);
	fclose(out);
	assert_non_null(strstr(text, "usage: ktstr probe [OPTION]... PID\n"));
	assert_non_null(strstr(text, "  -o, --output FILE    write to FILE\n"));
	assert_non_null(strstr(text, "      --memory SIZE    guest memory\n"));
	assert_non_null(strstr(text, "  -h, --help           show this text\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_are_read),
		cmocka_unit_test(rest_is_kept_apart),
		cmocka_unit_test(errors_are_specific),
		cmocka_unit_test(rest_is_refused_where_not_taken),
		cmocka_unit_test(lists_have_a_limit),
		cmocka_unit_test(help_comes_from_the_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
