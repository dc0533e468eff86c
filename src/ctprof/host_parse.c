// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/host.h"

#include <ctype.h>

#include "base/cleanup.h"
#include "ctprof/pressure.h"

enum { UPTIME_STEP_NS = 10000000, NAME_BYTES = 64, MAX_CPUS = 1 << 16 };

void host_parse_meminfo(struct span text, struct ktstr_ctprof_host *h)
{
	static const struct {
		const char *key;
		enum ktstr_ctprof_host_metric metric;
		const char *unit;
		int64_t bytes;
	} rows[] = {
		{ "MemTotal:", KTSTR_CTPROF_HOST_MEMORY_TOTAL, " kB", 1024 },
		{ "MemFree:", KTSTR_CTPROF_HOST_MEMORY_FREE, " kB", 1024 },
		{ "MemAvailable:", KTSTR_CTPROF_HOST_MEMORY_AVAILABLE, " kB", 1024 },
		{ "SwapTotal:", KTSTR_CTPROF_HOST_SWAP_TOTAL, " kB", 1024 },
		{ "SwapFree:", KTSTR_CTPROF_HOST_SWAP_FREE, " kB", 1024 },
		{ "HugePages_Total:", KTSTR_CTPROF_HOST_HUGEPAGES_TOTAL, "", 1 },
		{ "HugePages_Free:", KTSTR_CTPROF_HOST_HUGEPAGES_FREE, "", 1 },
		{ "Hugepagesize:", KTSTR_CTPROF_HOST_HUGEPAGE_SIZE, " kB", 1024 },
	};
	struct span line;
	int64_t value;

	while (next_line(&text, &line)) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!take_prefix(&line, rows[i].key))
				continue;
			skip_blanks(&line);
			if (take_digits(&line, &value) == 0 && take_prefix(&line, rows[i].unit) &&
			    !line.len && !__builtin_mul_overflow(value, rows[i].bytes, &value))
				host_set(h, rows[i].metric, value);
			break;
		}
	}
}

int host_parse_uptime(struct span text, struct ktstr_ctprof_host *h)
{
	int64_t hundredths, ns;

	if (pressure_take_hundredths(&text, &hundredths) < 0 || !text.len || *text.at != ' ' ||
	    __builtin_mul_overflow(hundredths, UPTIME_STEP_NS, &ns))
		return -EINVAL;
	host_set(h, KTSTR_CTPROF_HOST_UPTIME, ns);
	return 0;
}

int host_parse_loadavg(struct span text, struct ktstr_ctprof_host *h)
{
	int64_t loads[3], running, tasks;

	for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
		if (pressure_take_hundredths(&text, &loads[i]) < 0 || !take_prefix(&text, " "))
			return -EINVAL;
	if (take_digits(&text, &running) < 0 || !take_prefix(&text, "/") ||
	    take_digits(&text, &tasks) < 0)
		return -EINVAL;
	host_set(h, KTSTR_CTPROF_HOST_LOAD_1, loads[0]);
	host_set(h, KTSTR_CTPROF_HOST_LOAD_5, loads[1]);
	host_set(h, KTSTR_CTPROF_HOST_LOAD_15, loads[2]);
	host_set(h, KTSTR_CTPROF_HOST_TASKS, tasks);
	return 0;
}

static void parse_cpu_line(struct span line, struct ktstr_ctprof_host *h)
{
	int64_t value;

	for (unsigned int m = KTSTR_CTPROF_HOST_CPU_USER; m <= KTSTR_CTPROF_HOST_CPU_GUEST_NICE;
	     m++) {
		skip_blanks(&line);
		if (take_digits(&line, &value) < 0)
			return;
		host_set(h, m, value);
	}
}

