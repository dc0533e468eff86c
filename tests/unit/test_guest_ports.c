// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/ports.h"
#include "tests/lib/scratch.h"

static void ports_are_found_by_their_name(void **state)
{
	struct scratch s;
	char device[16];

	(void)state;
	scratch_create(&s);
	scratch_text(&s, "vport0p1/name", "ktstr.records.old\n");
	scratch_text(&s, "vport0p2/name", "ktstr.records\n");
	scratch_text(&s, "vport0p3/name", "ktstr.shell\n");
	scratch_text(&s, "vport0p4/other", "no name yet\n");
	assert_int_equal(ports_find(s.dir, "ktstr.records", device, sizeof(device)), 0);
	assert_string_equal(device, "vport0p2");
	assert_int_equal(ports_find(s.dir, "ktstr.shell", device, sizeof(device)), 0);
	assert_string_equal(device, "vport0p3");
	assert_int_equal(ports_find(s.dir, "ktstr", device, sizeof(device)), -ENOENT);
	assert_int_equal(ports_find(s.dir, "ktstr.shell", device, 8), -ENAMETOOLONG);
	scratch_destroy(&s);
}

static void no_driver_means_no_port(void **state)
{
	char device[16];

	(void)state;
	assert_int_equal(ports_find("/nonexistent", "ktstr.records", device, sizeof(device)),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_found_by_their_name),
		cmocka_unit_test(no_driver_means_no_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
