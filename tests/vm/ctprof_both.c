// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Both collectors in a guest, against each other and against a load that is known. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/ctprof.h>
#include <ktstr/test.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "tests/lib/both.h"

enum {
	READS = 1000,
	READ_BYTES = 4096,
	WRITES = 500,
	WRITE_BYTES = 100,
	NAPS = 40,
	NAP_NS = 1000000,
	HOPS = 20,
	PAGES = 64,
	SPIN_MS = 50,
	NICE = 5,
	SLACK = 8, /* of counts: what waiting for each other adds */
	CHILDREN = 3
};

/* --- agreement ------------------------------------------------------------------------------- */
static void stay_busy(unsigned int i)
{
	char bytes[READ_BYTES];
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	cpu_set_t set;

	setpriority(PRIO_PROCESS, 0, (int)i);
	for (;; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % 2, &set);
		sched_setaffinity(0, sizeof(set), &set);
		if (read(fd, bytes, sizeof(bytes)) < 0)
			_exit(1);
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
	}
}

/* What the kernel can count beside, if it is told to before threads are born. */
static void count_everything(struct ktstr *t)
{
	if (io_write_sysfs("/proc/sys/kernel/sched_schedstats", "1") < 0)
		ktstr_note(t, "no schedstats");
	if (io_write_sysfs("/proc/sys/kernel/task_delayacct", "1") < 0)
		ktstr_note(t, "no delay accounting");
}

static void collectors_agree(struct ktstr *t)
{
	pid_t children[CHILDREN];
	size_t values = 0;

	count_everything(t);
	for (unsigned int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0)
			stay_busy(i);
	}
	for (int round = 0; round < 2; round++) {
		_cleanup_both_ struct both both = { 0 };
		struct both_result result;
		struct ktstr_error err;

		if (both_capture(0, &both, &err) < 0) {
			ktstr_note(t, "%s", err.text);
			EXPECT_TRUE(t, false);
			break;
		}
		result = both_compare(&both, NULL);
		if (result.wrong)
			ktstr_note(t, "%s", result.text);
		EXPECT_EQ(t, result.wrong, 0);
		EXPECT_GE(t, result.threads, CHILDREN + 10);
		values += result.values;
	}
	EXPECT_GT(t, values, 500);
	for (int i = 0; i < CHILDREN; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

static const struct ktstr_payload scheduler = { .name = "scheduler", .binary = "ktstr-sched" };

/* Whoever a sched_ext scheduler runs says so, and all else stays comparable. */
static void agree_under_sched_ext(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_opts opts = { .pid = getpid(), .collector = KTSTR_COLLECTOR_BPF };
	const struct ktstr_ctprof_thread *th;
	struct ktstr_error err;

	ASSERT_OK(t, ktstr_payload_spawn(t, &scheduler, KTSTR_ARGS("--watchdog", "30000"), &proc));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, proc, SECS(30)));
	ASSERT_OK(t, ktstr_ctprof_capture(&opts, &snap, &err));
	th = ktstr_ctprof_find(snap, (uint32_t)getpid(), (uint32_t)getpid());
	ASSERT_NOT_NULL(t, th);
	EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_EXT_ENABLED), 1);
	collectors_agree(t);
	ktstr_proc_kill(t, proc);
}

KTSTR_TEST(ctprof_collectors_agree_on_sched_ext) = {
	.about = "the same under a sched_ext scheduler",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = agree_under_sched_ext,
};

KTSTR_TEST(ctprof_collectors_agree) = {
	.about = "what bpf says lies between two readings of /proc",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.run = collectors_agree,
};

/* --- a known load ----------------------------------------------------------------------------- */
struct worker {
	void (*work)(void);
	pid_t tid;
};

static pthread_barrier_t door;

static void read_and_write(void)
{
	int from = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int to = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char bytes[READ_BYTES];

	for (int i = 0; i < READS; i++)
		if (read(from, bytes, READ_BYTES) != READ_BYTES)
			return;
	for (int i = 0; i < WRITES; i++)
		if (write(to, bytes, WRITE_BYTES) != WRITE_BYTES)
			return;
}

