// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include <ktstr/ctprof.h>

const char *ktstr_ctprof_file_name(enum ktstr_ctprof_file file)
{
	static const char *const names[] = {
		"stat", "status", "schedstat", "sched", "io", "cgroup", "smaps_rollup", "taskstats",
	};

	_Static_assert(ARRAY_SIZE(names) == KTSTR_CTPROF_NR_FILES, "one name per file");
	return (size_t)file < ARRAY_SIZE(names) ? names[file] : "?";
}

const char *ktstr_ctprof_reason_name(enum ktstr_ctprof_reason reason)
{
	static const char *const names[] = { "vanished", "permission", "unparsable",
					     "missing",	 "other",      "switched-off" };

	_Static_assert(ARRAY_SIZE(names) == KTSTR_CTPROF_NR_REASONS, "one name per reason");
	return (size_t)reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

/* Root in a container may lack what a process outside has. */
#define BE_OWNER "run as root with all capabilities, or as the user of the process"

static const struct {
	const char *name;
	const char *remedy; /* NULL: nothing to mend */
} tags[] = {
	[KTSTR_JEMALLOC_OK] = { "ok", NULL },
	[KTSTR_JEMALLOC_NOT_ASKED] = { "not-asked", NULL },
	[KTSTR_JEMALLOC_SELF] = { "self", NULL },
	[KTSTR_JEMALLOC_KERNEL_THREAD] = { "kernel-thread", NULL },
	[KTSTR_JEMALLOC_NOT_FOUND] = { "jemalloc-not-found", NULL },
	[KTSTR_JEMALLOC_EXE_UNREADABLE] = { "exe-unreadable", BE_OWNER },
	[KTSTR_JEMALLOC_MAPS_UNREADABLE] = { "maps-unreadable", BE_OWNER },
	[KTSTR_JEMALLOC_ARCH_MISMATCH] = { "arch-mismatch",
					   "only 64-bit x86 processes can be read" },
	[KTSTR_JEMALLOC_NO_TLS_SYMBOL] = { "no-tls-symbol",
					   "keep the symbols of the program (do not strip it)" },
	[KTSTR_JEMALLOC_DYNAMIC_TLS] = { "dynamic-tls",
					 "link jemalloc or preload it, instead of dlopen()" },
	[KTSTR_JEMALLOC_NO_OFFSETS] = { "no-offsets", "install the debug information of jemalloc "
						      "(libjemalloc2-dbgsym, or build with -g)" },
	[KTSTR_JEMALLOC_TLS_ARITHMETIC] = { "tls-arithmetic",
					    "the program's TLS segment is not as the ABI says" },
	[KTSTR_JEMALLOC_PTRACE_REFUSED] = { "ptrace-refused",
					    "run as root, setcap cap_sys_ptrace=ep on the program, "
					    "or sysctl kernel.yama.ptrace_scope=0" },
	[KTSTR_JEMALLOC_PTRACE_BUSY] = { "ptrace-busy",
					 "detach the debugger or strace from the process" },
	[KTSTR_JEMALLOC_STOP_TIMEOUT] = { "stop-timeout",
					  "the thread waits in the kernel; capture again later" },
	[KTSTR_JEMALLOC_READ_FAILED] = { "read-failed", BE_OWNER },
	[KTSTR_JEMALLOC_IMPLAUSIBLE] = { "implausible",
					 "this build of jemalloc is not known; install its debug "
					 "information" },
	[KTSTR_JEMALLOC_THREAD_GONE] = { "thread-gone", NULL },
	[KTSTR_JEMALLOC_FOREIGN_PROC] = { "foreign-proc", "mount the /proc of this pid namespace" },
};

_Static_assert(ARRAY_SIZE(tags) == KTSTR_JEMALLOC_NR_TAGS, "one row per tag");

const char *ktstr_jemalloc_tag_name(enum ktstr_jemalloc_tag tag)
{
	return (size_t)tag < ARRAY_SIZE(tags) ? tags[tag].name : "?";
}

bool ktstr_jemalloc_tag_is_failure(enum ktstr_jemalloc_tag tag)
{
	return (size_t)tag < ARRAY_SIZE(tags) && tags[tag].remedy;
}

static const char *missing_remedy(enum ktstr_ctprof_file file)
{
	switch (file) {
	case KTSTR_CTPROF_FILE_SCHEDSTAT:
		return "boot a kernel with CONFIG_SCHED_INFO";
	case KTSTR_CTPROF_FILE_SCHED:
		return "boot a kernel with CONFIG_SCHED_DEBUG";
	case KTSTR_CTPROF_FILE_IO:
		return "boot a kernel with CONFIG_TASK_IO_ACCOUNTING";
	case KTSTR_CTPROF_FILE_CGROUP:
		return "mount the cgroup v2 tree (CONFIG_CGROUPS)";
	case KTSTR_CTPROF_FILE_SMAPS_ROLLUP:
		return "boot a kernel with CONFIG_PROC_PAGE_MONITOR";
	case KTSTR_CTPROF_FILE_TASKSTATS:
		return "boot a kernel with CONFIG_TASKSTATS and CONFIG_TASK_DELAY_ACCT";
	default:
		return "mount /proc";
	}
}

static const char *remedy(enum ktstr_ctprof_reason reason, enum ktstr_ctprof_file file)
{
	switch (reason) {
	case KTSTR_CTPROF_REASON_PERMISSION:
		return file == KTSTR_CTPROF_FILE_TASKSTATS
			       ? "run as root, or setcap cap_net_admin=ep on the program"
			       : BE_OWNER;
	case KTSTR_CTPROF_REASON_SWITCHED_OFF:
		return "sysctl kernel.task_delayacct=1, or boot with delayacct";
	case KTSTR_CTPROF_REASON_MISSING:
		return missing_remedy(file);
	case KTSTR_CTPROF_REASON_UNPARSABLE:
		return "this kernel writes the file in a form that is not known; please report it";
	case KTSTR_CTPROF_REASON_VANISHED:
		return "threads ended meanwhile; nothing to mend";
	default:
		return "see the kernel log";
	}
}

uint64_t ktstr_ctprof_remedy(const struct ktstr_ctprof_summary *summary, char *buf, size_t size)
{
	uint64_t totals[KTSTR_CTPROF_NR_REASONS] = { 0 };
	unsigned int top = 0, file = 0;

	for (unsigned int r = 0; r < KTSTR_CTPROF_NR_REASONS; r++) {
		for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILES; f++)
			totals[r] += summary->failures[f][r];
		if (totals[r] > totals[top])
			top = r;
	}
	for (unsigned int f = 1; f < KTSTR_CTPROF_NR_FILES; f++)
		if (summary->failures[f][top] > summary->failures[file][top])
			file = f;
	if (!totals[top]) {
		snprintf(buf, size, "%s", "");
		return 0;
	}
	snprintf(buf, size, "%llu reads failed: %s, most often of '%s'; %s",
		 (unsigned long long)totals[top], ktstr_ctprof_reason_name(top),
		 ktstr_ctprof_file_name(file), remedy(top, file));
	return totals[top];
}

uint64_t ktstr_ctprof_jemalloc_remedy(const struct ktstr_ctprof_summary *summary, char *buf,
				      size_t size)
{
	unsigned int top = 0;
	uint64_t most = 0;

	for (unsigned int i = 0; i < KTSTR_JEMALLOC_NR_TAGS; i++) {
		if (!ktstr_jemalloc_tag_is_failure(i) || summary->jemalloc_tags[i] <= most)
			continue;
		top = i;
		most = summary->jemalloc_tags[i];
	}
	snprintf(buf, size, "%s", "");
	if (most)
		snprintf(buf, size, "jemalloc counters of %llu threads not read: %s; %s",
			 (unsigned long long)most, tags[top].name, tags[top].remedy);
	return most;
}
