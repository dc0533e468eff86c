// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Our own scheduler: it attaches, shares fairly, starves nobody, and its end is told. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/test.h>

#include "tests/lib/cpu.h"

static const struct ktstr_payload scheduler = {
	.name = "scheduler",
	.binary = "ktstr-sched",
	.args = { "--watchdog", "2000" },
	.output = KTSTR_OUTPUT_JSON,
	.exits = { { 1, "ejected by the kernel" }, { 2, "usage" }, { 3, "not loaded" } },
};

/* Empty if the file is not there. */
static const char *sched_ext_file(const char *name, char *buf, size_t size)
{
	char path[128];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/sched_ext/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static bool state_is(const char *wanted)
{
	char buf[64];

	return !strcmp(sched_ext_file("state", buf, sizeof(buf)), wanted);
}

static int attach(struct ktstr *t, const char *const *args, struct ktstr_proc **ret_proc)
{
	int r = ktstr_payload_spawn(t, &scheduler, args, ret_proc);

	return r < 0 ? r : ktstr_proc_wait_ready(t, *ret_proc, SECS(30));
}

static void detach(struct ktstr *t, struct ktstr_proc *proc)
{
	EXPECT_OK(t, kill(ktstr_proc_pid(proc), SIGTERM));
	ASSERT_OK(t, ktstr_proc_wait(t, proc, SECS(30)));
	EXPECT_TRUE(t, ktstr_proc_result(proc)->exited);
	EXPECT_EQ(t, ktstr_proc_result(proc)->exit_code, 0);
	EXPECT_TRUE(t, state_is("disabled"));
}

/* --- workers -------------------------------------------------------------------------------- */
struct worker {
	pthread_t thread;
	int cpu, nice;
	uint64_t spin_ns; /* CPU time it wants */
	uint64_t cpu_ns;  /* had, when the first of its group was done */
	atomic_bool *stop;
};

static void *spin(void *arg)
{
	struct worker *w = arg;

	cpu_bind(w->cpu);
	setpriority(PRIO_PROCESS, (id_t)gettid(), w->nice);
	while (!atomic_load(w->stop) && cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID) < w->spin_ns)
		;
	atomic_store(w->stop, true);
	w->cpu_ns = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

static void start(struct ktstr *t, struct worker *workers, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		ASSERT_EQ(t, pthread_create(&workers[i].thread, NULL, spin, &workers[i]), 0);
}

static void join(struct worker *workers, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		pthread_join(workers[i].thread, NULL);
}

/* --- tests ---------------------------------------------------------------------------------- */
static void comes_and_goes(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *gone = NULL, *killed = NULL;
	char buf[64];
	double queued = 0, direct = 0;

	ASSERT_TRUE(t, state_is("disabled"));
	ASSERT_OK(t, attach(t, NULL, &gone));
	EXPECT_TRUE(t, state_is("enabled"));
	EXPECT_STREQ(t, sched_ext_file("root/ops", buf, sizeof(buf)), "ktstr");
	detach(t, gone);
	ASSERT_OK(t, ktstr_proc_metric(gone, "queued", &queued));
	ASSERT_OK(t, ktstr_proc_metric(gone, "direct", &direct));
	EXPECT_GT(t, queued + direct, 0);

	ASSERT_OK(t, attach(t, NULL, &killed));
	EXPECT_TRUE(t, state_is("enabled"));
	ASSERT_OK(t, ktstr_proc_kill(t, killed));
	/* The kernel lets go soon, not at once; the test's own limit ends a wait in vain. */
	while (!state_is("disabled"))
		sched_yield();
}

KTSTR_TEST(scheduler_comes_and_goes) = {
	.about = "it attaches, detaches when told to, and does not outlive its loader",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = comes_and_goes,
};

static void weights_count(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	atomic_bool stop = false;
	struct worker w[] = {
		{ .nice = 0, .spin_ns = MSECS(600), .stop = &stop },
		{ .nice = 5, .spin_ns = MSECS(600), .stop = &stop },
	};
	double ratio;

	ASSERT_OK(t, attach(t, NULL, &proc));
	start(t, w, 2);
	join(w, 2);
	detach(t, proc);
	ratio = (double)w[0].cpu_ns / (double)(w[1].cpu_ns ? w[1].cpu_ns : 1);
	ktstr_measured(t, "share_nice_0_to_5", ratio, "");
	/* By the kernel's table of weights 1024 to 335. */
	EXPECT_GE(t, ratio, 2.5);
	EXPECT_LE(t, ratio, 3.7);
}

KTSTR_TEST(scheduler_shares_by_weight) = {
	.about = "nice 0 and nice 5 on one CPU share it as their weights say",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = weights_count,
};

/* Virtual time on CPU 0 runs 68 times as fast as on CPU 1; then everybody changes sides. */
static void bound_tasks_mix(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	atomic_bool stop_fast = false, stop_slow = false, stop = false;
	struct worker fast[] = {
		{ .cpu = 0, .nice = 19, .spin_ns = MSECS(400), .stop = &stop_fast },
		{ .cpu = 0, .nice = 19, .spin_ns = MSECS(400), .stop = &stop_fast },
	};
	struct worker slow[] = {
		{ .cpu = 1, .spin_ns = MSECS(3000), .stop = &stop_slow },
		{ .cpu = 1, .spin_ns = MSECS(3000), .stop = &stop_slow },
	};
	struct worker late = { .cpu = 1, .spin_ns = MSECS(50), .stop = &stop };

	ASSERT_OK(t, attach(t, NULL, &proc));
	start(t, slow, 2);
	start(t, fast, 2);
	join(fast, 2);
	/* It is born where time ran fast, and lives where it ran slowly. */
	cpu_bind(0);
	start(t, &late, 1);
	join(&late, 1);
	atomic_store(&stop_slow, true);
	join(slow, 2);
	EXPECT_TRUE(t, state_is("enabled"));
	EXPECT_LT(t, slow[0].cpu_ns + slow[1].cpu_ns, MSECS(6000));
	detach(t, proc);
}

KTSTR_TEST(scheduler_starves_no_newcomer) = {
	.about = "a task that comes from a CPU where virtual time ran fast is not starved",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = bound_tasks_mix,
};

static void ejection_is_told(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	atomic_bool stop = false;
	struct worker w[] = {
		{ .cpu = 0, .spin_ns = SECS(30), .stop = &stop },
		{ .cpu = 0, .spin_ns = SECS(30), .stop = &stop },
	};
	const struct ktstr_proc_result *result;
	double struck = 0;

	ASSERT_OK(t, attach(t, KTSTR_ARGS("--fault", "drop-queued=20"), &proc));
	start(t, w, 2);
	EXPECT_OK(t, ktstr_proc_wait(t, proc, SECS(40)));
	atomic_store(&stop, true);
	join(w, 2);
	EXPECT_TRUE(t, state_is("disabled"));
	result = ktstr_proc_result(proc);
	ASSERT_NOT_NULL(t, result);
	EXPECT_TRUE(t, result->exited);
	EXPECT_EQ(t, result->exit_code, 1);
	EXPECT_NOT_NULL(t, strstr(result->stderr_text, "\nCPU states\n"));
	EXPECT_NOT_NULL(t, strstr(result->stderr_text,
				  "ejected by the kernel: runnable task stall (kind 1026"));
	EXPECT_NOT_NULL(t, strstr(result->stderr_text, " failed to run for "));
	ASSERT_OK(t, ktstr_proc_metric(proc, "struck", &struck));
	EXPECT_GE(t, struck, 1);
}

KTSTR_TEST(scheduler_says_why_it_was_ejected) = {
	.about =
		"a forgotten task makes the kernel eject it, and reason, message and dump come out",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = ejection_is_told,
};

static void refuses_nonsense(struct ktstr *t)
{
	static const char *const nonsense[][3] = {
		{ "--fault", "no-such-fault=1", NULL },
		{ "--fault", "drop-queued=x", NULL },
		{ "--slice", "0", NULL },
		{ "--watchdog", "30001", NULL },
		{ "operand", NULL },
	};

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		_cleanup_payload_ struct ktstr_proc *proc = NULL;

		ASSERT_OK(t, ktstr_payload_run(t, &scheduler, nonsense[i], SECS(30), &proc));
		EXPECT_EQ(t, ktstr_proc_result(proc)->exit_code, 2);
		EXPECT_GT(t, ktstr_proc_result(proc)->stderr_bytes, 0);
	}
}

KTSTR_TEST(scheduler_refuses_nonsense) = {
	.about = "options that make no sense are named",
	.host_only = true,
	.run = refuses_nonsense,
};

KTSTR_MAIN