static void nap(void)
{
	for (int i = 0; i < NAPS; i++)
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

static void hop(void)
{
	for (int i = 0; i < HOPS; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((i + 1) % 2, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
}

static void touch_pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	/* Huge pages would be fewer faults. */
	if (p == MAP_FAILED || madvise(p, PAGES * page, MADV_NOHUGEPAGE) < 0)
		return;
	for (size_t i = 0; i < PAGES; i++)
		p[i * page] = 1;
}

static void spin(void)
{
	const struct sched_param param = { 0 };
	struct timespec now;

	setpriority(PRIO_PROCESS, 0, NICE);
	sched_setscheduler(0, SCHED_BATCH, &param);
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while (now.tv_sec == 0 && now.tv_nsec < SPIN_MS * 1000000L);
}

enum { READER, SLEEPER, HOPPER, FAULTER, SPINNER, WORKERS };

static struct worker workers[WORKERS] = {
	[READER] = { .work = read_and_write },
	[SLEEPER] = { .work = nap },
	[HOPPER] = { .work = hop },
	[FAULTER] = { .work = touch_pages },
	[SPINNER] = { .work = spin },
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	worker->tid = gettid();
	pthread_barrier_wait(&door); /* all are there */
	pthread_barrier_wait(&door); /* "before" was taken */
	worker->work();
	pthread_barrier_wait(&door); /* all have worked */
	pthread_barrier_wait(&door); /* "after" was taken */
	return NULL;
}

/* What the worker's value grew by. */
static int64_t grown(struct ktstr *t, struct ktstr_ctprof *const *snaps, int worker,
		     enum ktstr_ctprof_metric metric)
{
	uint32_t tgid = (uint32_t)getpid(), tid = (uint32_t)workers[worker].tid;
	int64_t value[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		const struct ktstr_ctprof_thread *th = ktstr_ctprof_find(snaps[i], tgid, tid);

		if (!EXPECT_NOT_NULL(t, th) ||
		    !EXPECT_TRUE(t, ktstr_ctprof_get(th, metric, &value[i])))
			ktstr_note(t, "%s", ktstr_ctprof_metric_info(metric)->name);
	}
	return value[1] - value[0];
}

static void expect_grown(struct ktstr *t, struct ktstr_ctprof *const *snaps, int worker,
			 enum ktstr_ctprof_metric metric, int64_t least, int64_t most)
{
	int64_t by = grown(t, snaps, worker, metric);

	if (by < least || by > most)
		ktstr_note(t, "%s", ktstr_ctprof_metric_info(metric)->name);
	EXPECT_GE(t, by, least);
	EXPECT_LE(t, by, most);
}

/* Linux before 5.16 does not tell sleep from being blocked: there it must be absent. */
static void check_sleep(struct ktstr *t, struct ktstr_ctprof *const *snaps)
{
	const struct ktstr_ctprof_thread *th;
	unsigned int major, minor;
	struct utsname uts;

	uname(&uts);
	ASSERT_EQ(t, sscanf(uts.release, "%u.%u", &major, &minor), 2);
	if (major > 5 || (major == 5 && minor >= 16)) {
		expect_grown(t, snaps, SLEEPER, KTSTR_CTPROF_VOLUNTARY_SLEEP,
			     (int64_t)NAPS * NAP_NS, INT64_MAX);
		return;
	}
	th = ktstr_ctprof_find(snaps[1], (uint32_t)getpid(), (uint32_t)workers[SLEEPER].tid);
	ASSERT_NOT_NULL(t, th);
	EXPECT_FALSE(t, ktstr_ctprof_get(th, KTSTR_CTPROF_VOLUNTARY_SLEEP, &(int64_t){ 0 }));
}

static void check_load(struct ktstr *t, struct ktstr_ctprof *const *snaps)
{
	const struct ktstr_ctprof_thread *th;

	expect_grown(t, snaps, READER, KTSTR_CTPROF_RCHAR, READS * READ_BYTES, READS * READ_BYTES);
	expect_grown(t, snaps, READER, KTSTR_CTPROF_SYSCR, READS, READS);
	expect_grown(t, snaps, READER, KTSTR_CTPROF_WCHAR, WRITES * WRITE_BYTES,
		     WRITES * WRITE_BYTES);
	expect_grown(t, snaps, READER, KTSTR_CTPROF_SYSCW, WRITES, WRITES);
	expect_grown(t, snaps, SLEEPER, KTSTR_CTPROF_VOLUNTARY_CSW, NAPS, NAPS + SLACK);
	check_sleep(t, snaps);
	expect_grown(t, snaps, HOPPER, KTSTR_CTPROF_NR_MIGRATIONS, HOPS - 1, HOPS + SLACK);
	expect_grown(t, snaps, FAULTER, KTSTR_CTPROF_MINFLT, PAGES, PAGES + SLACK);
	expect_grown(t, snaps, SPINNER, KTSTR_CTPROF_RUN_TIME, (SPIN_MS - 10) * 1000000L,
		     INT64_MAX);
	th = ktstr_ctprof_find(snaps[1], (uint32_t)getpid(), (uint32_t)workers[SPINNER].tid);
	ASSERT_NOT_NULL(t, th);
	EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_NICE), NICE);
	EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_POLICY), SCHED_BATCH);
	EXPECT_EQ(t, ktstr_ctprof_get_or_zero(th, KTSTR_CTPROF_STATE), 'S');
	th = ktstr_ctprof_find(snaps[1], (uint32_t)getpid(), (uint32_t)workers[HOPPER].tid);
	ASSERT_NOT_NULL(t, th);
	EXPECT_STREQ(t, th->texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY], HOPS % 2 ? "1" : "0");
}

