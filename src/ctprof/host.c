// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/host.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctprof/text_file.h"

struct reader {
	struct builder *builder;
	struct ktstr_ctprof_host *host;
	struct text_file file;
	int proc_fd, sys_fd;
};

#define DEBUG_SCHED "kernel/debug/sched/"

static const struct number_file {
	const char *name;
	enum ktstr_ctprof_host_metric metric;
} proc_numbers[] = {
	{ "sys/kernel/sched_schedstats", KTSTR_CTPROF_HOST_SCHEDSTATS },
	{ "sys/kernel/task_delayacct", KTSTR_CTPROF_HOST_DELAYACCT },
	{ "sys/kernel/sched_autogroup_enabled", KTSTR_CTPROF_HOST_AUTOGROUP },
	{ "sys/kernel/sched_energy_aware", KTSTR_CTPROF_HOST_ENERGY_AWARE },
	{ "sys/kernel/sched_itmt_enabled", KTSTR_CTPROF_HOST_ITMT },
	{ "sys/kernel/sched_child_runs_first", KTSTR_CTPROF_HOST_CHILD_RUNS_FIRST },
	{ "sys/kernel/sched_rt_period_us", KTSTR_CTPROF_HOST_RT_PERIOD },
	{ "sys/kernel/sched_rt_runtime_us", KTSTR_CTPROF_HOST_RT_RUNTIME },
	{ "sys/kernel/sched_rr_timeslice_ms", KTSTR_CTPROF_HOST_RR_TIMESLICE },
	{ "sys/kernel/sched_deadline_period_max_us", KTSTR_CTPROF_HOST_DEADLINE_PERIOD_MAX },
	{ "sys/kernel/sched_deadline_period_min_us", KTSTR_CTPROF_HOST_DEADLINE_PERIOD_MIN },
	{ "sys/kernel/sched_cfs_bandwidth_slice_us", KTSTR_CTPROF_HOST_CFS_BANDWIDTH_SLICE },
	{ "sys/kernel/sched_util_clamp_min", KTSTR_CTPROF_HOST_UCLAMP_MIN },
	{ "sys/kernel/sched_util_clamp_max", KTSTR_CTPROF_HOST_UCLAMP_MAX },
	{ "sys/kernel/sched_util_clamp_min_rt_default", KTSTR_CTPROF_HOST_UCLAMP_MIN_RT },
	{ "sys/kernel/numa_balancing", KTSTR_CTPROF_HOST_NUMA_BALANCING },
	{ "sys/kernel/timer_migration", KTSTR_CTPROF_HOST_TIMER_MIGRATION },
	{ "sys/kernel/pid_max", KTSTR_CTPROF_HOST_PID_MAX },
	{ "sys/kernel/threads-max", KTSTR_CTPROF_HOST_THREADS_MAX },
	{ "sys/vm/swappiness", KTSTR_CTPROF_HOST_SWAPPINESS },
};

static const struct number_file sys_numbers[] = {
	{ "kernel/sched_ext/switch_all", KTSTR_CTPROF_HOST_EXT_SWITCH_ALL },
	{ "kernel/sched_ext/nr_rejected", KTSTR_CTPROF_HOST_EXT_NR_REJECTED },
	{ "kernel/sched_ext/hotplug_seq", KTSTR_CTPROF_HOST_EXT_HOTPLUG_SEQ },
	{ "kernel/sched_ext/enable_seq", KTSTR_CTPROF_HOST_EXT_ENABLE_SEQ },
	{ "devices/system/cpu/smt/active", KTSTR_CTPROF_HOST_SMT_ACTIVE },
	{ "devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", KTSTR_CTPROF_HOST_CPU_MAX_KHZ },
	{ DEBUG_SCHED "base_slice_ns", KTSTR_CTPROF_HOST_BASE_SLICE },
	{ DEBUG_SCHED "latency_ns", KTSTR_CTPROF_HOST_LATENCY },
	{ DEBUG_SCHED "min_granularity_ns", KTSTR_CTPROF_HOST_MIN_GRANULARITY },
	{ DEBUG_SCHED "wakeup_granularity_ns", KTSTR_CTPROF_HOST_WAKEUP_GRANULARITY },
	{ DEBUG_SCHED "migration_cost_ns", KTSTR_CTPROF_HOST_MIGRATION_COST },
	{ DEBUG_SCHED "nr_migrate", KTSTR_CTPROF_HOST_NR_MIGRATE },
	{ DEBUG_SCHED "latency_warn_ms", KTSTR_CTPROF_HOST_LATENCY_WARN },
	{ DEBUG_SCHED "tunable_scaling", KTSTR_CTPROF_HOST_TUNABLE_SCALING },
};

