// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "ctprof/compare.h"

/* What the two clocks may differ by before the one of the day counts as having been set. */
static const double CLOCK_SLACK_S = 1;

static int compare_ids(thread_ref a, thread_ref b)
{
	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

/* Ids are used again; the start time tells who is who. */
static bool same_thread(thread_ref a, thread_ref b)
{
	int64_t x, y;
	bool has_x = ktstr_ctprof_get(a, KTSTR_CTPROF_START_TIME, &x);
	bool has_y = ktstr_ctprof_get(b, KTSTR_CTPROF_START_TIME, &y);

	return has_x == has_y && (!has_x || x == y);
}

thread_ref *join_threads(const struct ktstr_ctprof *earlier, const struct ktstr_ctprof *later,
			 bool *survives)
{
	thread_ref *joined = calloc(later->nr_threads + 1, sizeof(*joined));
	size_t at = 0;

	for (size_t i = 0; joined && i < later->nr_threads; i++) {
		while (at < earlier->nr_threads &&
		       compare_ids(&earlier->threads[at], &later->threads[i]) < 0)
			at++;
		if (at == earlier->nr_threads)
			break;
		if (compare_ids(&earlier->threads[at], &later->threads[i]) ||
		    !same_thread(&earlier->threads[at], &later->threads[i]))
			continue;
		joined[i] = &earlier->threads[at];
		if (survives)
			survives[at] = true;
	}
	return joined;
}

static bool half_in_common(const struct ktstr_ctprof *a, const struct ktstr_ctprof *b)
{
	thread_ref *joined = join_threads(a, b, NULL);
	size_t fewer = a->nr_threads < b->nr_threads ? a->nr_threads : b->nr_threads;
	size_t common = 0;

	for (size_t i = 0; joined && i < b->nr_threads; i++)
		common += joined[i] != NULL;
	free(joined);
	return fewer && common * 2 >= fewer;
}

bool join_one_boot(const struct ktstr_ctprof *a, const struct ktstr_ctprof *b, bool *ret_guessed)
{
	const char *x = a->host.texts[KTSTR_CTPROF_HOST_TEXT_BOOT_ID];
	const char *y = b->host.texts[KTSTR_CTPROF_HOST_TEXT_BOOT_ID];

	*ret_guessed = !x || !y;
	if (x && y)
		return !strcmp(x, y);
	return half_in_common(a, b);
}

/* When threads were read, on average: a walk of /proc takes most of a capture's time. */
static double read_at(const struct ktstr_ctprof *s)
{
	bool walked = s->collector && !strcmp(s->collector, "procfs");

	return (double)s->captured_at_unix_ns + (walked ? (double)s->duration_ns / 2 : 0);
}

double join_seconds(const struct ktstr_ctprof *earlier, const struct ktstr_ctprof *later)
{
	double clock = (read_at(later) - read_at(earlier)) / 1e9, uptime, slack;
	int64_t x, y;

	if (!ktstr_ctprof_host_get(&earlier->host, KTSTR_CTPROF_HOST_UPTIME, &x) ||
	    !ktstr_ctprof_host_get(&later->host, KTSTR_CTPROF_HOST_UPTIME, &y))
		return clock;
	uptime = ((double)y - (double)x) / 1e9;
	slack = ((double)earlier->duration_ns + (double)later->duration_ns) / 1e9 + CLOCK_SLACK_S;
	return __builtin_fabs(clock - uptime) > slack ? uptime : clock;
}
