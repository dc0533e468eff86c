// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Words that a test adds to the kernel's command line reach the kernel, and no other test's guest. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/test.h>

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? -1 : 0;
}

static void expect_isolated(struct ktstr *t, const char *cpus)
{
	char text[4096];

	ASSERT_EQ(t, read_text("/proc/cmdline", text, sizeof(text)), 0);
	EXPECT_EQ(t, strstr(text, " isolcpus=1") != NULL, *cpus != '\0');
	ASSERT_EQ(t, read_text("/sys/devices/system/cpu/isolated", text, sizeof(text)), 0);
	text[strcspn(text, "\n")] = '\0';
	EXPECT_STREQ(t, text, cpus);
}

static void isolated(struct ktstr *t)
{
	expect_isolated(t, "1");
}

static void usual(struct ktstr *t)
{
	expect_isolated(t, "");
}

KTSTR_TEST(kernel_args_are_obeyed) = {
	.about = "isolcpus=1 isolates CPU 1",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.kernel_args = "isolcpus=1",
	.run = isolated,
};

KTSTR_TEST(without_kernel_args_none_are_there) = {
	.about = "the same machine without the word isolates nothing",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.run = usual,
};

KTSTR_MAIN
