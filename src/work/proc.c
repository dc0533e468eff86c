// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/group.h"
#include "base/strbuf.h"

enum { ENV_MAX = 4096 };

struct proc {
	struct child child;
	struct capture *capture;
	struct strbuf leftovers;
	struct ktstr_proc_result result;
	uint64_t start_ns, start_real_ns;
	bool collected;
};

static bool same_variable(const char *a, const char *b)
{
	size_t len = strcspn(b, "=");

	return !strncmp(a, b, len) && (a[len] == '=' || !a[len]);
}

static bool is_overridden(const char *entry, const char *const *added)
{
	for (; added && *added; added++)
		if (same_variable(entry, *added))
			return true;
	return false;
}

int proc_environment(const char *const *added, const char ***ret_env, struct ktstr_error *err)
{
	size_t nr_old = 0, nr_added = 0, n = 0;
	const char **env;

	while (environ && environ[nr_old])
		nr_old++;
	for (; added && added[nr_added]; nr_added++)
		if (!strchr(added[nr_added], '=') || added[nr_added][0] == '=')
			return ktstr_error_set(err, -EINVAL,
					       "environment entry '%s' is not NAME=value",
					       added[nr_added]);
	if (nr_old + nr_added > ENV_MAX)
		return ktstr_error_set(err, -E2BIG, "more than %d environment variables", ENV_MAX);
	env = calloc(nr_old + nr_added + 1, sizeof(*env));
	if (!env)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < nr_old; i++)
		if (!is_overridden(environ[i], added))
			env[n++] = environ[i];
	for (size_t i = 0; i < nr_added; i++)
		if (!is_overridden(added[i], added + i + 1))
			env[n++] = added[i];
	*ret_env = env;
	return 0;
}

static void keep_exit_statuses(void)
{
	struct sigaction sa;

	if (sigaction(SIGCHLD, NULL, &sa) < 0)
		return;
	if (sa.sa_handler != SIG_IGN && !(sa.sa_flags & SA_NOCLDWAIT))
		return;
	if (sa.sa_handler == SIG_IGN)
		sa.sa_handler = SIG_DFL;
	sa.sa_flags &= ~SA_NOCLDWAIT;
	sigaction(SIGCHLD, &sa, NULL);
}

static int start_child(struct proc *p, const struct proc_opts *opts, struct ktstr_error *err)
{
	_cleanup_free_ const char **env = NULL;
	int r = proc_environment(opts->env, &env, err);

	if (r < 0)
		return r;
	r = capture_create(opts->keep_bytes ? opts->keep_bytes : KTSTR_PAYLOAD_OUTPUT_BYTES,
			   &p->capture, err);
	if (r < 0)
		return r;
	keep_exit_statuses();
	p->start_real_ns = clock_ns(CLOCK_REALTIME_COARSE);
	p->start_ns = clock_mono_ns();
	r = child_start(
		&(struct child_opts){
			.file = opts->file,
			.argv = opts->argv,
			.env = env,
			.cwd = opts->cwd,
			.stdin_fd = -1,
			.stdout_fd = capture_write_fd(p->capture, CAPTURE_STDOUT),
			.stderr_fd = capture_write_fd(p->capture, CAPTURE_STDERR),
			.same_group = opts->shared_group,
		},
		&p->child, err);
	if (r < 0)
		return r;
	return capture_start(p->capture, p->child.pidfd, err);
}

int proc_start(const struct proc_opts *opts, struct proc **ret_proc, struct ktstr_error *err)
{
	struct proc *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return ktstr_error_nomem(err);
	p->child = (struct child)CHILD_INIT;
	p->leftovers = (struct strbuf)STRBUF_INIT_LIMIT(GROUP_TEXT_BYTES);
	r = start_child(p, opts, err);
	if (r < 0) {
		proc_destroy(p);
		return r;
	}
	*ret_proc = p;
	return 0;
}

pid_t proc_pid(const struct proc *proc)
{
	return proc->collected ? -ESRCH : proc->child.pid;
}

static void note_result(struct proc *p, bool killed)
{
	uint64_t end_ns = capture_exit_ns(p->capture);
	struct capture_text out = capture_text(p->capture, CAPTURE_STDOUT);
	struct capture_text err = capture_text(p->capture, CAPTURE_STDERR);

	if (!end_ns)
		end_ns = clock_mono_ns();
	p->result = (struct ktstr_proc_result){
		.exited = !p->child.lost && !p->child.signal,
		.exit_code = p->child.exit_code,
		.signal = p->child.signal,
		.killed = killed,
		.wall_ns = end_ns - p->start_ns,
		.stdout_text = out.text,
		.stderr_text = err.text,
		.stdout_bytes = out.written,
		.stderr_bytes = err.written,
		.output_cut = out.cut || err.cut,
	};
}

static void collect(struct proc *p, bool killed)
{
	/* The group's number is not reused while it has members; without members there is nobody
	 * to kill, and it takes a whole round of pids to be given out again. */
	if (p->child.group > 0 && kill(-p->child.group, 0) == 0) {
		if (!killed)
			group_describe(p->child.group, &p->leftovers);
		kill(-p->child.group, SIGKILL);
	}
	capture_finish(p->capture);
	note_result(p, killed);
	if (p->child.pidfd >= 0)
		close(take_fd(&p->child.pidfd));
	p->collected = true;
}

int proc_try_wait(struct proc *proc)
{
	int r;

	if (proc->collected)
		return -ESRCH;
	r = child_poll(&proc->child);
	if (r == 1 || proc->child.lost)
		collect(proc, false);
	return r;
}

int proc_wait(struct proc *proc, uint64_t timeout_ns)
{
	int r;

	if (proc->collected)
		return -ESRCH;
	r = child_wait(&proc->child, timeout_ns);
	if (r == 0 || proc->child.lost)
		collect(proc, false);
	return r;
}

int proc_kill(struct proc *proc)
{
	int r = proc_try_wait(proc);

	if (r != 0)
		return r == 1 ? 0 : r;
	child_kill(&proc->child, SIGKILL);
	r = child_wait(&proc->child, UINT64_MAX);
	if (r == 0 || proc->child.lost)
		collect(proc, true);
	return r;
}

const struct ktstr_proc_result *proc_result(const struct proc *proc)
{
	return proc->collected ? &proc->result : NULL;
}

const char *proc_stdout(const struct proc *proc, size_t *ret_length)
{
	struct capture_text text = capture_text(proc->capture, CAPTURE_STDOUT);

	*ret_length = text.length;
	return text.text;
}

const char *proc_leftovers(const struct proc *proc)
{
	return proc->leftovers.len ? strbuf_str(&proc->leftovers) : NULL;
}

void proc_last_words(struct proc *proc, char *buf, size_t size)
{
	capture_last_line(proc->capture, CAPTURE_STDERR, buf, size);
}

uint64_t proc_started_real_ns(const struct proc *proc)
{
	return proc->start_real_ns;
}

void proc_destroy(struct proc *proc)
{
	if (!proc)
		return;
	if (!proc->collected && proc->child.pid > 0)
		proc_kill(proc);
	child_deinit(&proc->child);
	capture_destroy(proc->capture);
	strbuf_deinit(&proc->leftovers);
	free(proc);
}
