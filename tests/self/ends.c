// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* One test per way a guest can end; ends_test.sh knows what must come out. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ktstr/test.h>

#include "tests/lib/record_socket.h"

/* A volatile object, so that no compiler sees what happens. */
static int *volatile nowhere;

static void write_file(struct ktstr *t, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(t, fd, 0);
	EXPECT_EQ(t, write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void returns(struct ktstr *t)
{
	EXPECT_EQ(t, getuid(), 0);
	puts("the body's stdout");
}

KTSTR_TEST(returns) = { .about = "a body that returns passes", .run = returns };

__attribute__((noinline)) void ends_crash_here(void);
__attribute__((noinline)) void ends_crash_here(void)
{
	*nowhere = 1;
}

static void crashes(struct ktstr *t)
{
	ktstr_note(t, "about to crash");
	ends_crash_here();
}

KTSTR_TEST(crashes) = { .about = "SIGSEGV in ends_crash_here()", .run = crashes };

static void aborts(struct ktstr *t)
{
	(void)t;
	abort();
}

KTSTR_TEST(aborts) = { .about = "SIGABRT", .run = aborts };

static void exits_with_zero(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	exit(0);
}

KTSTR_TEST(exits_with_zero) = { .about = "exit(0) is no return", .run = exits_with_zero };

static void exits_with_three(struct ktstr *t)
{
	(void)t;
	_exit(3);
}

KTSTR_TEST(exits_with_three) = { .about = "_exit(3)", .run = exits_with_three };

static void kills_all_others(struct ktstr *t)
{
	EXPECT_OK(t, kill(-1, SIGKILL));
	EXPECT_OK(t, kill(1, SIGKILL));
	EXPECT_OK(t, kill(1, SIGSTOP));
	EXPECT_OK(t, kill(1, SIGTERM));
}

KTSTR_TEST(kills_all_others) = {
	.about = "PID 1 does not mind being killed, stopped and terminated",
	.run = kills_all_others,
};

static void kills_itself(struct ktstr *t)
{
	(void)t;
	raise(SIGKILL);
}

KTSTR_TEST(kills_itself) = { .about = "a signal that no handler sees", .run = kills_itself };

static void panics(struct ktstr *t)
{
	write_file(t, "/proc/sysrq-trigger", "c");
}

KTSTR_TEST(panics) = { .about = "a kernel panic, from sysrq", .run = panics };

/* The only CPU belongs to one task that outranks all, for ever: not even the agent runs. */
static void hangs(struct ktstr *t)
{
	const struct sched_param param = { .sched_priority = 99 };

	write_file(t, "/proc/sys/kernel/sched_rt_runtime_us", "-1");
	ASSERT_OK(t, sched_setscheduler(0, SCHED_FIFO, &param));
	for (;;)
		;
}

KTSTR_TEST(hangs) = { .about = "no heartbeat any more", .timeout_ns = SECS(300), .run = hangs };

static void times_out(struct ktstr *t)
{
	(void)t;
	for (;;)
		pause();
}

KTSTR_TEST(times_out) = {
	.about = "alive, but longer than its limit",
	.timeout_ns = SECS(1),
	.run = times_out,
};

static void stops_everyone(struct ktstr *t)
{
	pid_t child = fork();

	ASSERT_GE(t, child, 0);
	while (child == 0)
		pause();
	EXPECT_OK(t, kill(-1, SIGSTOP));
	raise(SIGSTOP);
}

KTSTR_TEST(stops_everyone) = {
	.about = "a stopped body still runs out of time",
	.timeout_ns = SECS(1),
	.run = stops_everyone,
};

static void takes_all_memory(struct ktstr *t)
{
	const size_t step = MIB(1);
	char *p;

	while ((p = malloc(step)) != NULL)
		memset(p, 1, step);
	ktstr_undecided(t, "malloc() gave up before the kernel did");
}

KTSTR_TEST(takes_all_memory) = {
	.about = "the kernel kills the body for its memory, and nothing else",
	.memory_bytes = MIB(256),
	.run = takes_all_memory,
};

static void fills_the_disk(struct ktstr *t)
{
	static char chunk[1 << 20];
	int fd = open("/tmp/full", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n;

	ASSERT_GE(t, fd, 0);
	while ((n = write(fd, chunk, sizeof(chunk))) > 0)
		;
	EXPECT_EQ(t, errno, ENOSPC);
	close(fd);
}

KTSTR_TEST(fills_the_disk) = { .about = "a full /tmp is no trouble", .run = fills_the_disk };

static void writes_garbage(struct ktstr *t)
{
	static const char garbage[] = "this is long enough to be a record, but it is none";
	int fd = record_socket();

	ASSERT_GE(t, fd, 0);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(t, send(fd, garbage, sizeof(garbage), 0), (ssize_t)sizeof(garbage));
}

KTSTR_TEST(writes_garbage) = {
	.about = "what is no record is an error, not damage",
	.run = writes_garbage,
};

static void leaves_daemons(struct ktstr *t)
{
	int ready[2];

	ASSERT_OK(t, pipe(ready));
	for (int i = 0; i < 3; i++) {
		if (fork() != 0)
			continue;
		setsid();
		if (fork() != 0)
			_exit(0);
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_IGN);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(t, read(ready[0], (char[1]){ 0 }, 1), 1);
}

KTSTR_TEST(leaves_daemons) = {
	.about = "processes that outlive the body are named and killed",
	.run = leaves_daemons,
};

static void closes_everything(struct ktstr *t)
{
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	EXPECT_TRUE(t, true);
}

KTSTR_TEST(closes_everything) = {
	.about = "a body that cannot report any more does not pass",
	.run = closes_everything,
};

static void writes_without_end(struct ktstr *t)
{
	static char line[4096];
	int nr = 0;

	memset(line, 'x', sizeof(line));
	while (nr < 8192 && write(STDOUT_FILENO, line, sizeof(line)) > 0)
		nr++;
	EXPECT_EQ(t, nr, 8192);
}

KTSTR_TEST(writes_without_end) = {
	.about = "32 MiB on stdout are cut, and that is said",
	.run = writes_without_end,
};

static void powers_off(struct ktstr *t)
{
	write_file(t, "/proc/sysrq-trigger", "o");
	for (;;)
		pause();
}

KTSTR_TEST(powers_off) = { .about = "the machine goes away under the test", .run = powers_off };

KTSTR_MAIN
