// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/procfs.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* Fields of stat, counted as proc(5) does. */
enum {
	STAT_STATE = 3,
	STAT_FLAGS = 9,
	STAT_MINFLT = 10,
	STAT_MAJFLT = 12,
	STAT_UTIME = 14,
	STAT_STIME = 15,
	STAT_PRIORITY = 18,
	STAT_NICE = 19,
	STAT_NUM_THREADS = 20,
	STAT_STARTTIME = 22,
	STAT_PROCESSOR = 39,
	STAT_RT_PRIORITY = 40,
	STAT_POLICY = 41
};

static int set_stat(struct ktstr_ctprof_thread *t, const int64_t *fields, char state)
{
	static const struct {
		enum ktstr_ctprof_metric metric;
		unsigned int field;
	} rows[] = {
		{ KTSTR_CTPROF_MINFLT, STAT_MINFLT },
		{ KTSTR_CTPROF_MAJFLT, STAT_MAJFLT },
		{ KTSTR_CTPROF_UTIME, STAT_UTIME },
		{ KTSTR_CTPROF_STIME, STAT_STIME },
		{ KTSTR_CTPROF_PRIORITY, STAT_PRIORITY },
		{ KTSTR_CTPROF_NICE, STAT_NICE },
		{ KTSTR_CTPROF_NR_THREADS, STAT_NUM_THREADS },
		{ KTSTR_CTPROF_START_TIME, STAT_STARTTIME },
		{ KTSTR_CTPROF_PROCESSOR, STAT_PROCESSOR },
		{ KTSTR_CTPROF_RT_PRIORITY, STAT_RT_PRIORITY },
		{ KTSTR_CTPROF_POLICY, STAT_POLICY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fields[rows[i].field] == INT64_MIN)
			return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		thread_set(t, rows[i].metric, fields[rows[i].field]);
	thread_set(t, KTSTR_CTPROF_STATE, state);
	return 0;
}

int procfs_parse_stat(struct span text, struct ktstr_ctprof_thread *t, struct procfs_extra *extra)
{
	int64_t fields[STAT_POLICY + 1] = { 0 };
	const char *open = memchr(text.at, '(', text.len);
	const char *close = memrchr(text.at, ')', text.len);
	char state;
	int r;

	if (!open || !close || close < open)
		return -EINVAL;
	/* Raw here, unlike in status: only the last bracket can be the kernel's. */
	if (close - open > PROCFS_COMM_BYTES)
		return -EINVAL;
	memcpy(extra->comm, open + 1, (size_t)(close - open - 1));
	extra->comm[close - open - 1] = '\0';
	advance(&text, (size_t)(close - text.at) + 1);
	if (text.len < 3 || text.at[0] != ' ' || text.at[1] < 'A' || text.at[1] > 'z')
		return -EINVAL;
	state = text.at[1];
	advance(&text, 2);
	for (unsigned int i = STAT_STATE + 1; i <= STAT_POLICY; i++) {
		skip_blanks(&text);
		r = take_number(&text, &fields[i]);
		/* Addresses and limits may fill 64 bits; no field of interest does. */
		if (r == -EINVAL || (text.len && !is_blank(*text.at) && *text.at != '\n'))
			return -EINVAL;
		if (r == -ERANGE)
			fields[i] = INT64_MIN;
	}
	if (set_stat(t, fields, state) < 0)
		return -EINVAL;
	extra->kernel_thread = fields[STAT_FLAGS] & PROCFS_PF_KTHREAD;
	extra->zombie = state == 'Z' || state == 'X';
	return 0;
}

static int parse_kib(struct span value, struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric m)
{
	int64_t kib;
	int r;

	skip_blanks(&value);
	r = take_digits(&value, &kib);
	if (r < 0 || !take_prefix(&value, " kB") || __builtin_mul_overflow(kib, 1024, &kib))
		return -EINVAL;
	thread_set(t, m, kib);
	return 0;
}

static int parse_count(struct span value, struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric m)
{
	int64_t count;

	if (whole_number(value, &count) < 0 || count < 0)
		return -EINVAL;
	thread_set(t, m, count);
	return 0;
}

static int parse_affinity(struct span value, struct procfs_extra *extra)
{
	skip_blanks(&value);
	for (size_t i = 0; i < value.len; i++)
		if (!is_digit(value.at[i]) && value.at[i] != ',' && value.at[i] != '-')
			return -EINVAL;
	extra->affinity = value;
	return 0;
}

static int parse_status_line(struct span line, struct ktstr_ctprof_thread *t,
			     struct procfs_extra *extra)
{
	switch (line.len ? *line.at : '\0') {
	case 'C':
		return take_prefix(&line, "Cpus_allowed_list:") ? parse_affinity(line, extra) : 0;
	case 'V':
		if (take_prefix(&line, "VmPeak:"))
			return parse_kib(line, t, KTSTR_CTPROF_HIWATER_VM);
		return take_prefix(&line, "VmHWM:") ? parse_kib(line, t, KTSTR_CTPROF_HIWATER_RSS)
						    : 0;
	case 'v':
		return take_prefix(&line, "voluntary_ctxt_switches:")
			       ? parse_count(line, t, KTSTR_CTPROF_VOLUNTARY_CSW)
			       : 0;
	case 'n':
		return take_prefix(&line, "nonvoluntary_ctxt_switches:")
			       ? parse_count(line, t, KTSTR_CTPROF_NONVOLUNTARY_CSW)
			       : 0;
	default:
		return 0;
	}
}

int procfs_parse_status(struct span text, struct ktstr_ctprof_thread *t, struct procfs_extra *extra)
{
	struct span line;
	int r = 0;

	while (next_line(&text, &line))
		if (parse_status_line(line, t, extra) < 0)
			r = -EINVAL;
	return r;
}

int procfs_parse_schedstat(struct span text, struct ktstr_ctprof_thread *t)
{
	int64_t values[3];

	for (size_t i = 0; i < 3; i++) {
		skip_blanks(&text);
		if (take_digits(&text, &values[i]) < 0)
			return -EINVAL;
		if (text.len && !is_blank(*text.at) && *text.at != '\n')
			return -EINVAL;
	}
	thread_set(t, KTSTR_CTPROF_RUN_TIME, values[0]);
	thread_set(t, KTSTR_CTPROF_WAIT_TIME, values[1]);
	thread_set(t, KTSTR_CTPROF_TIMESLICES, values[2]);
	return 0;
}

static const char *const io_keys[] = {
	"rchar: ",
	"wchar: ",
	"syscr: ",
	"syscw: ",
	"read_bytes: ",
	"write_bytes: ",
	"cancelled_write_bytes: ",
};

int procfs_parse_io(struct span text, struct ktstr_ctprof_thread *t)
{
	int64_t values[ARRAY_SIZE(io_keys)];
	struct span line;

	for (size_t i = 0; i < ARRAY_SIZE(io_keys); i++)
		if (!next_line(&text, &line) || !take_prefix(&line, io_keys[i]) ||
		    whole_number(line, &values[i]) < 0 || values[i] < 0)
			return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(io_keys); i++)
		thread_set(t, KTSTR_CTPROF_RCHAR + i, values[i]);
	return 0;
}

_Static_assert(KTSTR_CTPROF_CANCELLED_WRITE_BYTES == KTSTR_CTPROF_RCHAR + ARRAY_SIZE(io_keys) - 1,
	       "io metrics stand in the order of the file");

int procfs_parse_cgroup(struct span text, struct span *ret_path)
{
	struct span line;

	while (next_line(&text, &line)) {
		if (!take_prefix(&line, "0::"))
			continue;
		if (!line.len || *line.at != '/')
			return -EINVAL;
		*ret_path = line;
		return 0;
	}
	return -ENOENT;
}
