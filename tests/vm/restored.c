// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A guest's time is sane, also where the guest slept in a template before: its clocks advance
 * together, on each CPU, and the kernel has no complaint about them.  Nothing is compared with the
 * host's time here, which runs on while a vCPU does not: tests/self/restored_test.sh does what can
 * be done of that with the values measured here.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <ktstr/test.h>

enum { NR_CPUS = 2, STEPS = 6, STEP_MS = 200, RECORD_MAX = 8192 };

/* Each reading lies between two others, so what is known of it is a range and no guess. */
struct reading {
	uint64_t tsc[2], monotonic[2], boot, real;
};

struct range {
	double low, high;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return SECS(ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

static struct reading read_clocks(void)
{
	struct reading r;

	r.tsc[0] = __rdtsc();
	r.monotonic[0] = clock_ns(CLOCK_MONOTONIC);
	r.boot = clock_ns(CLOCK_BOOTTIME);
	r.real = clock_ns(CLOCK_REALTIME);
	r.monotonic[1] = clock_ns(CLOCK_MONOTONIC);
	r.tsc[1] = __rdtsc();
	return r;
}

static struct range ticks_per_ns(const struct reading *from, const struct reading *to)
{
	return (struct range){
		.low = ((double)to->tsc[0] - (double)from->tsc[1]) /
		       (double)(to->monotonic[1] - from->monotonic[0]),
		.high = ((double)to->tsc[1] - (double)from->tsc[0]) /
			(double)(to->monotonic[0] - from->monotonic[1]),
	};
}

static void use_cpu(struct ktstr *t, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	EXPECT_EQ(t, sched_setaffinity(0, sizeof(set), &set), 0);
}

static void check_step(struct ktstr *t, const struct reading *first, const struct reading *last)
{
	const struct reading *before = last - 1;

	EXPECT_GE(t, last->monotonic[0] - before->monotonic[1], MSECS(STEP_MS));
	EXPECT_GT(t, last->tsc[0], before->tsc[1]);
	/* No guest of ours is suspended, as far as it knows. */
	EXPECT_GE(t, last->boot, last->monotonic[0]);
	EXPECT_LE(t, last->boot, last->monotonic[1]);
	/* Nobody sets the clock while a body runs. */
	EXPECT_LE(t, last->real - last->monotonic[1], first->real - first->monotonic[0]);
	EXPECT_GE(t, last->real - last->monotonic[0], first->real - first->monotonic[1]);
}

static void clocks_advance_together(struct ktstr *t)
{
	const struct timespec step = { .tv_nsec = (long)MSECS(STEP_MS) };
	struct reading readings[STEPS + 1];
	struct range rate = { 0, 1e9 };

	readings[0] = read_clocks();
	for (unsigned int i = 1; i <= STEPS; i++) {
		struct range seen;

		use_cpu(t, i % NR_CPUS);
		ASSERT_EQ(t, nanosleep(&step, NULL), 0);
		readings[i] = read_clocks();
		check_step(t, &readings[0], &readings[i]);
		seen = ticks_per_ns(&readings[i - 1], &readings[i]);
		rate.low = seen.low > rate.low ? seen.low : rate.low;
		rate.high = seen.high < rate.high ? seen.high : rate.high;
	}
	ktstr_note(t, "TSC: %.6f to %.6f GHz", rate.low, rate.high);
	/* One rate can explain all steps; 1% is for a kernel that still steers its clock. */
	EXPECT_GT(t, rate.high, 0.01);
	EXPECT_LE(t, rate.low, rate.high * 1.01);
	ktstr_measured(t, "realtime", (double)readings[0].real / 1e9, "s");
	ktstr_measured(t, "uptime", (double)readings[0].boot / 1e9, "s");
}

static void no_complaint(struct ktstr *t)
{
	static const char *const complaints[] = { "unstable", "stall", "soft lockup",
						  "timekeeping watchdog" };
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[RECORD_MAX + 1];
	unsigned int nr = 0;
	ssize_t n;

	ASSERT_GE(t, fd, 0);
	/* -EPIPE: older records made way. */
	while ((n = read(fd, record, RECORD_MAX)) > 0 || (n < 0 && errno == EPIPE)) {
		record[n > 0 ? n : 0] = '\0';
		nr++;
		for (unsigned int i = 0; i < sizeof(complaints) / sizeof(*complaints); i++)
			if (strstr(record, complaints[i]))
				ktstr_fail_at(t, KTSTR_SITE("", ""), "the kernel says: %s", record);
	}
	EXPECT_EQ(t, errno, EAGAIN);
	EXPECT_GT(t, nr, 10);
	close(fd);
}

static void time_goes_on(struct ktstr *t)
{
	uint64_t random = 0;

	EXPECT_EQ(t, getrandom(&random, sizeof(random), 0), sizeof(random));
	/* A double holds 53 bits. */
	ktstr_measured(t, "random", (double)(random >> 11), "");
	clocks_advance_together(t);
	no_complaint(t);
}

KTSTR_TEST(time_goes_on) = {
	.about = "a guest's clocks advance together, and its kernel trusts them",
	.topology = { .cores_per_llc = NR_CPUS },
	.run = time_goes_on,
};

KTSTR_MAIN
