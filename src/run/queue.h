/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* queue.h - the runs of a plan: which wait, which run, and which is next (admission.h). */
#ifndef KTSTR_RUN_QUEUE_H
#define KTSTR_RUN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "run/admission.h"
#include <ktstr/api.h>

enum { QUEUE_WINDOW = 256 }; /* waiting ones that are looked at */

enum queue_state { QUEUE_WAITS, QUEUE_RUNS, QUEUE_DONE };

struct queue_item {
	enum queue_state state;
	struct admission_need need;
};

struct queue {
	struct queue_item *items;
	size_t nr;
	size_t first;	     /* no earlier one waits */
	unsigned int passed; /* how often the first waiting one was */
	bool in_order;	     /* it never is */
	struct admission_use use;
	struct admission_room room; /* kept up to date by the owner */
};

/* All wait; needs are filled in by the owner.  Return: 0 or -ENOMEM. */
int queue_init(struct queue *q, size_t nr) KTSTR_MUST_CHECK;
void queue_deinit(struct queue *q);

enum queue_next {
	QUEUE_START,  /* this one */
	QUEUE_REFUSE, /* this one: it will never have room */
	QUEUE_LATER,  /* when something has ended */
	QUEUE_EMPTY   /* none waits */
};

enum queue_next queue_next(struct queue *q, size_t *ret_index);

void queue_start(struct queue *q, size_t index);
/* Of one that runs, or that waits and is not to be run. */
void queue_end(struct queue *q, size_t index);

#endif
