// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "scenario/engine_private.h"

enum { PERCENT = 100 };

static const struct cpuset everywhere = { .bits = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
						    UINT64_MAX } };

/* struct sched_attr of linux/sched/types.h, which does not go together with sched.h. */
struct policy_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

struct engine_row *engine_row(struct engine *e, const char *name)
{
	for (size_t i = 0; i < e->nr_rows; i++)
		if (e->rows[i].row && !strcmp(e->rows[i].work->name, name))
			return &e->rows[i];
	return NULL;
}

/* A worker that is gone needs no more setting. */
static int set_failed(const struct engine_row *row, uint32_t index, const char *what,
		      struct ktstr_error *err)
{
	if (errno == ESRCH)
		return 0;
	return ktstr_error_set(err, -errno, "set the %s of worker '%s/%u': %s", what,
			       row->work->name, index, strerror(errno));
}

/* --- placing ----------------------------------------------------------------------------------- */

static int bind_worker(const struct engine_row *row, uint32_t index, struct ktstr_error *err)
{
	const struct cpuset *affinity = &row->members[index].affinity;

	if (syscall(SYS_sched_setaffinity, work_row_tid(row->row, index), sizeof(affinity->bits),
		    affinity->bits) < 0)
		return set_failed(row, index, "affinity", err);
	return 0;
}

int engine_row_set_affinity(struct engine *e, struct engine_row *row, const char *words,
			    struct ktstr_error *err)
{
	const struct engine_group *group = engine_group(e, row->cgroup);
	bool inherit = !strcmp(words, "inherit");
	int r = 0;

	for (uint32_t i = 0; i < row->count && r == 0; i++) {
		struct cpuset *affinity = &row->members[i].affinity;

		if (inherit)
			*affinity = everywhere;
		else
			r = words_cpus(words, &e->shape, &group->cpus, &e->chance, affinity, err);
		if (r < 0)
			return ktstr_error_wrap(err, r, "affinity of workers '%s'",
						row->work->name);
		r = bind_worker(row, i, err);
	}
	return r;
}

int engine_row_set_policy(struct engine *e, struct engine_row *row, const char *policy, int nice,
			  struct ktstr_error *err)
{
	struct policy_words words;
	int r = words_policy(policy ? policy : row->policy, &words, err);
	struct policy_attr attr;

	(void)e;
	if (r < 0)
		return r;
	attr = (struct policy_attr){ .size = sizeof(attr),
				     .policy = (uint32_t)words.policy,
				     .nice = nice,
				     .priority = (uint32_t)words.priority,
				     .runtime_ns = words.runtime_ns,
				     .deadline_ns = words.deadline_ns,
				     .period_ns = words.period_ns };
	for (uint32_t i = 0; i < row->count && r == 0; i++)
		if (syscall(SYS_sched_setattr, work_row_tid(row->row, i), &attr, 0) < 0)
			r = set_failed(row, i, policy ? "policy" : "nice value", err);
	if (r == 0) {
		row->policy = policy ? policy : row->policy;
		row->nice = nice;
	}
	return r;
}

int engine_row_move(struct engine *e, struct engine_row *row, const char *cgroup,
		    struct ktstr_error *err)
{
	_cleanup_free_ pid_t *tids = calloc(row->count, sizeof(*tids));
	const struct engine_group *group = engine_group(e, cgroup);
	int r;

	if (!group)
		return ktstr_error_set(err, -EINVAL, "there is no cgroup '%s' for workers '%s'",
				       cgroup, row->work->name);
	if (!tids)
		return ktstr_error_nomem(err);
	for (uint32_t i = 0; i < row->count; i++)
		tids[i] = work_row_tid(row->row, i);
	r = cgroups_move(e->cgroups, group->name, tids, row->count, err);
	if (r == 0)
		row->cgroup = group->name;
	return r;
}

/* --- starting ---------------------------------------------------------------------------------- */

