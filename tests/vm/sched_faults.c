// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Each fault of our own scheduler makes a difference: it loads, and a mix of all that programs do
 * runs into it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/test.h>

static const struct ktstr_payload scheduler = {
	.name = "scheduler",
	.binary = "ktstr-sched",
	.args = { "--watchdog", "2000" },
	.output = KTSTR_OUTPUT_JSON,
	.exits = { { 1, "ejected by the kernel" }, { 2, "usage" }, { 3, "not loaded" } },
};

#define GROUPS "/sys/fs/cgroup/faults"

/* --- the mix: each part is a process that lives until the deadline ----------------------------- */
enum { PARTS_MAX = 64, MIX_MS = 250, FORKS = 30, MOVES = 4 };

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return SECS((uint64_t)ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

static void spin_for(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

static void doze_for(uint64_t ns)
{
	struct timespec ts = { .tv_nsec = (long)ns };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void bind_to(unsigned int first, unsigned int last)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void spin_until(uint64_t deadline)
{
	while (now_ns() < deadline)
		;
}

static void spin_nicely(uint64_t deadline)
{
	setpriority(PRIO_PROCESS, 0, 10);
	spin_until(deadline);
}

static void spin_bound(uint64_t deadline)
{
	bind_to(0, 0);
	spin_until(deadline);
}

static void wake_up(uint64_t deadline)
{
	while (now_ns() < deadline) {
		spin_for(USECS(200));
		doze_for(MSECS(1));
	}
}

static void wake_up_bound(uint64_t deadline)
{
	bind_to(0, 0);
	wake_up(deadline);
}

static void change_cpus(uint64_t deadline)
{
	for (unsigned int i = 0; now_ns() < deadline; i++) {
		bind_to(i % 2, i % 2);
		spin_for(MSECS(2));
		doze_for(MSECS(1));
		bind_to(i % 2, 1 + i % 2);
		spin_for(MSECS(2));
		doze_for(MSECS(1));
	}
}

static void yield_bound(uint64_t deadline)
{
	bind_to(1, 1);
	while (now_ns() < deadline)
		sched_yield();
}

static void fork_many(uint64_t deadline)
{
	for (unsigned int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			spin_for(USECS(300));
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	spin_until(deadline);
}

static void hog_in_real_time(uint64_t deadline)
{
	struct sched_param param = { .sched_priority = 10 };

	sched_setscheduler(0, SCHED_FIFO, &param);
	while (now_ns() < deadline) {
		spin_for(MSECS(3));
		doze_for(MSECS(5));
	}
}

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool join_group(const char *group, pid_t pid)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), GROUPS "/%s/cgroup.procs", group);
	snprintf(text, sizeof(text), "%d", (int)pid);
	return write_to(path, text);
}

struct part {
	void (*run)(uint64_t deadline);
	const char *group; /* NULL: none of ours */
	bool per_cpu;
};

static const struct part parts[] = {
	{ spin_until, NULL, true },	      { wake_up, NULL, true },
	{ spin_nicely, NULL, false },	      { spin_nicely, NULL, false },
	{ spin_bound, NULL, false },	      { spin_bound, NULL, false },
	{ wake_up_bound, NULL, false },	      { wake_up_bound, NULL, false },
	{ change_cpus, NULL, false },	      { yield_bound, NULL, false },
	{ yield_bound, NULL, false },	      { fork_many, NULL, false },
	{ hog_in_real_time, NULL, false },    { spin_until, "heavy", false },
	{ wake_up, "heavy", false },	      { spin_until, "idle", false },
	{ spin_until, "outer/inner", false }, { spin_until, "limited", false },
	{ spin_until, "limited", false },
};

static void make_groups(struct ktstr *t)
{
	static const char *const names[] = { "",	 "/heavy", "/idle",
					     "/limited", "/outer", "/outer/inner" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), GROUPS "%s", names[i]);
		ASSERT_EQ(t, mkdir(path, 0755), 0);
		snprintf(path, sizeof(path), GROUPS "%s/cgroup.subtree_control", names[i]);
		if (i == 0 || i == 4)
			ASSERT_TRUE(t, write_to(path, "+cpu +cpuset"));
	}
	ASSERT_TRUE(t, write_to(GROUPS "/heavy/cpu.weight", "300"));
	ASSERT_TRUE(t, write_to(GROUPS "/idle/cpu.idle", "1"));
	ASSERT_TRUE(t, write_to(GROUPS "/outer/inner/cpu.weight", "50"));
	ASSERT_TRUE(t, write_to(GROUPS "/limited/cpu.max", "5000 50000"));
}

