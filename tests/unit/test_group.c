// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/group.h"

static void stat_line_is_read(void **state)
{
	struct group_stat st;

	(void)state;
	assert_int_equal(group_parse_stat("12 (a b) c) S 1 77 12 0 -1", &st), 0);
	assert_string_equal(st.comm, "a b) c");
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.group, 77);
	assert_int_equal(group_parse_stat("12 (\001\n) Z 1 5", &st), 0);
	assert_string_equal(st.comm, "??");
	assert_int_equal(st.group, 5);
}

static void damaged_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"",	    "12",	  "12 (a",	   "12 a) S 1 7",   "12 )a( S 1 7",
		"12 (a) S", "12 (a) S 1", "12 (a) S 1 x9", "12 (a) SS 1 7", "12 (a) S 1 ",
		"12 (a)"
	};
	struct group_stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(group_parse_stat(bad[i], &st), -EBADMSG);
	assert_int_equal(group_parse_stat("12 (a) S 1 99999999999", &st), -EBADMSG);
}

/* A group of @nr sleeping processes and one zombie; all are children of the caller. */
static void make_group(pid_t *pids, int nr)
{
	for (int i = 0; i <= nr; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (i == nr)
				_exit(0);
			for (;;)
				pause();
		}
		assert_true(pids[i] > 0);
		assert_int_equal(setpgid(pids[i], pids[0]), 0);
	}
}

static void live_members_are_named(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(GROUP_TEXT_BYTES);
	siginfo_t info;
	char wanted[64];
	pid_t pids[GROUP_NAMED + 4];

	(void)state;
	make_group(pids, GROUP_NAMED + 2);
	assert_int_equal(waitid(P_PID, (id_t)pids[GROUP_NAMED + 2], &info, WEXITED | WNOWAIT), 0);
	group_describe(pids[0], &text);
	snprintf(wanted, sizeof(wanted), "%d (test_group), %d (test_group), ", pids[0], pids[1]);
	assert_ptr_equal(strstr(strbuf_str(&text), wanted), strbuf_str(&text));
	assert_non_null(strstr(strbuf_str(&text), " and 2 more"));
	assert_int_equal(kill(-pids[0], SIGKILL), 0);
	for (int i = 0; i <= GROUP_NAMED + 2; i++)
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	strbuf_clear(&text);
	group_describe(pids[0], &text);
	assert_int_equal(text.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_line_is_read),
		cmocka_unit_test(damaged_lines_are_refused),
		cmocka_unit_test(live_members_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