static uint32_t workers_of(const struct engine *e, const struct ktstr_work *work, uint32_t nr_cpus)
{
	uint32_t group = work_group_size(work), nr = work->count;

	(void)e;
	if (!nr && work->percent)
		nr = (nr_cpus * work->percent + PERCENT - 1) / PERCENT;
	return nr ? (nr + group - 1) / group * group : group;
}

static uint32_t workers_there(const struct engine *e)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < e->nr_rows; i++)
		nr += e->rows[i].row ? e->rows[i].count : 0;
	return nr;
}

static int start_workers(struct engine *e, struct engine_row *row, struct ktstr_error *err)
{
	struct memory_words memory = { 0 };
	struct prng chance;
	int r = row->work->memory ? words_memory(row->work->memory, &memory, err) : 0;

	if (r < 0)
		return r;
	if (memory.mode < 0)
		return ktstr_error_set(err, -EINVAL, "workers '%s': memory '%s' is for cgroups",
				       row->work->name, row->work->memory);
	row->memory_nodes = memory.nodes;
	prng_init(&chance, e->opts->seed, ENGINE_STREAM_ROWS + e->rows_begun++);
	return work_row_start(&(struct work_row_opts){ .work = row->work,
						       .count = row->count,
						       .seed = prng_u64(&chance),
						       .memory_mode = memory.mode,
						       .memory_nodes = memory.nodes },
			      &row->row, err);
}

static int place(struct engine *e, struct engine_row *row, struct ktstr_error *err)
{
	const struct ktstr_work *work = row->work;
	int r = engine_row_move(e, row, row->cgroup, err);

	if (r == 0 && (work->policy || work->nice))
		r = engine_row_set_policy(e, row, work->policy ? work->policy : "normal",
					  work->nice, err);
	if (r == 0 && work->affinity && strcmp(work->affinity, "inherit") != 0)
		r = engine_row_set_affinity(e, row, work->affinity, err);
	return r;
}

int engine_row_start(struct engine *e, const struct ktstr_work *work, struct ktstr_error *err)
{
	const struct engine_group *group = engine_group(e, work->cgroup);
	struct engine_row row = { .work = work, .policy = "normal" };
	int r;

	if (!group)
		return ktstr_error_set(err, -EINVAL, "there is no cgroup '%s' for workers '%s'",
				       work->cgroup, work->name);
	if (e->nr_rows == ENGINE_ROWS || engine_row(e, work->name))
		return ktstr_error_set(err, -EINVAL, "workers '%s' are there already", work->name);
	r = work_traits(work, &row.traits, err);
	if (r < 0)
		return r;
	row.cgroup = group->name;
	row.count = workers_of(e, work, cpuset_count(&group->cpus));
	if (row.count > KTSTR_SCENARIO_WORKERS - workers_there(e))
		return ktstr_error_set(err, -ERANGE,
				       "workers '%s': %u more would be over the limit of %d",
				       work->name, row.count, KTSTR_SCENARIO_WORKERS);
	row.members = calloc(row.count, sizeof(*row.members));
	if (!row.members)
		return ktstr_error_nomem(err);
	for (uint32_t i = 0; i < row.count; i++)
		row.members[i].affinity = everywhere;
	r = start_workers(e, &row, err);
	if (r < 0) {
		free(row.members);
		return r;
	}
	e->rows[e->nr_rows++] = row;
	return place(e, &e->rows[e->nr_rows - 1], err);
}

void engine_row_end(struct engine *e, struct engine_row *row)
{
	if (!row->row)
		return;
	for (uint32_t i = 0; e->watch && i < row->count; i++)
		watch_forget(e->watch, work_row_tid(row->row, i));
	work_row_destroy(row->row);
	row->row = NULL;
	free(row->members);
	row->members = NULL;
}

/* --- where they may run ------------------------------------------------------------------------ */

