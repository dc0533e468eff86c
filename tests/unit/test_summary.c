// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof.h>

static void the_dominant_cause_is_named_with_its_remedy(void **state)
{
	struct ktstr_ctprof_summary s = { 0 };
	char text[256];

	(void)state;
	assert_int_equal(ktstr_ctprof_remedy(&s, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	s.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_PERMISSION] = 3;
	s.failures[KTSTR_CTPROF_FILE_SCHED][KTSTR_CTPROF_REASON_MISSING] = 2;
	s.failures[KTSTR_CTPROF_FILE_SCHEDSTAT][KTSTR_CTPROF_REASON_MISSING] = 4;
	assert_int_equal(ktstr_ctprof_remedy(&s, text, sizeof(text)), 6);
	assert_string_equal(text, "6 reads failed: missing, most often of 'schedstat'; boot a "
				  "kernel with CONFIG_SCHED_INFO");
	/* A tie goes to the first reason. */
	s.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_PERMISSION] = 6;
	assert_int_equal(ktstr_ctprof_remedy(&s, text, sizeof(text)), 6);
	assert_non_null(strstr(text, "permission"));
}

static void only_failures_of_jemalloc_count(void **state)
{
	struct ktstr_ctprof_summary s = { 0 };
	char text[256];

	(void)state;
	s.jemalloc_tags[KTSTR_JEMALLOC_NOT_FOUND] = 100;
	s.jemalloc_tags[KTSTR_JEMALLOC_KERNEL_THREAD] = 100;
	s.jemalloc_tags[KTSTR_JEMALLOC_THREAD_GONE] = 100;
	s.jemalloc_tags[KTSTR_JEMALLOC_OK] = 100;
	assert_int_equal(ktstr_ctprof_jemalloc_remedy(&s, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	s.jemalloc_tags[KTSTR_JEMALLOC_PTRACE_REFUSED] = 2;
	s.jemalloc_tags[KTSTR_JEMALLOC_NO_OFFSETS] = 1;
	assert_int_equal(ktstr_ctprof_jemalloc_remedy(&s, text, sizeof(text)), 2);
	assert_non_null(strstr(text, "ptrace-refused; run as root, setcap cap_sys_ptrace"));
}

static void every_name_is_its_own(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KTSTR_JEMALLOC_NR_TAGS; i++)
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(ktstr_jemalloc_tag_name(i),
						ktstr_jemalloc_tag_name(k));
	assert_string_equal(ktstr_jemalloc_tag_name(KTSTR_JEMALLOC_NR_TAGS), "?");
	assert_string_equal(ktstr_ctprof_file_name(KTSTR_CTPROF_NR_FILES), "?");
	assert_string_equal(ktstr_ctprof_reason_name(KTSTR_CTPROF_NR_REASONS), "?");
	assert_false(ktstr_jemalloc_tag_is_failure(KTSTR_JEMALLOC_NR_TAGS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dominant_cause_is_named_with_its_remedy),
		cmocka_unit_test(only_failures_of_jemalloc_count),
		cmocka_unit_test(every_name_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
