// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/procfs.h"

enum kind { COUNT, TIME };

/* Rows that are no metric by themselves. */
enum { SUM_SLEEP = KTSTR_CTPROF_NR_METRICS };

struct key {
	const char *name;
	uint8_t len;
	uint8_t kind;
	uint16_t metric;
};

#define KEY(name_, kind_, metric_)                                                        \
	{                                                                                 \
		.name = name_, .len = sizeof(name_) - 1, .kind = kind_, .metric = metric_ \
	}
#define METRIC(name_, kind_, id_) KEY(name_, kind_, KTSTR_CTPROF_##id_)

static const struct key keys[] = {
	METRIC("nr_migrations", COUNT, NR_MIGRATIONS),
	METRIC("nr_voluntary_switches", COUNT, VOLUNTARY_CSW),
	METRIC("nr_involuntary_switches", COUNT, NONVOLUNTARY_CSW),
	METRIC("nr_wakeups", COUNT, NR_WAKEUPS),
	METRIC("nr_wakeups_local", COUNT, NR_WAKEUPS_LOCAL),
	METRIC("nr_wakeups_remote", COUNT, NR_WAKEUPS_REMOTE),
	METRIC("nr_wakeups_sync", COUNT, NR_WAKEUPS_SYNC),
	METRIC("nr_wakeups_migrate", COUNT, NR_WAKEUPS_MIGRATE),
	METRIC("nr_wakeups_affine", COUNT, NR_WAKEUPS_AFFINE),
	METRIC("nr_wakeups_affine_attempts", COUNT, NR_WAKEUPS_AFFINE_ATTEMPTS),
	METRIC("nr_forced_migrations", COUNT, NR_FORCED_MIGRATIONS),
	METRIC("nr_failed_migrations_affine", COUNT, NR_FAILED_MIGRATIONS_AFFINE),
	METRIC("nr_failed_migrations_running", COUNT, NR_FAILED_MIGRATIONS_RUNNING),
	METRIC("nr_failed_migrations_hot", COUNT, NR_FAILED_MIGRATIONS_HOT),
	METRIC("wait_sum", TIME, WAIT_SUM),
	METRIC("wait_count", COUNT, WAIT_COUNT),
	METRIC("wait_max", TIME, WAIT_MAX),
	METRIC("sleep_max", TIME, SLEEP_MAX),
	METRIC("sum_block_runtime", TIME, BLOCK_SUM),
	METRIC("block_max", TIME, BLOCK_MAX),
	METRIC("iowait_sum", TIME, IOWAIT_SUM),
	METRIC("iowait_count", COUNT, IOWAIT_COUNT),
	METRIC("exec_max", TIME, EXEC_MAX),
	METRIC("slice_max", TIME, SLICE_MAX),
	METRIC("core_forceidle_sum", TIME, CORE_FORCEIDLE_SUM),
	METRIC("slice", COUNT, FAIR_SLICE),
	METRIC("ext.enabled", COUNT, EXT_ENABLED),
	KEY("sum_sleep_runtime", TIME, SUM_SLEEP),
};

/* Milliseconds with six decimals, as SPLIT_NS() prints them. */
static int whole_time(struct span s, int64_t *ret_ns)
{
	int64_t ms, ns;
	int r;

	skip_blanks(&s);
	r = take_digits(&s, &ms);
	if (r < 0)
		return r;
	if (s.len < 7 || *s.at != '.' || !is_digit(s.at[6]))
		return -EINVAL;
	advance(&s, 1);
	r = take_digits(&(struct span){ s.at, 6 }, &ns);
	if (r < 0)
		return r;
	for (size_t i = 0; i < 6; i++)
		if (!is_digit(s.at[i]))
			return -EINVAL;
	advance(&s, 6);
	skip_blanks(&s);
	if (s.len || __builtin_mul_overflow(ms, 1000000, &ms) ||
	    __builtin_add_overflow(ms, ns, &ns))
		return -EINVAL;
	*ret_ns = ns;
	return 0;
}

static const struct key *find_key(struct span name)
{
	/* Since Linux ceeadb83aea2 (v5.16) statistics have no prefix; before, se.statistics. */
	if (take_prefix(&name, "se."))
		take_prefix(&name, "statistics.");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].len == name.len && !memcmp(keys[i].name, name.at, name.len))
			return &keys[i];
	return NULL;
}

static int parse_line(struct span line, struct ktstr_ctprof_thread *t, int64_t *sleep_ns)
{
	const struct key *key;
	struct span name;
	int64_t value;
	int r;

	if (!next_word(&line, &name))
		return 0;
	key = find_key(name);
	if (!key)
		return 0;
	skip_blanks(&line);
	if (!take_prefix(&line, ":"))
		return -EINVAL;
	r = key->kind == TIME ? whole_time(line, &value) : whole_number(line, &value);
	if (r < 0 || value < 0)
		return -EINVAL;
	if (key->metric == SUM_SLEEP)
		*sleep_ns = value;
	else
		thread_set(t, key->metric, value);
	return 0;
}

static bool is_ruler(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.at[i] != '-')
			return false;
	return line.len > 16;
}

int procfs_parse_sched(struct span text, struct ktstr_ctprof_thread *t)
{
	int64_t sleep_ns = -1, block_ns;
	struct span line;
	int r = 0;

	/* A thread's name stands above the ruler and may look like anything, lines included. */
	do {
		if (!next_line(&text, &line))
			return -EINVAL;
	} while (!is_ruler(line));
	while (next_line(&text, &line))
		if (parse_line(line, t, &sleep_ns) < 0)
			r = -EINVAL;
	if (sleep_ns >= 0 && ktstr_ctprof_get(t, KTSTR_CTPROF_BLOCK_SUM, &block_ns))
		thread_set(t, KTSTR_CTPROF_VOLUNTARY_SLEEP,
			   sleep_ns > block_ns ? sleep_ns - block_ns : 0);
	return r;
}
