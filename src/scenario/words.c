// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/words.h"

#include <ctype.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

enum {
	SCHED_EXT_POLICY = 7, /* since Linux f0e1a0643a59 (v6.12); in no libc header yet */
	WORD_BYTES = 64,
	QUOTA_PERIODS_MAX = 256,
	PERCENT = 100
};

#define QUOTA_PERIOD_NS	  (UINT64_C(100) * 1000000)
#define QUOTA_LOWEST_NS	  (UINT64_C(1) * 1000000)
#define PERIOD_HIGHEST_NS (UINT64_C(1) * 1000000000)
#define TIME_HIGHEST_NS	  (UINT64_C(3600) * 1000000000)
/* DL_SCALE and the bounds of sched_deadline_period_{min,max}_us, kernel/sched/deadline.c. */
#define RUNTIME_LOWEST_NS    UINT64_C(1024)
#define DL_PERIOD_LOWEST_NS  (UINT64_C(100) * 1000)
#define DL_PERIOD_HIGHEST_NS (UINT64_C(4194304) * 1000)

/* What stands before the next @end, or all that is left; *@text goes behind it.  Return: whether there
 * is something, and room for it. */
static bool word(const char **text, char end, char *buf, size_t size)
{
	size_t len = strcspn(*text, (const char[]){ end, '\0' });

	if (!len || len >= size)
		return false;
	memcpy(buf, *text, len);
	buf[len] = '\0';
	*text += len + ((*text)[len] != '\0');
	return true;
}

int words_time(const char *words, uint64_t *ret_ns, struct ktstr_error *err)
{
	size_t len = strlen(words);
	uint64_t ns = 0;
	int r = len && isalpha((unsigned char)words[len - 1]) ? parse_duration_ns(words, &ns)
							      : -EINVAL;

	if (r == -EINVAL)
		return ktstr_error_set(
			err, r,
			"time '%s' is not understood; wanted is a number and ns, us, "
			"ms, s, m or h, such as '1.5s'",
			words);
	if (r < 0 || !ns || ns > TIME_HIGHEST_NS)
		return ktstr_error_set(err, -ERANGE, "time '%s' is not within 1ns and 1h", words);
	*ret_ns = ns;
	return 0;
}

/* --- policy ------------------------------------------------------------------------------------ */

static int read_priority(const char *p, struct policy_words *policy)
{
	uint32_t priority;

	if (parse_u32(p, &priority) < 0)
		return -EINVAL;
	if (!priority || priority > WORDS_PRIORITY_MAX)
		return -ERANGE;
	policy->priority = (int)priority;
	return 0;
}

static int read_deadline(const char *p, struct policy_words *policy)
{
	uint64_t *const times[] = { &policy->runtime_ns, &policy->deadline_ns, &policy->period_ns };

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char text[WORD_BYTES];
		int r;

		if (!word(&p, '/', text, sizeof(text)))
			return -EINVAL;
		r = words_time(text, times[i], NULL);
		if (r < 0)
			return r;
	}
	if (*p || p[-1] == '/')
		return -EINVAL;
	return policy->runtime_ns >= RUNTIME_LOWEST_NS &&
			       policy->runtime_ns <= policy->deadline_ns &&
			       policy->deadline_ns <= policy->period_ns &&
			       policy->period_ns >= DL_PERIOD_LOWEST_NS &&
			       policy->period_ns <= DL_PERIOD_HIGHEST_NS
		       ? 0
		       : -ERANGE;
}

static const struct {
	const char *prefix;
	int (*read)(const char *p, struct policy_words *policy); /* NULL: nothing may follow */
	int policy;
} policies[] = {
	{ "normal", NULL, SCHED_OTHER },
	{ "batch", NULL, SCHED_BATCH },
	{ "idle", NULL, SCHED_IDLE },
	{ "ext", NULL, SCHED_EXT_POLICY },
	{ "fifo:", read_priority, SCHED_FIFO },
	{ "rr:", read_priority, SCHED_RR },
	{ "deadline:", read_deadline, SCHED_DEADLINE },
};

int words_policy(const char *words, struct policy_words *ret_policy, struct ktstr_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct policy_words policy = { .policy = policies[i].policy };
		size_t len = strlen(policies[i].prefix);
		int r;

		if (policies[i].read ? strncmp(words, policies[i].prefix, len) != 0
				     : strcmp(words, policies[i].prefix) != 0)
			continue;
		r = policies[i].read ? policies[i].read(words + len, &policy) : 0;
		if (r == -EINVAL)
			break;
		if (r < 0)
			return ktstr_error_set(
				err, -ERANGE,
				"policy '%s': priorities go from 1 to %d; a runtime is "
				"1024ns or more, not above its deadline, and that not "
				"above its period of 100us to 4.194304s",
				words, WORDS_PRIORITY_MAX);
		*ret_policy = policy;
		return 0;
	}
	return ktstr_error_set(
		err, -EINVAL,
		"policy '%s' is not understood; wanted is 'normal', 'batch', 'idle', "
		"'ext', 'fifo:50', 'rr:10' or 'deadline:2ms/10ms/20ms'",
		words);
}

/* --- memory ------------------------------------------------------------------------------------ */

static const struct {
	const char *prefix;
	int mode;
} modes[] = {
	{ "nodes:", -1 },
	{ "bind:", MPOL_BIND },
	{ "interleave:", MPOL_INTERLEAVE },
	{ "preferred:", MPOL_PREFERRED },
};

