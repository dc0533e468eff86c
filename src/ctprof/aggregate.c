// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

enum { SMALL_VALUES = 256, MAX_CPUS = 1 << 20 };

enum slot { SLOT_SIDE, SLOT_BETWEEN };

/* The members of one side, to be added up into one slot of each cell. */
struct pile {
	struct compare_work *work;
	struct ktstr_ctprof_block *block;
	unsigned int side;
	enum slot slot;
	/* NULL: counters count from birth; else what they were at the window's begin. */
	thread_ref *earlier;
	const struct ktstr_ctprof *earlier_snapshot; /* the same for cgroups and the machine */
	/* Threads in the order of their groups. */
	uint32_t *order;
	size_t *begins;
	int64_t *scratch; /* one value per thread */
	struct derived_sums *derived;
	uint16_t *active; /* columns of which some thread has the inputs */
	size_t nr_active;
};

static void pile_deinit(struct pile *p)
{
	free(p->order);
	free(p->begins);
	free(p->scratch);
	free(p->derived);
	free(p->active);
}

static struct ktstr_ctprof_value *slot_of(const struct pile *p, struct ktstr_ctprof_cell *cell)
{
	return p->slot == SLOT_BETWEEN ? &cell->between : &cell->sides[p->side];
}

static struct ktstr_ctprof_cell *cells_of(const struct ktstr_ctprof_block *block, size_t group)
{
	return (struct ktstr_ctprof_cell *)block->groups[group].cells;
}

static int64_t add_saturating(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? INT64_MAX : INT64_MIN;
}

/* A file may hold any numbers.  @a is not less than @b. */
static int64_t subtract_saturating(int64_t a, int64_t b)
{
	int64_t difference;

	return __builtin_sub_overflow(a, b, &difference) ? INT64_MAX : difference;
}

static void add_number(struct ktstr_ctprof_value *v, enum ktstr_metric_aggregate rule, int64_t n)
{
	if (!v->have++) {
		v->low = v->high = n;
		return;
	}
	switch (rule) {
	case KTSTR_AGGREGATE_SUM:
		v->low = v->high = add_saturating(v->low, n);
		break;
	case KTSTR_AGGREGATE_MAX:
		v->low = v->high = n > v->high ? n : v->high;
		break;
	case KTSTR_AGGREGATE_MIN:
		v->low = v->high = n < v->low ? n : v->low;
		break;
	default:
		v->low = n < v->low ? n : v->low;
		v->high = n > v->high ? n : v->high;
	}
}

/* CPUs in a list such as "0-3,8", as the kernel writes it. */
static int64_t count_cpus(const char *list)
{
	int64_t cpus = 0;

	while (*list >= '0' && *list <= '9') {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		cpus += last >= first && last < MAX_CPUS ? (int64_t)(last - first) + 1 : 0;
		list = end + (*end == ',');
	}
	return cpus;
}

static void add_text(struct ktstr_ctprof_value *v, const struct ktstr_metric_info *info,
		     const char *text)
{
	int64_t n = info->type == KTSTR_TYPE_SET ? count_cpus(text) : 0;

	if (!v->have)
		v->text = text;
	else if (v->text && v->text != text && strcmp(v->text, text) != 0)
		v->text = NULL;
	add_number(v, KTSTR_AGGREGATE_RANGE, n);
}

/* Only leaders have these. */
static bool of_leader(unsigned int metric)
{
	return metric >= KTSTR_CTPROF_NR_THREAD_METRICS || metric == KTSTR_CTPROF_NR_THREADS ||
	       metric == KTSTR_CTPROF_HIWATER_RSS || metric == KTSTR_CTPROF_HIWATER_VM;
}

