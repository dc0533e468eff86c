// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "check/judge_private.h"

struct stolen {
	uint64_t ns, covered_ns;
};

static struct stolen stolen_in(const struct judge_host *host, uint64_t begin_ns, uint64_t end_ns)
{
	struct stolen stolen = { 0 };

	for (size_t i = 0; i < host->nr_disturbances; i++) {
		const struct judge_disturbance *d = &host->disturbances[i];
		uint64_t from = d->from_ns > begin_ns ? d->from_ns : begin_ns;
		uint64_t to = d->to_ns < end_ns ? d->to_ns : end_ns;

		if (from >= to)
			continue;
		stolen.covered_ns += to - from;
		stolen.ns += d->stolen_ns < to - from ? d->stolen_ns : to - from;
	}
	return stolen;
}

/* Could time that was stolen only have made it worse?  Then what is good stays good. */
static bool only_worsens(enum ktstr_check_id check)
{
	switch (check) {
	case KTSTR_JUDGE_step_ends:
	case KTSTR_JUDGE_progress:
	case KTSTR_JUDGE_gap_ns:
	case KTSTR_JUDGE_wait_ns:
	case KTSTR_JUDGE_wake_p50_ns:
	case KTSTR_JUDGE_wake_p99_ns:
	case KTSTR_JUDGE_wake_max_ns:
	case KTSTR_JUDGE_quota_use_percent:
	case KTSTR_JUDGE_cpu_share_percent:
	case KTSTR_JUDGE_iterations_per_s:
	case KTSTR_JUDGE_idle_while_waiting_ns:
		return true;
	default:
		return false;
	}
}

static bool is_time(const struct judge *j)
{
	return !strcmp(j->desk.info->unit, "ns");
}

/* Does the engine let CPUs take turns that are longer than what is asked for? */
static bool below_turn(const struct judge *j, double bound, char why[JUDGE_REASON])
{
	double turn_ns = (double)j->host->turn_ns * (j->host->nr_vcpus ? j->host->nr_vcpus - 1 : 0);

	if (!is_time(j) || bound >= turn_ns)
		return false;
	snprintf(why, JUDGE_REASON,
		 "the machine's %u CPUs take turns, so that nothing below %.3g ms can be judged",
		 j->host->nr_vcpus, turn_ns / 1e6);
	return true;
}

static void live(const struct judge *j, const struct subject *s, double bound, bool fault,
		 char why[JUDGE_REASON])
{
	uint64_t window_ns = s->end_ns - s->begin_ns;
	struct stolen stolen = stolen_in(j->host, s->begin_ns, s->end_ns);
	bool stands = !fault && only_worsens(j->desk.demand->demand.check);

	if (j->host->one_thread && j->host->nr_vcpus > 1) {
		if (!stands)
			snprintf(why, JUDGE_REASON,
				 "the machine's CPUs share one thread of the host in live mode");
	} else if (!j->host->measured || stolen.covered_ns < window_ns - window_ns / 10) {
		snprintf(why, JUDGE_REASON, "what the host did meanwhile was not measured");
	} else if (stands ? stolen.ns > window_ns / 2
			  : stolen.ns > window_ns / 1000 * JUDGE_BUDGET_PERMILLE ||
				    (is_time(j) && (double)stolen.ns > bound / 2)) {
		snprintf(why, JUDGE_REASON,
			 "the host kept a CPU of the machine from running for %.1f of %.1f ms",
			 (double)stolen.ns / NSEC_PER_MSEC, (double)window_ns / NSEC_PER_MSEC);
	}
}

void judge_disturbance(const struct judge *j, const struct subject *s, double bound, bool fault,
		       char why[JUDGE_REASON])
{
	why[0] = '\0';
	if (j->desk.info->kind != KTSTR_TIMING || below_turn(j, bound, why) || j->host->exact)
		return;
	live(j, s, bound, fault, why);
}