static int read_nodes(const char *p, struct memory_words *memory)
{
	struct cpuset nodes;
	int r = cpuset_parse(p, &nodes);

	if (r < 0)
		return r;
	for (size_t i = 1; i < CPUSET_WORDS; i++)
		if (nodes.bits[i])
			return -ERANGE;
	if (nodes.bits[0] >> KTSTR_TOPOLOGY_MAX_NODES)
		return -ERANGE;
	if (!nodes.bits[0] || (memory->mode == MPOL_PREFERRED && cpuset_count(&nodes) != 1))
		return -EINVAL;
	memory->nodes = nodes.bits[0];
	return 0;
}

int words_memory(const char *words, struct memory_words *ret_memory, struct ktstr_error *err)
{
	if (!strcmp(words, "local")) {
		*ret_memory = (struct memory_words){ .mode = MPOL_LOCAL };
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct memory_words memory = { .mode = modes[i].mode };
		size_t len = strlen(modes[i].prefix);
		int r;

		if (strncmp(words, modes[i].prefix, len) != 0)
			continue;
		r = read_nodes(words + len, &memory);
		if (r == -EINVAL)
			break;
		if (r < 0)
			return ktstr_error_set(err, -ERANGE, "memory '%s': nodes go from 0 to %d",
					       words, KTSTR_TOPOLOGY_MAX_NODES - 1);
		*ret_memory = memory;
		return 0;
	}
	return ktstr_error_set(
		err, -EINVAL,
		"memory '%s' is not understood; wanted is 'nodes:0-1' for a cgroup, and "
		"'local', 'bind:0', 'interleave:0-1' or 'preferred:1' for workers",
		words);
}

/* --- quota ------------------------------------------------------------------------------------- */

static int read_quota(const char *words, uint64_t *ret_quota_ns, uint64_t *ret_period_ns)
{
	size_t len = strlen(words);
	char text[WORD_BYTES];
	uint64_t percent;
	int r;

	if (len && len < sizeof(text) && words[len - 1] == '%') {
		memcpy(text, words, len - 1);
		text[len - 1] = '\0';
		r = parse_u64(text, &percent);
		if (r < 0)
			return r;
		if (percent > (uint64_t)QUOTA_PERIODS_MAX * PERCENT)
			return -ERANGE;
		*ret_quota_ns = QUOTA_PERIOD_NS / PERCENT * percent;
		*ret_period_ns = QUOTA_PERIOD_NS;
		return 0;
	}
	if (!word(&words, '/', text, sizeof(text)) || words[-1] != '/')
		return -EINVAL;
	r = words_time(text, ret_quota_ns, NULL);
	return r < 0 ? r : words_time(words, ret_period_ns, NULL);
}

int words_quota(const char *words, uint64_t *ret_quota_ns, uint64_t *ret_period_ns,
		struct ktstr_error *err)
{
	uint64_t quota_ns = 0, period_ns = 0;
	int r = 0;

	if (strcmp(words, "max") != 0) {
		r = read_quota(words, &quota_ns, &period_ns);
		if (r == -EINVAL)
			return ktstr_error_set(
				err, r,
				"quota '%s' is not understood; wanted is 'max', '150%%' "
				"or '50ms/100ms'",
				words);
		if (r < 0 || quota_ns < QUOTA_LOWEST_NS || period_ns < QUOTA_LOWEST_NS ||
		    period_ns > PERIOD_HIGHEST_NS || quota_ns / QUOTA_PERIODS_MAX > period_ns)
			return ktstr_error_set(err, -ERANGE,
					       "quota '%s': a quota is 1ms or more and at most %d "
					       "periods, a period 1ms to 1s",
					       words, QUOTA_PERIODS_MAX);
	}
	*ret_quota_ns = quota_ns;
	*ret_period_ns = period_ns;
	return 0;
}

/* --- events ------------------------------------------------------------------------------------ */

static int read_event(const char *p, struct event_words *event)
{
	char kind[WORD_BYTES];

	if (!strcmp(p, "scheduler gone")) {
		event->kind = EVENT_SCHEDULER_GONE;
		return 0;
	}
	if (!word(&p, ' ', kind, sizeof(kind)) || !word(&p, ' ', event->work, sizeof(event->work)))
		return -EINVAL;
	if (!strcmp(kind, "done")) {
		event->kind = EVENT_DONE;
		return *p || p[-1] == ' ' ? -EINVAL : 0;
	}
	event->kind = EVENT_ITERATIONS;
	if (strcmp(kind, "iterations") != 0)
		return -EINVAL;
	return parse_u64(p, &event->iterations);
}

int words_event(const char *words, struct event_words *ret_event, struct ktstr_error *err)
{
	struct event_words event = { 0 };
	int r = read_event(words, &event);

	if (r == -EINVAL)
		return ktstr_error_set(err, r,
				       "event '%s' is not understood; wanted is 'scheduler gone', "
				       "'done WORK' or 'iterations WORK N'",
				       words);
	if (r < 0 || (event.kind == EVENT_ITERATIONS && !event.iterations))
		return ktstr_error_set(err, -ERANGE, "event '%s': iterations go from 1 to 2^64 - 1",
				       words);
	*ret_event = event;
	return 0;
}
