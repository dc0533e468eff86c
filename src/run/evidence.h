/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * evidence.h - all that is known about one run of one test, before it is judged.
 *
 * Filled from the guest's records and from what the host saw; verdict.h judges it.  Texts are as
 * they came: whoever prints them cleans them (text.h).  Whatever has a limit is counted beyond it.
 */
#ifndef KTSTR_RUN_EVIDENCE_H
#define KTSTR_RUN_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/sha256.h"
#include "base/strbuf.h"
#include "run/console.h"
#include "run/protocol.h"

enum {
	EVIDENCE_FAILED = 64,
	EVIDENCE_NOTES = 256,
	EVIDENCE_VALUES = 1024,
	EVIDENCE_PAYLOADS = 256,
	EVIDENCE_FRAMES = 24,
	EVIDENCE_ERRORS = 16,
	EVIDENCE_SCENARIO = 100000,
	EVIDENCE_OUTPUT_TAIL = 4096
};

/* How the machine, or the body's process of a host_only test, came to its end for the host. */
enum evidence_end {
	END_CLEAN,	   /* said BYE and went down, or the body's process ended */
	END_NOT_STARTED,   /* set-up failed before anything ran: end_text */
	END_WENT_DOWN,	   /* the guest powered off or rebooted without BYE */
	END_QEMU_DIED,	   /* end_text: status and its stderr */
	END_HUNG,	   /* no heartbeat while it had the CPU time it asked for */
	END_STARVED,	   /* no heartbeat, but the host kept QEMU from running */
	END_OVERDUE,	   /* alive, but the agent did not end the body in time */
	END_DISK_FULL,	   /* the run folder has no room, so records and console have holes */
	END_FLOODED,	   /* more console or record bytes than are kept */
	END_WALL_LIMIT,	   /* an exact guest took more of the host's time than it is given */
	END_RUN_TIME_OVER, /* the whole run's time limit */
	END_INTERRUPTED	   /* Ctrl-C or SIGTERM */
};

struct evidence {
	/* --- what the guest said --- */
	bool hello, started, done, body_ended, bye, timed_out;
	char *kernel_release;
	bool shape_known, shape_wrong;
	char *shape_seen, *shape_wanted, *shape_why;
	uint64_t nr_checks, nr_failed; /* made, and of those not ok */
	bool check_error;	       /* one of the failed checks is an ERROR */
	/* JSON objects as in the records, the first ones. */
	json_t *failed, *notes, *values, *payloads;
	uint64_t nr_notes, nr_values, nr_payloads;
	json_t *scenario; /* objects as in scenario/records.h; what is over the limit is missed by its judge */
	uint64_t nr_scenario;
	json_t *findings;		  /* of its judge, check/findings.h */
	char *skip_text, *undecided_text; /* the first of each */
	json_t *errors;			  /* texts of ERROR records */
	int crash_signal;		  /* 0: no CRASH record */
	char *crash_address;
	uint64_t crash_offsets[EVIDENCE_FRAMES];
	size_t nr_crash_offsets;
	bool crash_ip_known; /* the first offset is the instruction, not a caller */
	int body_exit, body_signal;
	uint64_t timeout_limit_ns;
	char *timeout_tasks;
	int bye_exit;
	uint64_t nr_events;			      /* records taken in */
	uint64_t first_virtual_ns;		      /* guest time of HELLO */
	uint64_t started_virtual_ns, last_virtual_ns; /* of STARTED, and the latest of all */
	char events_sha256[SHA256_HEX];		      /* intake.h; "": the stream is not whole */

	/* --- what the host saw --- */
	bool exact;	/* virtual time: nothing the host does can disturb it */
	bool cloned;	/* restored from a template */
	json_t *inputs; /* all that an exact run is a function of; NULL: not known */
	enum evidence_end end;
	char *end_text;	  /* more on the end; NULL: nothing */
	bool no_capacity; /* NOT_STARTED for lack of memory or processes */
	char *damage;	  /* the stream of records broke here; NULL: whole */
	bool emulated;	  /* the guest ran under TCG */
	bool on_host;	  /* a host_only test: no guest at all */
	uint64_t turn_ns; /* a vCPU runs at a stretch while others wait; 0: all run at once */
	uint64_t memory_bytes;
	uint64_t frozen_ns;	/* since STARTED: QEMU was not let run, in stretches of seconds */
	uint64_t wall_limit_ns; /* WALL_LIMIT */
	uint64_t silence_ns;	/* HUNG, STARVED: without a heartbeat */
	uint64_t start_ns, hello_ns, started_ns, ended_ns; /* CLOCK_MONOTONIC; 0: not reached */
	struct console console;
	struct strbuf crash_where; /* symbolized, one line per frame */
	struct strbuf output_tail; /* of the body's stdout and stderr */
};

/* Return: 0 or -ENOMEM. */
int evidence_init(struct evidence *e) KTSTR_MUST_CHECK;
void evidence_deinit(struct evidence *e);
#define _cleanup_evidence_ __attribute__((cleanup(evidence_deinit)))

/* Takes in one record.  A record whose payload is not what protocol.h says becomes damage. */
void evidence_add(struct evidence *e, const struct record *record);

/* Guest time from HELLO to the latest record; 0: not known. */
uint64_t evidence_virtual_ns(const struct evidence *e);

/* Sets an end unless one is known already; the first cause counts.  @text may be NULL. */
void evidence_end(struct evidence *e, enum evidence_end end, const char *text);

#endif
