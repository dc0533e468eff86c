// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "kernel/offers.h"

static const char stable[] = "linux-image-6.1.0-50-cloud-amd64 6.1.176-1 26000000\n"
			     "linux-image-6.1.0-50-cloud-amd64-unsigned 6.1.176-1 26500000\n"
			     "linux-image-6.1.0-47-cloud-amd64 6.1.170-1 26000000\n"
			     "not a line\n"
			     "linux-headers-6.1.0-47-cloud-amd64 6.1.170-1 1\n";
static const char newest[] = "linux-base-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 1000000\n"
			     "linux-image-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 1000\n"
			     "linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 13600000\n"
			     "linux-binary-7.0.13+deb13-cloud-amd64 7.0.13-1 13100000\n"
			     "linux-image-7.0.13+deb13-cloud-amd64 7.0.13-1 1000\n"
			     "linux-base-7.1.0+deb13-cloud-amd64 7.1.0-1 1000\n"
			     "linux-image-6.18.15+deb13-cloud-amd64 6.18.15-1 49100000\n";

static struct apt apt = { .nr_suites = 2, .suites = { { .name = "stable" }, { .name = "new" } } };
static struct offer *offers;
static int nr;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(apt_parse_packages(stable, 0, &apt), 0);
	assert_int_equal(apt_parse_packages(newest, 1, &apt), 0);
	nr = offers_collect(&apt, &offers);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(offers);
	apt_deinit(&apt);
	return 0;
}

static void whole_kernels_are_offered(void **state)
{
	(void)state;
	assert_int_equal(apt.nr_packages, 11);
	assert_int_equal(nr, 4);
	assert_string_equal(offers[0].public.version, "7.3.4");
	assert_string_equal(offers[0].public.package, "linux-binary-7.3.4+deb13-cloud-amd64");
	assert_string_equal(offers[0].public.suite, "new");
	assert_string_equal(offers[0].release, "7.3.4+deb13-cloud-amd64");
	assert_int_equal(offers[0].nr_packages, 3);
	assert_string_equal(offers[0].packages[0]->name, offers[0].public.package);
	assert_true(offers[0].public.sched_ext_likely);
	assert_string_equal(offers[1].public.version, "6.18.15");
	assert_string_equal(offers[2].public.version, "6.1.176");
	assert_string_equal(offers[2].public.package, "linux-image-6.1.0-50-cloud-amd64-unsigned");
	assert_int_equal(offers[2].packages[0]->bytes, 26500000);
	assert_false(offers[2].public.sched_ext_likely);
	assert_string_equal(offers[3].public.version, "6.1.170");
}

static void requests_are_matched(void **state)
{
	(void)state;
	assert_true(offer_matches(&offers[0], NULL));
	assert_true(offer_matches(&offers[0], "latest"));
	assert_true(offer_matches(&offers[0], "7.3"));
	assert_true(offer_matches(&offers[0], "7.3.4+deb13-cloud-amd64"));
	assert_false(offer_matches(&offers[0], "7.30"));
	assert_false(offer_matches(&offers[2], "latest"));
	assert_true(offer_matches(&offers[2], "6.1"));
	assert_true(offer_matches(&offers[2], "6.1.176"));
	assert_false(offer_matches(&offers[1], "6.1"));
}

static void nothing_is_no_error(void **state)
{
	struct apt empty = { 0 };
	struct offer *none = (void *)1;

	(void)state;
	assert_int_equal(offers_collect(&empty, &none), 0);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_kernels_are_offered),
		cmocka_unit_test(requests_are_matched),
		cmocka_unit_test(nothing_is_no_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
