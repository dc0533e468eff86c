// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "scenario/engine_private.h"

enum { FILE_BYTES = 4096, WORD_BYTES = 64 };

#define TREE_NAME "ktstr"

bool engine_is_below(const char *name, const char *ancestor)
{
	size_t len = strlen(ancestor);

	return !len || (!strncmp(name, ancestor, len) && (!name[len] || name[len] == '/'));
}

struct engine_group *engine_group(struct engine *e, const char *name)
{
	for (size_t i = 0; i < e->nr_tree; i++)
		if (!strcmp(e->tree[i].name, name ? name : ""))
			return &e->tree[i];
	return NULL;
}

static struct engine_group *wanted(struct engine *e, const char *name, struct ktstr_error *err)
{
	struct engine_group *group = engine_group(e, name);

	if (!group)
		ktstr_error_set(err, -EINVAL, "there is no cgroup '%s' in this step", name);
	return group;
}

/* "a/b" is below "a", and "a" below "". */
static struct engine_group *parent_of(struct engine *e, const char *name)
{
	const char *slash = strrchr(name, '/');

	for (size_t i = 0; i < e->nr_tree; i++) {
		size_t len = slash ? (size_t)(slash - name) : 0;

		if (strlen(e->tree[i].name) == len && !strncmp(e->tree[i].name, name, len))
			return &e->tree[i];
	}
	return &e->tree[0];
}

static int read_cpus(struct engine *e, struct engine_group *group, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_BYTES);
	int r = cgroups_read(e->cgroups, group->name, "cpuset.cpus.effective", &text, err);

	if (r == 0 && cpuset_parse(strbuf_str(&text), &group->cpus) < 0)
		r = ktstr_error_set(err, -EINVAL,
				    "cpuset.cpus.effective of cgroup '%s' says '%s', which is not "
				    "understood",
				    group->name, strbuf_str(&text));
	return r;
}

int engine_tree_refresh(struct engine *e, struct ktstr_error *err)
{
	int r = 0;

	for (size_t i = 0; i < e->nr_tree && r == 0; i++)
		r = read_cpus(e, &e->tree[i], err);
	return r;
}

int engine_tree_create(struct engine *e, struct ktstr_error *err)
{
	const struct cgroups_opts opts = { .mount = e->opts->cgroup_mount,
					   .root = TREE_NAME,
					   .controllers = { "cpu", "cpuset" } };
	int r = cgroups_create(&opts, &e->cgroups, err);

	if (r < 0)
		return r;
	e->tree[0] = (struct engine_group){ .name = "" };
	e->nr_tree = 1;
	return read_cpus(e, &e->tree[0], err);
}

/* --- what is set ------------------------------------------------------------------------------- */

static int set_cpuset(struct engine *e, struct engine_group *group, const struct cpuset *cpus,
		      struct ktstr_error *err)
{
	char list[ENGINE_LIST] = "";

	return cgroups_write(e->cgroups, group->name, "cpuset.cpus",
			     cpus ? cpuset_format(cpus, list, sizeof(list)) : "", err);
}

int engine_group_set_cpus(struct engine *e, const char *name, const char *words,
			  struct ktstr_error *err)
{
	struct engine_group *group = wanted(e, name, err);
	struct cpuset cpus;
	int r;

	if (!group)
		return -EINVAL;
	if (!words)
		return set_cpuset(e, group, NULL, err);
	r = words_cpus(words, &e->shape, &parent_of(e, name)->cpus, &e->chance, &cpus, err);
	return r < 0 ? ktstr_error_wrap(err, r, "cgroup '%s'", name)
		     : set_cpuset(e, group, &cpus, err);
}

int engine_group_set_mems(struct engine *e, const char *name, const char *words,
			  struct ktstr_error *err)
{
	struct engine_group *group = wanted(e, name, err);
	struct memory_words memory;
	char list[WORD_BYTES];
	int r = group ? words_memory(words, &memory, err) : -EINVAL;

	if (r < 0)
		return r;
	if (memory.mode != -1)
		return ktstr_error_set(err, -EINVAL, "cgroup '%s': memory is 'nodes:0-1', not '%s'",
				       name, words);
	cpuset_format(&(struct cpuset){ .bits = { memory.nodes } }, list, sizeof(list));
	r = cgroups_write(e->cgroups, name, "cpuset.mems", list, err);
	if (r == 0)
		group->nodes = memory.nodes;
	return r;
}

