/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * fault.h - ways to break a capture on purpose, so that the tests of captures can be tested.
 *
 * Set by code that is linked in and includes this header, never by a file, an option or the
 * environment.  Holds for the whole process; not for concurrent use.
 */
#ifndef KTSTR_CTPROF_FAULT_H
#define KTSTR_CTPROF_FAULT_H

#include <ktstr/api.h>

enum ktstr_ctprof_fault {
	KTSTR_CTPROF_FAULT_NONE,
	KTSTR_CTPROF_FAULT_WRONG_OFFSET,   /* jemalloc counters are read 8 bytes too far */
	KTSTR_CTPROF_FAULT_LEADER_DROPPED, /* leaders are taken for ghosts */
	KTSTR_CTPROF_FAULT_KERNEL_THREADS, /* kernel threads get counters */
	KTSTR_CTPROF_FAULT_UNKNOWN_BUILDS, /* the table of known builds is empty */
	KTSTR_CTPROF_FAULT_WRONG_FIELD	   /* the bpf collector takes majflt for minflt */
};

KTSTR_API void ktstr_ctprof_fault_set(enum ktstr_ctprof_fault fault);
enum ktstr_ctprof_fault ctprof_fault(void);

#endif
