// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/family.h"

#include "../lib/process.h"

static struct family family;

/* A shell that becomes @command, in a group of its own, with the mark or without. */
static pid_t start(bool marked, bool in_group)
{
	char *const argv[] = { (char[]){ "cat" }, NULL };
	char *env[] = { marked ? family.mark : (char[]){ "A=1" }, NULL };
	int pipes[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		close(pipes[1]);
		dup2(pipes[0], 0);
		if (in_group)
			setpgid(0, 0);
		execve("/bin/cat", argv, env);
		_exit(127);
	}
	close(pipes[0]);
	if (in_group) {
		setpgid(pid, pid);
		family.group = pid;
	}
	return pid;
}

static bool has(const struct family_members *members, pid_t pid)
{
	for (size_t i = 0; i < members->nr; i++)
		if (members->pids[i] == pid)
			return true;
	return false;
}

/* Until it has executed it has our environment. */
static void wait_member(pid_t pid)
{
	struct family_members members;

	do
		family_find(&family, &members);
	while (!has(&members, pid));
}

static void members_are_found_and_killed(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct family_members members;
	pid_t marked, grouped, other;
	char wanted[64];

	(void)state;
	snprintf(family.mark, sizeof(family.mark), "KTSTR_LOADER=%d-1", (int)getpid());
	marked = start(true, false);
	grouped = start(false, true);
	other = start(false, false);
	wait_member(marked);
	wait_member(grouped);
	family_find(&family, &members);
	assert_int_equal(members.nr, 2);
	assert_false(has(&members, other));
	family_describe(&members, &text);
	snprintf(wanted, sizeof(wanted), "%d (", (int)marked);
	assert_non_null(strstr(strbuf_str(&text), wanted));
	strbuf_deinit(&text);
	family_kill(&family);
	process_wait_dead(marked);
	process_wait_dead(grouped);
	assert_false(process_is_dead(other));
	family_find(&family, &members);
	assert_int_equal(members.nr, 0);
	kill(other, SIGKILL);
	while (wait(NULL) > 0)
		;
}

static void own_nice_values_are_kept(void **state)
{
	pid_t meant, chosen;

	(void)state;
	family = (struct family){ 0 };
	snprintf(family.mark, sizeof(family.mark), "KTSTR_LOADER=%d-2", (int)getpid());
	meant = start(true, false);
	chosen = start(true, false);
	wait_member(meant);
	wait_member(chosen);
	assert_int_equal(setpriority(PRIO_PROCESS, (id_t)meant, 5), 0);
	assert_int_equal(setpriority(PRIO_PROCESS, (id_t)chosen, 6), 0);
	family_renice(&family, 5, 9);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)meant), 9);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)chosen), 6);
	family_kill(&family);
	while (wait(NULL) > 0)
		;
}

static void a_longer_mark_is_another(void **state)
{
	struct family_members members;
	pid_t pid;

	(void)state;
	family = (struct family){ 0 };
	snprintf(family.mark, sizeof(family.mark), "KTSTR_LOADER=%d-11", (int)getpid());
	pid = start(true, false);
	wait_member(pid);
	family.mark[strlen(family.mark) - 1] = '\0';
	family_find(&family, &members);
	assert_int_equal(members.nr, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void many_are_cut(void **state)
{
	struct family_members members = { .nr = FAMILY_NAMED + 3 };
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < members.nr; i++)
		members.pids[i] = getpid();
	family_describe(&members, &text);
	assert_non_null(strstr(strbuf_str(&text), ") and 3 more"));
	strbuf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_and_killed),
		cmocka_unit_test(own_nice_values_are_kept),
		cmocka_unit_test(a_longer_mark_is_another),
		cmocka_unit_test(many_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