static bool capture(struct ktstr *t, enum ktstr_ctprof_collector collector,
		    struct ktstr_ctprof **ret_snap)
{
	const struct ktstr_ctprof_opts opts = { .pid = getpid(), .collector = collector };
	struct ktstr_error err;

	if (EXPECT_OK(t, ktstr_ctprof_capture(&opts, ret_snap, &err)))
		return EXPECT_STREQ(t, (*ret_snap)->collector,
				    ktstr_ctprof_collector_name(collector));
	ktstr_note(t, "%s", err.text);
	return false;
}

/* Whoever comes last wakes the others and then runs on for a moment, or waits for a CPU. */
static void wait_asleep(pid_t tid)
{
	char path[64], stat[256];
	const char *end = NULL;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (!end || end[2] != 'S') {
		_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);

		if (n <= 0)
			return;
		stat[n] = '\0';
		end = strrchr(stat, ')');
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
	}
}

static void known_load(struct ktstr *t, enum ktstr_ctprof_collector collector)
{
	struct ktstr_ctprof *snaps[2] = { 0 };
	pthread_t threads[WORKERS];
	bool taken;

	count_everything(t);
	pthread_barrier_init(&door, NULL, WORKERS + 1);
	for (int i = 0; i < WORKERS; i++)
		ASSERT_OK(t, -pthread_create(&threads[i], NULL, work, &workers[i]));
	pthread_barrier_wait(&door);
	taken = capture(t, collector, &snaps[0]);
	pthread_barrier_wait(&door);
	pthread_barrier_wait(&door);
	for (int i = 0; i < WORKERS; i++)
		wait_asleep(workers[i].tid);
	taken = capture(t, collector, &snaps[1]) && taken;
	pthread_barrier_wait(&door);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	if (taken)
		check_load(t, snaps);
	ktstr_ctprof_destroy(snaps[0]);
	ktstr_ctprof_destroy(snaps[1]);
}

static void known_load_by_bpf(struct ktstr *t)
{
	known_load(t, KTSTR_COLLECTOR_BPF);
}

static void known_load_by_procfs(struct ktstr *t)
{
	known_load(t, KTSTR_COLLECTOR_PROCFS);
}

KTSTR_TEST(ctprof_bpf_sees_a_known_load) = {
	.about = "reads, sleeps, moves, faults and CPU time as they were made",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.run = known_load_by_bpf,
};

KTSTR_TEST(ctprof_procfs_sees_a_known_load) = {
	.about = "the same by procfs",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.run = known_load_by_procfs,
};

/* --- cgroups ---------------------------------------------------------------------------------- */
static void cgroups_have_their_paths(struct ktstr *t)
{
	_cleanup_both_ struct both both = { 0 };
	struct both_result result;
	const struct ktstr_ctprof_thread *th;
	struct ktstr_error err;
	int go[2], status;
	char byte;
	pid_t pid;

	mkdir("/tmp/cg", 0755);
	ASSERT_OK(t, mount("none", "/tmp/cg", "cgroup2", 0, NULL) < 0 ? -errno : 0);
	ASSERT_OK(t, mkdir("/tmp/cg/outer one", 0755) < 0 ? -errno : 0);
	ASSERT_OK(t, mkdir("/tmp/cg/outer one/inner", 0755) < 0 ? -errno : 0);
	ASSERT_OK(t, pipe2(go, O_CLOEXEC) < 0 ? -errno : 0);
	pid = fork();
	if (pid == 0) {
		close(go[0]);
		if (io_write_sysfs("/tmp/cg/outer one/inner/cgroup.procs", "0") < 0 ||
		    write(go[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ASSERT_EQ(t, read(go[0], &byte, 1), 1);
	ASSERT_OK(t, both_capture(0, &both, &err));
	result = both_compare(&both, NULL);
	EXPECT_EQ(t, result.wrong, 0);
	th = ktstr_ctprof_find(both.bpf, (uint32_t)pid, (uint32_t)pid);
	ASSERT_NOT_NULL(t, th);
	EXPECT_STREQ(t, th->texts[KTSTR_CTPROF_TEXT_CGROUP], "/outer one/inner");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

KTSTR_TEST(ctprof_bpf_knows_cgroups) = {
	.about = "the path of a nested cgroup with a blank in its name",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.run = cgroups_have_their_paths,
};

KTSTR_MAIN