static uint64_t memory_nodes(const struct engine *e, const struct engine_row *row)
{
	const struct engine_group *nearest = NULL;

	if (row->memory_nodes)
		return row->memory_nodes;
	for (size_t i = 0; i < e->nr_tree; i++) {
		const struct engine_group *group = &e->tree[i];

		if (group->nodes && engine_is_below(row->cgroup, group->name) &&
		    (!nearest || engine_is_below(group->name, nearest->name)))
			nearest = group;
	}
	return nearest ? nearest->nodes : 0;
}

void engine_near_cpus(struct engine *e, const struct engine_row *row, struct cpuset *ret_near)
{
	uint64_t nodes = memory_nodes(e, row);

	*ret_near = (struct cpuset){ 0 };
	for (uint32_t i = 0; i < e->shape.nr_cpus; i++)
		if (nodes >> e->shape.cpus[i].node & 1)
			cpuset_add(ret_near, e->shape.cpus[i].cpu);
}

/* What the kernel says, but for those that bind themselves. */
static void find_allowed(struct engine *e, const struct engine_row *row, uint32_t index)
{
	const struct engine_group *group = engine_group(e, row->cgroup);
	struct engine_member *member = &row->members[index];
	struct cpuset own = group->cpus, asked = { 0 };

	cpuset_cut(&own, &member->affinity);
	if (!cpuset_count(&own))
		own = group->cpus;
	if (!row->traits.changes_cpus &&
	    syscall(SYS_sched_getaffinity, work_row_tid(row->row, index), sizeof(asked.bits),
		    asked.bits) > 0)
		own = asked;
	member->allowed = own;
}

void engine_rows_allow(struct engine *e, uint64_t grace_ns)
{
	for (size_t i = 0; i < e->nr_rows; i++) {
		struct engine_row *row = &e->rows[i];

		for (uint32_t k = 0; row->row && k < row->count; k++) {
			uint64_t now_ns = clock_mono_ns();

			find_allowed(e, row, k);
			work_row_allow(row->row, k, row->members[k].allowed.bits,
				       now_ns + grace_ns);
			engine_watch_track(e, row, k, now_ns);
		}
	}
}

void engine_rows_allow_all(struct engine *e)
{
	for (size_t i = 0; i < e->nr_rows; i++)
		for (uint32_t k = 0; e->rows[i].row && k < e->rows[i].count; k++)
			work_row_allow(e->rows[i].row, k, everywhere.bits, 0);
}

static void look(struct engine_row *row, uint32_t index)
{
	struct engine_reading *begin = &row->members[index].begin;

	begin->has = work_row_cpu(row->row, index, &begin->cpu_ns, &begin->delay_ns) == 0;
	begin->at_ns = clock_mono_ns();
	row->members[index].began_ns = begin->at_ns;
}

/* Those that run are looked at first, as the time of those that wait does not pass. */
void engine_rows_begin(struct engine *e)
{
	uint64_t go_ns;

	for (size_t i = 0; i < e->nr_rows; i++)
		for (uint32_t k = 0; e->rows[i].row && !e->rows[i].let_go && k < e->rows[i].count;
		     k++)
			look(&e->rows[i], k);
	for (size_t i = 0; i < e->nr_rows; i++) {
		if (!e->rows[i].row || !e->rows[i].let_go)
			continue;
		work_row_set_phase(e->rows[i].row, e->step);
		for (uint32_t k = 0; k < e->rows[i].count; k++)
			look(&e->rows[i], k);
	}
	go_ns = clock_mono_ns();
	for (size_t i = 0; i < e->nr_rows; i++) {
		if (!e->rows[i].row || e->rows[i].let_go)
			continue;
		for (uint32_t k = 0; k < e->rows[i].count; k++)
			e->rows[i].members[k].began_ns = go_ns;
		work_row_go(e->rows[i].row, e->step);
		e->rows[i].let_go = true;
	}
}
