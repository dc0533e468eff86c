// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/near.h"
#include "ctprof/compare.h"

typedef const struct ktstr_metric_info *info_fn(unsigned int index);

/* By enum ktstr_ctprof_kind. */
static info_fn *const tables[] = {
	[KTSTR_CTPROF_KIND_THREAD] = ktstr_ctprof_metric_info,
	[KTSTR_CTPROF_KIND_TEXT] = ktstr_ctprof_text_info,
	[KTSTR_CTPROF_KIND_DERIVED] = ktstr_ctprof_derived_info,
	[KTSTR_CTPROF_KIND_CGROUP] = ktstr_ctprof_cgroup_metric_info,
	[KTSTR_CTPROF_KIND_CGROUP_TEXT] = ktstr_ctprof_cgroup_text_info,
	[KTSTR_CTPROF_KIND_HOST] = ktstr_ctprof_host_metric_info,
	[KTSTR_CTPROF_KIND_HOST_TEXT] = ktstr_ctprof_host_text_info,
};

static const char *const section_names[] = {
	[KTSTR_CTPROF_SECTION_PRIMARY] = "primary",
	[KTSTR_CTPROF_SECTION_DELAYS] = "taskstats-delay",
	[KTSTR_CTPROF_SECTION_DERIVED] = "derived",
	[KTSTR_CTPROF_SECTION_SMAPS] = "smaps-rollup",
	[KTSTR_CTPROF_SECTION_CGROUP_STATS] = "cgroup-stats",
	[KTSTR_CTPROF_SECTION_CGROUP_LIMITS] = "cgroup-limits",
	[KTSTR_CTPROF_SECTION_MEMORY_STAT] = "memory-stat",
	[KTSTR_CTPROF_SECTION_MEMORY_EVENTS] = "memory-events",
	[KTSTR_CTPROF_SECTION_PRESSURE] = "pressure",
	[KTSTR_CTPROF_SECTION_HOST_PRESSURE] = "host-pressure",
	[KTSTR_CTPROF_SECTION_SCHED_EXT] = "sched-ext",
	[KTSTR_CTPROF_SECTION_HOST] = "host",
};

const char *ktstr_ctprof_section_name(unsigned int section)
{
	return section < ARRAY_SIZE(section_names) ? section_names[section] : NULL;
}

const char *ktstr_ctprof_group_by_name(enum ktstr_ctprof_group_by by)
{
	static const char *const names[] = {
		[KTSTR_CTPROF_BY_ALL] = "all",	       [KTSTR_CTPROF_BY_CGROUP] = "cgroup",
		[KTSTR_CTPROF_BY_PROCESS] = "process", [KTSTR_CTPROF_BY_THREAD] = "thread",
		[KTSTR_CTPROF_BY_NAME] = "name",       [KTSTR_CTPROF_BY_TASK] = "task",
		[KTSTR_CTPROF_BY_MACHINE] = "machine",
	};

	return by < ARRAY_SIZE(names) ? names[by] : NULL;
}

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_limit(const char *name)
{
	static const char *const limits[] = { "max_",		"weight",	 "idle",
					      "uclamp_",	"memory_max",	 "memory_high",
					      "memory_low",	"memory_min",	 "pids_max",
					      "cpus_effective", "mems_effective" };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (starts(name, limits[i]))
			return true;
	return false;
}

static enum ktstr_ctprof_section section_of(enum ktstr_ctprof_kind kind, unsigned int index)
{
	const struct ktstr_metric_info *info = tables[kind](index);

	if (kind == KTSTR_CTPROF_KIND_DERIVED)
		return KTSTR_CTPROF_SECTION_DERIVED;
	if (kind == KTSTR_CTPROF_KIND_THREAD || kind == KTSTR_CTPROF_KIND_TEXT)
		return starts(info->name, "smaps_")    ? KTSTR_CTPROF_SECTION_SMAPS
		       : strstr(info->name, "_delay_") ? KTSTR_CTPROF_SECTION_DELAYS
						       : KTSTR_CTPROF_SECTION_PRIMARY;
	if (kind == KTSTR_CTPROF_KIND_HOST || kind == KTSTR_CTPROF_KIND_HOST_TEXT)
		return starts(info->name, "pressure_") ? KTSTR_CTPROF_SECTION_HOST_PRESSURE
		       : starts(info->name, "ext_")    ? KTSTR_CTPROF_SECTION_SCHED_EXT
						       : KTSTR_CTPROF_SECTION_HOST;
	if (starts(info->name, "pressure_"))
		return KTSTR_CTPROF_SECTION_PRESSURE;
	if (starts(info->name, "memory_stat_"))
		return KTSTR_CTPROF_SECTION_MEMORY_STAT;
	if (starts(info->name, "memory_events_"))
		return KTSTR_CTPROF_SECTION_MEMORY_EVENTS;
	return is_limit(info->name) ? KTSTR_CTPROF_SECTION_CGROUP_LIMITS
				    : KTSTR_CTPROF_SECTION_CGROUP_STATS;
}

/* "wait_sum" stands for "wait_sum_ns". */
static bool info_named(const struct ktstr_metric_info *info, const char *name, size_t len)
{
	size_t unit = strlen(info->unit), full = strlen(info->name);

	if (full == len && !memcmp(info->name, name, len))
		return true;
	return unit && full == len + 1 + unit && !memcmp(info->name, name, len) &&
	       info->name[len] == '_' && !strcmp(info->name + len + 1, info->unit);
}

