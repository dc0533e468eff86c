// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "work/payload_find.h"
#include "work/row.h"
#include "work/types.h"

#define START_TIMEOUT_NS (10 * NSEC_PER_SEC)
#define ARRIVAL_LOOK_NS	 (20 * NSEC_PER_MSEC)

DEFINE_CLEANUP(struct work_row *, work_row_destroy);

uint64_t work_param(const struct ktstr_work *work, uint32_t index)
{
	const struct ktstr_work_info *info = ktstr_work_info(work->type);

	if (!info || index >= KTSTR_WORK_PARAMS || !info->params[index].name)
		return 0;
	return work->params[index] ? work->params[index] : info->params[index].fallback;
}

static uint32_t find_param(const struct ktstr_work_info *info, const char *name)
{
	uint32_t i = 0;

	while (i < KTSTR_WORK_PARAMS && info->params[i].name &&
	       strcmp(info->params[i].name, name) != 0)
		i++;
	return i;
}

uint32_t work_group_size(const struct ktstr_work *work)
{
	const struct ktstr_work_info *info = ktstr_work_info(work->type);
	uint64_t size;

	if (!info)
		return 1;
	size = info->group ? info->group : work_param(work, find_param(info, "group"));
	return size < 1 ? 1 : size > WORK_GROUP_MAX ? WORK_GROUP_MAX : (uint32_t)size;
}

int work_traits(const struct ktstr_work *work, struct work_traits *ret_traits,
		struct ktstr_error *err)
{
	const struct ktstr_work_info *info = ktstr_work_info(work->type);
	const struct work_ops *ops = work_ops(work->type);

	if (!info)
		return ktstr_error_set(err, -EINVAL, "workers '%s': no work type has number %d",
				       work->name, (int)work->type);
	for (uint32_t i = 0; i < KTSTR_WORK_PARAMS && info->params[i].name; i++) {
		const struct ktstr_work_param *p = &info->params[i];
		uint64_t value = work_param(work, i);

		if (value < p->lowest || value > p->highest)
			return ktstr_error_set(
				err, -EINVAL,
				"workers '%s': %s of %s is %llu, and may be %llu "
				"to %llu",
				work->name, p->name, info->name, (unsigned long long)value,
				(unsigned long long)p->lowest, (unsigned long long)p->highest);
	}
	*ret_traits = (struct work_traits){ .group = work_group_size(work),
					    .busy = ops->busy,
					    .ends = ops->ends || work->iterations > 0,
					    .tells = !ops->mute,
					    .wakes = ops->wakes,
					    .changes_cpus = ops->changes_cpus,
					    .changes_policy = ops->changes_policy };
	return 0;
}

static int check(const struct work_row_opts *opts, struct ktstr_error *err)
{
	const struct ktstr_work *work = opts->work;
	struct work_traits traits;
	int r = work_traits(work, &traits, err);

	if (r < 0)
		return r;
	if (opts->count == 0 || opts->count % traits.group != 0 ||
	    opts->count > KTSTR_SCENARIO_WORKERS)
		return ktstr_error_set(
			err, -EINVAL,
			"workers '%s': %u of them, and groups of %u; use a multiple, "
			"at most %d",
			work->name, opts->count, traits.group, KTSTR_SCENARIO_WORKERS);
	if (work->type == KTSTR_WORK_program && (work->threads || !work->program))
		return ktstr_error_set(err, -EINVAL, "workers '%s': %s", work->name,
				       work->threads ? "programs cannot be threads"
						     : "no program is named");
	if (work->type == KTSTR_WORK_custom && !work->run)
		return ktstr_error_set(err, -EINVAL, "workers '%s': no function to call",
				       work->name);
	return 0;
}

static size_t common_bytes(const struct work_row *row)
{
	size_t bytes = row->ops->common_bytes + (size_t)row->ops->member_bytes * row->group_size;

	return (bytes + WORK_LINE_BYTES - 1) & ~(size_t)(WORK_LINE_BYTES - 1);
}

