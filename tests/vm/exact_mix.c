// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A bounded amount of contention of every kind, and a digest of how it interleaved.
 *
 * Per pair of CPUs: two tasks that pass a byte to and fro through pipes, two that take turns under
 * a mutex and condition variable, one that sleeps by timers and one that forks short-lived children.
 * Each of their steps is an event: who, which step, when (CLOCK_MONOTONIC), on which CPU, and as
 * which of all events.  All of it goes into the digest, so that another schedule is another digest:
 * the same seed must give the same one, and another seed hardly ever does.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/test.h>

#include "tests/lib/cpu.h"

enum {
	GROUPS_MAX = 8,
	GROUP_TASKS = 6,
	TASKS_MAX = GROUPS_MAX * GROUP_TASKS,
	PHASES = 4,
	/* Steps of one task in one phase. */
	PIPE_STEPS = 40,
	TURN_STEPS = 40,
	TIMER_STEPS = 12,
	FORK_STEPS = 4
};

static const struct ktstr_payload scheduler = {
	.name = "scheduler",
	.binary = "ktstr-sched",
	.output = KTSTR_OUTPUT_JSON,
	.exits = { { 1, "ejected by the kernel" }, { 3, "not loaded" } },
};

struct mix {
	unsigned int nr_groups, nr_tasks;
	_Atomic uint64_t nr_events;
	_Atomic uint64_t nr_errors;
	pthread_barrier_t phase;
};

/* What two tasks share. */
struct pair {
	int pipe[2][2]; /* one for each direction */
	pthread_mutex_t lock;
	pthread_cond_t turn_changed;
	unsigned int turn;
};

struct task {
	struct mix *mix;
	struct pair *pair;
	unsigned int index, side;
	void (*phase)(struct task *task);
	uint64_t steps, digest;
	pthread_t thread;
};

static void fold(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x9e3779b97f4a7c15ull;
	*digest ^= *digest >> 29;
}

static void event(struct task *task)
{
	fold(&task->digest, atomic_fetch_add(&task->mix->nr_events, 1));
	fold(&task->digest, cpu_clock_ns(CLOCK_MONOTONIC));
	fold(&task->digest, (uint64_t)sched_getcpu());
	fold(&task->digest, ++task->steps);
}

static void work(unsigned int rounds)
{
	for (volatile unsigned int i = 0; i < rounds; i++)
		;
}

static void must(struct task *task, bool good)
{
	if (!good)
		atomic_fetch_add(&task->mix->nr_errors, 1);
}

/* --- what tasks do in one phase --------------------------------------------------------------- */
static void pass_bytes(struct task *task)
{
	int *out = task->pair->pipe[task->side], *in = task->pair->pipe[!task->side];
	char c = 0;

	for (unsigned int i = 0; i < PIPE_STEPS; i++) {
		if (task->side == 0)
			must(task, write(out[1], &c, 1) == 1);
		must(task, read(in[0], &c, 1) == 1);
		work(50 + 10 * task->index);
		event(task);
		if (task->side == 1)
			must(task, write(out[1], &c, 1) == 1);
	}
}

static void take_turns(struct task *task)
{
	struct pair *pair = task->pair;

	for (unsigned int i = 0; i < TURN_STEPS; i++) {
		pthread_mutex_lock(&pair->lock);
		while (pair->turn != task->side)
			pthread_cond_wait(&pair->turn_changed, &pair->lock);
		work(100);
		pair->turn = !task->side;
		event(task);
		pthread_cond_broadcast(&pair->turn_changed);
		pthread_mutex_unlock(&pair->lock);
	}
}

static void wait_timerfd(struct task *task, uint64_t ns)
{
	struct itimerspec when = { .it_value.tv_nsec = (long)ns };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t expired;

	must(task, fd >= 0 && timerfd_settime(fd, 0, &when, NULL) == 0 &&
			   read(fd, &expired, sizeof(expired)) == sizeof(expired));
	if (fd >= 0)
		close(fd);
}

static void sleep_shortly(struct task *task)
{
	for (unsigned int i = 0; i < TIMER_STEPS; i++) {
		uint64_t ns = USECS(100 + 130 * ((i * 7 + task->index) % 11));
		struct timespec ts = { .tv_nsec = (long)ns };

		if (i % 3 == 2)
			wait_timerfd(task, ns);
		else
			nanosleep(&ts, NULL);
		event(task);
		work(2000);
	}
}

static void fork_children(struct task *task)
{
	for (unsigned int i = 0; i < FORK_STEPS; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			work(500 * (i + 1));
			_exit(7);
		}
		event(task);
		must(task, pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
				   WEXITSTATUS(status) == 7);
		event(task);
	}
}

