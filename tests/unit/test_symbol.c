// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <link.h>

#include <cmocka.h>

#include "base/path.h"
#include "run/symbol.h"
#include "tests/lib/scratch.h"

/* Its first line is looked up. */
static __attribute__((noinline)) int known_place(int x)
{
	return x + 1;
}

static int note_base(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uintptr_t *)arg = info->dlpi_addr;
	return 1;
}

static void own_functions_are_found(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct symbols *symbols;
	uintptr_t base = 0;
	char *self = path_self(NULL);

	(void)state;
	dl_iterate_phdr(note_base, &base);
	symbols = symbols_open(self);
	assert_non_null(symbols);
	symbols_add(symbols, (uintptr_t)known_place - base, &out);
	assert_memory_equal(strbuf_str(&out), "known_place", 11);
	assert_non_null(strstr(strbuf_str(&out), " at "));
	assert_non_null(strstr(strbuf_str(&out), "test_symbol.c:"));
	strbuf_clear(&out);
	symbols_add(symbols, 1, &out);
	assert_string_equal(strbuf_str(&out), "offset 0x1");
	symbols_close(symbols);
	strbuf_deinit(&out);
	free(self);
	assert_int_equal(known_place(1), 2);
}

static void without_a_program_the_offset_is_shown(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct scratch dir;

	(void)state;
	scratch_create(&dir);
	assert_null(symbols_open(scratch_path(&dir, "none")));
	assert_null(symbols_open(scratch_text(&dir, "text", "no program")));
	symbols_add(NULL, 0xabc, &out);
	assert_string_equal(strbuf_str(&out), "offset 0xabc");
	strbuf_deinit(&out);
	scratch_destroy(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_functions_are_found),
		cmocka_unit_test(without_a_program_the_offset_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
