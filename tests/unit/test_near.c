// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/near.h"

static const char *best_of(const char *word)
{
	static const char *const names[] = { "spin",	 "pipe_pair", "futex_pair",
					     "set_cpus", "swap_cpus", "gap_ns" };
	struct near near = near_start(word);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		near_offer(&near, names[i]);
	return near.best;
}

static void near_words_are_found(void **state)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
		{ "spni", "spin" },
		{ "spinn", "spin" },
		{ "pin", "spin" },
		{ "pipe-pair", "pipe_pair" },
		{ "futexpair", "futex_pair" },
		{ "set_cpu", "set_cpus" },
		{ "gap_ms", "gap_ns" },
		{ "gap", NULL },
		{ "wibble", NULL },
		{ "", NULL },
		{ "x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *best = best_of(cases[i].word);

		if (cases[i].best)
			assert_string_equal(best, cases[i].best);
		else
			assert_null(best);
	}
}

static void overlong_words_are_near_nothing(void **state)
{
	char word[4 * NEAR_WORD];

	(void)state;
	memset(word, 's', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(best_of(word));
}

static void hint_is_a_piece_of_a_sentence(void **state)
{
	struct near near = near_start("spni");
	char buf[64], cut[8];

	(void)state;
	assert_string_equal(near_hint(&near, buf, sizeof(buf)), "");
	near_offer(&near, "spin");
	assert_string_equal(near_hint(&near, buf, sizeof(buf)), "; did you mean 'spin'?");
	assert_string_equal(near_hint(&near, cut, sizeof(cut)), "; did y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_words_are_found),
		cmocka_unit_test(overlong_words_are_near_nothing),
		cmocka_unit_test(hint_is_a_piece_of_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
