/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* row.h - what a struct work_row is, for the files that are worker.h together. */
#ifndef KTSTR_WORK_ROW_H
#define KTSTR_WORK_ROW_H

#include <signal.h>
#include <stddef.h>

#include "work/self.h"
#include "work/worker.h"

enum { WORK_STOP_SIGNAL = SIGUSR1 };

struct work_row {
	const struct ktstr_work *work;
	const struct work_ops *ops;
	uint32_t count, group_size;
	int memory_mode;
	uint64_t memory_nodes, timeout_ns;
	char *program;
	void *area; /* shared: struct work_shared, seats, common memory of the groups */
	size_t area_bytes;
	struct work_shared *shared;
	struct work_seat *seats;
	struct work_self *selves; /* used in the workers only */
	pid_t *pids;		  /* of each worker; threads: only the first is set */
	bool *killed;
	pid_t starter; /* of the process that started them */
	bool let_go, asked;
};

/* What a worker's process does instead of returning: @index, or all with threads. */
void work_row_live(struct work_row *row, uint32_t index) __attribute__((noreturn));
/* "hogs/3"; a long name of the row is cut rather than the number. */
void work_row_comm(const struct work_row *row, uint32_t index, char comm[WORK_COMM_BYTES]);

/* The process of worker @index. */
pid_t work_row_process(const struct work_row *row, uint32_t index);
/* Its process has ended, or is somebody else's to collect; ret_info as waitid(), si_pid 0: it runs. */
bool work_row_is_dead(const struct work_row *row, uint32_t index, siginfo_t *ret_info);
/* How many processes the row has. */
uint32_t work_row_processes(const struct work_row *row);

#endif
