// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/jobfile.h"

static struct ktstr_error err;

static void good(const char *spec, const char *host, const char *guest)
{
	char *seen_host = NULL, *seen_guest = NULL;

	assert_int_equal(jobfile_split(spec, &seen_host, &seen_guest, &err), 0);
	assert_string_equal(seen_host, host);
	assert_string_equal(seen_guest, guest);
	free(seen_host);
	free(seen_guest);
}

static void files_have_a_place(void **state)
{
	(void)state;
	good("a", "a", "/files/a");
	good("./x/a.b", "./x/a.b", "/files/a.b");
	good("a:/etc/b", "a", "/etc/b");
	good("a:b", "a:b", "/files/a:b");
	good("a:b:/c", "a:b", "/c");
}

static void strange_places_are_refused(void **state)
{
	static const char *const rows[] = { "", "a/", "a:/", "a:/x/", "a:/../x", "a:/x/..", ":/x" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *host = NULL, *guest = NULL;

		assert_int_equal(jobfile_split(rows[i], &host, &guest, &err), -EINVAL);
		assert_null(host);
		assert_null(guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_have_a_place),
		cmocka_unit_test(strange_places_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