int engine_group_set_quota(struct engine *e, const char *name, const char *words,
			   struct ktstr_error *err)
{
	struct engine_group *group = wanted(e, name, err);
	uint64_t quota_ns, period_ns;
	char text[WORD_BYTES] = "max";
	int r = group ? words_quota(words, &quota_ns, &period_ns, err) : -EINVAL;

	if (r < 0)
		return r;
	if (quota_ns)
		snprintf(text, sizeof(text), "%llu %llu",
			 (unsigned long long)(quota_ns / NSEC_PER_USEC),
			 (unsigned long long)(period_ns / NSEC_PER_USEC));
	return cgroups_write(e->cgroups, name, "cpu.max", text, err);
}

static void note_frozen(struct engine *e)
{
	for (size_t i = 0; i < e->nr_tree; i++) {
		e->tree[i].frozen = false;
		for (size_t k = 0; k < e->nr_tree; k++)
			if (e->tree[k].told_to_freeze &&
			    engine_is_below(e->tree[i].name, e->tree[k].name))
				e->tree[i].frozen = true;
	}
}

int engine_group_freeze(struct engine *e, const char *name, bool freeze, struct ktstr_error *err)
{
	struct engine_group *group = wanted(e, name, err);
	int r = group ? cgroups_freeze(e->cgroups, name, freeze, err) : -EINVAL;

	if (r == 0) {
		group->told_to_freeze = freeze;
		note_frozen(e);
	}
	return r;
}

static int set_number(struct engine *e, const char *name, const char *file, uint32_t number,
		      struct ktstr_error *err)
{
	char text[WORD_BYTES];

	snprintf(text, sizeof(text), "%u", number);
	return cgroups_write(e->cgroups, name, file, text, err);
}

static int set_all(struct engine *e, const struct ktstr_cgroup *cgroup, struct ktstr_error *err)
{
	int r = 0;

	if (cgroup->mems)
		r = engine_group_set_mems(e, cgroup->name, cgroup->mems, err);
	if (r == 0 && cgroup->cpus)
		r = engine_group_set_cpus(e, cgroup->name, cgroup->cpus, err);
	if (r == 0 && cgroup->quota)
		r = engine_group_set_quota(e, cgroup->name, cgroup->quota, err);
	if (r == 0 && cgroup->weight)
		r = set_number(e, cgroup->name, "cpu.weight", cgroup->weight, err);
	if (r == 0 && cgroup->idle)
		r = set_number(e, cgroup->name, "cpu.idle", 1, err);
	return r;
}

int engine_group_make(struct engine *e, const struct ktstr_cgroup *cgroup, struct ktstr_error *err)
{
	int r;

	if (e->nr_tree == ENGINE_TREE)
		return ktstr_error_set(err, -ENOSPC, "make cgroup '%s': too many cgroups",
				       cgroup->name);
	r = cgroups_make(e->cgroups, cgroup->name, err);
	if (r < 0)
		return r;
	e->tree[e->nr_tree++] = (struct engine_group){ .name = cgroup->name };
	note_frozen(e);
	r = set_all(e, cgroup, err);
	return r < 0 ? r : engine_tree_refresh(e, err);
}

int engine_group_remove(struct engine *e, const char *name, struct ktstr_error *err)
{
	int r = wanted(e, name, err) ? cgroups_remove(e->cgroups, name, err) : -EINVAL;
	size_t kept = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < e->nr_tree; i++)
		if (!*e->tree[i].name || !engine_is_below(e->tree[i].name, name))
			e->tree[kept++] = e->tree[i];
	e->nr_tree = kept;
	return 0;
}

/* --- what is told ------------------------------------------------------------------------------ */

void engine_tree_begin(struct engine *e)
{
	for (size_t i = 0; i < e->nr_tree; i++) {
		struct engine_group *group = &e->tree[i];
		int r = cgroups_stat(e->cgroups, group->name, &group->begin, NULL);

		group->begin_ns = clock_mono_ns();
		group->has_begin = r == 0;
	}
}

void engine_tree_end(struct engine *e)
{
	for (size_t i = 0; i < e->nr_tree; i++) {
		struct engine_group *group = &e->tree[i];
		int r = cgroups_stat(e->cgroups, group->name, &group->end, NULL);

		group->end_ns = clock_mono_ns();
		group->has_end = r == 0;
	}
}

static int read_number(const struct engine *e, const char *name, const char *file,
		       uint64_t *ret_value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_BYTES);
	int r = cgroups_read(e->cgroups, name, file, &text, NULL);

	return r < 0 ? r : parse_u64(strbuf_str(&text), ret_value);
}