static int map_area(struct work_row *row)
{
	size_t seats_at =
		(sizeof(struct work_shared) + WORK_LINE_BYTES - 1) & ~(size_t)(WORK_LINE_BYTES - 1);
	size_t commons_at = seats_at + row->count * sizeof(struct work_seat);
	size_t bytes = commons_at + row->count / row->group_size * common_bytes(row);
	uint8_t *area =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	row->area = area;
	row->area_bytes = bytes;
	row->shared = row->area;
	row->seats = (struct work_seat *)(void *)(area + seats_at);
	for (uint32_t i = 0; i < row->count; i++) {
		struct work_self *self = &row->selves[i];

		atomic_store(&row->seats[i].wants_ns, WORK_NEVER);
		self->seat = &row->seats[i];
		self->common = area + commons_at + i / row->group_size * common_bytes(row);
	}
	return 0;
}

static void fill_selves(struct work_row *row, uint64_t seed)
{
	for (uint32_t i = 0; i < row->count; i++) {
		struct work_self *self = &row->selves[i];

		self->work = row->work;
		self->shared = row->shared;
		self->seats = row->seats;
		self->index = i;
		self->count = row->count;
		self->member = i % row->group_size;
		self->group_size = row->group_size;
		self->program = row->program;
		for (uint32_t p = 0; p < KTSTR_WORK_PARAMS; p++)
			self->params[p] = work_param(row->work, p);
		prng_init(&self->chance, seed, i);
		self->seed = prng_u64(&self->chance);
	}
}

static struct work_row *create(const struct work_row_opts *opts, struct ktstr_error *err)
{
	struct work_row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	row->work = opts->work;
	row->ops = work_ops(opts->work->type);
	row->count = opts->count;
	row->group_size = work_group_size(opts->work);
	row->memory_mode = opts->memory_mode;
	row->memory_nodes = opts->memory_nodes;
	row->timeout_ns = opts->timeout_ns ? opts->timeout_ns : START_TIMEOUT_NS;
	row->starter = getpid();
	row->selves = calloc(row->count, sizeof(*row->selves));
	row->pids = calloc(row->count, sizeof(*row->pids));
	row->killed = calloc(row->count, sizeof(*row->killed));
	if (!row->selves || !row->pids || !row->killed || map_area(row) < 0) {
		work_row_destroy(row);
		ktstr_error_nomem(err);
		return NULL;
	}
	return row;
}

static int fork_one(struct work_row *row, uint32_t index, struct ktstr_error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return ktstr_error_set(err, -errno, "workers '%s': fork of number %u of %u: %s",
				       row->work->name, index, row->count, strerror(errno));
	if (pid == 0)
		work_row_live(row, index);
	row->pids[index] = pid;
	/* Here and there, so that it holds whoever comes first. */
	setpgid(pid, row->pids[0]);
	return 0;
}

static int fork_group(struct work_row *row, uint32_t first, struct ktstr_error *err)
{
	int r = row->ops->open ? row->ops->open(&row->selves[first]) : 0;

	if (r < 0)
		return ktstr_error_set(err, r, "workers '%s': descriptors for a group: %s",
				       row->work->name, strerror(-r));
	for (uint32_t i = first; i < first + row->group_size && r == 0; i++)
		r = fork_one(row, i, err);
	if (row->ops->close)
		row->ops->close(&row->selves[first]);
	return r;
}

static int fork_all(struct work_row *row, struct ktstr_error *err)
{
	int r = 0;

	if (row->work->threads)
		return fork_one(row, 0, err);
	for (uint32_t i = 0; i < row->count && r == 0; i += row->group_size)
		r = fork_group(row, i, err);
	return r;
}

/* One that cannot come any more.  Return: 0, -ECHILD. */
static int look_for_dead(const struct work_row *row, struct ktstr_error *err)
{
	for (uint32_t i = 0; i < row->count; i++) {
		const struct work_seat *seat = &row->seats[i];
		siginfo_t info;
		bool dead = work_row_is_dead(row, i, &info);

		if (atomic_load(&seat->outcome) == OUTCOME_TROUBLE)
			return ktstr_error_set(err, -ECHILD, "worker '%s/%u': %s", row->work->name,
					       i, seat->trouble);
		if (dead)
			return ktstr_error_set(err, -ECHILD,
					       "worker '%s/%u' died before it was let go (%s %d)",
					       row->work->name, i,
					       info.si_code == CLD_EXITED ? "exit code" : "signal",
					       info.si_status);
	}
	return 0;
}

