// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "run/body.h"
#include "run/payload_record.h"
#include "work/payload_check.h"
#include "work/payload_find.h"
#include "work/proc.h"
#include "work/ready.h"

struct ktstr_proc {
	struct ktstr *t;
	const struct ktstr_payload *payload;
	struct proc *proc;
	struct metrics *metrics; /* NULL: none were read */
	pid_t pid;
	struct ktstr_proc *next;
};

/* A process runs one body, on one thread. */
static struct ktstr_proc *open_handles;

static void read_metrics(struct ktstr_proc *p, struct payload_run *run)
{
	const char *wanted[PAYLOAD_FINDINGS + 1];
	const char *text;
	size_t length;
	int r;

	if (p->payload->output != KTSTR_OUTPUT_JSON)
		return;
	p->metrics = calloc(1, sizeof(*p->metrics));
	if (!p->metrics) {
		run->metrics_failed = ktstr_error_nomem(&run->metrics_error);
		return;
	}
	payload_wanted_metrics(p->payload, wanted);
	text = proc_stdout(p->proc, &length);
	r = metrics_parse(text, length, wanted, p->metrics, &run->metrics_error);
	if (r == 0)
		run->metrics = p->metrics;
	run->metrics_failed = r;
}

static void record(struct ktstr_proc *p, bool left_running)
{
	struct payload_run run = {
		.payload = p->payload,
		.pid = p->pid,
		.result = proc_result(p->proc),
		.left_running = left_running,
		.leftovers = proc_leftovers(p->proc),
	};

	proc_last_words(p->proc, run.words, sizeof(run.words));
	read_metrics(p, &run);
	ready_forget(p->pid);
	payload_record(p->t, &run);
}

static int find_binary(struct ktstr *t, const struct ktstr_payload *payload, char **ret_path,
		       struct ktstr_error *err)
{
	if (body_on_host(t))
		return payload_find_binary(payload->binary, NULL, ret_path, err);
	return payload_find_in_guest(payload->binary, ret_path, err);
}

static int start(struct ktstr_proc *p, const struct ktstr_spawn *spawn, struct ktstr_error *err)
{
	_cleanup_free_ const char **argv = NULL;
	_cleanup_free_ char *path = NULL;
	int r = find_binary(p->t, p->payload, &path, err);

	if (r == 0)
		r = payload_arguments(p->payload, spawn ? spawn->args : NULL, &argv, err);
	if (r < 0)
		return r;
	return proc_start(&(struct proc_opts){ .file = path,
					       .argv = argv,
					       .env = spawn ? spawn->env : NULL,
					       .cwd = spawn ? spawn->cwd : NULL,
					       .shared_group = p->payload->shared_group },
			  &p->proc, err);
}

int ktstr_payload_spawn_with(struct ktstr *t, const struct ktstr_payload *payload,
			     const struct ktstr_spawn *spawn, struct ktstr_proc **ret_proc)
{
	struct ktstr_error *err = body_error(t);
	struct ktstr_proc *p;
	int r = payload_validate(payload, err);

	if (r < 0)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ktstr_error_nomem(err);
	p->t = t;
	p->payload = payload;
	body_delay(t);
	r = start(p, spawn, err);
	if (r < 0) {
		free(p);
		return ktstr_error_wrap(err, r, "start payload '%s'", payload->name);
	}
	p->pid = proc_pid(p->proc);
	p->next = open_handles;
	open_handles = p;
	body_delay(t);
	*ret_proc = p;
	return 0;
}

int ktstr_payload_spawn(struct ktstr *t, const struct ktstr_payload *payload,
			const char *const *args, struct ktstr_proc **ret_proc)
{
	return ktstr_payload_spawn_with(t, payload, &(struct ktstr_spawn){ .args = args },
					ret_proc);
}

static int collected_before(const struct ktstr_proc *p, struct ktstr_error *err)
{
	return ktstr_error_set(err, -ESRCH, "payload '%s' (pid %d) was collected before",
			       p->payload->name, (int)p->pid);
}