static void *run_task(void *arg)
{
	struct task *task = arg;

	for (unsigned int i = 0; i < PHASES; i++) {
		pthread_barrier_wait(&task->mix->phase);
		task->phase(task);
		pthread_barrier_wait(&task->mix->phase);
	}
	return NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */
static int open_pair(struct pair *pair)
{
	pair->turn = 0;
	pthread_mutex_init(&pair->lock, NULL);
	pthread_cond_init(&pair->turn_changed, NULL);
	return pipe2(pair->pipe[0], O_CLOEXEC) < 0 || pipe2(pair->pipe[1], O_CLOEXEC) < 0 ? -errno
											  : 0;
}

static void close_pair(struct pair *pair)
{
	for (unsigned int i = 0; i < 4; i++)
		close(pair->pipe[i / 2][i % 2]);
	pthread_cond_destroy(&pair->turn_changed);
	pthread_mutex_destroy(&pair->lock);
}

static void describe(struct mix *mix, struct task *tasks, struct pair *pairs)
{
	static void (*const phases[GROUP_TASKS])(struct task *) = { pass_bytes,	   pass_bytes,
								    take_turns,	   take_turns,
								    sleep_shortly, fork_children };

	for (unsigned int i = 0; i < mix->nr_tasks; i++)
		tasks[i] = (struct task){ .mix = mix,
					  .pair = &pairs[i / GROUP_TASKS],
					  .index = i,
					  .side = i % 2,
					  .phase = phases[i % GROUP_TASKS] };
}

/* Between two phases all tasks wait, so a digest of all of them can be taken. */
static uint64_t digest_of(const struct mix *mix, const struct task *tasks)
{
	uint64_t digest = 0;

	for (unsigned int i = 0; i < mix->nr_tasks; i++)
		fold(&digest, tasks[i].digest);
	return digest;
}

static void run_phases(struct ktstr *t, struct mix *mix, struct task *tasks)
{
	unsigned int nr = 0;

	while (nr < mix->nr_tasks &&
	       pthread_create(&tasks[nr].thread, NULL, run_task, &tasks[nr]) == 0)
		nr++;
	/* The others would wait for ever; the process ends with the body. */
	ASSERT_EQ(t, nr, mix->nr_tasks);
	for (unsigned int i = 0; i < PHASES; i++) {
		pthread_barrier_wait(&mix->phase);
		pthread_barrier_wait(&mix->phase);
		ktstr_note(t, "phase %u: %016llx", i, (unsigned long long)digest_of(mix, tasks));
	}
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(tasks[i].thread, NULL);
}

static void mix_it(struct ktstr *t)
{
	static struct task tasks[TASKS_MAX];
	static struct pair pairs[GROUPS_MAX];
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct mix mix = { .nr_groups = nr_cpus < 4		   ? 1
					: nr_cpus / 2 < GROUPS_MAX ? (unsigned int)nr_cpus / 2
								   : GROUPS_MAX };
	uint64_t per_group = 2 * PIPE_STEPS + 2 * TURN_STEPS + TIMER_STEPS + 2 * FORK_STEPS;

	mix.nr_tasks = mix.nr_groups * GROUP_TASKS;
	describe(&mix, tasks, pairs);
	pthread_barrier_init(&mix.phase, NULL, mix.nr_tasks + 1);
	for (unsigned int i = 0; i < mix.nr_groups; i++)
		ASSERT_OK(t, open_pair(&pairs[i]));
	run_phases(t, &mix, tasks);
	for (unsigned int i = 0; i < mix.nr_groups; i++)
		close_pair(&pairs[i]);
	EXPECT_EQ(t, mix.nr_errors, 0);
	EXPECT_EQ(t, mix.nr_events, PHASES * mix.nr_groups * per_group);
	/* A double holds 53 bits. */
	ktstr_measured(t, "digest", (double)(digest_of(&mix, tasks) >> 11), "");
}

static void with_scheduler(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	double queued = 0;

	ASSERT_OK(t, ktstr_payload_spawn(t, &scheduler, NULL, &proc));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, proc, SECS(30)));
	mix_it(t);
	ASSERT_EQ(t, kill(ktstr_proc_pid(proc), SIGTERM), 0);
	ASSERT_OK(t, ktstr_proc_wait(t, proc, SECS(30)));
	EXPECT_EQ(t, ktstr_proc_result(proc)->exit_code, 0);
	ASSERT_OK(t, ktstr_proc_metric(proc, "queued", &queued));
	EXPECT_GT(t, queued, 0);
}

KTSTR_TEST(mix_with_scheduler) = {
	.about = "pipes, locks, timers and forks under ktstr-sched, and how they interleaved",
	.topology = { .cores_per_llc = 4 },
	.needs = { .sched_ext = true },
	.payloads = { &scheduler },
	.run = with_scheduler,
};

KTSTR_TEST(mix_without_scheduler) = {
	.about = "the same under the kernel's own scheduler",
	.topology = { .cores_per_llc = 4 },
	.run = mix_it,
};

KTSTR_MAIN