static const struct line_file {
	const char *name;
	enum ktstr_ctprof_host_text text;
	bool chosen; /* one of several words, in brackets */
} proc_lines[] = {
	{ "version", KTSTR_CTPROF_HOST_TEXT_VERSION, false },
	{ "cmdline", KTSTR_CTPROF_HOST_TEXT_CMDLINE, false },
	{ "sys/kernel/hostname", KTSTR_CTPROF_HOST_TEXT_HOSTNAME, false },
	{ "sys/kernel/random/boot_id", KTSTR_CTPROF_HOST_TEXT_BOOT_ID, false },
};

static const struct line_file sys_lines[] = {
	{ "devices/system/cpu/online", KTSTR_CTPROF_HOST_TEXT_ONLINE, false },
	{ "devices/system/cpu/isolated", KTSTR_CTPROF_HOST_TEXT_ISOLATED, false },
	{ "devices/system/cpu/nohz_full", KTSTR_CTPROF_HOST_TEXT_NOHZ_FULL, false },
	{ "devices/system/cpu/smt/control", KTSTR_CTPROF_HOST_TEXT_SMT_CONTROL, false },
	{ "devices/system/cpu/cpu0/cpufreq/scaling_governor", KTSTR_CTPROF_HOST_TEXT_GOVERNOR,
	  false },
	{ "devices/system/cpu/cpu0/cpufreq/scaling_driver", KTSTR_CTPROF_HOST_TEXT_CPUFREQ_DRIVER,
	  false },
	{ "devices/system/cpu/cpuidle/current_driver", KTSTR_CTPROF_HOST_TEXT_CPUIDLE_DRIVER,
	  false },
	{ "devices/system/cpu/cpuidle/current_governor", KTSTR_CTPROF_HOST_TEXT_CPUIDLE_GOVERNOR,
	  false },
	{ "devices/system/clocksource/clocksource0/current_clocksource",
	  KTSTR_CTPROF_HOST_TEXT_CLOCKSOURCE, false },
	{ "kernel/mm/transparent_hugepage/enabled", KTSTR_CTPROF_HOST_TEXT_THP, true },
	{ "kernel/mm/transparent_hugepage/defrag", KTSTR_CTPROF_HOST_TEXT_THP_DEFRAG, true },
	{ "kernel/sched_ext/state", KTSTR_CTPROF_HOST_TEXT_EXT_STATE, false },
	{ "kernel/sched_ext/root/ops", KTSTR_CTPROF_HOST_TEXT_EXT_OPS, false },
	{ DEBUG_SCHED "preempt", KTSTR_CTPROF_HOST_TEXT_PREEMPT, true },
	{ DEBUG_SCHED "features", KTSTR_CTPROF_HOST_TEXT_FEATURES, false },
};

static int set_text(struct reader *rd, enum ktstr_ctprof_host_text text, struct span s)
{
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	rd->host->texts[text] = builder_intern(rd->builder, s.at, s.len);
	return rd->host->texts[text] ? 0 : -ENOMEM;
}

static void read_numbers(struct reader *rd, int fd, const struct number_file *files, size_t nr)
{
	struct span text, line;
	int64_t value;

	for (size_t i = 0; i < nr; i++)
		if (text_file_read(&rd->file, fd, files[i].name, &text) == 0 &&
		    next_line(&text, &line) && whole_number(line, &value) == 0)
			host_set(rd->host, files[i].metric, value);
}

static int read_lines(struct reader *rd, int fd, const struct line_file *files, size_t nr)
{
	struct span text, line;
	int r = 0;

	for (size_t i = 0; i < nr && r == 0; i++) {
		if (text_file_read(&rd->file, fd, files[i].name, &text) < 0)
			continue;
		line = (struct span){ text.at, 0 };
		if (files[i].chosen)
			line = host_chosen_word(text);
		else
			next_line(&text, &line);
		r = set_text(rd, files[i].text, line);
	}
	return r;
}

