// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* One test per way a body can end, without a VM; verdicts.sh knows what must come out. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ktstr/test.h>

#include "tests/lib/record_socket.h"

static void passes(struct ktstr *t)
{
	EXPECT_EQ(t, 2 + 2, 4);
	EXPECT_LT(t, -1, 3u);
	EXPECT_OK(t, 0);
	EXPECT_ERR(t, -ENOENT, -ENOENT);
	EXPECT_STREQ(t, "a", "a");
	EXPECT_NEAR(t, 1.0, 1.05, 0.1);
	ktstr_note(t, "a note on a passing test");
	ktstr_measured(t, "gap_ns", 1234.5, "ns");
}

KTSTR_TEST(passes) = { .about = "a passing test", .host_only = true, .run = passes };

static void fails(struct ktstr *t)
{
	uint64_t gap = 71;

	EXPECT_LE(t, gap, 64);
	EXPECT_STREQ(t, "seen\x01\xff", "wanted <&>");
	KTSTR_FAIL_NOW(t, "expected %d, because", 7);
}

KTSTR_TEST(fails) = { .about = "three failed checks", .host_only = true, .run = fails };

static void fails_then_stops(struct ktstr *t)
{
	ASSERT_EQ(t, 1, 2);
	EXPECT_EQ(t, 3, 4);
}

KTSTR_TEST(fails_then_stops) = { .host_only = true, .run = fails_then_stops };

static void skips(struct ktstr *t)
{
	ktstr_skip(t, "needs a moon # of cheese");
}

KTSTR_TEST(skips) = { .host_only = true, .run = skips };

static void fails_and_skips(struct ktstr *t)
{
	EXPECT_TRUE(t, false);
	ktstr_skip(t, "too late");
}

KTSTR_TEST(fails_and_skips) = { .host_only = true, .run = fails_and_skips };

static void is_undecided(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	ktstr_undecided(t, "the host was busy");
}

KTSTR_TEST(is_undecided) = { .host_only = true, .run = is_undecided };

static void checks_nothing(struct ktstr *t)
{
	(void)t;
}

KTSTR_TEST(checks_nothing) = { .host_only = true, .run = checks_nothing };

static const struct ktstr_payload absent = {
	.name = "absent",
	.binary = "ktstr-there-is-no-such-program",
};

static void set_up_breaks(struct ktstr *t)
{
	struct ktstr_proc *proc;

	ASSERT_OK(t, ktstr_payload_spawn(t, &absent, NULL, &proc));
}

KTSTR_TEST(set_up_breaks) = { .host_only = true, .run = set_up_breaks };

static void measures_nothing(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	ktstr_measured(t, "ratio", NAN, "");
}

KTSTR_TEST(measures_nothing) = { .host_only = true, .run = measures_nothing };

static __attribute__((noinline)) void write_to(volatile int *address)
{
	*address = 1;
}

static volatile uintptr_t nowhere = 16;

static void segfaults(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	write_to((volatile int *)nowhere);
	EXPECT_TRUE(t, true);
}

KTSTR_TEST(segfaults) = { .host_only = true, .run = segfaults };

static void aborts(struct ktstr *t)
{
	(void)t;
	fprintf(stderr, "about to abort\n");
	abort();
}

KTSTR_TEST(aborts) = { .host_only = true, .run = aborts };

static volatile int depth_left = 1 << 30;

static __attribute__((noinline)) int recurse(volatile char *above)
{
	volatile char frame[4096];

	frame[0] = *above;
	return depth_left-- ? recurse(frame) + frame[0] : 0;
}

static void overflows_stack(struct ktstr *t)
{
	char start = 1;

	EXPECT_EQ(t, recurse(&start), 0);
}

KTSTR_TEST(overflows_stack) = { .host_only = true, .run = overflows_stack };

static void exits(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	exit(0);
}

KTSTR_TEST(exits) = { .host_only = true, .run = exits };

static void is_killed(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	kill(getpid(), SIGKILL);
}

KTSTR_TEST(is_killed) = { .host_only = true, .run = is_killed };

static void waits(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	/* A process that leaves the group must not survive either. */
	if (fork() == 0) {
		setsid();
		for (;;)
			pause();
	}
	for (;;)
		pause();
}

KTSTR_TEST(waits_too_long) = { .host_only = true, .timeout_ns = MSECS(300), .run = waits };

KTSTR_TEST(waits_for_ever) = { .host_only = true, .timeout_ns = SECS(600), .run = waits };

static void talks_much(struct ktstr *t)
{
	for (int i = 0; i < 20000; i++) {
		printf("line %d\n", i);
		EXPECT_GE(t, i, 0);
	}
	ktstr_note(t, "%s", "two\nlines");
	EXPECT_TRUE(t, false);
}

KTSTR_TEST(talks_much) = { .host_only = true, .run = talks_much };

/* A limit that no sum with it may turn into an early one. */
KTSTR_TEST(without_limit) = { .host_only = true, .timeout_ns = UINT64_MAX, .run = passes };

/* A frame as src/run/protocol.h has it; seq and crc are the runner's. */
struct raw_frame {
	uint32_t magic;
	uint16_t type, flags;
	uint32_t length, crc;
	uint64_t seq, time_ns;
	char payload[48 << 10];
};

enum { RAW_HEADER = 32, RAW_NOTE = 7, RAW_BODY_END = 14 };

static ssize_t send_raw(int fd, uint16_t type, const char *start, size_t length)
{
	static struct raw_frame frame;

	frame.magic = 0x3152544b;
	frame.type = type;
	frame.length = (uint32_t)length;
	memset(frame.payload, ' ', sizeof(frame.payload));
	memcpy(frame.payload, start, strlen(start));
	return send(fd, &frame, RAW_HEADER + length, MSG_NOSIGNAL);
}

static void writes_its_own_end(struct ktstr *t)
{
	int fd = record_socket();

	ASSERT_GE(t, fd, 0);
	EXPECT_GT(t, send_raw(fd, RAW_BODY_END, "{\"exit\":0}", 10), 0);
}

KTSTR_TEST(writes_its_own_end) = { .host_only = true, .run = writes_its_own_end };

static void writes_without_end(struct ktstr *t)
{
	int fd = record_socket();

	ASSERT_GE(t, fd, 0);
	EXPECT_TRUE(t, true);
	while (send_raw(fd, RAW_NOTE, "{\"text\":\"\"}", 48 << 10) > 0)
		;
}

KTSTR_TEST(writes_without_end) = { .host_only = true, .run = writes_without_end };

KTSTR_TEST(has_no_body) = { .host_only = true };

KTSTR_TEST(has_impossible_topology) = { .topology = { .nodes = 2, .llcs = 3 }, .run = passes };

KTSTR_TEST(needs_other_kernel) = {
	.host_only = true,
	.needs = { .kernel_major = 99 },
	.run = passes,
};

static const struct ktstr_test foreign = { .host_only = true, .run = passes };
static const struct ktstr_entry foreign_entry = {
	.abi = KTSTR_TEST_ABI,
	.test_size = sizeof(struct ktstr_test) - 8,
	.name = "built_with_other_headers",
	.file = __FILE__,
	.line = __LINE__,
	.test = &foreign,
};
__attribute__((KTSTR_RETAIN KTSTR_NOASAN used,
	       section("ktstr_tests"))) static const struct ktstr_entry *const foreign_slot =
	&foreign_entry;

KTSTR_MAIN
