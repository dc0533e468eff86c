// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/cgroup_text.h"

#include "base/cleanup.h"
#include "ctprof/pressure.h"

static bool is_octal(struct span s)
{
	if (s.len < 4 || *s.at != '\\' || s.at[1] < '0' || s.at[1] > '3')
		return false;
	return s.at[2] >= '0' && s.at[2] <= '7' && s.at[3] >= '0' && s.at[3] <= '7';
}

/* Return: false if it does not fit. */
static bool copy_mount_path(struct span path, char *to)
{
	size_t len = 0;

	while (path.len && len + 1 < CGROUP_PATH_BYTES) {
		if (is_octal(path)) {
			to[len++] = (char)((path.at[1] - '0') << 6 | (path.at[2] - '0') << 3 |
					   (path.at[3] - '0'));
			advance(&path, 4);
		} else {
			to[len++] = *path.at;
			advance(&path, 1);
		}
	}
	to[len] = '\0';
	return !path.len;
}

/* Return: false unless @line is a mount of cgroup v2. */
static bool parse_mount(struct span line, struct span *ret_root, struct span *ret_point)
{
	struct span word;
	bool found = true;

	for (int i = 0; i < 3; i++)
		found = found && next_word(&line, &word);
	if (!found || !next_word(&line, ret_root) || !next_word(&line, ret_point))
		return false;
	do {
		found = next_word(&line, &word);
	} while (found && (word.len != 1 || *word.at != '-'));
	return found && next_word(&line, &word) && word.len == 7 && !memcmp(word.at, "cgroup2", 7);
}

static bool shows_same(const struct cgroup_mounts *mounts, const char *root)
{
	for (size_t i = 0; i < mounts->nr; i++)
		if (!strcmp(mounts->list[i].root, root))
			return true;
	return false;
}

static void add_mount(struct cgroup_mounts *mounts, struct span root, struct span point)
{
	struct cgroup_mount *last = &mounts->list[mounts->nr];

	if (copy_mount_path(root, last->root) && copy_mount_path(point, last->path) &&
	    !shows_same(mounts, last->root))
		mounts->nr++;
}

void cgroup_find_mounts(struct span mountinfo, struct cgroup_mounts *ret_mounts)
{
	struct span line, root, point;

	ret_mounts->nr = 0;
	for (int whole = 1; whole >= 0; whole--) {
		struct span text = mountinfo;

		while (ret_mounts->nr < CGROUP_MOUNTS && next_line(&text, &line))
			if (parse_mount(line, &root, &point) && (root.len == 1) == whole)
				add_mount(ret_mounts, root, point);
	}
}

const char *cgroup_below(const char *path, const char *root)
{
	size_t len = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(path, root, len) != 0 || (path[len] != '/' && path[len]))
		return NULL;
	path += len;
	path += *path == '/';
	if (!strncmp(path, "..", 2) && (!path[2] || path[2] == '/'))
		return NULL;
	return path;
}

int cgroup_parse_cpu_stat(struct span text, struct ktstr_ctprof_cgroup *c)
{
	static const struct {
		const char *key;
		enum ktstr_ctprof_cgroup_metric metric;
	} rows[] = {
		{ "usage_usec ", KTSTR_CTPROF_CGROUP_USAGE },
		{ "user_usec ", KTSTR_CTPROF_CGROUP_USER },
		{ "system_usec ", KTSTR_CTPROF_CGROUP_SYSTEM },
		{ "nice_usec ", KTSTR_CTPROF_CGROUP_NICE_TIME },
		{ "core_sched.force_idle_usec ", KTSTR_CTPROF_CGROUP_FORCEIDLE },
		{ "nr_periods ", KTSTR_CTPROF_CGROUP_NR_PERIODS },
		{ "nr_throttled ", KTSTR_CTPROF_CGROUP_NR_THROTTLED },
		{ "throttled_usec ", KTSTR_CTPROF_CGROUP_THROTTLED },
		{ "nr_bursts ", KTSTR_CTPROF_CGROUP_NR_BURSTS },
		{ "burst_usec ", KTSTR_CTPROF_CGROUP_BURST },
	};
	struct span line;
	int64_t value;
	int r = 0;

	while (next_line(&text, &line)) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!take_prefix(&line, rows[i].key))
				continue;
			if (whole_number(line, &value) < 0 || value < 0)
				r = -EINVAL;
			else
				cgroup_set(c, rows[i].metric, value);
			break;
		}
	}
	return r;
}

int cgroup_parse_cpu_max(struct span text, struct ktstr_ctprof_cgroup *c)
{
	bool unlimited = take_prefix(&text, "max");
	int64_t quota = 0, period;
	struct span line;

	if (!unlimited && take_digits(&text, &quota) < 0)
		return -EINVAL;
	if (!next_line(&text, &line) || !line.len || *line.at != ' ' ||
	    whole_number(line, &period) < 0 || period <= 0)
		return -EINVAL;
	cgroup_set(c, KTSTR_CTPROF_CGROUP_MAX_QUOTA, unlimited ? KTSTR_CTPROF_UNLIMITED : quota);
	cgroup_set(c, KTSTR_CTPROF_CGROUP_MAX_PERIOD, period);
	return 0;
}

