// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* docs/format/scenario.md has the tables behind the .def files word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/strbuf.h"
#include <ktstr/scenario.h>

static void print_work(struct strbuf *out)
{
	const struct ktstr_work_info *info;

	strbuf_addstr(out, "| type | group | what a worker does | parameters: default (lowest to "
			   "highest) |\n|---|---|---|---|\n");
	for (int i = 0; (info = ktstr_work_info((enum ktstr_work_type)i)); i++) {
		strbuf_addf(out, "| `%s` | ", info->name);
		if (info->group)
			strbuf_addf(out, "%u", info->group);
		else
			strbuf_addstr(out, "`group`");
		strbuf_addf(out, " | %s |", info->about);
		for (size_t j = 0; j < KTSTR_WORK_PARAMS && info->params[j].name; j++)
			strbuf_addf(out, "%s `%s` %llu (%llu to %llu)", j ? "," : "",
				    info->params[j].name,
				    (unsigned long long)info->params[j].fallback,
				    (unsigned long long)info->params[j].lowest,
				    (unsigned long long)info->params[j].highest);
		strbuf_addstr(out, " |\n");
	}
}

static void print_ops(struct strbuf *out)
{
	static const char *const words[] = { "",     "CGROUP", "WORK",	 "CPU",	  "CPUS",
					     "MEMS", "POLICY", "NUMBER", "QUOTA", "SCHEDULER" };
	const struct ktstr_step_op_info *info;

	strbuf_addstr(out, "| operation | what it does |\n|---|---|\n");
	for (int i = 1; (info = ktstr_step_op_info((enum ktstr_step_op_kind)i)); i++)
		strbuf_addf(out, "| `%s%s%s%s%s` | %s |\n", info->name, info->target ? " " : "",
			    words[info->target], info->argument ? " " : "", words[info->argument],
			    info->about);
}

static void print_checks(struct strbuf *out)
{
	static const char *const kinds[] = { "invariant", "timing" };
	static const char *const relations[] = { "", "at most", "at least" };
	static const char *const subjects[] = { "the run", "each worker", "each row of works",
						"each cgroup", "each CPU" };
	const struct ktstr_check_info *info;

	strbuf_addstr(out, "| check | kind | bound | judged for | what is demanded "
			   "|\n|---|---|---|---|---|\n");
	for (int i = 1; (info = ktstr_check_info((enum ktstr_check_id)i)); i++)
		strbuf_addf(out, "| `%s` | %s | %s%s%s | %s | %s |\n", info->name,
			    kinds[info->kind], relations[info->relation], *info->unit ? " " : "",
			    info->unit, subjects[info->subject], info->about);
}

static void expect_table(const char *name, void (*print)(struct strbuf *out))
{
	_cleanup_strbuf_ struct strbuf doc = STRBUF_INIT, wanted = STRBUF_INIT;
	struct ktstr_error err;

	assert_int_equal(io_read_file("docs/format/scenario.md", &doc, &err), 0);
	strbuf_addf(&wanted, "<!-- table %s -->\n", name);
	print(&wanted);
	strbuf_addstr(&wanted, "<!-- end -->\n");
	if (!strstr(strbuf_str(&doc), strbuf_str(&wanted))) {
		fprintf(stderr, "docs/format/scenario.md is to have:\n%s", strbuf_str(&wanted));
		fail();
	}
}

static void document_has_the_work_types(void **state)
{
	(void)state;
	expect_table("work", print_work);
}

static void document_has_the_operations(void **state)
{
	(void)state;
	expect_table("ops", print_ops);
}

static void document_has_the_checks(void **state)
{
	(void)state;
	expect_table("checks", print_checks);
}

static void ends_of_tables_are_kept(void **state)
{
	(void)state;
	assert_null(ktstr_work_info(KTSTR_WORK_TYPES));
	assert_null(ktstr_step_op_info(KTSTR_OP_none));
	assert_null(ktstr_step_op_info(KTSTR_OP_KINDS));
	assert_null(ktstr_check_info(KTSTR_JUDGE_none));
	assert_null(ktstr_check_info(KTSTR_JUDGE_CHECKS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_has_the_work_types),
		cmocka_unit_test(document_has_the_operations),
		cmocka_unit_test(document_has_the_checks),
		cmocka_unit_test(ends_of_tables_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
