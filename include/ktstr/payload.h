/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * payload.h - programs a test runs, declared as data, and the life of one run.
 *
 * Life cycle of a struct ktstr_proc:
 *  1. ktstr_payload_spawn() starts the binary with the declared arguments, then the caller's; its
 *     argv[0] is the binary's base name, its stdin /dev/null.  It leads its own process group
 *     unless shared_group is set.  Its output is read all the time, so it never blocks on it.
 *  2. ktstr_proc_pid() is its pid until the exit has been collected, then -ESRCH.
 *  3. ktstr_proc_wait_ready() waits for the ready marker /tmp/ktstr-worker-ready-PID.
 *  4. ktstr_proc_wait(), _try_wait() or _kill() collect the exit: what is left of its own group is
 *     killed (and noted), metrics are read, declared checks judged, and one PAYLOAD record is
 *     emitted, in order of collection.  A grandchild that left the group and holds the output open
 *     delays nothing; what it writes later is not read.
 *  5. ktstr_proc_release() frees the handle; what still runs is killed and that is recorded.
 *     _cleanup_payload_ does it at the end of the scope.
 *  6. A handle that is open when the body returns is treated the same way.
 *
 * Payloads die with the body's thread.  A payload's checks are judged once its exit has been
 * collected; if its scope ends first and it declares any, the verdict is UNDECIDED.
 *
 * Functions that take a struct ktstr record why they failed in the test; an ASSERT_OK() around
 * them turns that into verdict ERROR (the set-up broke), not FAIL.
 */
#ifndef KTSTR_PAYLOAD_H
#define KTSTR_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ktstr/api.h>

struct ktstr;
struct ktstr_proc;

enum {
	KTSTR_PAYLOAD_ARGS = 16,
	KTSTR_PAYLOAD_CHECKS = 8,
	KTSTR_PAYLOAD_METRICS = 16,
	KTSTR_PAYLOAD_FILES = 8,
	KTSTR_PAYLOAD_FLAGS = 16,
	KTSTR_PAYLOAD_EXITS = 12,
	KTSTR_PAYLOAD_CALL_ARGS = 64,	     /* a caller may add */
	KTSTR_PAYLOAD_VALUES = 256,	     /* metrics kept of one run */
	KTSTR_PAYLOAD_OUTPUT_BYTES = 1 << 20 /* kept of stdout and of stderr each */
};

enum ktstr_output {
	KTSTR_OUTPUT_EXIT_STATUS, /* nothing is read from its output */
	KTSTR_OUTPUT_JSON	  /* numeric leaves of the JSON on stdout, under dotted names */
};

enum ktstr_direction { KTSTR_DIRECTION_NONE, KTSTR_HIGHER_IS_BETTER, KTSTR_LOWER_IS_BETTER };

/* What is known about a metric in advance.  A value outside [min, max] is ERROR, not a result. */
struct ktstr_metric_hint {
	const char *name;
	const char *unit;
	enum ktstr_direction direction;
	bool bounded; /* min and max count */
	double min, max;
};

enum ktstr_payload_check_kind {
	KTSTR_CHECK_NONE,
	KTSTR_CHECK_EXIT,     /* exit status equals value; a signal never does */
	KTSTR_CHECK_AT_MOST,  /* metric <= value */
	KTSTR_CHECK_AT_LEAST, /* metric >= value */
	KTSTR_CHECK_PRESENT   /* metric was reported */
};

/* A metric that is missing is UNDECIDED for a bound and FAIL for PRESENT. */
struct ktstr_payload_check {
	enum ktstr_payload_check_kind kind;
	const char *metric;
	double value;
};

/* What an exit code means, for messages: { 2, "BYTES was 0" }. */
struct ktstr_exit_meaning {
	int code;
	const char *meaning;
};

struct ktstr_payload {
	const char *name;
	const char *binary; /* path on the host, or a name found in PATH or beside the test */
	const char *args[KTSTR_PAYLOAD_ARGS];
	enum ktstr_output output;
	struct ktstr_payload_check checks[KTSTR_PAYLOAD_CHECKS];
	struct ktstr_metric_hint metrics[KTSTR_PAYLOAD_METRICS];
	/* More host files for the guest, "HOST" (to /files/NAME) or "HOST:/absolute/guest/path". */
	const char *files[KTSTR_PAYLOAD_FILES];
	bool shared_group; /* stay in the test's process group */
	/* If any is set: the only words starting with '-' a caller may add; "--x" allows "--x=5".
	 */
	const char *flags[KTSTR_PAYLOAD_FLAGS];
	struct ktstr_exit_meaning exits[KTSTR_PAYLOAD_EXITS];
};

#define KTSTR_ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* More than arguments; zero fields mean the default. */
struct ktstr_spawn {
	const char *const *args; /* after the declared ones; NULL-terminated; NULL: none */
	const char *const *env;	 /* "NAME=value" added to the environment; NULL-terminated */
	const char *cwd;
};

/* How a run ended. */
struct ktstr_proc_result {
	bool exited;	  /* exit_code counts; else it was killed by signal */
	int exit_code;	  /* 0..255 */
	int signal;	  /* 0 and not exited: somebody else took the exit status */
	bool killed;	  /* by ktstr_proc_kill(), by a time limit, or because its scope ended */
	bool output_cut;  /* more was written than is kept: a line in the text says where */
	uint64_t wall_ns; /* from the start to the exit, however late it was collected */
	const char *stdout_text; /* NUL-terminated; valid until the handle is released */
	const char *stderr_text;
	uint64_t stdout_bytes, stderr_bytes; /* written by the payload */
};

