/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* work_rows.h - rows of workers in unit tests, and what the kernel says of them.  A failure ends the test. */
#ifndef KTSTR_TESTS_LIB_WORK_ROWS_H
#define KTSTR_TESTS_LIB_WORK_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "work/worker.h"

/* Not let go yet. */
struct work_row *rows_start(const struct ktstr_work *work, uint32_t count);
/* Lets them go, waits until all have ended, and expects that each did so with all its iterations. */
struct work_row *rows_run(const struct ktstr_work *work, uint32_t count);
/* Waits until worker @index has done that many iterations in phase 0. */
void rows_await(const struct work_row *row, uint32_t index, uint64_t iterations);
void rows_await_end(const struct work_row *row);
void rows_await_state(const struct work_row *row, uint32_t index, enum work_state state);
/* For a moment between two looks at something. */
void rows_pause(void);

struct work_reading rows_read(const struct work_row *row, uint32_t index);
/* The current time counts: an open gap as well. */
struct work_reading rows_read_now(const struct work_row *row, uint32_t index, uint32_t phase);
struct work_end rows_look(const struct work_row *row, uint32_t index);

/* Of a process, which may be a zombie. */
struct rows_task {
	char comm[WORK_COMM_BYTES];
	char state;			     /* as in /proc: 'S' sleeps */
	uint64_t minor_faults, child_faults; /* of children that were collected */
	int nice, policy;
	uint64_t voluntary, involuntary; /* context switches */
};
struct rows_task rows_task(const struct work_row *row, uint32_t index);

#endif
