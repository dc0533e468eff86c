/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * records.h - what the scenario engine tells while it runs: the payloads of SCENARIO records.
 *
 * The engine (engine.h) sends them from the guest; check/judge.h reads them on the host.  They are all
 * the judge has, so that a record stream can be judged again, elsewhere and later.
 *
 * Each is one JSON object with "kind" and what stands below; "?" may be left out, and is left out
 * only when it is not known: a missing reading is never zero, and never "none" either.  Times are
 * CLOCK_MONOTONIC of the guest, step numbers count from 0, lists of CPUs are texts like "0-3,7".
 *
 *	begin	   version (RECORDS_VERSION), scenario, scheduler ("" for the kernel's own), nr_cpus,
 *		   steps (array of names), demands (array of {check, bound?, off?, work?, cgroup?,
 *		   step?, from}; all layers, the more general first; from: "ktstr", "project",
 *		   "scheduler", "test" or "command line"), watch ("" or why waits are not watched)
 *	scheduler  event ("attached", "detached", "ejected", "failed"), at_ns, ops?, story? (a word of
 *		   sched/story.h), text (one sentence for people), exit_kind?, reason?, message?, dump?,
 *		   words? (last lines of its stderr), exit? or signal? (of its loader), kernel? (lines of
 *		   the kernel's log), leftovers? (processes its loader left), restarts? (times it was
 *		   attached anew by itself);
 *		   every "attached" is followed by a "detached" or an "ejected"
 *	counters   step? (none: the whole run), events (object: name -> increase of root/events)
 *	step_begin step, begin_ns
 *	op	   step, op, target?, argument?, begin_ns, took_ns, error ("" or what went wrong)
 *	work	   step, work, type, cgroup, workers, policy, nice, busy (bool: it never sleeps of its
 *		   own will), threads (bool), ends (bool: it comes to an end by itself)
 *		   once for each row of workers that are there when the step ends
 *	worker	   step, work, index, tid, cgroup, begin_ns, end_ns (of its window in this step, which
 *		   begins when the step's operations are done),
 *		   iterations?, units?, cpu_ns?, run_delay_ns?, migrations?, cpus? (it saw itself on),
 *		   allowed (CPUs at the end of the step), outside? (CPUs it ran on though they were not
 *		   allowed, with a grace of RECORDS_GRACE_NS after a change; "": none), outside_ns?, gap_ns?,
 *		   gap_begin_ns?, gap_cpu? (longest time between two signs of work), frozen (bool:
 *		   throughout its window), frozen_iterations? (done then), wakes? {count, p50_ns, p90_ns,
 *		   p99_ns, max_ns, max_at_ns}, state ("running", "stopped" by the engine, "ended" by
 *		   itself, "missing"), exit? or signal? (if ended), trouble? (what it could not do, so
 *		   that it is not what its row says),
 *		   local_ns? and remote_ns? (CPU time on and off the node of its memory), near? (that
 *		   node's CPUs)
 *	wait	   step, work, index, wait_ns, begin_ns, open (bool: it still waited when the step
 *		   ended), allowed, holders (array of {who, ns}: who ran on the CPUs it was allowed to
 *		   use meanwhile, the longest first, at most RECORDS_HOLDERS; "idle" is one of them;
 *		   none of a wait of less than a millisecond), held_ns? (time of these CPUs of which
 *		   it is known who ran, those that are not told too), waits_ns? (all its waits in the
 *		   step together),
 *		   idle_ns, idle_begin_ns, idle_cpu (longest time that one CPU it might have used was
 *		   idle while it waited; idle_ns 0: none), switches (context switches seen to it), lost
 *		   (events that were lost in the step: if any, these are lower bounds)
 *		   of each worker its longest wait in the step; wait_ns 0: it never waited
 *	cgroup	   step, cgroup, begin_ns, end_ns, usage_ns?, weight?, quota_ns (0: none), period_ns,
 *		   throttled_ns?, cpus (effective), frozen (bool), busy (bool: busy workers
 *		   enough to use all it may), parent
 *	cpu	   step, cpu, online (bool), busy_ns? and idle_ns? (what is known of the step), ran? (array
 *		   of {who, ns}: by name, who ran there in busy_ns, the longest first, at most
 *		   RECORDS_RAN), kicks? (rescheduling interrupts)
 *	step_end   step, begin_ns, end_ns, ended ("time", "event", "limit", "broken"), event?
 *	end	   steps (how many were done), clean (bool), left? (text: what could not be removed),
 *		   records (how many were sent, this one included)
 *
 * A stream whose "end" is missing was cut off: nothing in it passes.
 */
#ifndef KTSTR_SCENARIO_RECORDS_H
#define KTSTR_SCENARIO_RECORDS_H

#include <ktstr/test.h>

enum { RECORDS_VERSION = 1, RECORDS_HOLDERS = 6, RECORDS_RAN = 8 };

/* A worker that runs when its CPUs are changed is moved by the kernel, not by itself. */
#define RECORDS_GRACE_NS MSECS(20)

#endif
