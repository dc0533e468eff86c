// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/bpf_roll.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Sorted records lie anywhere, so that the next ones are asked for early. */
enum { AHEAD = 3, FETCHED_BYTES = 512, LINE_BYTES = 64 };

void bpf_roll_deinit(struct bpf_roll *roll)
{
	bpf_store_deinit(&roll->store);
	free(roll->seen);
	free(roll->places);
	*roll = (struct bpf_roll){ 0 };
}

static int grow(struct bpf_roll *roll)
{
	size_t size = roll->size ? roll->size * 2 : 1024;
	struct bpf_sighting *seen;
	struct place *places;

	if (roll->nr_seen < roll->size)
		return 0;
	seen = reallocarray(roll->seen, size, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	roll->seen = seen;
	places = reallocarray(roll->places, size, sizeof(*places));
	if (!places)
		return -ENOMEM;
	roll->places = places;
	roll->size = size;
	return 0;
}

int bpf_roll_add(struct bpf_roll *roll, const struct ctprof_thread *thread,
		 const struct ctprof_name *name)
{
	if (roll->nr_seen >= KTSTR_CTPROF_MAX_THREADS)
		return -E2BIG;
	if (grow(roll) < 0)
		return -ENOMEM;
	roll->seen[roll->nr_seen] = (struct bpf_sighting){ thread, name };
	roll->places[roll->nr++] =
		(struct place){ thread_key(thread->tgid, thread->tid), roll->nr_seen++ };
	return 0;
}

int bpf_roll_sort(struct bpf_roll *roll)
{
	size_t kept = 0;
	int r = places_sort(roll->places, roll->nr);

	for (size_t i = 0; i < roll->nr && r == 0; i++)
		if (!kept || roll->places[kept - 1].key != roll->places[i].key)
			roll->places[kept++] = roll->places[i];
	if (r == 0)
		roll->nr = kept;
	return r;
}

static void fetch(const struct bpf_sighting *sighting)
{
	const char *bytes = (const char *)sighting->thread;

	for (size_t at = 0; at < FETCHED_BYTES; at += LINE_BYTES)
		__builtin_prefetch(bytes + at);
}

const struct bpf_sighting *bpf_roll_at(const struct bpf_roll *roll, size_t i)
{
	if (i + 2 * AHEAD < roll->nr)
		__builtin_prefetch(&roll->seen[roll->places[i + 2 * AHEAD].index]);
	if (i + AHEAD < roll->nr)
		fetch(&roll->seen[roll->places[i + AHEAD].index]);
	return &roll->seen[roll->places[i].index];
}

size_t bpf_roll_process(const struct bpf_roll *roll, size_t first,
			const struct bpf_sighting **ret_leader)
{
	uint64_t tgid = roll->places[first].key >> 32;
	size_t i = first;

	*ret_leader = NULL;
	for (; i < roll->nr && roll->places[i].key >> 32 == tgid; i++)
		if ((uint32_t)roll->places[i].key == tgid)
			*ret_leader = &roll->seen[roll->places[i].index];
	return i;
}