static void set_weight(const struct engine *e, const struct engine_group *group, json_t *record)
{
	uint64_t weight, idle;

	/* The weight of an idle cgroup is none. */
	if (read_number(e, group->name, "cpu.idle", &idle) == 0 && idle)
		engine_set_u64(record, "weight", 0);
	else if (read_number(e, group->name, "cpu.weight", &weight) == 0)
		engine_set_u64(record, "weight", weight);
}

/* "max 100000" or "50000 100000".  Return: CPUs it may use, rounded up; UINT32_MAX: any number. */
static uint32_t set_quota(const struct engine *e, const struct engine_group *group, json_t *record)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_BYTES);
	unsigned long long quota_us = 0, period_us = 0;

	if (*group->name && cgroups_read(e->cgroups, group->name, "cpu.max", &text, NULL) == 0 &&
	    sscanf(strbuf_str(&text), "%15llu %15llu", &quota_us, &period_us) != 2)
		quota_us = period_us = 0;
	engine_set_u64(record, "quota_ns", quota_us * NSEC_PER_USEC);
	engine_set_u64(record, "period_ns", period_us * NSEC_PER_USEC);
	return period_us ? (uint32_t)((quota_us + period_us - 1) / period_us) : UINT32_MAX;
}

struct match {
	const struct cpuset *allowed[KTSTR_SCENARIO_WORKERS];
	int32_t worker_on[ENGINE_CPUS]; /* -1: none */
	struct cpuset tried;
};

/* Finds a CPU for a worker, moving others on; Kuhn's algorithm. */
static bool place(struct match *m, int32_t worker)
{
	for (uint32_t cpu = 0; cpu < ENGINE_CPUS; cpu++) {
		if (!cpuset_has(m->allowed[worker], cpu) || cpuset_has(&m->tried, cpu))
			continue;
		cpuset_add(&m->tried, cpu);
		if (m->worker_on[cpu] < 0 || place(m, m->worker_on[cpu])) {
			m->worker_on[cpu] = worker;
			return true;
		}
	}
	return false;
}

/* How many CPUs the busy workers of a cgroup and below can use at a time. */
static uint32_t busy_cpus(struct engine *e, const struct engine_group *group, uint32_t enough)
{
	_cleanup_free_ struct match *m = calloc(1, sizeof(*m));
	uint32_t nr = 0;
	int32_t worker = 0;

	if (!m)
		return 0;
	memset(m->worker_on, -1, sizeof(m->worker_on));
	for (size_t i = 0; i < e->nr_rows && nr < enough; i++) {
		const struct engine_row *row = &e->rows[i];
		const struct engine_group *home = engine_group(e, row->cgroup);

		if (!row->row || !row->traits.busy || row->traits.ends || !home || home->frozen ||
		    !engine_is_below(row->cgroup, group->name))
			continue;
		for (uint32_t k = 0; k < row->count && nr < enough; k++) {
			m->allowed[worker] = &row->members[k].allowed;
			m->tried = (struct cpuset){ 0 };
			nr += place(m, worker++);
		}
	}
	return nr;
}

void engine_tell_group(struct engine *e, const struct engine_group *group)
{
	json_t *record = engine_record(e, "cgroup");
	uint32_t may = cpuset_count(&group->cpus), quota;
	const struct cgroup_stat *begin = &group->begin, *end = &group->end;
	bool has = group->has_begin && group->has_end;

	engine_set_text(record, "cgroup", group->name);
	engine_set_text(record, "parent", *group->name ? parent_of(e, group->name)->name : "");
	engine_set_u64(record, "begin_ns", group->begin_ns);
	engine_set_u64(record, "end_ns", group->end_ns);
	if (has && begin->has_usage && end->has_usage)
		engine_set_u64(record, "usage_ns", end->usage_ns - begin->usage_ns);
	if (has && begin->has_throttled && end->has_throttled)
		engine_set_u64(record, "throttled_ns", end->throttled_ns - begin->throttled_ns);
	set_weight(e, group, record);
	quota = set_quota(e, group, record);
	may = quota < may ? quota : may;
	engine_set_cpus(record, "cpus", &group->cpus);
	json_object_set_new(record, "frozen", json_boolean(group->frozen));
	json_object_set_new(record, "busy", json_boolean(may && busy_cpus(e, group, may) >= may));
	engine_send(e, record);
}