static int wait_for_all(struct work_row *row, struct ktstr_error *err)
{
	uint64_t end_ns = clock_mono_ns() + row->timeout_ns;

	for (;;) {
		uint32_t arrived = atomic_load(&row->shared->arrived);
		int r = look_for_dead(row, err);

		if (r < 0 || arrived >= row->count)
			return r;
		if (clock_mono_ns() >= end_ns)
			return ktstr_error_set(
				err, -ETIMEDOUT, "workers '%s': only %u of %u came up in %llu ms",
				row->work->name, arrived, row->count,
				(unsigned long long)(row->timeout_ns / NSEC_PER_MSEC));
		work_futex_wait(&row->shared->arrived, arrived, ARRIVAL_LOOK_NS);
	}
}

/* Workers come up with the caller's policy and are ordinary afterwards. */
static int come_up(struct work_row *row, struct ktstr_error *err)
{
	const struct sched_param ordinary = { .sched_priority = 0 };
	int policy = sched_getscheduler(0), nice = getpriority(PRIO_PROCESS, 0), r;
	bool resets = policy > 0 && (policy & SCHED_RESET_ON_FORK);
	struct sched_param param;

	sched_getparam(0, &param);
	if (resets)
		resets = sched_setscheduler(0, policy & ~SCHED_RESET_ON_FORK, &param) == 0;
	r = fork_all(row, err);
	if (r == 0)
		r = wait_for_all(row, err);
	if (resets)
		sched_setscheduler(0, policy, &param);
	for (uint32_t i = 0; i < row->count && r == 0; i++) {
		pid_t tid = work_row_tid(row, i);

		if (policy != SCHED_OTHER && sched_setscheduler(tid, SCHED_OTHER, &ordinary) < 0)
			r = ktstr_error_set(err, -errno, "workers '%s': SCHED_OTHER: %s",
					    row->work->name, strerror(errno));
		if (nice != 0)
			setpriority(PRIO_PROCESS, (id_t)tid, 0);
	}
	return r;
}

int work_row_start(const struct work_row_opts *opts, struct work_row **ret_row,
		   struct ktstr_error *err)
{
	_cleanup_(work_row_destroyp) struct work_row *row = NULL;
	int r = check(opts, err);

	if (r < 0)
		return r;
	row = create(opts, err);
	if (!row)
		return -ENOMEM;
	if (opts->work->type == KTSTR_WORK_program) {
		r = payload_find_in_guest(opts->work->program, &row->program, err);
		if (r < 0)
			return r;
	}
	fill_selves(row, opts->seed);
	r = come_up(row, err);
	if (r < 0)
		return r;
	*ret_row = take_ptr(row);
	return 0;
}

uint32_t work_row_count(const struct work_row *row)
{
	return row->count;
}

pid_t work_row_tid(const struct work_row *row, uint32_t index)
{
	return index < row->count ? atomic_load(&row->seats[index].tid) : 0;
}

pid_t work_row_pid(const struct work_row *row, uint32_t index)
{
	return index < row->count ? work_row_process(row, index) : 0;
}

void work_row_go(struct work_row *row, uint32_t phase)
{
	uint64_t now_ns = clock_mono_ns();

	if (row->let_go)
		return;
	row->let_go = true;
	atomic_store(&row->shared->go_ns, now_ns);
	work_row_set_phase(row, phase);
	for (uint32_t i = 0; i < row->count; i++)
		atomic_store(&row->seats[i].wants_ns, now_ns);
	atomic_store(&row->shared->gate, 1);
	work_futex_wake(&row->shared->gate, (int)row->count);
}

void work_row_set_phase(struct work_row *row, uint32_t phase)
{
	if (phase >= WORK_PHASES)
		return;
	atomic_store(&row->shared->phase_begin_ns[phase], clock_mono_ns());
	atomic_store(&row->shared->phase, phase);
}

void work_row_allow(struct work_row *row, uint32_t index, const uint64_t cpus[WORK_CPU_WORDS],
		    uint64_t from_ns)
{
	if (index < row->count)
		work_allowed_set(&row->seats[index].allowed, cpus, from_ns);
}
