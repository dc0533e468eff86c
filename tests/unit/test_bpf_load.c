// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/bpf_load.h"
#include <ktstr/ctprof.h>

static void expect_way(const char *release, enum bpf_way expected)
{
	enum bpf_way way = expected == BPF_BY_KERNEL ? BPF_BY_LIBBPF : BPF_BY_KERNEL;
	struct ktstr_error err;

	assert_int_equal(bpf_way_for(release, &way, &err), 0);
	assert_int_equal(way, expected);
}

static void expect_refused(const char *release, const char *why)
{
	enum bpf_way way;
	struct ktstr_error err = { 0 };

	assert_int_equal(bpf_way_for(release, &way, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, why));
}

static void the_kernel_tells_the_way(void **state)
{
	(void)state;
	expect_way("5.15.0", BPF_BY_LIBBPF);
	expect_way("5.15.0-91-generic", BPF_BY_LIBBPF);
	expect_way("5.16.20", BPF_BY_LIBBPF);
	expect_way("5.17.0-rc1", BPF_BY_KERNEL);
	expect_way("6.1.0-50-cloud-amd64", BPF_BY_KERNEL);
	expect_way("7.3.4+deb13-cloud-amd64", BPF_BY_KERNEL);
	expect_refused("5.14.21", "it needs Linux 5.15 or newer");
	expect_refused("4.19.0", "it needs Linux 5.15 or newer");
	expect_refused("unknown", "what kernel this is cannot be told");
}

static void loading_by_libbpf_pays_for_more_threads(void **state)
{
	(void)state;
	assert_int_equal(bpf_pays_from("5.15.0-91-generic"), KTSTR_CTPROF_LIBBPF_FROM_THREADS);
	assert_int_equal(bpf_pays_from("5.17.0"), KTSTR_CTPROF_BPF_FROM_THREADS);
	/* Where it does not load at all, trying tells why. */
	assert_int_equal(bpf_pays_from("5.10.0"), KTSTR_CTPROF_BPF_FROM_THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_tells_the_way),
		cmocka_unit_test(loading_by_libbpf_pays_for_more_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
