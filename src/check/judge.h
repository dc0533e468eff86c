/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * judge.h - from a scenario's records to findings.
 *
 * A pure function of the records (scenario/records.h), of what the host measured meanwhile, and of
 * nothing else.  Each demand gives at least one finding: PASS with how many subjects were looked at and
 * the worst value; FAIL or UNDECIDED for each subject at fault, the worst first; SKIP if it means nobody
 * here and comes from a layer that speaks of all scenarios ("test" does not: there it is UNDECIDED).  A
 * subject whose evidence is missing is UNDECIDED.  docs/reference/checks.md has each check's formula.
 *
 * ERROR (check KTSTR_JUDGE_none): records that are cut off or damaged, of which nothing passes; an
 * operation that failed; what could not be removed.  A FAIL stands on what was read, whatever else is
 * missing, so that beside one an ERROR is but UNDECIDED.
 *
 * A scheduler that could not be attached: ERROR when its loader never got as far as the kernel (story
 * words missing, arguments, attach, exit, crash, forked, left, and the kernel gave no reason): the set-up
 * broke.  FAIL when libbpf, the verifier or the kernel refused or ejected it.  One that was attached and
 * is gone though nothing asked it to go is FAIL, whatever ended it.
 *
 * A step that was broken off by that says nothing of who got what; only what had gone on for longer than
 * a bound before it still counts, up to the moment the scheduler went.
 *
 * Layer "ktstr" speaks of ordinary workers: its bounds are stretched for those whom weight, quota, number
 * of rivals or real-time rivals may keep waiting (judge_due.c), and given up for those whom real-time
 * rivals may starve.  Bounds of other layers are taken by the letter.
 *
 * TIMING demands in live mode: the time in which the host kept the vCPUs from running is measured per
 * window (steps); above JUDGE_BUDGET_PERMILLE of the window, or above half of a bound in time, a fault is
 * UNDECIDED with that reason.  So is what is good, where lost time could have made it so (shares, rates
 * that must not be exceeded); else it stands if no more than half of the window was lost.  A guest whose
 * CPUs share one host thread (TCG) in live mode is such a disturbance itself when it has more than one
 * CPU.  A bound below the turn that the engine gives a vCPU (exact mode: about 1 ms with QEMU 10) times
 * the number of vCPUs but one cannot be judged at all: UNDECIDED.
 */
#ifndef KTSTR_CHECK_JUDGE_H
#define KTSTR_CHECK_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <ktstr/scenario.h>
#include <ktstr/test.h>

enum { JUDGE_BUDGET_PERMILLE = 50, JUDGE_FINDINGS = 64 };

/* Host time in which vCPU threads wanted to run and could not, between two guest times. */
struct judge_disturbance {
	uint64_t from_ns, to_ns; /* guest's CLOCK_MONOTONIC */
	uint64_t stolen_ns;	 /* of the vCPU thread that suffered most */
};

struct judge_host {
	bool exact;
	bool one_thread; /* all vCPUs share one host thread */
	uint32_t nr_vcpus;
	uint64_t turn_ns; /* that one vCPU runs at a stretch; 0: in parallel */
	bool measured;	  /* disturbances are known; exact: needless */
	const struct judge_disturbance *disturbances;
	size_t nr_disturbances;
};

struct judge_finding {
	enum ktstr_verdict verdict;
	enum ktstr_check_id check;
	char subject[96];		/* "worker hogs/2", "cgroup left", "CPU 3", "the run" */
	char step[KTSTR_SCENARIO_NAME]; /* "" if it is of the whole run */
	bool has_value;
	double value, bound;
	char from[16];	/* layer of the demand */
	char text[768]; /* one sentence: who suffered, how long, what held the CPUs meanwhile */
};

struct judge_findings {
	struct judge_finding items[JUDGE_FINDINGS];
	size_t nr;
	size_t more; /* that did not fit, none of them worse than those that did */
};

/* @records: array of objects in the order they came; @whole: none is missing.
 * Return: 0, or -ENOMEM.  Damaged records are an ERROR among the findings. */
int judge_run(const json_t *records, bool whole, const struct judge_host *host,
	      struct judge_findings *ret_findings) KTSTR_MUST_CHECK;

#endif
