/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * admission.h - which of the waiting runs has room on this machine now.
 *
 * Runs are started in their order when there is room.  A smaller one may pass a larger one that
 * waits, but only ADMISSION_PASSES times: then nothing starts until the larger one has its room.
 * All of it is pure.
 */
#ifndef KTSTR_RUN_ADMISSION_H
#define KTSTR_RUN_ADMISSION_H

#include <stddef.h>
#include <stdint.h>

enum { ADMISSION_PASSES = 16 };

struct admission_need {
	uint32_t cpus;		/* of the host, kept busy at the same time */
	uint64_t memory_bytes;	/* expected to be used */
	uint64_t address_bytes; /* that it could use; more than there is cannot be given at all */
};

struct admission_room {
	uint32_t jobs;		  /* most at once */
	uint32_t cpus;		  /* UINT32_MAX: not counted */
	uint64_t memory_bytes;	  /* for all runs together */
	uint64_t address_bytes;	  /* for one run */
	uint64_t available_bytes; /* at this moment, with all running ones started */
};

/* The sum of what runs. */
struct admission_use {
	uint32_t jobs, cpus;
	uint64_t memory_bytes;
};

enum admission { ADMISSION_START, ADMISSION_WAIT, ADMISSION_NEVER };

/* NEVER: not even when nothing else of this run is left running. */
enum admission admission_decide(const struct admission_need *need, const struct admission_use *use,
				const struct admission_room *room);

/* @waiting: in their order, the first ones are enough; @passed: how often the first has been passed.
 * Return: the index of the one to start, or -1: none now. */
int admission_pick(const struct admission_need *waiting, size_t nr, unsigned int passed,
		   const struct admission_use *use, const struct admission_room *room);

void admission_add(struct admission_use *use, const struct admission_need *need);
void admission_sub(struct admission_use *use, const struct admission_need *need);

#endif
