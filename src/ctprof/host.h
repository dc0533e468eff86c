/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * host.h - what is said of the machine as a whole.
 *
 * Parsers take the text of one file and set what they understood, as those of procfs.h do.
 *
 * Source: Documentation/filesystems/proc.rst, Documentation/admin-guide/sysctl/kernel.rst,
 * Documentation/ABI/testing/sysfs-devices-system-cpu, Documentation/scheduler/sched-ext.rst.
 */
#ifndef KTSTR_CTPROF_HOST_H
#define KTSTR_CTPROF_HOST_H

#include "ctprof/snapshot.h"
#include "ctprof/span.h"

void host_parse_meminfo(struct span text, struct ktstr_ctprof_host *h);
int host_parse_uptime(struct span text, struct ktstr_ctprof_host *h);
int host_parse_loadavg(struct span text, struct ktstr_ctprof_host *h);
void host_parse_stat(struct span text, struct ktstr_ctprof_host *h);
void host_parse_ext_events(struct span text, struct ktstr_ctprof_host *h);
/* @first: the row of avg10 of "some", or of "full" for a file without "some". */
int host_parse_pressure(struct span text, struct ktstr_ctprof_host *h,
			enum ktstr_ctprof_host_metric first);
/* What is behind "@key : ", of the first such line.  Return: 0, -ENOENT. */
int host_parse_cpuinfo(struct span text, const char *key, struct span *ret_value);
/* Of "always [madvise] never" or "none (full)" what is in brackets; else the whole line. */
struct span host_chosen_word(struct span text);
/* "0-3,8" gives 5.  Return: 0, -EINVAL. */
int host_count_list(struct span text, int64_t *ret_count);

/* CPUs, cores, packages and caches below the folder @cpu_fd, /sys/devices/system/cpu. */
struct text_file;
void host_read_cpus(struct text_file *file, int cpu_fd, struct ktstr_ctprof_host *h);

/*
 * Fills the host record from the folder @proc_fd, /proc, and from @sys_fd, /sys; -1: not there.
 * @live: they are of the machine this runs on.  Return: 0, -ENOMEM.
 */
int host_read(struct builder *b, int proc_fd, int sys_fd, bool live) KTSTR_MUST_CHECK;

#endif
