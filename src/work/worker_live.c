// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/row.h"

enum { STACK_BYTES = 1 << 20, SCHEDSTAT_BYTES = 96, MEMORY_NODES_BITS = 65 };

void work_row_comm(const struct work_row *row, uint32_t index, char comm[WORK_COMM_BYTES])
{
	char number[12];
	int digits = snprintf(number, sizeof(number), "/%u", index);

	snprintf(comm, WORK_COMM_BYTES, "%.*s%s", WORK_COMM_BYTES - 1 - digits,
		 row->work->name ? row->work->name : "worker", number);
}

static void on_stop(int signal)
{
	(void)signal;
}

/* Nothing of what the starter does with signals is for its workers. */
static void reset_signals(bool program)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	if (!program) {
		action.sa_handler = on_stop;
		sigaction(WORK_STOP_SIGNAL, &action, NULL);
	}
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static int set_memory(const struct work_row *row)
{
	unsigned long nodes = row->memory_nodes;

	if (row->memory_mode == 0)
		return 0;
	if (syscall(SYS_set_mempolicy, row->memory_mode, nodes ? &nodes : NULL,
		    nodes ? MEMORY_NODES_BITS : 0) < 0)
		return -errno;
	return 0;
}

static void use_all_cpus(void)
{
	cpu_set_t all;

	CPU_ZERO(&all);
	for (int i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &all);
	sched_setaffinity(0, sizeof(all), &all);
}

static void arrive(struct work_self *self)
{
	atomic_store(&self->seat->pid, getpid());
	atomic_store(&self->seat->tid, gettid());
	atomic_fetch_add(&self->shared->arrived, 1);
	work_futex_wake(&self->shared->arrived, 1);
}

/* "cpu delay turns", all in ns but the last. */
static void leave_times(struct work_self *self)
{
	char text[SCHEDSTAT_BYTES], *end;
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	strtoull(text, &end, 10);
	atomic_store(&self->seat->cpu_ns, clock_ns(CLOCK_THREAD_CPUTIME_ID));
	atomic_store(&self->seat->delay_ns, strtoull(end, &end, 10));
	atomic_store(&self->seat->left, *end == ' ' && strcmp(text, "0 0 0\n") != 0);
}

static enum work_outcome outcome(const struct work_self *self)
{
	if (self->troubled)
		return OUTCOME_TROUBLE;
	if (self->finished || (self->work->iterations && self->done >= self->work->iterations))
		return OUTCOME_FINISHED;
	return OUTCOME_ASKED;
}

static void leave(struct work_self *self)
{
	atomic_store(&self->seat->wants_ns, WORK_NEVER);
	leave_times(self);
	atomic_store(&self->seat->outcome, outcome(self));
	atomic_fetch_add(&self->shared->gone, 1);
	work_futex_wake(&self->shared->gone, 1);
}

static void live(struct work_row *row, struct work_self *self)
{
	char comm[WORK_COMM_BYTES];
	int r;

	work_row_comm(row, self->index, comm);
	prctl(PR_SET_NAME, comm);
	/* Pages that it will write, while nothing depends on how long that takes. */
	for (size_t i = 0; i < sizeof(self->seat->slots); i += 1024)
		((volatile char *)self->seat->slots)[i] = 0;
	r = row->ops->prepare ? row->ops->prepare(self) : 0;
	if (r < 0)
		work_trouble(self, "get ready", -r);
	arrive(self);
	while (atomic_load(&self->shared->gate) == 0 && r == 0)
		work_futex_wait(&self->shared->gate, 0, UINT64_MAX);
	if (r == 0 && !row->ops->mute)
		work_begin(self);
	if (r == 0 && !work_is_stopped(self))
		row->ops->run(self);
	leave(self);
}

struct thread {
	struct work_row *row;
	struct work_self *self;
	pthread_t id;
};

static void *run_thread(void *arg)
{
	struct thread *thread = arg;

	live(thread->row, thread->self);
	return NULL;
}

static int open_groups(struct work_row *row)
{
	struct rlimit files;

	if (!row->ops->open)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (uint32_t i = 0; i < row->count; i += row->group_size) {
		int r = row->ops->open(&row->selves[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int live_as_threads(struct work_row *row)
{
	struct thread *threads = calloc(row->count, sizeof(*threads));
	pthread_attr_t attr;
	int r = threads ? open_groups(row) : -ENOMEM;

	if (r == 0)
		r = -pthread_attr_init(&attr);
	if (r == 0)
		r = -pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (uint32_t i = 1; i < row->count && r == 0; i++) {
		threads[i] = (struct thread){ .row = row, .self = &row->selves[i] };
		r = -pthread_create(&threads[i].id, &attr, run_thread, &threads[i]);
	}
	if (r < 0)
		return r;
	live(row, &row->selves[0]);
	for (uint32_t i = 1; i < row->count; i++)
		pthread_join(threads[i].id, NULL);
	return 0;
}

void work_row_live(struct work_row *row, uint32_t index)
{
	struct work_self *self = &row->selves[index];
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != row->starter)
		_exit(WORK_EXIT_TROUBLE);
	setpgid(0, index == 0 ? 0 : row->pids[0]);
	reset_signals(row->ops->mute);
	use_all_cpus();
	prctl(PR_SET_TIMERSLACK, 1);
	r = set_memory(row);
	if (r < 0)
		work_trouble(self, "set_mempolicy", -r);
	else if (row->work->threads)
		r = live_as_threads(row);
	else
		live(row, self);
	if (r < 0) {
		if (!self->troubled)
			work_trouble(self, "make threads", -r);
		atomic_store(&self->seat->outcome, OUTCOME_TROUBLE);
		atomic_fetch_add(&self->shared->arrived, 1);
		work_futex_wake(&self->shared->arrived, 1);
	}
	_exit(self->troubled ? WORK_EXIT_TROUBLE : 0);
}