static void remove_groups(struct ktstr *t)
{
	static const char *const names[] = { "/outer/inner", "/outer", "/limited",
					     "/idle",	     "/heavy", "" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), GROUPS "%s", names[i]);
		EXPECT_EQ(t, rmdir(path), 0);
	}
}

/* Moving a task takes the kernel as long as half of the mix, so all are where they belong before the
 * mix begins: when @gate is closed at its other end. */
static pid_t start_part(struct ktstr *t, const struct part *part, const int gate[2],
			const uint64_t *deadline)
{
	pid_t pid = fork();
	char none;

	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &none, 1) != 0)
			_exit(1);
		part->run(*deadline);
		_exit(0);
	}
	if (pid > 0 && part->group)
		EXPECT_TRUE(t, join_group(part->group, pid));
	return pid;
}

/* A CPU goes and comes, tasks are born meanwhile, cpusets change, and one task changes its cgroup. */
static void stir(struct ktstr *t, pid_t pid, bool hotplug)
{
	static const char cpu[] = "/sys/devices/system/cpu/cpu2/online";

	EXPECT_TRUE(t, write_to(GROUPS "/heavy/cpuset.cpus", "0-1"));
	EXPECT_TRUE(t, !hotplug || write_to(cpu, "0"));
	for (unsigned int i = 0; i < MOVES; i++) {
		pid_t child = fork();

		if (child == 0) {
			spin_for(MSECS(1));
			_exit(0);
		}
		EXPECT_TRUE(t, join_group(i % 2 ? "heavy" : "idle", pid));
		if (child > 0)
			waitpid(child, NULL, 0);
	}
	EXPECT_TRUE(t, write_to(GROUPS "/heavy/cpuset.cpus", "1-2"));
	EXPECT_TRUE(t, !hotplug || write_to(cpu, "1"));
	EXPECT_TRUE(t, write_to(GROUPS "/heavy/cpuset.cpus", ""));
}

static void run_mix(struct ktstr *t, bool hotplug)
{
	uint64_t *deadline = mmap(NULL, sizeof(*deadline), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t pids[PARTS_MAX];
	size_t nr = 0;
	int gate[2];

	ASSERT_TRUE(t, deadline != MAP_FAILED);
	ASSERT_EQ(t, pipe2(gate, O_CLOEXEC), 0);
	make_groups(t);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (long n = parts[i].per_cpu ? nr_cpus : 1; n > 0 && nr < PARTS_MAX; n--)
			pids[nr++] = start_part(t, &parts[i], gate, deadline);
	*deadline = now_ns() + MSECS(MIX_MS);
	close(gate[0]);
	close(gate[1]);
	stir(t, pids[0], hotplug);
	for (size_t i = 0; i < nr; i++) {
		int status = 0;

		EXPECT_EQ(t, waitpid(pids[i], &status, 0), pids[i]);
		EXPECT_EQ(t, status, 0);
	}
	munmap(deadline, sizeof(*deadline));
	remove_groups(t);
}

/* --- the faults ------------------------------------------------------------------------------- */

/* Those that do not load, and what is said then. */
static const char *const refused[][2] = {
	{ "load-error", "ops.init() failed" },
	{ "verifier-error", "invalid mem access" },
};

static const char *const lose_tasks[] = { "drop-queued",      "rare-task=20", "stall-after=50",
					  "pinned-forgotten", "dead-cpu",     "stale-pin" };
static const char *const misplace_tasks[] = {
	"cpuset-ignored",    "local-wrong-cpu", "queue-out-of-range", "pile-up", "fork-offline",
	"hotplug-forgotten", "rt-wedge"
};
static const char *const misuse_kicks[] = { "lost-kick", "kick-weak", "prev-forgotten",
					    "sleeper-credit", "interactive-starved" };
static const char *const storm_kicks[] = { "kick-storm" };
static const char *const misuse_turns[] = { "vtime-frozen",  "vtime-future",  "slice-zero",
					    "slice-endless", "yield-ignored", "nice-ignored",
					    "inversion" };
static const char *const misuse_groups[] = { "cgroup-weight-ignored", "cgroup-idle-ignored",
					     "cgroup-flat",	      "cgroup-starved",
					     "move-unbilled",	      "quota-ignored",
					     "quota-halved" };
static const char *const misread_machine[] = {
	"smt-forgotten", "llc-off-by-one",  "wrong-node",
	"no-steal",	 "steal-neighbour", "queue-unserved"
};

#define LIST(x) x, sizeof(x) / sizeof((x)[0])

static void try_fault(struct ktstr *t, const char *fault)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	double struck = 0;
	int r;

	ASSERT_OK(t, ktstr_payload_spawn(t, &scheduler, KTSTR_ARGS("--fault", fault), &proc));
	r = ktstr_proc_wait_ready(t, proc, SECS(30));
	if (r != -ECHILD)
		ASSERT_OK(t, r);
	/* With a CPU that goes while it is being kicked, the kernel (7.3) may wait for ever when the
	 * scheduler is to go. */
	run_mix(t, strcmp(fault, "kick-storm") != 0);
	/* It may have been ejected before. */
	if (ktstr_proc_pid(proc) > 0)
		kill(ktstr_proc_pid(proc), SIGTERM);
	if (r != -ECHILD)
		ASSERT_OK(t, ktstr_proc_wait(t, proc, SECS(60)));
	ASSERT_OK(t, ktstr_proc_metric(proc, "struck", &struck));
	ktstr_measured(t, fault, struck, "");
	EXPECT_GE(t, struck, 1);
}

