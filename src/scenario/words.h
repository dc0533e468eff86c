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
#include "base/shape.h"
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

static inline void cpuset_unite(struct cpuset *set, const struct cpuset *other)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		set->bits[i] |= other->bits[i];
}

/* Leaves those that are in @within too. */
static inline void cpuset_cut(struct cpuset *set, const struct cpuset *within)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		set->bits[i] &= within->bits[i];
}

uint32_t cpuset_count(const struct cpuset *set);
/* "0-3,7"; "" for none.  @buf as snprintf().  Return: @buf. */
const char *cpuset_format(const struct cpuset *set, char *buf, size_t size);
/* "0-3,7".  Return: 0, -EINVAL, -ERANGE (a CPU above 255). */
int cpuset_parse(const char *text, struct cpuset *ret_set) KTSTR_MUST_CHECK;
/* All CPUs of a shape. */
void cpuset_of_shape(const struct ktstr_shape *shape, struct cpuset *ret_set);

/* Among @within of @shape (shape_of_topology() of base/shape.h, or ktstr_shape_read()).  LLCs, nodes and
 * cores count from 0 in the order of their first CPU.  "inherit" gives @within.  Without @chance "random:2"
 * gives the first two, which will do for a check; without @shape words are only read, and @ret_set is left
 * alone.
 * Return: 0, -EINVAL (no such words), -ERANGE (nothing left, or no such part; @err says what). */
int words_cpus(const char *words, const struct ktstr_shape *shape, const struct cpuset *within,
	       struct prng *chance, struct cpuset *ret_set,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Real-time priorities above are kept for what watches the workers. */
enum { WORDS_PRIORITY_MAX = 90 };

struct policy_words {
	int policy;   /* SCHED_x of the kernel; 7: SCHED_EXT */
	int priority; /* of fifo and rr, 1 to WORDS_PRIORITY_MAX; else 0 */
	uint64_t runtime_ns, deadline_ns, period_ns; /* of deadline; else 0 */
};
/* The kernel takes a runtime of 1024 ns or more, not above the deadline, and that not above the period of
 * 100 us to 4 s.  This and the next ones: Return: 0, -EINVAL (no such words), -ERANGE (a number that the
 * kernel would not take). */
int words_policy(const char *words, struct policy_words *ret_policy,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

struct memory_words {
	int mode;	/* MPOL_x of linux/mempolicy.h; -1: cpuset.mems ("nodes:") */
	uint64_t nodes; /* a bit each; 0 for "local" */
};
int words_memory(const char *words, struct memory_words *ret_memory,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* "50ms/100ms", "150%" (of 100 ms), "max": both 0.  The kernel takes quotas of 1 ms or more, and periods
 * of 1 ms to 1 s; a quota of more than 256 periods says nothing on machines of 256 CPUs. */
int words_quota(const char *words, uint64_t *ret_quota_ns, uint64_t *ret_period_ns,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

/* "250us", "1.5s", "10ms", "80ns", "2m", "1h": 1 ns to 1 h, never without a unit. */
int words_time(const char *words, uint64_t *ret_ns, struct ktstr_error *err) KTSTR_MUST_CHECK;

enum event_kind { EVENT_SCHEDULER_GONE, EVENT_DONE, EVENT_ITERATIONS };
struct event_words {
	enum event_kind kind;
	char work[KTSTR_SCENARIO_NAME]; /* "" for EVENT_SCHEDULER_GONE */
	uint64_t iterations;		/* 1 or more, of EVENT_ITERATIONS */
};
int words_event(const char *words, struct event_words *ret_event,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
