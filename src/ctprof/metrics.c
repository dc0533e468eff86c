// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stddef.h>

#include "base/cleanup.h"
#include <ktstr/ctprof.h>

#define SOURCE_STAT		    "stat"
#define SOURCE_STATUS		    "status"
#define SOURCE_SCHEDSTAT	    "schedstat"
#define SOURCE_SCHED		    "sched"
#define SOURCE_IO		    "io"
#define SOURCE_CGROUP		    "cgroup"
#define SOURCE_JEMALLOC		    "jemalloc"
#define SOURCE_CPU_STAT		    "cpu.stat"
#define SOURCE_CPU_MAX		    "cpu.max"
#define SOURCE_CPU_WEIGHT	    "cpu.weight"
#define SOURCE_MEMORY_CURRENT	    "memory.current"
#define SOURCE_PIDS_CURRENT	    "pids.current"
#define SOURCE_TASKSTATS	    "taskstats"
#define SOURCE_SMAPS_ROLLUP	    "smaps_rollup"
#define SOURCE_CPU_MAX_BURST	    "cpu.max.burst"
#define SOURCE_CPU_WEIGHT_NICE	    "cpu.weight.nice"
#define SOURCE_CPU_IDLE		    "cpu.idle"
#define SOURCE_CPU_UCLAMP_MIN	    "cpu.uclamp.min"
#define SOURCE_CPU_UCLAMP_MAX	    "cpu.uclamp.max"
#define SOURCE_MEMORY_PEAK	    "memory.peak"
#define SOURCE_MEMORY_MAX	    "memory.max"
#define SOURCE_MEMORY_HIGH	    "memory.high"
#define SOURCE_MEMORY_LOW	    "memory.low"
#define SOURCE_MEMORY_MIN	    "memory.min"
#define SOURCE_MEMORY_STAT	    "memory.stat"
#define SOURCE_MEMORY_EVENTS	    "memory.events"
#define SOURCE_SWAP_CURRENT	    "memory.swap.current"
#define SOURCE_PIDS_MAX		    "pids.max"
#define SOURCE_PIDS_PEAK	    "pids.peak"
#define SOURCE_IO_STAT		    "io.stat"
#define SOURCE_CPU_PRESSURE	    "cpu.pressure"
#define SOURCE_MEMORY_PRESSURE	    "memory.pressure"
#define SOURCE_IO_PRESSURE	    "io.pressure"
#define SOURCE_IRQ_PRESSURE	    "irq.pressure"
#define SOURCE_CPUSET_CPUS	    "cpuset.cpus.effective"
#define SOURCE_CPUSET_MEMS	    "cpuset.mems.effective"
#define SOURCE_HOST_PRESSURE_CPU    "/proc/pressure/cpu"
#define SOURCE_HOST_PRESSURE_MEMORY "/proc/pressure/memory"
#define SOURCE_HOST_PRESSURE_IO	    "/proc/pressure/io"
#define SOURCE_HOST_PRESSURE_IRQ    "/proc/pressure/irq"
#define SOURCE_SCHED_EXT	    "/sys/kernel/sched_ext"
#define SOURCE_SCHED_EXT_EVENTS	    "/sys/kernel/sched_ext/root/events"
#define SOURCE_SYS_CPU		    "/sys/devices/system/cpu"
#define SOURCE_SYS_NODE		    "/sys/devices/system/node"
#define SOURCE_MEMINFO		    "/proc/meminfo"
#define SOURCE_UPTIME		    "/proc/uptime"
#define SOURCE_LOADAVG		    "/proc/loadavg"
#define SOURCE_PROC_STAT	    "/proc/stat"
#define SOURCE_SYSCTL		    "/proc/sys"
#define SOURCE_DEBUG_SCHED	    "/sys/kernel/debug/sched"
#define SOURCE_PROC_VERSION	    "/proc/version"
#define SOURCE_PROC_CMDLINE	    "/proc/cmdline"
#define SOURCE_UNAME		    "uname"
#define SOURCE_CPUINFO		    "/proc/cpuinfo"
#define SOURCE_SYS_CLOCK	    "/sys/devices/system/clocksource"
#define SOURCE_SYS_MM		    "/sys/kernel/mm/transparent_hugepage"

#define ROW(name_, unit_, type_, source_, aggregate_, needs_, about_)                       \
	{                                                                                   \
		.name = #name_, .unit = unit_, .source = SOURCE_##source_, .needs = needs_, \
		.about = about_, .type = KTSTR_TYPE_##type_,                                \
		.aggregate = KTSTR_AGGREGATE_##aggregate_                                   \
	}

static const struct ktstr_metric_info metrics[] = {
#define KTSTR_METRIC(id, ...) ROW(__VA_ARGS__),
#include <ktstr/metrics.def>
#define KTSTR_METRIC_LEADER(id, ...) ROW(__VA_ARGS__),
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

static const struct ktstr_metric_info cgroup_texts[] = {
#define KTSTR_METRIC_CGROUP_TEXT(id, name, ...) ROW(name, "", __VA_ARGS__),
#include <ktstr/metrics.def>
};

static const struct ktstr_metric_info host_metrics[] = {
#define KTSTR_METRIC_HOST(id, ...) ROW(__VA_ARGS__),
#include <ktstr/metrics.def>
};

static const struct ktstr_metric_info host_texts[] = {
#define KTSTR_METRIC_HOST_TEXT(id, name, ...) ROW(name, "", __VA_ARGS__),
#include <ktstr/metrics.def>
};

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

const struct ktstr_metric_info *ktstr_ctprof_cgroup_text_info(unsigned int text)
{
	return text < ARRAY_SIZE(cgroup_texts) ? &cgroup_texts[text] : NULL;
}

const struct ktstr_metric_info *ktstr_ctprof_host_metric_info(unsigned int metric)
{
	return metric < ARRAY_SIZE(host_metrics) ? &host_metrics[metric] : NULL;
}

const struct ktstr_metric_info *ktstr_ctprof_host_text_info(unsigned int text)
{
	return text < ARRAY_SIZE(host_texts) ? &host_texts[text] : NULL;
}

const char *ktstr_ctprof_collector_name(enum ktstr_ctprof_collector collector)
{
	static const char *const names[] = { "auto", "bpf", "procfs" };

	_Static_assert(ARRAY_SIZE(names) == KTSTR_CTPROF_NR_COLLECTORS, "one name each");
	return (size_t)collector < ARRAY_SIZE(names) ? names[collector] : "?";
}

const char *ktstr_ctprof_filler_name(enum ktstr_ctprof_filler filler)
{
	static const char *const names[] = { "procfs", "bpf", "taskstats", "ptrace", "vm" };

	_Static_assert(ARRAY_SIZE(names) == KTSTR_CTPROF_NR_FILLERS, "one name each");
	return (size_t)filler < ARRAY_SIZE(names) ? names[filler] : "?";
}

const char *ktstr_metric_type_name(enum ktstr_metric_type type)
{
	static const char *const names[] = { "counter", "peak",	    "gauge",
					     "ordinal", "category", "set" };

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "?";
}

const char *ktstr_metric_aggregate_name(enum ktstr_metric_aggregate aggregate)
{
	static const char *const names[] = {
		"sum", "max", "range", "mode", "key", "spread", "min"
	};

	return (size_t)aggregate < ARRAY_SIZE(names) ? names[aggregate] : "?";
}
