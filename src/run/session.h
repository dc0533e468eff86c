/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * session.h - watch one guest from its start to its end.
 *
 * Reads the guest's records into evidence, notices every way it can end, and stops QEMU.  The
 * agent ends a body that is overdue; the limits here are for guests whose agent cannot.
 */
#ifndef KTSTR_RUN_SESSION_H
#define KTSTR_RUN_SESSION_H

#include "run/evidence.h"
#include "vm/vm.h"
#include <ktstr/test.h>

#define SESSION_HEARTBEAT_NS MSECS(500)
#define SESSION_SILENCE_NS   SECS(20)  /* after hello */
#define SESSION_BOOT_NS	     SECS(120) /* to hello, and for each CPU: */
#define SESSION_BOOT_CPU_NS  SECS(2)
#define SESSION_GRACE_NS     SECS(30) /* for the agent to end an overdue body */
#define SESSION_GOODBYE_NS   SECS(10) /* from BYE to QEMU's exit, if it lingers */
#define SESSION_FROZEN_NS    SECS(2)  /* without any CPU time */
/* Exact guests live in virtual time, so their silence is counted in QEMU's CPU time. */
#define SESSION_EXACT_SILENCE_NS SECS(30)
#define SESSION_EXACT_BOOT	 2	   /* times what a boot is given on the host's clock */
#define SESSION_WALL_LIMIT_NS	 SECS(600) /* of an exact guest, or if that is more: */
#define SESSION_WALL_FACTOR	 20	   /* times its body's limit */
#define SESSION_STATUS_NS	 MSECS(500)

enum { SESSION_CONSOLE_MAX = 64 << 20, SESSION_RECORDS_MAX = 256 << 20 };

/* Bytes a body or command wrote; @stream is 1 or 2.  A negative answer ends the guest: nobody is left
 * to hear more. */
typedef int (*session_output_fn)(void *arg, int stream, const void *bytes, size_t len);

struct session_status {
	bool exact;
	uint64_t virtual_ns; /* guest time since HELLO, as of its last record */
	uint64_t wall_ns;    /* the host's since the start of the session */
};

struct session_opts {
	const char *dir; /* the VM's folder */
	bool exact;
	bool patient;		/* a debugger may hold the guest: no limit but Ctrl-C */
	uint64_t timeout_ns;	/* of the body, in guest time if exact; 0: none */
	uint64_t wall_limit_ns; /* of an exact guest on the host's clock; 0: none */
	uint64_t deadline_ns;	/* of the run, CLOCK_MONOTONIC; UINT64_MAX: none */
	session_output_fn output;
	void *arg;
	/* What the guest sent elsewhere may still be on its way at BYE, so QEMU ends by itself. */
	bool lingers;
	bool console; /* copy the guest's console to stderr as it grows */
	/* Called every SESSION_STATUS_NS at most; NULL: nobody asks. */
	void (*status)(void *arg, const struct session_status *status);
	void *status_arg;
	uint32_t nr_cpus; /* of the guest */
};

/* @e->start_ns is set by the caller.  On return QEMU has ended, or is being killed behind
 * the guest's BYE, and the console is scanned. */
void session_run(struct vm *vm, const struct session_opts *opts, struct evidence *e);

/* SESSION_WALL_LIMIT_NS, or SESSION_WALL_FACTOR times @timeout_ns if that is more. */
uint64_t session_wall_limit_ns(uint64_t timeout_ns);

/* Where a session stands against its limits. */
struct session_clock {
	bool exact, patient;
	bool hello;	   /* was heard */
	uint64_t wall_ns;  /* since the start of the session */
	uint64_t heard_ns; /* since the guest was heard last */
	uint64_t cpu_ns;   /* used by QEMU since then */
	uint64_t body_ns;  /* since the body's start, in guest time if exact; 0: it does not run */
	uint64_t timeout_ns, wall_limit_ns; /* as in session_opts */
	uint32_t nr_cpus;
	bool run_is_over; /* the deadline of the run has passed */
};

enum session_due {
	SESSION_GOES_ON,
	SESSION_RUN_OVER,
	SESSION_SILENT,
	SESSION_OVERDUE,
	SESSION_WALL
};

/* Which limit has been reached?  Pure. */
enum session_due session_due(const struct session_clock *clock);

/* What was used while nothing was heard from the guest. */
struct session_silence {
	uint64_t window_ns;    /* how long */
	uint64_t qemu_cpu_ns;  /* CPU time of QEMU */
	uint64_t still_ns;     /* of the window, at its end, QEMU used none at all */
	uint64_t host_idle_ns; /* what all CPUs of the host had left over */
};

/* Was QEMU kept from running for all of @gap_ns, in which it used @cpu_ns?  Seconds must pass
 * for that: heartbeats make even an idle guest run twice in each.  Pure. */
bool session_was_frozen(uint64_t gap_ns, uint64_t cpu_ns);

/* Did the host keep QEMU from running?  Pure. */
bool session_was_starved(const struct session_silence *silence);

#endif
