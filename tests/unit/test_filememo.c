// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "vm/filememo.h"

static struct scratch scratch;

static struct filememo memo_of(const char *name, bool cached)
{
	char path[512], cache[512];
	struct filememo memo;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", scratch.dir, name);
	snprintf(cache, sizeof(cache), "%s/cache", scratch.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(filememo_init(&memo, cached ? cache : NULL, "folder", "kind", path, &st),
			 0);
	return memo;
}

static void plant(const struct filememo *memo, const char *rest)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", memo->subject, rest);
	scratch_text(&scratch, memo->place + strlen(scratch.dir) + 1, text);
}

static void a_line_is_remembered(void **state)
{
	struct filememo memo;
	char *line;

	(void)state;
	scratch_text(&scratch, "f", "abc");
	memo = memo_of("f", true);
	assert_null(filememo_recall(&memo));
	plant(&memo, "what it is\n");
	line = filememo_recall(&memo);
	assert_string_equal(line, "what it is");
	free(line);
	filememo_deinit(&memo);
	memo = memo_of("f", false);
	assert_null(filememo_recall(&memo));
	filememo_remember(&memo, &memo.st, "x");
	filememo_deinit(&memo);
}

static void another_file_or_damage_is_not_recalled(void **state)
{
	static const char *const damaged[] = { "", "\n", "cut", "one\ntwo\n" };
	struct filememo memo;

	(void)state;
	scratch_text(&scratch, "f", "abc");
	memo = memo_of("f", true);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		plant(&memo, damaged[i]);
		assert_null(filememo_recall(&memo));
	}
	plant(&memo, "what it is\n");
	filememo_deinit(&memo);
	scratch_text(&scratch, "f", "abcd");
	memo = memo_of("f", true);
	assert_null(filememo_recall(&memo));
	filememo_deinit(&memo);
}

static void only_a_file_that_rests_is_remembered(void **state)
{
	struct filememo memo;
	struct stat changed;
	char *line;

	(void)state;
	scratch_text(&scratch, "f", "abc");
	memo = memo_of("f", true);
	filememo_remember(&memo, &memo.st, "too young");
	assert_null(filememo_recall(&memo));
	/* As it will look later; nobody can set a file's change time. */
	memo.st.st_mtim.tv_sec -= 10;
	memo.st.st_ctim.tv_sec -= 10;
	changed = memo.st;
	changed.st_mtim.tv_nsec ^= 1;
	filememo_remember(&memo, &changed, "changed meanwhile");
	assert_null(filememo_recall(&memo));
	filememo_remember(&memo, &memo.st, "rested");
	line = filememo_recall(&memo);
	assert_string_equal(line, "rested");
	free(line);
	filememo_deinit(&memo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_line_is_remembered, scratch),
		SCRATCH_TEST(another_file_or_damage_is_not_recalled, scratch),
		SCRATCH_TEST(only_a_file_that_rests_is_remembered, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
