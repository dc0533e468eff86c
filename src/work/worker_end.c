// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/row.h"

/* How often those that go on are asked again, and how long death by SIGKILL may take. */
#define ASK_AGAIN_NS  (10 * NSEC_PER_MSEC)
#define KILL_LIMIT_NS (10 * NSEC_PER_SEC)

pid_t work_row_process(const struct work_row *row, uint32_t index)
{
	return row->pids[row->work->threads ? 0 : index];
}

uint32_t work_row_processes(const struct work_row *row)
{
	return row->work->threads ? 1 : row->count;
}

bool work_row_is_dead(const struct work_row *row, uint32_t index, siginfo_t *ret_info)
{
	pid_t pid = work_row_process(row, index);

	*ret_info = (siginfo_t){ .si_pid = 0 };
	if (pid <= 0)
		return true;
	if (waitid(P_PID, (id_t)pid, ret_info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0) {
		*ret_info = (siginfo_t){ .si_pid = 0 };
		return true;
	}
	return ret_info->si_pid != 0 && ret_info->si_code != CLD_STOPPED;
}

static void describe_death(const struct work_row *row, uint32_t index, const siginfo_t *info,
			   struct work_end *end)
{
	bool program = row->ops->mute;

	if (info->si_pid == 0) {
		end->state = WORK_MISSING;
		return;
	}
	if (info->si_code == CLD_EXITED) {
		end->exit_code = info->si_status;
		end->finished = program && info->si_status == 0;
		end->state = end->finished || (program && row->asked) ? WORK_ENDED : WORK_EXITED;
		return;
	}
	end->signal = info->si_status;
	if (row->killed[index])
		end->state = WORK_KILLED;
	else
		end->state = program && row->asked && info->si_status == SIGTERM ? WORK_ENDED
										 : WORK_SIGNALED;
}

int work_row_look(const struct work_row *row, uint32_t index, struct work_end *ret_end)
{
	struct work_end end = { .state = row->let_go ? WORK_RUNNING : WORK_WAITING,
				.exit_code = -1,
				.signal = -1 };
	enum work_outcome outcome;
	siginfo_t info;
	bool dead;

	if (index >= row->count)
		return -EINVAL;
	dead = work_row_is_dead(row, index, &info);
	outcome = atomic_load(&row->seats[index].outcome);
	if (outcome == OUTCOME_TROUBLE) {
		end.state = WORK_EXITED;
		end.exit_code = WORK_EXIT_TROUBLE;
		memcpy(end.trouble, row->seats[index].trouble, sizeof(end.trouble));
		end.trouble[sizeof(end.trouble) - 1] = '\0';
	} else if (outcome != OUTCOME_NONE) {
		end.state = WORK_ENDED;
		end.finished = outcome == OUTCOME_FINISHED;
	} else if (dead) {
		describe_death(row, index, &info, &end);
	} else if (info.si_pid != 0) {
		end.state = WORK_STOPPED;
		end.signal = info.si_status;
	}
	*ret_end = end;
	return 0;
}

static bool has_ended(const struct work_row *row, uint32_t index)
{
	siginfo_t info;

	if (row->work->threads && atomic_load(&row->seats[index].outcome) != OUTCOME_NONE)
		return true;
	return work_row_is_dead(row, index, &info);
}

bool work_row_is_done(const struct work_row *row)
{
	for (uint32_t i = 0; i < row->count; i++) {
		if (!has_ended(row, i))
			return false;
	}
	return true;
}

void work_row_stop(struct work_row *row)
{
	int signal = row->ops->mute && row->let_go ? SIGTERM : WORK_STOP_SIGNAL;

	row->asked = true;
	row->shared->stop = true;
	if (!row->let_go) {
		atomic_store(&row->shared->gate, 1);
		work_futex_wake(&row->shared->gate, (int)row->count);
	}
	for (uint32_t i = 0; i < row->count; i++) {
		if (!has_ended(row, i))
			syscall(SYS_tgkill, work_row_process(row, i), work_row_tid(row, i), signal);
	}
}

static bool processes_ended(const struct work_row *row)
{
	for (uint32_t i = 0; i < work_row_processes(row); i++) {
		siginfo_t info;

		if (!work_row_is_dead(row, i, &info))
			return false;
	}
	return true;
}

/* To be killed takes CPU time, which a scheduler under test might never give; a caller with a real-time
 * policy gives its own. */
static void lend_policy(const struct work_row *row)
{
	int policy = sched_getscheduler(0);
	struct sched_param param;

	if (policy < 0 || sched_getparam(0, &param) < 0 || param.sched_priority == 0)
		return;
	for (uint32_t i = 0; i < row->count; i++) {
		if (!has_ended(row, i))
			sched_setscheduler(work_row_tid(row, i), policy, &param);
	}
}

/* Workers that have ended are zombies until they are collected, so the group is still theirs. */
static void kill_group(struct work_row *row)
{
	uint64_t end_ns = clock_mono_ns() + KILL_LIMIT_NS;

	if (row->pids[0] <= 0)
		return;
	kill(-row->pids[0], SIGKILL);
	for (uint32_t i = 0; i < work_row_processes(row); i++) {
		if (row->pids[i] > 0)
			kill(row->pids[i], SIGKILL);
	}
	lend_policy(row);
	while (!processes_ended(row) && clock_mono_ns() < end_ns)
		work_futex_wait(&row->shared->gone, atomic_load(&row->shared->gone), NSEC_PER_MSEC);
}

uint32_t work_row_reap(struct work_row *row, uint64_t timeout_ns)
{
	uint64_t end_ns = clock_add_ns(clock_mono_ns(), timeout_ns);
	uint32_t killed = 0;

	for (;;) {
		uint32_t gone = atomic_load(&row->shared->gone);

		work_row_stop(row);
		if (processes_ended(row) || clock_mono_ns() >= end_ns)
			break;
		work_futex_wait(&row->shared->gone, gone, ASK_AGAIN_NS);
	}
	for (uint32_t i = 0; i < row->count; i++) {
		row->killed[i] = !has_ended(row, i);
		killed += row->killed[i];
	}
	kill_group(row);
	return killed;
}

void work_row_destroy(struct work_row *row)
{
	if (!row)
		return;
	if (row->shared) {
		kill_group(row);
		for (uint32_t i = 0; i < work_row_processes(row); i++) {
			if (row->pids[i] > 0)
				waitpid(row->pids[i], NULL, WNOHANG);
		}
		munmap(row->area, row->area_bytes);
	}
	free(row->program);
	free(row->selves);
	free(row->pids);
	free(row->killed);
	free(row);
}
