// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Small tests in VMs; guests_test.sh and its neighbours know what must come out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/test.h>

static void sees_its_cpus(struct ktstr *t)
{
	EXPECT_EQ(t, sysconf(_SC_NPROCESSORS_ONLN), 2);
	ktstr_note(t, "a note from a guest");
	ktstr_measured(t, "pid", getpid(), "");
}

KTSTR_TEST(sees_its_cpus) = {
	.about = "a guest has the CPUs that were asked for",
	.topology = { .cores_per_llc = 2 },
	.run = sees_its_cpus,
};

static void passes(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
}

KTSTR_TEST(a_first_one) = { .host_only = true, .run = passes };

static void fails(struct ktstr *t)
{
	printf("something the body said\n");
	EXPECT_EQ(t, 6 * 7, 41);
}

KTSTR_TEST(fails) = { .run = fails };

static void waits(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	for (;;)
		pause();
}

KTSTR_TEST(waits_long) = { .run = waits, .timeout_ns = SECS(600) };

static void spins(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
	for (volatile unsigned int turns = 0;; turns++)
		;
}

KTSTR_TEST(spins_long) = { .run = spins, .timeout_ns = SECS(6000) };

KTSTR_TEST(needs_odd_option) = {
	.needs = { .kconfigs = { "KTSTR_NO_SUCH_OPTION" } },
	.run = passes,
};

static void eats_memory(struct ktstr *t)
{
	char *p;

	EXPECT_TRUE(t, true);
	while ((p = malloc(MIB(1))))
		memset(p, 1, MIB(1));
}

KTSTR_TEST(eats_memory) = { .run = eats_memory };

static const struct ktstr_payload missing = { .name = "missing", .binary = "./missing" };
static const struct ktstr_payload not_executable = {
	.name = "not_executable",
	.binary = "./not-executable",
};
static const struct ktstr_payload lacks_library = {
	.name = "lacks_library",
	.binary = "./lacks-library",
};

KTSTR_TEST(payload_is_missing) = { .payloads = { &missing }, .run = passes };

KTSTR_TEST(payload_is_not_executable) = { .payloads = { &not_executable }, .run = passes };

KTSTR_TEST(payload_lacks_library) = { .payloads = { &lacks_library }, .run = passes };

KTSTR_TEST(file_is_missing) = { .files = { "./no-such-file" }, .run = passes };

static void reads_its_files(struct ktstr *t)
{
	EXPECT_OK(t, access("/files/plain", R_OK) < 0 ? -errno : 0);
	EXPECT_OK(t, access("/etc/elsewhere", R_OK) < 0 ? -errno : 0);
}

KTSTR_TEST(reads_its_files) = {
	.files = { "./plain", "./plain:/etc/elsewhere" },
	.run = reads_its_files,
};

/* What a program logs stands at the start of its console line, as a real report does. */
static void log_line(struct ktstr *t, const char *line)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	ASSERT_GE(t, fd, 0);
	EXPECT_EQ(t, write(fd, line, strlen(line)), (ssize_t)strlen(line));
	close(fd);
}

static void logs_a_warning(struct ktstr *t)
{
	log_line(t, "<4>WARNING: CPU: 0 PID: 1 at kernel/sched/core.c:1 f+0x1/0x2\n");
}

KTSTR_TEST(logs_a_warning) = { .run = logs_a_warning };

static void logs_a_lost_patch(struct ktstr *t)
{
	log_line(t, "<1>Oops: int3: 0000 [#1] SMP\n");
}

KTSTR_TEST(logs_a_lost_patch) = { .run = logs_a_lost_patch };

KTSTR_MAIN
