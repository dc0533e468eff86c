// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "scenario/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A part of what there is, and something; a list of it reads back. */
static void cpus(const char *text)
{
	static const struct ktstr_topology topology = { 2, 4, 3, 2 };
	struct cpuset within, set, again;
	struct ktstr_shape shape;
	char list[1024];

	shape_of_topology(&topology, &shape);
	cpuset_of_shape(&shape, &within);
	if (words_cpus(text, &shape, &within, NULL, &set, NULL) < 0)
		return;
	must(words_cpus(text, NULL, NULL, NULL, NULL, NULL) == 0);
	must(cpuset_count(&set) > 0);
	for (size_t i = 0; i < CPUSET_WORDS; i++)
		must(!(set.bits[i] & ~within.bits[i]));
	must(cpuset_parse(cpuset_format(&set, list, sizeof(list)), &again) == 0);
	must(!memcmp(&set, &again, sizeof(set)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	uint64_t quota_ns, period_ns, ns;
	struct policy_words policy;
	struct memory_words memory;
	struct event_words event;

	if (!text)
		return 0;
	cpus(text);
	if (words_policy(text, &policy, NULL) == 0)
		must(policy.priority <= WORDS_PRIORITY_MAX &&
		     policy.runtime_ns <= policy.period_ns);
	if (words_memory(text, &memory, NULL) == 0)
		must(memory.nodes < 1u << KTSTR_TOPOLOGY_MAX_NODES);
	if (words_quota(text, &quota_ns, &period_ns, NULL) == 0)
		must(!quota_ns == !period_ns);
	if (words_time(text, &ns, NULL) == 0)
		must(ns > 0);
	if (words_event(text, &event, NULL) == 0)
		must(!*event.work == (event.kind == EVENT_SCHEDULER_GONE));
	return 0;
}
