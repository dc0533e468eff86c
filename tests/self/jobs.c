// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Tests on the host for jobs_test.sh; files they leave lie in the folder they are started in. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/test.h>

static void leave(struct ktstr *t, const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	ASSERT_OK(t, fd);
	close(fd);
}

/* Until the file is there; the test's limit ends it otherwise. */
static void wait_for(const char *name)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	while (access(name, F_OK) < 0)
		nanosleep(&moment, NULL);
}

static void meets_b(struct ktstr *t)
{
	leave(t, "a.is-here");
	wait_for("b.is-here");
	EXPECT_TRUE(t, access("b.is-here", F_OK) == 0);
}

static void meets_a(struct ktstr *t)
{
	leave(t, "b.is-here");
	wait_for("a.is-here");
	EXPECT_TRUE(t, access("a.is-here", F_OK) == 0);
}

static void says_it_ran(struct ktstr *t)
{
	leave(t, "ran");
	EXPECT_TRUE(t, true);
}

static void fails_for_odd_seeds(struct ktstr *t)
{
	EXPECT_EQ(t, ktstr_seed(t) % 2, 0);
}

static void fails_once(struct ktstr *t)
{
	bool before = access("failed", F_OK) == 0;

	leave(t, "failed");
	EXPECT_TRUE(t, before);
}

static void kills_its_worker(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	leave(t, "worker-lives-on");
	kill(getppid(), SIGKILL);
	wait_for("never");
}

static void waits(struct ktstr *t)
{
	leave(t, "waits");
	wait_for("never");
	EXPECT_TRUE(t, true);
}

static void stops_its_worker(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	leave(t, "waits");
	kill(getppid(), SIGSTOP);
	wait_for("never");
}

/* Takes longer than the one whose name comes before it. */
static void is_slow(struct ktstr *t)
{
	const struct timespec moment = { .tv_nsec = 300000000 };

	nanosleep(&moment, NULL);
	EXPECT_TRUE(t, true);
}

static void is_quick(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
}

KTSTR_TEST(pair_a) = { .host_only = true, .timeout_ns = SECS(60), .run = meets_b };
KTSTR_TEST(pair_b) = { .host_only = true, .timeout_ns = SECS(60), .run = meets_a };
KTSTR_TEST(odd_seeds) = { .host_only = true, .run = fails_for_odd_seeds };
KTSTR_TEST(fails_once) = { .host_only = true, .run = fails_once };
KTSTR_TEST(after_fails_once) = { .host_only = true, .run = says_it_ran };
KTSTR_TEST(gone_worker) = { .host_only = true, .timeout_ns = SECS(60), .run = kills_its_worker };
KTSTR_TEST(stopped_worker) = { .host_only = true,
			       .timeout_ns = SECS(600),
			       .run = stops_its_worker };
KTSTR_TEST(waits) = { .host_only = true, .timeout_ns = SECS(600), .run = waits };
KTSTR_TEST(x_quick) = { .host_only = true, .run = is_quick };
KTSTR_TEST(y_slow) = { .host_only = true, .run = is_slow };
KTSTR_TEST(vast) = { .memory_bytes = GIB(1) << 20, .run = is_quick };

KTSTR_MAIN