static void try_faults(struct ktstr *t, const char *const *faults, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		try_fault(t, faults[i]);
}

#define FAULTS_TEST(list, about_, ...)                                \
	static void try_##list(struct ktstr *t)                       \
	{                                                             \
		try_faults(t, LIST(list));                            \
	}                                                             \
	KTSTR_TEST(faults_##list) = { .about = about_,                \
				      __VA_ARGS__,                    \
				      .needs = { .sched_ext = true }, \
				      .payloads = { &scheduler },     \
				      .run = try_##list }

FAULTS_TEST(lose_tasks, "faults that lose tasks do", .topology = { .cores_per_llc = 3 });
FAULTS_TEST(misplace_tasks, "faults that put tasks where they do not belong do",
	    .topology = { .cores_per_llc = 3 });
FAULTS_TEST(misuse_kicks, "faults of wake-ups make a difference",
	    .topology = { .cores_per_llc = 3 });
FAULTS_TEST(storm_kicks, "kicks of all CPUs make a difference", .topology = { .cores_per_llc = 3 });
FAULTS_TEST(misuse_turns, "faults of turns and weights make a difference",
	    .topology = { .cores_per_llc = 3 });
FAULTS_TEST(misuse_groups, "faults of cgroups make a difference",
	    .topology = { .cores_per_llc = 3 });
FAULTS_TEST(misread_machine, "faults of topology make a difference",
	    .topology = { .nodes = 2, .llcs = 4, .threads_per_core = 2 });

static void are_refused(struct ktstr *t)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		_cleanup_payload_ struct ktstr_proc *proc = NULL;

		ASSERT_OK(t, ktstr_payload_run(t, &scheduler, KTSTR_ARGS("--fault", refused[i][0]),
					       SECS(60), &proc));
		EXPECT_NE(t, ktstr_proc_result(proc)->exit_code, 0);
		EXPECT_NOT_NULL(t, strstr(ktstr_proc_result(proc)->stderr_text, refused[i][1]));
	}
}

KTSTR_TEST(faults_that_do_not_load) = {
	.about = "a scheduler that does not start says why",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = are_refused,
};

static bool is_one_of(const char *line, const char *const *faults, size_t nr)
{
	size_t length = strcspn(line, " ");

	for (size_t i = 0; i < nr; i++)
		if (strcspn(faults[i], "=") == length && !strncmp(faults[i], line, length))
			return true;
	return false;
}

static bool is_tried(const char *line)
{
	return is_one_of(line, LIST(lose_tasks)) || is_one_of(line, LIST(misplace_tasks)) ||
	       is_one_of(line, LIST(misuse_kicks)) || is_one_of(line, LIST(storm_kicks)) ||
	       is_one_of(line, LIST(misuse_turns)) || is_one_of(line, LIST(misuse_groups)) ||
	       is_one_of(line, LIST(misread_machine)) ||
	       is_one_of(line, (const char *const[]){ refused[0][0], refused[1][0] }, 2);
}

static void all_are_tried(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	const char *line;
	unsigned int nr = 0;

	ASSERT_OK(t,
		  ktstr_payload_run(t, &scheduler, KTSTR_ARGS("--list-faults"), SECS(30), &proc));
	line = ktstr_proc_result(proc)->stdout_text;
	while (*line) {
		size_t length = strcspn(line, "\n");

		if (!is_tried(line))
			KTSTR_FAIL_NOW(t, "no test tries '%.*s'", (int)length, line);
		nr++;
		line += length + (line[length] == '\n');
	}
	EXPECT_GE(t, nr, 25);
}

KTSTR_TEST(faults_are_all_tried) = {
	.about = "no fault is listed that none of these tests tries",
	.host_only = true,
	.run = all_are_tried,
};

KTSTR_MAIN
