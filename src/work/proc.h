/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * proc.h - one run of a program: start, wait, kill, output, how it ended.
 *
 * Life cycle:
 *  1. proc_start() executes the file.  It leads its own process group unless shared_group is set,
 *     stdin is /dev/null, stdout and stderr are read all the time (base/capture.h).
 *  2. proc_pid() is its pid until the exit has been collected, so a pid that somebody else may
 *     have by now is never handed out.
 *  3. proc_try_wait(), proc_wait() or proc_kill() collect the exit.  What is left of its own group
 *     is killed then, and proc_leftovers() names it.
 *  4. proc_destroy() kills and collects what still runs.
 *
 * A process dies with the thread that started it (PR_SET_PDEATHSIG), so start it from a thread
 * that lives as long as it shall.  The kernel does not pass this on to processes it starts in turn;
 * those die with the group.  Descendants that left the group (setsid) are beyond reach here.
 * One thread per struct proc.
 */
#ifndef KTSTR_WORK_PROC_H
#define KTSTR_WORK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ktstr/error.h>
#include <ktstr/payload.h>

struct proc;

struct proc_opts {
	const char *file;	 /* with a '/'; NULL: argv[0] */
	const char *const *argv; /* NULL-terminated */
	const char *const *env;	 /* "NAME=value", added to the environment; NULL: nothing */
	const char *cwd;	 /* NULL: the caller's */
	size_t keep_bytes;	 /* of stdout and of stderr; 0: KTSTR_PAYLOAD_OUTPUT_BYTES */
	bool shared_group;
};

/* Return: 0, -EINVAL (an env entry without '='), -errno of fork, chdir or exec.
 * If SIGCHLD is ignored (exits would be lost), it is set back to its default. */
int proc_start(const struct proc_opts *opts, struct proc **ret_proc,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Return: the pid, or -ESRCH once collected. */
pid_t proc_pid(const struct proc *proc);
/* Return: 1 (ended, collected now), 0 (running), -ESRCH (collected before), -ECHILD (somebody else
 * took its exit status; collected as neither exited nor signalled). */
int proc_try_wait(struct proc *proc) KTSTR_MUST_CHECK;
/* Return: 0 (collected), -ETIMEDOUT (running), -ESRCH, -ECHILD. */
int proc_wait(struct proc *proc, uint64_t timeout_ns) KTSTR_MUST_CHECK;
/* SIGKILL to the group, or to it alone in a shared group.  Return: 0 (collected), -ESRCH, -ECHILD.
 */
int proc_kill(struct proc *proc);
/* NULL until collected; owned by @proc. */
const struct ktstr_proc_result *proc_result(const struct proc *proc);
/* stdout_text with its length, which may hold NUL bytes; after collection. */
const char *proc_stdout(const struct proc *proc, size_t *ret_length);
/* "12 (sleep), 13 (cat)": what was left of its group and was killed; NULL: nothing. */
const char *proc_leftovers(const struct proc *proc);
/* The last line of stderr so far; "" if there is none. */
void proc_last_words(struct proc *proc, char *buf, size_t size);
/* CLOCK_REALTIME_COARSE, as file times have it, before the start. */
uint64_t proc_started_real_ns(const struct proc *proc);
void proc_destroy(struct proc *proc);

/* The whole environment plus @added ("NAME=value"; later entries win).  Strings are borrowed, the
 * array is malloc'ed.  Return: 0, -EINVAL, -ENOMEM. */
int proc_environment(const char *const *added, const char ***ret_env,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