/* Turns what work/proc.h returned into what this API returns, with its text and record. */
static int after(struct ktstr_proc *p, int r, struct ktstr_error *err)
{
	if (r == -ESRCH)
		return collected_before(p, err);
	if (proc_result(p->proc))
		record(p, false);
	if (r == -ECHILD)
		return ktstr_error_set(err, r,
				       "payload '%s' (pid %d): something else in the test "
				       "collected its exit status",
				       p->payload->name, (int)p->pid);
	if (r < 0 && r != -ETIMEDOUT)
		return ktstr_error_set(err, r, "wait for payload '%s' (pid %d): %s",
				       p->payload->name, (int)p->pid, strerror(-r));
	return r;
}

static int timed_out(struct ktstr_proc *p, uint64_t timeout_ns, const char *then,
		     struct ktstr_error *err)
{
	char words[256];

	proc_last_words(p->proc, words, sizeof(words));
	return ktstr_error_set(
		err, -ETIMEDOUT, "payload '%s' (pid %d) did not end within %llu ms%s; %s%s",
		p->payload->name, (int)p->pid, (unsigned long long)(timeout_ns / 1000000), then,
		words[0] ? "last on stderr: " : "nothing on stderr", words);
}

int ktstr_payload_run(struct ktstr *t, const struct ktstr_payload *payload, const char *const *args,
		      uint64_t timeout_ns, struct ktstr_proc **ret_proc)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;
	struct ktstr_error *err;
	int r = ktstr_payload_spawn(t, payload, args, &p);

	if (r < 0)
		return r;
	r = ktstr_proc_wait(t, p, timeout_ns);
	if (r == -ETIMEDOUT && ktstr_proc_kill(t, p) == 0) {
		err = body_error(t);
		timed_out(p, timeout_ns, " and was killed", err);
	}
	if (r == 0 || r == -ETIMEDOUT)
		*ret_proc = take_ptr(p);
	return r;
}

pid_t ktstr_proc_pid(const struct ktstr_proc *proc)
{
	return proc_pid(proc->proc);
}

int ktstr_proc_wait_ready(struct ktstr *t, struct ktstr_proc *proc, uint64_t timeout_ns)
{
	struct ktstr_error *err = body_error(t);
	int r = ready_wait(proc->proc, proc->payload, timeout_ns, err);

	if (r == -ECHILD)
		record(proc, false);
	return r;
}

int ktstr_proc_try_wait(struct ktstr *t, struct ktstr_proc *proc)
{
	struct ktstr_error *err = body_error(t);

	return after(proc, proc_try_wait(proc->proc), err);
}

int ktstr_proc_wait(struct ktstr *t, struct ktstr_proc *proc, uint64_t timeout_ns)
{
	struct ktstr_error *err = body_error(t);
	int r = after(proc, proc_wait(proc->proc, timeout_ns), err);

	return r == -ETIMEDOUT ? timed_out(proc, timeout_ns, " and still runs", err) : r;
}

int ktstr_proc_kill(struct ktstr *t, struct ktstr_proc *proc)
{
	struct ktstr_error *err = body_error(t);

	return after(proc, proc_kill(proc->proc), err);
}

const struct ktstr_proc_result *ktstr_proc_result(const struct ktstr_proc *proc)
{
	return proc_result(proc->proc);
}

int ktstr_proc_metric(const struct ktstr_proc *proc, const char *name, double *ret_value)
{
	if (!proc_result(proc->proc))
		return -EBUSY;
	return proc->metrics ? metrics_get(proc->metrics, name, ret_value) : -ENODATA;
}

static void end_by_force(struct ktstr_proc *p, const char *when)
{
	if (proc_result(p->proc))
		return;
	/* It may have ended by itself without anybody asking: that is not left running. */
	if (proc_try_wait(p->proc) != 0) {
		record(p, false);
		return;
	}
	proc_kill(p->proc);
	ktstr_note(p->t, "payload '%s' (pid %d) was still running when %s; it was killed",
		   p->payload->name, (int)p->pid, when);
	record(p, true);
}

void ktstr_proc_release(struct ktstr_proc *proc)
{
	if (!proc)
		return;
	end_by_force(proc, "its handle was released");
	for (struct ktstr_proc **p = &open_handles; *p; p = &(*p)->next) {
		if (*p == proc) {
			*p = proc->next;
			break;
		}
	}
	proc_destroy(proc->proc);
	free(proc->metrics);
	free(proc);
}

void payload_end_all(struct ktstr *t)
{
	for (struct ktstr_proc *p = open_handles; p; p = p->next)
		if (p->t == t)
			end_by_force(p, "the test's body returned");
}
