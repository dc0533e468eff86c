// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/both.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The same thread in all three. */
struct triple {
	const struct ktstr_ctprof_thread *first, *bpf, *last;
	bool is_idle; /* it neither ran nor moved in between */
};

int both_capture(pid_t pid, struct both *ret_both, struct ktstr_error *err)
{
	struct ktstr_ctprof_opts opts = { .pid = pid, .no_jemalloc = true, .no_smaps = true };
	struct both both = { 0 };
	int r;

	opts.collector = KTSTR_COLLECTOR_PROCFS;
	r = ktstr_ctprof_capture(&opts, &both.first, err);
	opts.collector = KTSTR_COLLECTOR_BPF;
	if (r == 0)
		r = ktstr_ctprof_capture(&opts, &both.bpf, err);
	opts.collector = KTSTR_COLLECTOR_PROCFS;
	if (r == 0)
		r = ktstr_ctprof_capture(&opts, &both.last, err);
	if (r == 0)
		*ret_both = both;
	else
		both_destroy(&both);
	return r;
}

void both_destroy(struct both *both)
{
	ktstr_ctprof_destroy(both->first);
	ktstr_ctprof_destroy(both->bpf);
	ktstr_ctprof_destroy(both->last);
	*both = (struct both){ 0 };
}

__attribute__((format(printf, 2, 3))) static void wrong(struct both_result *result, const char *fmt,
							...)
{
	size_t len = strlen(result->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(result->text + len, sizeof(result->text) - len, fmt, ap);
	va_end(ap);
	result->wrong++;
}

/* See both.h. */
static int64_t slack_of(unsigned int metric)
{
	int64_t cpus = sysconf(_SC_NPROCESSORS_CONF), batch = cpus > 16 ? 2 * cpus : 32;

	return metric == KTSTR_CTPROF_HIWATER_RSS ? 3 * cpus * batch * sysconf(_SC_PAGESIZE) : 0;
}

static bool is_between(int64_t a, int64_t b, int64_t c, int64_t slack)
{
	return a - slack <= b && b <= c + slack;
}

/* See both.h. */
static bool is_right(unsigned int metric, const int64_t v[3], bool is_idle)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(metric);

	if (metric == KTSTR_CTPROF_UTIME || metric == KTSTR_CTPROF_STIME)
		return v[1] >= v[0];
	if (info->aggregate == KTSTR_AGGREGATE_MIN)
		return is_between(v[2], v[1], v[0], 0);
	if (info->type == KTSTR_TYPE_COUNTER || info->type == KTSTR_TYPE_PEAK)
		return is_between(v[0], v[1], v[2], slack_of(metric));
	return !is_idle || v[0] != v[2] || v[1] == v[0];
}

static void compare_metric(const struct triple *t, unsigned int metric, struct both_result *result)
{
	const char *name = ktstr_ctprof_metric_info(metric)->name;
	int64_t v[3];

	if (!ktstr_ctprof_get(t->first, metric, &v[0]) || !ktstr_ctprof_get(t->last, metric, &v[2]))
		return;
	if (!ktstr_ctprof_get(t->bpf, metric, &v[1])) {
		wrong(result, "%s of %u is absent; ", name, t->first->tid);
		return;
	}
	result->values++;
	if (!is_right(metric, v, t->is_idle))
		wrong(result, "%s of %u: %" PRId64 " %" PRId64 " %" PRId64 "; ", name,
		      t->first->tid, v[0], v[1], v[2]);
}

static void compare_times(const struct triple *t, struct both_result *result)
{
	const struct ktstr_ctprof_thread *threads[3] = { t->first, t->bpf, t->last };
	int64_t sum[3];

	for (int i = 0; i < 3; i++)
		sum[i] = ktstr_ctprof_get_or_zero(threads[i], KTSTR_CTPROF_UTIME) +
			 ktstr_ctprof_get_or_zero(threads[i], KTSTR_CTPROF_STIME);
	/* Each of the two is cut to whole ticks. */
	if (!is_between(sum[0], sum[1], sum[2], 1))
		wrong(result, "CPU time of %u: %" PRId64 " %" PRId64 " %" PRId64 "; ",
		      t->first->tid, sum[0], sum[1], sum[2]);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void compare_text(const struct triple *t, unsigned int text, struct both_result *result)
{
	const char *first = t->first->texts[text], *bpf = t->bpf->texts[text];

	if (!same_text(first, t->last->texts[text]))
		return;
	result->values++;
	if (!same_text(first, bpf) && t->is_idle)
		wrong(result, "%s of %u: '%s' '%s'; ", ktstr_ctprof_text_info(text)->name,
		      t->first->tid, first ? first : "-", bpf ? bpf : "-");
}

static bool is_unchanged(const struct triple *t, enum ktstr_ctprof_metric metric)
{
	int64_t a, b;

	return ktstr_ctprof_get(t->first, metric, &a) && ktstr_ctprof_get(t->last, metric, &b) &&
	       a == b;
}

static void compare_thread(struct triple *t, struct both_result *result)
{
	t->is_idle = is_unchanged(t, KTSTR_CTPROF_RUN_TIME) &&
		     is_unchanged(t, KTSTR_CTPROF_VOLUNTARY_CSW) &&
		     is_unchanged(t, KTSTR_CTPROF_NR_MIGRATIONS);
	for (unsigned int metric = 0; metric < KTSTR_CTPROF_NR_METRICS; metric++)
		compare_metric(t, metric, result);
	compare_times(t, result);
	for (unsigned int text = 0; text < KTSTR_CTPROF_NR_TEXTS; text++)
		compare_text(t, text, result);
	result->threads++;
}

struct both_result both_compare(const struct both *both, bool (*wants)(uint32_t tgid))
{
	struct both_result result = { 0 };

	for (size_t i = 0; i < both->first->nr_threads; i++) {
		const struct ktstr_ctprof_thread *first = &both->first->threads[i];
		struct triple t = {
			.first = first,
			.bpf = ktstr_ctprof_find(both->bpf, first->tgid, first->tid),
			.last = ktstr_ctprof_find(both->last, first->tgid, first->tid),
		};

		if ((wants && !wants(first->tgid)) || !t.last)
			continue;
		if (t.bpf)
			compare_thread(&t, &result);
		else
			wrong(&result, "%u is missing; ", first->tid);
	}
	return result;
}