/**
 * ktstr_payload_spawn() - start a payload in the background.
 * @t:		the running test
 * @payload:	borrowed until the handle is released
 * @args:	KTSTR_ARGS(...), added after the declared ones; may be NULL
 * @ret_proc:	the caller's to release
 *
 * In a guest the binary is /bin/NAME, where the runner put it; on the host it is looked for beside
 * the test program, in its payloads, ../payloads and ../../payloads, in PATH and among the installed ones.
 *
 * Return: 0, -ENOENT (no such binary), -EACCES (not executable), -EINVAL (flag not in the
 * payload's list, too many arguments, a declaration that makes no sense), -errno of fork, chdir or
 * exec.
 */
KTSTR_API int ktstr_payload_spawn(struct ktstr *t, const struct ktstr_payload *payload,
				  const char *const *args,
				  struct ktstr_proc **ret_proc) KTSTR_MUST_CHECK;

/**
 * ktstr_payload_spawn_with() - the same with environment and folder.
 * @t:		the running test
 * @payload:	borrowed until the handle is released
 * @spawn:	what to add; may be NULL
 * @ret_proc:	the caller's to release
 *
 * Return: as ktstr_payload_spawn().
 */
KTSTR_API int ktstr_payload_spawn_with(struct ktstr *t, const struct ktstr_payload *payload,
				       const struct ktstr_spawn *spawn,
				       struct ktstr_proc **ret_proc) KTSTR_MUST_CHECK;

/**
 * ktstr_payload_run() - start a payload and wait for its end.
 * @t:		the running test
 * @payload:	what to run
 * @args:	KTSTR_ARGS(...); may be NULL
 * @timeout_ns:	then it is killed
 * @ret_proc:	holds the result; the caller's to release
 *
 * Return: 0 (it ended; look at ktstr_proc_result()), -ETIMEDOUT (killed and collected; @ret_proc is
 * written then too, for its output), or as ktstr_payload_spawn().
 */
KTSTR_API int ktstr_payload_run(struct ktstr *t, const struct ktstr_payload *payload,
				const char *const *args, uint64_t timeout_ns,
				struct ktstr_proc **ret_proc) KTSTR_MUST_CHECK;

/**
 * ktstr_proc_pid() - the process id.
 * @proc:	a handle
 *
 * Return: the pid, or -ESRCH once the exit has been collected.
 */
KTSTR_API pid_t ktstr_proc_pid(const struct ktstr_proc *proc);

/**
 * ktstr_proc_wait_ready() - wait until the payload says it is ready.
 * @t:		the running test
 * @proc:	a running payload
 * @timeout_ns:	how long
 *
 * Ready means that /tmp/ktstr-worker-ready-PID was made after the start and the process still lives
 * after it was seen.  It is looked for every 10 ms.
 *
 * Return: 0, -ETIMEDOUT (it still runs), -ECHILD (it ended first and has been collected; the text
 * has exit code or signal and the last line of its stderr), -ESRCH (collected before).
 */
KTSTR_API int ktstr_proc_wait_ready(struct ktstr *t, struct ktstr_proc *proc,
				    uint64_t timeout_ns) KTSTR_MUST_CHECK;

/**
 * ktstr_proc_try_wait() - has it ended?
 * @t:		the running test
 * @proc:	a handle
 *
 * Return: 1 (ended and collected), 0 (still running), -ESRCH (collected before), -ECHILD (something
 * else in the test waited for it: collected, but how it ended is lost).
 */
KTSTR_API int ktstr_proc_try_wait(struct ktstr *t, struct ktstr_proc *proc) KTSTR_MUST_CHECK;

/**
 * ktstr_proc_wait() - wait for its own end.
 * @t:		the running test
 * @proc:	a handle
 * @timeout_ns:	UINT64_MAX: no limit but the test's own
 *
 * Return: 0 (collected), -ETIMEDOUT (still running), -ESRCH (collected before), -ECHILD (as above).
 */
KTSTR_API int ktstr_proc_wait(struct ktstr *t, struct ktstr_proc *proc,
			      uint64_t timeout_ns) KTSTR_MUST_CHECK;

/**
 * ktstr_proc_kill() - SIGKILL the whole process group and collect.
 * @t:		the running test
 * @proc:	a handle
 *
 * A payload with shared_group is killed alone.
 *
 * Return: 0 (collected), -ESRCH (collected before), -ECHILD (as above).
 */
KTSTR_API int ktstr_proc_kill(struct ktstr *t, struct ktstr_proc *proc);

/**
 * ktstr_proc_result() - how it ended.
 * @proc:	a handle
 *
 * Return: the result, owned by the handle; NULL while it has not been collected.
 */
KTSTR_API const struct ktstr_proc_result *ktstr_proc_result(const struct ktstr_proc *proc);

/**
 * ktstr_proc_metric() - one metric of a collected run.
 * @proc:	a handle
 * @name:	dotted name, e.g. "latency.p99_ns"
 * @ret_value:	written if the payload reported it
 *
 * Return: 0, -ENODATA (not reported), -EOVERFLOW (it may be among those that were too many to
 * keep), -EBUSY (not collected yet).
 */
KTSTR_API int ktstr_proc_metric(const struct ktstr_proc *proc, const char *name,
				double *ret_value) KTSTR_MUST_CHECK;

/**
 * ktstr_proc_release() - free the handle.
 * @proc:	may be NULL; what still runs is killed, reaped, and recorded as "left running"
 */
KTSTR_API void ktstr_proc_release(struct ktstr_proc *proc);

static inline void ktstr_proc_releasep(struct ktstr_proc **proc)
{
	ktstr_proc_release(*proc);
}
#define _cleanup_payload_ __attribute__((cleanup(ktstr_proc_releasep)))

#endif
