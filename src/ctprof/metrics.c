// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stddef.h>

#include "base/cleanup.h"
#include <ktstr/ctprof.h>

#define SOURCE_STAT	      "stat"
#define SOURCE_STATUS	      "status"
#define SOURCE_SCHEDSTAT      "schedstat"
#define SOURCE_SCHED	      "sched"
#define SOURCE_IO	      "io"
#define SOURCE_CGROUP	      "cgroup"
#define SOURCE_JEMALLOC	      "jemalloc"
#define SOURCE_CPU_STAT	      "cpu.stat"
#define SOURCE_CPU_MAX	      "cpu.max"
#define SOURCE_CPU_WEIGHT     "cpu.weight"
#define SOURCE_MEMORY_CURRENT "memory.current"
#define SOURCE_PIDS_CURRENT   "pids.current"

#define ROW(name_, unit_, type_, source_, aggregate_, needs_, about_)                       \
	{                                                                                   \
		.name = #name_, .unit = unit_, .source = SOURCE_##source_, .needs = needs_, \
		.about = about_, .type = KTSTR_TYPE_##type_,                                \
		.aggregate = KTSTR_AGGREGATE_##aggregate_                                   \
	}

static const struct ktstr_metric_info metrics[] = {
#define KTSTR_METRIC(id, ...) ROW(__VA_ARGS__),
#include <ktstr/metrics.def>
};

static const struct ktstr_metric_info texts[] = {
#define KTSTR_METRIC_TEXT(id, name, ...) ROW(name, "", __VA_ARGS__),
#include <ktstr/metrics.def>
};

static const struct ktstr_metric_info cgroup_metrics[] = {
#define KTSTR_METRIC_CGROUP(id, ...) ROW(__VA_ARGS__),
#include <ktstr/metrics.def>
};

_Static_assert(KTSTR_CTPROF_NR_CGROUP_METRICS <= 64, "presence of a cgroup is one word");

const struct ktstr_metric_info *ktstr_ctprof_metric_info(unsigned int metric)
{
	return metric < ARRAY_SIZE(metrics) ? &metrics[metric] : NULL;
}

const struct ktstr_metric_info *ktstr_ctprof_text_info(unsigned int text)
{
	return text < ARRAY_SIZE(texts) ? &texts[text] : NULL;
}

const struct ktstr_metric_info *ktstr_ctprof_cgroup_metric_info(unsigned int metric)
{
	return metric < ARRAY_SIZE(cgroup_metrics) ? &cgroup_metrics[metric] : NULL;
}

const char *ktstr_metric_type_name(enum ktstr_metric_type type)
{
	static const char *const names[] = { "counter", "peak",	    "gauge",
					     "ordinal", "category", "set" };

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "?";
}

const char *ktstr_metric_aggregate_name(enum ktstr_metric_aggregate aggregate)
{
	static const char *const names[] = { "sum", "max", "range", "mode", "key", "spread" };

	return (size_t)aggregate < ARRAY_SIZE(names) ? names[aggregate] : "?";
}