/* What a metric of a thread says in this pile.  Return: 1, 0 (absent), -1 (it went back). */
static int thread_number(const struct pile *p, size_t thread, unsigned int metric, bool counter,
			 int64_t *ret_value)
{
	const struct ktstr_ctprof_thread *t = &side_of(p->work, p->side)->threads[thread];
	thread_ref earlier = p->earlier ? p->earlier[thread] : NULL;
	int64_t now, then;

	if (!ktstr_ctprof_get(t, metric, &now))
		return 0;
	if (earlier && counter) {
		if (!ktstr_ctprof_get(earlier, metric, &then))
			return 0;
		if (now < then)
			return -1;
		now = subtract_saturating(now, then);
	}
	*ret_value = now;
	return 1;
}

static void add_thread_metric(const struct pile *p, size_t thread,
			      const struct ktstr_ctprof_column *c, struct ktstr_ctprof_cell *cell)
{
	int64_t n;
	int r = thread_number(p, thread, c->index, c->info->type == KTSTR_TYPE_COUNTER, &n);

	if (r > 0)
		add_number(slot_of(p, cell), c->info->aggregate, n);
	else if (r < 0)
		cell->went_back++;
}

static void add_derived(const struct pile *p, size_t thread, unsigned int derived)
{
	const struct derived_row *row = derived_row(derived);
	int64_t inputs[DERIVED_INPUTS];

	for (unsigned int i = 0; i < row->nr_inputs; i++)
		if (thread_number(p, thread, row->inputs[i], true, &inputs[i]) <= 0)
			return;
	derived_add(row, inputs, &p->derived[derived]);
}

static void add_thread(const struct pile *p, size_t thread, struct ktstr_ctprof_cell *cells)
{
	const struct ktstr_ctprof_thread *t = &side_of(p->work, p->side)->threads[thread];

	for (size_t i = 0; i < p->nr_active; i++) {
		const struct ktstr_ctprof_column *c = &p->block->columns[p->active[i]];
		struct ktstr_ctprof_cell *cell = &cells[p->active[i]];

		if (c->kind == KTSTR_CTPROF_KIND_THREAD)
			add_thread_metric(p, thread, c, cell);
		else if (c->kind == KTSTR_CTPROF_KIND_DERIVED)
			add_derived(p, thread, c->index);
		else if (t->texts[c->index])
			add_text(slot_of(p, cell), c->info, t->texts[c->index]);
	}
}

/* What any thread of a snapshot has. */
struct presence {
	uint64_t threads[KTSTR_CTPROF_PRESENT_WORDS];
	uint64_t leaders;
};

static struct presence presence_of(const struct ktstr_ctprof *s)
{
	struct presence all = { 0 };

	for (size_t i = 0; i < s->nr_threads; i++) {
		for (size_t j = 0; j < KTSTR_CTPROF_PRESENT_WORDS; j++)
			all.threads[j] |= s->threads[i].present[j];
		if (s->threads[i].leader)
			all.leaders |= s->threads[i].leader->present;
	}
	return all;
}

static bool is_present(const struct presence *p, unsigned int metric)
{
	if (metric >= KTSTR_CTPROF_NR_THREAD_METRICS)
		return p->leaders >> (metric - KTSTR_CTPROF_NR_THREAD_METRICS) & 1;
	return p->threads[metric / 64] >> (metric % 64) & 1;
}

/* Does adding threads up give anything for this column? */
static bool is_active(const struct pile *p, const struct presence *present,
		      const struct ktstr_ctprof_column *c)
{
	if (c->kind == KTSTR_CTPROF_KIND_TEXT)
		return p->slot == SLOT_SIDE;
	if (c->kind == KTSTR_CTPROF_KIND_THREAD)
		return (p->slot == SLOT_SIDE || c->info->type == KTSTR_TYPE_COUNTER) &&
		       is_present(present, c->index);
	if (c->kind != KTSTR_CTPROF_KIND_DERIVED)
		return false;
	for (unsigned int i = 0; i < derived_row(c->index)->nr_inputs; i++)
		if (!is_present(present, derived_row(c->index)->inputs[i]))
			return false;
	return true;
}

