// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/queue.h"

#include <errno.h>
#include <stdlib.h>

int queue_init(struct queue *q, size_t nr)
{
	*q = (struct queue){ .items = calloc(nr + 1, sizeof(*q->items)), .nr = nr };
	return q->items ? 0 : -ENOMEM;
}

void queue_deinit(struct queue *q)
{
	free(q->items);
	*q = (struct queue){ 0 };
}

static void find_first(struct queue *q)
{
	while (q->first < q->nr && q->items[q->first].state != QUEUE_WAITS) {
		q->first++;
		q->passed = 0;
	}
}

static int pick(const struct queue *q, size_t *ret_index)
{
	struct admission_need needs[QUEUE_WINDOW];
	size_t indexes[QUEUE_WINDOW], nr = 0;
	int picked;

	for (size_t i = q->first; i < q->nr && nr < (q->in_order ? 1 : QUEUE_WINDOW); i++) {
		if (q->items[i].state != QUEUE_WAITS)
			continue;
		indexes[nr] = i;
		needs[nr++] = q->items[i].need;
	}
	picked = admission_pick(needs, nr, q->passed, &q->use, &q->room);
	if (picked >= 0)
		*ret_index = indexes[picked];
	return picked;
}

enum queue_next queue_next(struct queue *q, size_t *ret_index)
{
	find_first(q);
	if (q->first == q->nr)
		return QUEUE_EMPTY;
	*ret_index = q->first;
	if (admission_decide(&q->items[q->first].need, &q->use, &q->room) == ADMISSION_NEVER)
		return QUEUE_REFUSE;
	return pick(q, ret_index) < 0 ? QUEUE_LATER : QUEUE_START;
}

void queue_start(struct queue *q, size_t index)
{
	q->passed += index != q->first;
	q->items[index].state = QUEUE_RUNS;
	admission_add(&q->use, &q->items[index].need);
}

void queue_end(struct queue *q, size_t index)
{
	if (q->items[index].state == QUEUE_RUNS)
		admission_sub(&q->use, &q->items[index].need);
	q->items[index].state = QUEUE_DONE;
}
