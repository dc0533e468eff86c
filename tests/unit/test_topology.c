// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/topology.h>

static void good_text_is_read_and_written_back(void **state)
{
	static const struct {
		const char *text;
		struct ktstr_topology t;
		uint32_t nr_cpus;
	} cases[] = {
		{ "1n1l1c1t", { 1, 1, 1, 1 }, 1 },	 { "1n2l2c1t", { 1, 2, 2, 1 }, 4 },
		{ "2n4l4c2t", { 2, 4, 4, 2 }, 32 },	 { "8n8l1c1t", { 8, 8, 1, 1 }, 8 },
		{ "1n1l255c1t", { 1, 1, 255, 1 }, 255 }, { "5n255l1c1t", { 5, 255, 1, 1 }, 255 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_topology t = { 9, 9, 9, 9 };
		struct ktstr_error err = { 0 };
		char text[KTSTR_TOPOLOGY_TEXT];

		assert_int_equal(ktstr_topology_parse(cases[i].text, &t, &err), 0);
		assert_memory_equal(&t, &cases[i].t, sizeof(t));
		assert_string_equal(ktstr_topology_format(&t, text, sizeof(text)), cases[i].text);
		assert_int_equal(ktstr_topology_nr_cpus(&t), cases[i].nr_cpus);
	}
}

static void nonsense_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *says;
	} cases[] = {
		{ "", -EINVAL, "not of the form" },
		{ "2n", -EINVAL, "not of the form" },
		{ "1n2l4c", -EINVAL, "not of the form" },
		{ "1n2l4c1", -EINVAL, "not of the form" },
		{ "1n2l4c1tx", -EINVAL, "not of the form" },
		{ "1n2l4c1t ", -EINVAL, "not of the form" },
		{ " 1n2l4c1t", -EINVAL, "not of the form" },
		{ "1 n2l4c1t", -EINVAL, "not of the form" },
		{ "-1n2l4c1t", -EINVAL, "not of the form" },
		{ "+1n2l4c1t", -EINVAL, "not of the form" },
		{ "2l1n4c1t", -EINVAL, "not of the form" },
		{ "1N2L4C1T", -EINVAL, "not of the form" },
		{ "1n2l4c1t1n2l4c1t", -EINVAL, "not of the form" },
		{ "0x1n2l4c1t", -EINVAL, "not of the form" },
		{ "nlct", -EINVAL, "not of the form" },
		{ "0n1l1c1t", -EINVAL, "nodes must be 1 or more" },
		{ "1n0l1c1t", -EINVAL, "LLCs must be 1 or more" },
		{ "1n1l0c1t", -EINVAL, "cores per LLC must be 1 or more" },
		{ "1n1l1c0t", -EINVAL, "threads per core must be 1 or more" },
		{ "2n3l1c1t", -EINVAL, "3 LLCs cannot be shared out evenly among 2 nodes" },
		{ "2n1l1c1t", -EINVAL, "cannot be shared out" },
		{ "9n9l1c1t", -ERANGE, "9 nodes, at most 8" },
		{ "1n1l256c1t", -ERANGE, "256 CPUs, at most 255" },
		{ "1n16l16c1t", -ERANGE, "256 CPUs" },
		{ "1n65536l65536c1t", -ERANGE, "at most 255" },
		{ "1n4294967295l4294967295c4294967295t", -ERANGE, "at most 255" },
		{ "1n4294967296l1c1t", -ERANGE, "too many LLCs" },
		{ "99999999999999999999n1l1c1t", -ERANGE, "too many nodes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_topology t = { 7, 7, 7, 7 }, untouched = t;
		struct ktstr_error err = { 0 };

		assert_int_equal(ktstr_topology_parse(cases[i].text, &t, &err), cases[i].code);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_memory_equal(&t, &untouched, sizeof(t));
		assert_int_equal(ktstr_topology_parse(cases[i].text, &t, NULL), cases[i].code);
	}
}

static void zero_fields_count_as_one(void **state)
{
	const struct ktstr_topology t = { .llcs = 2 };
	char text[KTSTR_TOPOLOGY_TEXT];

	(void)state;
	assert_int_equal(ktstr_topology_check(&t, NULL), 0);
	assert_int_equal(ktstr_topology_nr_cpus(&t), 2);
	assert_string_equal(ktstr_topology_format(&t, text, sizeof(text)), "1n2l1c1t");
}

static void product_that_does_not_fit_saturates(void **state)
{
	const struct ktstr_topology t = { 1, 65536, 65536, 1 };

	(void)state;
	assert_int_equal(ktstr_topology_nr_cpus(&t), UINT32_MAX);
}

static void the_largest_text_fits(void **state)
{
	const struct ktstr_topology t = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	char text[KTSTR_TOPOLOGY_TEXT];

	(void)state;
	ktstr_topology_format(&t, text, sizeof(text));
	assert_string_equal(text, "4294967295n4294967295l4294967295c4294967295t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_read_and_written_back),
		cmocka_unit_test(nonsense_is_refused_with_a_reason),
		cmocka_unit_test(zero_fields_count_as_one),
		cmocka_unit_test(product_that_does_not_fit_saturates),
		cmocka_unit_test(the_largest_text_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