static int find_active(struct pile *p)
{
	struct presence present = presence_of(side_of(p->work, p->side));

	p->active = calloc(p->block->nr_columns + 1, sizeof(*p->active));
	if (!p->active)
		return -ENOMEM;
	for (size_t i = 0; i < p->block->nr_columns; i++)
		if (is_active(p, &present, &p->block->columns[i]))
			p->active[p->nr_active++] = (uint16_t)i;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The most frequent of @nr numbers, of equally frequent ones the smallest; sorts them if they are
 * not all small. */
static int64_t most_frequent(int64_t *numbers, size_t nr)
{
	uint32_t counts[SMALL_VALUES] = { 0 };
	size_t best = 0, run = 0, small = 0;
	int64_t mode = numbers[0];

	while (small < nr && numbers[small] >= 0 && numbers[small] < SMALL_VALUES)
		counts[numbers[small++]]++;
	if (small == nr) {
		for (size_t i = 0; i < SMALL_VALUES; i++)
			best = counts[i] > counts[best] || !counts[best] ? i : best;
		return (int64_t)best;
	}
	qsort(numbers, nr, sizeof(*numbers), compare_numbers);
	for (size_t i = 0; i < nr; i++) {
		run = i && numbers[i] == numbers[i - 1] ? run + 1 : 1;
		if (run > best) {
			best = run;
			mode = numbers[i];
		}
	}
	return mode;
}

/* A category: what most members have. */
static void find_mode(const struct pile *p, size_t group, unsigned int metric,
		      struct ktstr_ctprof_value *v)
{
	size_t nr = 0;

	v->mixed = v->low != v->high;
	for (size_t i = p->begins[group]; i < p->begins[group + 1]; i++)
		nr += thread_number(p, p->order[i], metric, false, &p->scratch[nr]) > 0;
	if (nr)
		v->low = v->high = most_frequent(p->scratch, nr);
}

static void finish_value(const struct ktstr_ctprof_column *c, struct ktstr_ctprof_value *v)
{
	v->there = v->have > 0;
	v->number = (double)v->low;
	if (c->info->aggregate == KTSTR_AGGREGATE_RANGE ||
	    c->info->aggregate == KTSTR_AGGREGATE_SPREAD)
		v->number = ((double)v->low + (double)v->high) / 2;
	if (c->info->aggregate == KTSTR_AGGREGATE_SPREAD || v->text)
		v->mixed = v->have && !v->text;
}

static void finish_derived(const struct pile *p, unsigned int derived, struct ktstr_ctprof_value *v)
{
	v->have = p->derived[derived].have;
	v->there = derived_value(derived_row(derived), &p->derived[derived], &v->number);
	if (v->there && derived_row(derived)->form >= DERIVED_LESS &&
	    __builtin_fabs(v->number) < (double)(1ull << 62))
		v->low = v->high = (int64_t)v->number;
	p->derived[derived] = (struct derived_sums){ 0 };
}

/* Members of the group that may have the column's value. */
static void count_members(const struct pile *p, size_t group, uint32_t *ret_threads,
			  uint32_t *ret_leaders)
{
	const struct ktstr_ctprof_thread *threads = side_of(p->work, p->side)->threads;
	uint32_t leaders = 0;

	for (size_t i = p->begins[group]; i < p->begins[group + 1]; i++)
		leaders += threads[p->order[i]].tid == threads[p->order[i]].tgid;
	*ret_threads = (uint32_t)(p->begins[group + 1] - p->begins[group]);
	*ret_leaders = leaders;
}

static bool in_slot(const struct pile *p, const struct ktstr_ctprof_column *c)
{
	return p->slot == SLOT_SIDE || c->kind == KTSTR_CTPROF_KIND_DERIVED ||
	       (c->kind == KTSTR_CTPROF_KIND_THREAD && c->info->type == KTSTR_TYPE_COUNTER);
}

static void finish_threads(const struct pile *p, size_t group)
{
	struct ktstr_ctprof_cell *cells = cells_of(p->block, group);
	uint32_t threads, leaders;

	count_members(p, group, &threads, &leaders);
	for (size_t i = 0; i < p->block->nr_columns; i++) {
		const struct ktstr_ctprof_column *c = &p->block->columns[i];
		struct ktstr_ctprof_value *v = slot_of(p, &cells[i]);
		bool led = c->kind == KTSTR_CTPROF_KIND_THREAD && of_leader(c->index);

		if (c->kind > KTSTR_CTPROF_KIND_DERIVED || !in_slot(p, c))
			continue;
		v->of = led ? leaders : threads;
		if (c->kind == KTSTR_CTPROF_KIND_DERIVED) {
			finish_derived(p, c->index, v);
			continue;
		}
		if (v->have && c->info->aggregate == KTSTR_AGGREGATE_MODE)
			find_mode(p, group, c->index, v);
		finish_value(c, v);
	}
}

/* Lists threads group by group, so that one group's cells are written at a time. */
static int order_threads(struct pile *p, const struct grouping *g)
{
	size_t nr = side_of(p->work, p->side)->nr_threads;
	const uint32_t *of = g->threads[p->side];

	p->order = calloc(nr + 1, sizeof(*p->order));
	p->begins = calloc(g->nr + 2, sizeof(*p->begins));
	p->scratch = calloc(nr + 1, sizeof(*p->scratch));
	p->derived = calloc(KTSTR_CTPROF_NR_DERIVED, sizeof(*p->derived));
	if (!p->order || !p->begins || !p->scratch || !p->derived)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		p->begins[of[i] + 2]++;
	for (size_t i = 2; i < g->nr + 2; i++)
		p->begins[i] += p->begins[i - 1];
	for (size_t i = 0; i < nr; i++)
		p->order[p->begins[of[i] + 1]++] = (uint32_t)i;
	return 0;
}

static void add_threads(struct pile *p, const struct grouping *g)
{
	for (size_t group = 0; group < g->nr; group++) {
		for (size_t i = p->begins[group]; i < p->begins[group + 1]; i++)
			add_thread(p, p->order[i], cells_of(p->block, group));
		finish_threads(p, group);
	}
}

/* A record that is not of a thread. */
struct record {
	const char *const *texts;
	const uint64_t *present;
	const int64_t *values;
};

static bool record_number(const struct record *r, unsigned int i, int64_t *ret_value)
{
	if (!(r->present[i / 64] >> (i % 64) & 1))
		return false;
	*ret_value = r->values[i];
	return true;
}

static void add_record_number(const struct pile *p, const struct ktstr_ctprof_column *c,
			      const struct record *now, const struct record *then,
			      struct ktstr_ctprof_cell *cell)
{
	struct ktstr_ctprof_value *v = slot_of(p, cell);
	bool counter = c->info->type == KTSTR_TYPE_COUNTER;
	int64_t n, earlier;

	if (p->slot == SLOT_BETWEEN && !counter)
		return;
	v->of++;
	if (!record_number(now, c->index, &n))
		return;
	/* Unlike a thread, what is new here may have been there all the time. */
	if (counter && p->earlier_snapshot) {
		if (!then || !record_number(then, c->index, &earlier))
			return;
		if (n < earlier) {
			cell->went_back++;
			return;
		}
		n = subtract_saturating(n, earlier);
	}
	add_number(v, c->info->aggregate, n);
}

static void add_record(const struct pile *p, const struct record *now, const struct record *then,
		       enum ktstr_ctprof_kind numbers, struct ktstr_ctprof_cell *cells)
{
	for (size_t i = 0; i < p->block->nr_columns; i++) {
		const struct ktstr_ctprof_column *c = &p->block->columns[i];
		struct ktstr_ctprof_value *v = slot_of(p, &cells[i]);

		if (c->kind == numbers) {
			add_record_number(p, c, now, then, &cells[i]);
		} else if (c->kind == numbers + 1 && p->slot == SLOT_SIDE) {
			v->of++;
			if (now->texts[c->index])
				add_text(v, c->info, now->texts[c->index]);
		}
	}
}

static void finish_records(const struct pile *p, size_t group, enum ktstr_ctprof_kind numbers)
{
	struct ktstr_ctprof_cell *cells = cells_of(p->block, group);

	for (size_t i = 0; i < p->block->nr_columns; i++) {
		const struct ktstr_ctprof_column *c = &p->block->columns[i];

		if (c->kind == numbers || c->kind == numbers + 1)
			finish_value(c, slot_of(p, &cells[i]));
	}
}

static struct record cgroup_record(const struct ktstr_ctprof_cgroup *c)
{
	return (struct record){ c->texts, c->present, c->values };
}

static void add_cgroups(const struct pile *p, const struct grouping *g)
{
	const struct ktstr_ctprof *s = side_of(p->work, p->side);

	for (size_t i = 0; i < s->nr_cgroups; i++) {
		const struct ktstr_ctprof_cgroup *earlier =
			p->earlier_snapshot
				? ktstr_ctprof_find_cgroup(p->earlier_snapshot, s->cgroups[i].path)
				: NULL;
		struct record now = cgroup_record(&s->cgroups[i]), then;

		if (earlier)
			then = cgroup_record(earlier);
		add_record(p, &now, earlier ? &then : NULL, KTSTR_CTPROF_KIND_CGROUP,
			   cells_of(p->block, g->cgroups[p->side][i]));
	}
	for (size_t group = 0; group < g->nr; group++)
		finish_records(p, group, KTSTR_CTPROF_KIND_CGROUP);
}

static void add_host(const struct pile *p)
{
	const struct ktstr_ctprof_host *h = &side_of(p->work, p->side)->host;
	const struct ktstr_ctprof *e = p->earlier_snapshot;
	struct record now = { h->texts, h->present, h->values }, then;

	if (e)
		then = (struct record){ e->host.texts, e->host.present, e->host.values };
	add_record(p, &now, e ? &then : NULL, KTSTR_CTPROF_KIND_HOST, cells_of(p->block, 0));
	finish_records(p, 0, KTSTR_CTPROF_KIND_HOST);
}

static int add_pile(struct compare_work *w, const struct grouping *g,
		    struct ktstr_ctprof_block *block, unsigned int side, enum slot slot)
{
	const struct ktstr_ctprof_comparison *c = &w->result->head;
	_cleanup_(pile_deinit) struct pile p = {
		.work = w,
		.block = block,
		.side = side,
		.slot = slot,
		.earlier = slot == SLOT_BETWEEN ? w->between : w->window[side],
		.earlier_snapshot =
			slot == SLOT_BETWEEN ? c->sides[0].snapshot : c->sides[side].since,
	};

	if (order_threads(&p, g) < 0 || find_active(&p) < 0)
		return -ENOMEM;
	add_threads(&p, g);
	if (g->by == KTSTR_CTPROF_BY_CGROUP)
		add_cgroups(&p, g);
	if (g->by == KTSTR_CTPROF_BY_MACHINE)
		add_host(&p);
	return 0;
}

int aggregate(struct compare_work *w, const struct grouping *g, struct ktstr_ctprof_block *block)
{
	struct ktstr_ctprof_cell *cells;
	int r = 0;

	cells = arena_alloc(&w->result->arena, g->nr * block->nr_columns + 1, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	for (size_t i = 0; i < g->nr; i++)
		g->groups[i].cells = cells + i * block->nr_columns;
	block->groups = g->groups;
	block->nr_groups = g->nr;
	for (unsigned int side = 0; side < w->result->head.nr_sides && r == 0; side++)
		r = add_pile(w, g, block, side, SLOT_SIDE);
	if (r == 0 && w->between)
		r = add_pile(w, g, block, 1, SLOT_BETWEEN);
	return r;
}