bool column_named(const struct ktstr_ctprof_column *column, const char *name, size_t len)
{
	return info_named(column->info, name, len);
}

bool column_is_rate(const struct ktstr_ctprof_column *column)
{
	if (column->kind == KTSTR_CTPROF_KIND_DERIVED)
		return derived_row(column->index)->form >= DERIVED_LESS;
	return column->info->type == KTSTR_TYPE_COUNTER;
}

const struct ktstr_metric_info *columns_info(const char *name, size_t len,
					     enum ktstr_ctprof_kind *ret_kind)
{
	for (size_t kind = 0; kind < ARRAY_SIZE(tables); kind++) {
		for (unsigned int i = 0; tables[kind](i); i++) {
			if (!info_named(tables[kind](i), name, len))
				continue;
			*ret_kind = kind;
			return tables[kind](i);
		}
	}
	return NULL;
}

bool columns_known(const char *name, size_t len)
{
	enum ktstr_ctprof_kind kind;

	return columns_info(name, len, &kind) != NULL;
}

/* The name without its unit. */
static void stem_of(const struct ktstr_metric_info *info, char stem[NEAR_WORD])
{
	size_t unit = strlen(info->unit), len = strlen(info->name);

	if (unit && len > unit + 1 && !strcmp(info->name + len - unit, info->unit))
		len -= unit + 1;
	snprintf(stem, NEAR_WORD, "%.*s", (int)len, info->name);
}

int columns_unknown(const char *name, size_t len, struct ktstr_error *err)
{
	char word[NEAR_WORD], hint[2 * NEAR_WORD], stems[2][NEAR_WORD];
	unsigned int spare = 0;
	struct near near;

	snprintf(word, sizeof(word), "%.*s", (int)(len < NEAR_WORD ? len : NEAR_WORD - 1), name);
	near = near_start(word);
	for (size_t kind = 0; kind < ARRAY_SIZE(tables); kind++) {
		for (unsigned int i = 0; tables[kind](i); i++) {
			near_offer(&near, tables[kind](i)->name);
			stem_of(tables[kind](i), stems[spare]);
			near_offer(&near, stems[spare]);
			/* What was taken must stay. */
			spare ^= near.best == stems[spare];
		}
	}
	return ktstr_error_set(err, -EINVAL, "no metric '%s'%s, see 'ktstr ctprof metrics'", word,
			       near_hint(&near, hint, sizeof(hint)));
}

/* Is the metric one of a list "a,b:desc,c"? */
static bool listed(const struct ktstr_metric_info *info, const char *list)
{
	while (list && *list) {
		size_t len = strcspn(list, ",");

		if (info_named(info, list, strcspn(list, ",:")))
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

static bool wanted(const struct ktstr_ctprof_compare_opts *opts,
		   const struct ktstr_ctprof_column *c)
{
	bool chosen = !opts->metrics || listed(c->info, opts->metrics);

	if (opts->sections && !opts->metrics)
		chosen = opts->sections >> c->section & 1;
	else if (opts->sections)
		chosen = chosen && (opts->sections >> c->section & 1);
	return chosen || listed(c->info, opts->sort);
}

/* What groups of this kind have: names of groups are no columns. */
static bool has(enum ktstr_ctprof_group_by by, enum ktstr_ctprof_kind kind,
		const struct ktstr_metric_info *info)
{
	switch (kind) {
	case KTSTR_CTPROF_KIND_HOST:
	case KTSTR_CTPROF_KIND_HOST_TEXT:
		return by == KTSTR_CTPROF_BY_MACHINE && info->aggregate != KTSTR_AGGREGATE_KEY;
	case KTSTR_CTPROF_KIND_CGROUP:
	case KTSTR_CTPROF_KIND_CGROUP_TEXT:
		return by == KTSTR_CTPROF_BY_CGROUP;
	default:
		return info->aggregate != KTSTR_AGGREGATE_KEY;
	}
}

static int check_names(const char *list, struct ktstr_error *err)
{
	while (list && *list) {
		size_t len = strcspn(list, ",");

		if (!columns_known(list, len))
			return columns_unknown(list, len, err);
		list += len + (list[len] == ',');
	}
	return 0;
}

int columns_make(struct compare_work *w, struct ktstr_ctprof_block *block)
{
	struct ktstr_ctprof_column *columns;
	size_t most = 0, nr = 0;
	int r = check_names(w->opts->metrics, w->err);

	if (r < 0)
		return r;
	for (unsigned int kind = 0; kind < ARRAY_SIZE(tables); kind++)
		for (unsigned int i = 0; tables[kind](i); i++)
			most++;
	columns = arena_alloc(&w->result->arena, most, sizeof(*columns));
	if (!columns)
		return -ENOMEM;
	for (unsigned int kind = 0; kind < ARRAY_SIZE(tables); kind++) {
		for (unsigned int i = 0; tables[kind](i); i++) {
			struct ktstr_ctprof_column c = { kind, i, section_of(kind, i),
							 tables[kind](i) };

			if (has(block->by, kind, c.info) && wanted(w->opts, &c))
				columns[nr++] = c;
		}
	}
	block->columns = columns;
	block->nr_columns = nr;
	return 0;
}

int ktstr_ctprof_column_find(const struct ktstr_ctprof_block *block, const char *name)
{
	for (size_t i = 0; i < block->nr_columns; i++)
		if (info_named(block->columns[i].info, name, strlen(name)))
			return (int)i;
	return -1;
}
