// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/huge.h"

static void it_is_memory(void **state)
{
	static const size_t sizes[] = { 0, 1, HUGE_PAGE_BYTES, 3 * HUGE_PAGE_BYTES + 5 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		unsigned char *at = huge_alloc(sizes[i]);

		assert_non_null(at);
		assert_int_equal((uintptr_t)at % HUGE_PAGE_BYTES, 0);
		memset(at, 7, sizes[i]);
		free(at);
	}
}

static void too_much_is_refused(void **state)
{
	volatile size_t all = SIZE_MAX;

	(void)state;
	assert_null(huge_alloc(all));
	assert_null(huge_alloc(all - 5));
	assert_null(huge_alloc(all / 2 - 5));
}

/* Whether the flags of the mapping that @at lies in hold @flag; -1: not said. */
static int mapping_has(const void *at, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long first, end;
	int found = -1, inside = 0;
	char line[512];

	while (maps && found < 0 && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
			inside = first <= (uintptr_t)at && (uintptr_t)at < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag) != NULL;
	}
	if (maps)
		fclose(maps);
	return found;
}

static void huge_pages_are_asked_for(void **state)
{
	unsigned char *at;
	int has;

	(void)state;
	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) < 0) {
		print_message("needs a kernel with huge pages (CONFIG_TRANSPARENT_HUGEPAGE)\n");
		skip();
	}
	at = huge_alloc(2 * HUGE_PAGE_BYTES);
	assert_non_null(at);
	has = mapping_has(at, " hg");
	free(at);
	assert_int_equal(has, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_memory),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(huge_pages_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
