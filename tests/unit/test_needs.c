// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "run/needs.h"
#include "tests/lib/scratch.h"

static struct scratch dir;
static struct ktstr_kernel kernel;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&dir);
	kernel = (struct ktstr_kernel){ .name = "k", .release = "6.12.107-cloud" };
	strncpy(kernel.config_path,
		scratch_text(&dir, "config", "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n"),
		sizeof(kernel.config_path) - 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&dir);
	return 0;
}

static void met(struct ktstr_test test, const char *reason)
{
	struct strbuf text = STRBUF_INIT;
	bool is_met = needs_are_met(&test, &kernel, &text);

	assert_string_equal(strbuf_str(&text), reason ? reason : "");
	assert_int_equal(is_met, !reason);
	strbuf_deinit(&text);
}

#define MET(reason, ...) met((struct ktstr_test){ .needs = { __VA_ARGS__ } }, reason)

static void options_are_looked_up(void **state)
{
	(void)state;
	MET(NULL, .sched_ext = false);
	MET(NULL, .kconfigs = { "A", "CONFIG_B" });
	MET("needs CONFIG_C, which kernel 'k' was built without", .kconfigs = { "A", "C" });
	MET("needs CONFIG_D, which kernel 'k' was built without", .kconfigs = { "CONFIG_D" });
	kernel.config_path[0] = '\0';
	MET("needs CONFIG_A; cannot tell whether kernel 'k' has it: no config file",
	    .kconfigs = { "A" });
}

static void versions_compare_as_numbers(void **state)
{
	(void)state;
	MET(NULL, .kernel_major = 6, .kernel_minor = 12);
	MET(NULL, .kernel_major = 6, .kernel_minor = 9);
	MET(NULL, .kernel_major = 5, .kernel_minor = 99);
	MET("needs Linux 6.13; kernel 'k' is 6.12.107-cloud", .kernel_major = 6,
	    .kernel_minor = 13);
	MET("needs Linux 7.0; kernel 'k' is 6.12.107-cloud", .kernel_major = 7);
	kernel.release[0] = '\0';
	MET("needs Linux 5.0; cannot tell the version of kernel 'k'", .kernel_major = 5);
}

static void sched_ext_must_be_known(void **state)
{
	(void)state;
	kernel.sched_ext = KTSTR_KERNEL_YES;
	MET(NULL, .sched_ext = true);
	kernel.sched_ext = KTSTR_KERNEL_NO;
	MET("needs sched_ext; kernel 'k' does not offer it; try: ktstr kernel fetch",
	    .sched_ext = true);
	kernel.sched_ext = KTSTR_KERNEL_UNKNOWN;
	MET("needs sched_ext; kernel 'k' has no config that would tell; try: ktstr kernel fetch",
	    .sched_ext = true);
}

static void root_counts_on_the_host_only(void **state)
{
	(void)state;
	MET(NULL, .root = true);
	met((struct ktstr_test){ .host_only = true, .needs = { .root = true } },
	    geteuid() == 0 ? NULL : "needs root");
}

static void many_cpus_need_kvm(void **state)
{
	const struct ktstr_test large = {
		.topology = { .llcs = 15, .cores_per_llc = 8, .threads_per_core = 2 }
	};
	const struct ktstr_test huge = {
		.topology = { .llcs = 8, .cores_per_llc = 8, .threads_per_core = 2 }
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	assert_true(needs_accel_is_met(&huge, KTSTR_ACCEL_TCG, &text));
	assert_true(needs_accel_is_met(&large, KTSTR_ACCEL_KVM, &text));
	assert_string_equal(strbuf_str(&text), "");
	assert_false(needs_accel_is_met(&large, KTSTR_ACCEL_TCG, &text));
	assert_non_null(strstr(strbuf_str(&text), "needs KVM"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(options_are_looked_up),   TEST(versions_compare_as_numbers),
		TEST(sched_ext_must_be_known), TEST(root_counts_on_the_host_only),
		TEST(many_cpus_need_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