void host_parse_stat(struct span text, struct ktstr_ctprof_host *h)
{
	/* The first number of intr and softirq is the sum of the rest. */
	static const struct {
		const char *key;
		enum ktstr_ctprof_host_metric metric;
	} rows[] = {
		{ "intr ", KTSTR_CTPROF_HOST_INTERRUPTS },
		{ "ctxt ", KTSTR_CTPROF_HOST_CONTEXT_SWITCHES },
		{ "processes ", KTSTR_CTPROF_HOST_FORKS },
		{ "procs_running ", KTSTR_CTPROF_HOST_PROCS_RUNNING },
		{ "procs_blocked ", KTSTR_CTPROF_HOST_PROCS_BLOCKED },
		{ "softirq ", KTSTR_CTPROF_HOST_SOFTIRQS },
	};
	struct span line;
	int64_t value;

	while (next_line(&text, &line)) {
		if (take_prefix(&line, "cpu "))
			parse_cpu_line(line, h);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!take_prefix(&line, rows[i].key))
				continue;
			if (take_digits(&line, &value) == 0 && (!line.len || *line.at == ' '))
				host_set(h, rows[i].metric, value);
			break;
		}
	}
}

/* "SELECT_CPU_FALLBACK" is the row "ext_ev_select_cpu_fallback". */
static int event_row(struct span key)
{
	char name[NAME_BYTES] = "ext_ev_";
	size_t len = strlen(name);

	if (len + key.len + sizeof("_ns") > sizeof(name))
		return -ENOENT;
	for (size_t i = 0; i < key.len; i++)
		name[len++] = (char)tolower((unsigned char)key.at[i]);
	for (unsigned int m = KTSTR_CTPROF_HOST_EXT_EV_SELECT_CPU_FALLBACK;
	     m <= KTSTR_CTPROF_HOST_EXT_EV_SUB_RESCUE; m++) {
		const char *row = ktstr_ctprof_host_metric_info(m)->name;

		if (strlen(row) >= len && !memcmp(row, name, len) &&
		    (!row[len] || !strcmp(row + len, "_ns")))
			return (int)m;
	}
	return -ENOENT;
}

void host_parse_ext_events(struct span text, struct ktstr_ctprof_host *h)
{
	struct span line, key;
	int64_t value;

	while (next_line(&text, &line)) {
		int row;

		if (!take_prefix(&line, "SCX_EV_") || !next_word(&line, &key) ||
		    whole_number(line, &value) < 0)
			continue;
		row = event_row(key);
		if (row >= 0)
			host_set(h, (unsigned int)row, value);
	}
}

int host_parse_pressure(struct span text, struct ktstr_ctprof_host *h,
			enum ktstr_ctprof_host_metric first)
{
	bool full_only = first == KTSTR_CTPROF_HOST_PRESSURE_IRQ_FULL_AVG10;

	return pressure_set_rows(text, first, full_only, h->values, h->present);
}

int host_parse_cpuinfo(struct span text, const char *key, struct span *ret_value)
{
	struct span line;

	while (next_line(&text, &line)) {
		if (!take_prefix(&line, key))
			continue;
		skip_blanks(&line);
		if (!take_prefix(&line, ":"))
			continue;
		skip_blanks(&line);
		*ret_value = line;
		return 0;
	}
	return -ENOENT;
}

struct span host_chosen_word(struct span text)
{
	struct span line = { text.at, 0 };

	if (!next_line(&text, &line))
		return line;
	for (size_t i = 0; i < line.len; i++) {
		char close = line.at[i] == '[' ? ']' : line.at[i] == '(' ? ')' : '\0';
		const char *end = close ? memchr(line.at + i, close, line.len - i) : NULL;

		if (end)
			return (struct span){ line.at + i + 1, (size_t)(end - line.at) - i - 1 };
	}
	return line;
}

int host_count_list(struct span text, int64_t *ret_count)
{
	int64_t first, last, count = 0;
	struct span line = { text.at, 0 };

	if (next_line(&text, &line) && !line.len) {
		*ret_count = 0;
		return 0;
	}
	do {
		if (take_digits(&line, &first) < 0)
			return -EINVAL;
		last = first;
		if (take_prefix(&line, "-") && take_digits(&line, &last) < 0)
			return -EINVAL;
		if (last < first || last > MAX_CPUS)
			return -EINVAL;
		count += last - first + 1;
	} while (take_prefix(&line, ","));
	if (line.len)
		return -EINVAL;
	*ret_count = count;
	return 0;
}