static void read_pressure(struct reader *rd)
{
	static const struct number_file files[] = {
		{ "pressure/cpu", KTSTR_CTPROF_HOST_PRESSURE_CPU_SOME_AVG10 },
		{ "pressure/memory", KTSTR_CTPROF_HOST_PRESSURE_MEMORY_SOME_AVG10 },
		{ "pressure/io", KTSTR_CTPROF_HOST_PRESSURE_IO_SOME_AVG10 },
		{ "pressure/irq", KTSTR_CTPROF_HOST_PRESSURE_IRQ_FULL_AVG10 },
	};
	struct span text;

	/* What is not understood is absent. */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (text_file_read(&rd->file, rd->proc_fd, files[i].name, &text) == 0)
			host_parse_pressure(text, rd->host, files[i].metric);
}

static int set_cpu(struct reader *rd, struct span cpuinfo)
{
	struct span value;
	int r = 0;

	if (host_parse_cpuinfo(cpuinfo, "model name", &value) == 0)
		r = set_text(rd, KTSTR_CTPROF_HOST_TEXT_CPU_MODEL, value);
	if (r == 0 && host_parse_cpuinfo(cpuinfo, "vendor_id", &value) == 0)
		r = set_text(rd, KTSTR_CTPROF_HOST_TEXT_CPU_VENDOR, value);
	return r;
}

static int read_proc(struct reader *rd)
{
	struct text_file *file = &rd->file;
	struct span text;
	int r = 0;

	if (text_file_read(file, rd->proc_fd, "meminfo", &text) == 0)
		host_parse_meminfo(text, rd->host);
	if (text_file_read(file, rd->proc_fd, "uptime", &text) == 0)
		host_parse_uptime(text, rd->host);
	if (text_file_read(file, rd->proc_fd, "loadavg", &text) == 0)
		host_parse_loadavg(text, rd->host);
	if (text_file_read(file, rd->proc_fd, "stat", &text) == 0)
		host_parse_stat(text, rd->host);
	read_pressure(rd);
	read_numbers(rd, rd->proc_fd, proc_numbers, ARRAY_SIZE(proc_numbers));
	if (text_file_read(file, rd->proc_fd, "cpuinfo", &text) == 0)
		r = set_cpu(rd, text);
	return r < 0 ? r : read_lines(rd, rd->proc_fd, proc_lines, ARRAY_SIZE(proc_lines));
}

static int read_sys(struct reader *rd)
{
	_cleanup_close_ int cpu_fd =
		openat(rd->sys_fd, "devices/system/cpu", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct span text;
	int64_t nodes;

	if (cpu_fd >= 0)
		host_read_cpus(&rd->file, cpu_fd, rd->host);
	if (text_file_read(&rd->file, rd->sys_fd, "devices/system/node/online", &text) == 0 &&
	    host_count_list(text, &nodes) == 0)
		host_set(rd->host, KTSTR_CTPROF_HOST_NODES, nodes);
	if (text_file_read(&rd->file, rd->sys_fd, "kernel/sched_ext/root/events", &text) == 0)
		host_parse_ext_events(text, rd->host);
	read_numbers(rd, rd->sys_fd, sys_numbers, ARRAY_SIZE(sys_numbers));
	return read_lines(rd, rd->sys_fd, sys_lines, ARRAY_SIZE(sys_lines));
}

int host_read(struct builder *b, int proc_fd, int sys_fd, bool live)
{
	_cleanup_(text_file_deinit) struct text_file file = { 0 };
	struct reader rd = {
		.builder = b, .host = &b->head.host, .proc_fd = proc_fd, .sys_fd = sys_fd
	};
	struct utsname uts;
	int r = text_file_init(&file);

	if (r < 0)
		return r;
	rd.file = file;
	if (proc_fd >= 0)
		r = read_proc(&rd);
	if (r == 0 && sys_fd >= 0)
		r = read_sys(&rd);
	if (r == 0 && live && uname(&uts) == 0)
		r = set_text(&rd, KTSTR_CTPROF_HOST_TEXT_ARCH,
			     (struct span){ uts.machine, strlen(uts.machine) });
	return r;
}
