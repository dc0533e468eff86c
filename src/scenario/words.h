/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * words.h - the words of ktstr/scenario.h, read: CPUs, memory, policies, quotas, events, times.
 *
 * Reading is apart from resolving, so that a scenario is checked on the host, before a guest is
 * started, with the topology it will have, and resolved in the guest with the CPUs that are there.
 */
#ifndef KTSTR_SCENARIO_WORDS_H
#define KTSTR_SCENARIO_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include <ktstr/scenario.h>

enum { CPUSET_WORDS = 4 };

/* CPUs 0 to 255. */
struct cpuset {
	uint64_t bits[CPUSET_WORDS];
};

static inline bool cpuset_has(const struct cpuset *set, uint32_t cpu)
{
	return cpu < CPUSET_WORDS * 64 && (set->bits[cpu / 64] >> (cpu % 64) & 1);
}

static inline void cpuset_add(struct cpuset *set, uint32_t cpu)
{
	if (cpu < CPUSET_WORDS * 64)
		set->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

uint32_t cpuset_count(const struct cpuset *set);
/* "0-3,7"; "" for none.  @buf as snprintf().  Return: @buf. */
const char *cpuset_format(const struct cpuset *set, char *buf, size_t size);
/* "0-3,7".  Return: 0, -EINVAL, -ERANGE (a CPU above 255). */
int cpuset_parse(const char *text, struct cpuset *ret_set) KTSTR_MUST_CHECK;
/* What a topology will have: every CPU, numbered as ktstr_shape_matches() demands. */
void shape_of_topology(const struct ktstr_topology *topology, struct ktstr_shape *ret_shape);

/* Among @within of @shape; @chance may be NULL when @words are not random.  "inherit" gives @within.
 * Return: 0, -EINVAL (no such words), -ERANGE (nothing left, or no such part; @err says what). */
int words_cpus(const char *words, const struct ktstr_shape *shape, const struct cpuset *within,
	       struct prng *chance, struct cpuset *ret_set,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;

struct policy_words {
	int policy; /* SCHED_x of the kernel */
	int priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};
int words_policy(const char *words, struct policy_words *ret_policy,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

struct memory_words {
	int mode; /* MPOL_x; -1: cpuset.mems ("nodes:") */
	uint64_t nodes;
};
int words_memory(const char *words, struct memory_words *ret_memory,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* "50ms/100ms", "150%" (of 100 ms), "max": both 0.  The kernel takes 1 ms to 1 s. */
int words_quota(const char *words, uint64_t *ret_quota_ns, uint64_t *ret_period_ns,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

/* "250us", "1.5s", "10ms", "80ns": 1 ns to 1 h. */
int words_time(const char *words, uint64_t *ret_ns, struct ktstr_error *err) KTSTR_MUST_CHECK;

enum event_kind { EVENT_SCHEDULER_GONE, EVENT_DONE, EVENT_ITERATIONS };
struct event_words {
	enum event_kind kind;
	char work[KTSTR_SCENARIO_NAME];
	uint64_t iterations;
};
int words_event(const char *words, struct event_words *ret_event,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