/* Rows of metrics.def that stand together and are named PREFIX KEY, or PREFIX KEY _bytes. */
struct keyed {
	const char *prefix;
	unsigned int first, nr;
};

static bool is_named(unsigned int metric, const char *prefix, struct span key)
{
	const char *name = ktstr_ctprof_cgroup_metric_info(metric)->name + strlen(prefix);

	if (strlen(name) < key.len || memcmp(name, key.at, key.len) != 0)
		return false;
	return !name[key.len] || !strcmp(name + key.len, "_bytes");
}

/* The kernel writes its lines in the order of our rows, so that most are found at once. */
static int parse_keyed(struct span text, struct ktstr_ctprof_cgroup *c, const struct keyed *table)
{
	unsigned int next = 0;
	struct span line, key;
	int64_t value;
	int r = 0;

	while (next_line(&text, &line)) {
		if (!next_word(&line, &key) || whole_number(line, &value) < 0 || value < 0) {
			r = -EINVAL;
			continue;
		}
		for (unsigned int i = 0; i < table->nr; i++) {
			unsigned int at = (next + i) % table->nr;

			if (!is_named(table->first + at, table->prefix, key))
				continue;
			cgroup_set(c, table->first + at, value);
			next = at + 1;
			break;
		}
	}
	return r;
}

int cgroup_parse_memory_stat(struct span text, struct ktstr_ctprof_cgroup *c)
{
	static const struct keyed table = {
		.prefix = "memory_stat_",
		.first = KTSTR_CTPROF_CGROUP_MEMORY_STAT_ANON,
		.nr = KTSTR_CTPROF_CGROUP_MEMORY_STAT_NUMA_TASK_SWAPPED -
		      KTSTR_CTPROF_CGROUP_MEMORY_STAT_ANON + 1,
	};

	return parse_keyed(text, c, &table);
}

int cgroup_parse_memory_events(struct span text, struct ktstr_ctprof_cgroup *c)
{
	static const struct keyed table = {
		.prefix = "memory_events_",
		.first = KTSTR_CTPROF_CGROUP_MEMORY_EVENTS_LOW,
		.nr = KTSTR_CTPROF_CGROUP_MEMORY_EVENTS_SOCK_THROTTLED -
		      KTSTR_CTPROF_CGROUP_MEMORY_EVENTS_LOW + 1,
	};

	return parse_keyed(text, c, &table);
}

static const struct {
	const char *key;
	enum ktstr_ctprof_cgroup_metric metric;
} io_rows[] = {
	{ "rbytes=", KTSTR_CTPROF_CGROUP_IO_RBYTES }, { "wbytes=", KTSTR_CTPROF_CGROUP_IO_WBYTES },
	{ "rios=", KTSTR_CTPROF_CGROUP_IO_RIOS },     { "wios=", KTSTR_CTPROF_CGROUP_IO_WIOS },
	{ "dbytes=", KTSTR_CTPROF_CGROUP_IO_DBYTES }, { "dios=", KTSTR_CTPROF_CGROUP_IO_DIOS },
};

static int add_io_word(struct span word, int64_t *sums)
{
	int64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(io_rows); i++) {
		if (!take_prefix(&word, io_rows[i].key))
			continue;
		if (whole_number(word, &value) < 0 || value < 0 ||
		    __builtin_add_overflow(sums[i], value, &sums[i]))
			return -EINVAL;
		break;
	}
	return 0;
}

int cgroup_parse_io_stat(struct span text, struct ktstr_ctprof_cgroup *c)
{
	int64_t sums[ARRAY_SIZE(io_rows)] = { 0 };
	struct span line, word;

	while (next_line(&text, &line)) {
		if (!next_word(&line, &word) || !memchr(word.at, ':', word.len))
			return -EINVAL;
		while (next_word(&line, &word))
			if (add_io_word(word, sums) < 0)
				return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(io_rows); i++)
		cgroup_set(c, io_rows[i].metric, sums[i]);
	return 0;
}

int cgroup_parse_pressure(struct span text, struct ktstr_ctprof_cgroup *c,
			  enum ktstr_ctprof_cgroup_metric first)
{
	bool full_only = first == KTSTR_CTPROF_CGROUP_PRESSURE_IRQ_FULL_AVG10;

	return pressure_set_rows(text, first, full_only, c->values, c->present);
}

int cgroup_parse_number(struct span text, int64_t *ret_value)
{
	struct span line;

	if (!next_line(&text, &line))
		return -EINVAL;
	if (line.len == 3 && !memcmp(line.at, "max", 3)) {
		*ret_value = KTSTR_CTPROF_UNLIMITED;
		return 0;
	}
	return whole_number(line, ret_value);
}

int cgroup_parse_percent(struct span text, int64_t *ret_value)
{
	struct span line;
	int64_t value;

	if (!next_line(&text, &line))
		return -EINVAL;
	if (line.len == 3 && !memcmp(line.at, "max", 3))
		value = 10000;
	else if (pressure_take_hundredths(&line, &value) < 0 || line.len)
		return -EINVAL;
	*ret_value = value;
	return 0;
}
