// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

extern char **environ;

static int place_fd(int fd, int target)
{
	if (fd < 0) {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	}
	if (fd == target)
		return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
	return dup2(fd, target) < 0 ? -errno : 0;
}

static int place_stdio(const struct child_opts *opts)
{
	int fds[3] = { opts->stdin_fd, opts->stdout_fd, opts->stderr_fd };

	/* Out of the way first, so that no target is overwritten before it was copied. */
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0 && fds[i] < 3 && fds[i] != i) {
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
			if (fds[i] < 0)
				return -errno;
		}
	}
	for (int i = 0; i < 3; i++) {
		int r = place_fd(fds[i], i);

		if (r < 0)
			return r;
	}
	return 0;
}

static int drop_privileges(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_CPU, 2 },
		{ RLIMIT_AS, 1 << 30 },
	};
	const unsigned int nobody = 65534;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (setrlimit(limits[i].resource,
			      &(struct rlimit){ limits[i].limit, limits[i].limit }) < 0)
			return -errno;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(nobody, nobody, nobody) < 0 ||
			       setresuid(nobody, nobody, nobody) < 0))
		return -errno;
	/* A change of user clears the death signal. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return 0;
}

static const char *file_of(const struct child_opts *opts)
{
	return opts->file ? opts->file : opts->argv[0];
}

/* What the child writes before it gives up. */
struct report {
	int code;
	bool in_cwd;
};

static int prepare_child(const struct child_opts *opts, pid_t parent)
{
	sigset_t none;
	int r;

	if (!opts->outlive_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			return -errno;
		if (getppid() != parent)
			return -EOWNERDEAD;
	}
	if (!opts->same_group && setpgid(0, 0) < 0)
		return -errno;
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = place_stdio(opts);
	if (r < 0)
		return r;
	/* Also what the caller inherited without the flag; kernels before 5.11 keep that. */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS && errno != EINVAL)
		return -errno;
	for (unsigned int i = 0; i < opts->nr_keep_fds; i++)
		if (fcntl(opts->keep_fds[i], F_SETFD, 0) < 0)
			return -errno;
	r = opts->unprivileged ? drop_privileges() : 0;
	return r < 0 || !opts->prepare ? r : opts->prepare(opts->prepare_arg);
}

__attribute__((noreturn)) static void run_child(const struct child_opts *opts, pid_t parent,
						int report_fd)
{
	struct report report = { .code = prepare_child(opts, parent) };

	if (report.code == 0 && opts->cwd && chdir(opts->cwd) < 0)
		report = (struct report){ .code = -errno, .in_cwd = true };
	if (report.code == 0) {
		execve(file_of(opts), (char *const *)opts->argv,
		       opts->env ? (char *const *)opts->env : environ);
		report.code = -errno;
	}
	if (write(report_fd, &report, sizeof(report)) < 0)
		_exit(126);
	_exit(127);
}

static struct report read_report(int fd)
{
	struct report report = { 0 };
	ssize_t n;

	do {
		n = read(fd, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	if (n != 0 && n != sizeof(report))
		report.code = -EIO;
	return report;
}

static int report_error(const struct child_opts *opts, const struct report *report,
			struct ktstr_error *err)
{
	if (report->in_cwd)
		return ktstr_error_set(err, report->code, "start '%s' in folder '%s': %s",
				       file_of(opts), opts->cwd, strerror(-report->code));
	return ktstr_error_set(err, report->code, "start '%s': %s", file_of(opts),
			       strerror(-report->code));
}

static pid_t start_process(const struct child_opts *opts, int report_fd)
{
	pid_t parent = getpid(), pid = opts->borrow_memory ? vfork() : fork();

	if (pid == 0)
		run_child(opts, parent, report_fd);
	return pid;
}

int child_start(const struct child_opts *opts, struct child *ret_child, struct ktstr_error *err)
{
	_cleanup_close_ int report_read = -1;
	struct report report;
	int fds[2], report_write, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return ktstr_error_set(err, -errno, "start '%s': pipe: %s", file_of(opts),
				       strerror(errno));
	report_read = fds[0];
	/* High enough that stdio placement in the child cannot overwrite it. */
	report_write = fcntl(fds[1], F_DUPFD_CLOEXEC, 64);
	close(fds[1]);
	if (report_write < 0)
		return ktstr_error_set(err, -errno, "start '%s': %s", file_of(opts),
				       strerror(errno));
	pid = start_process(opts, report_write);
	r = pid < 0 ? -errno : 0;
	close(report_write);
	if (r < 0)
		return ktstr_error_set(err, r, "start '%s': fork: %s", file_of(opts), strerror(-r));
	if (!opts->same_group)
		setpgid(pid, pid); /* either side may come first; one of the two calls counts */
	report = read_report(report_read);
	if (report.code < 0) {
		waitpid(pid, NULL, 0);
		return report_error(opts, &report, err);
	}
	*ret_child = (struct child){
		.pid = pid,
		.group = opts->same_group ? 0 : pid,
		.pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
	};
	return 0;
}

static void note_exit(struct child *child, int status)
{
	child->collected = true;
	child->pid = 0;
	if (WIFSIGNALED(status))
		child->signal = WTERMSIG(status);
	else
		child->exit_code = WEXITSTATUS(status);
}

int child_poll(struct child *child)
{
	int status;
	pid_t pid;

	if (child->collected)
		return 1;
	if (child->pid <= 0)
		return -ECHILD;
	do {
		pid = waitpid(child->pid, &status, WNOHANG);
	} while (pid < 0 && errno == EINTR);
	if (pid < 0 && errno == ECHILD) {
		/* Its number may be somebody else's by now: never signal it again. */
		child->pid = 0;
		child->lost = true;
	}
	if (pid < 0)
		return -errno;
	if (pid == 0)
		return 0;
	note_exit(child, status);
	return 1;
}

static int wait_readable(struct child *child, uint64_t left_ns)
{
	struct pollfd p = { .fd = child->pidfd, .events = POLLIN };
	int timeout_ms = 10;

	/* Without a pidfd (kernel before 5.3) this degrades to polling. */
	if (child->pidfd >= 0 && left_ns == UINT64_MAX)
		timeout_ms = -1;
	else if (child->pidfd >= 0 && left_ns < 3600 * NSEC_PER_SEC)
		timeout_ms = (int)(left_ns / NSEC_PER_MSEC) + 1;
	else if (child->pidfd >= 0)
		timeout_ms = 3600 * 1000;
	if (poll(&p, child->pidfd >= 0 ? 1 : 0, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int child_wait(struct child *child, uint64_t timeout_ns)
{
	uint64_t start = clock_mono_ns();

	for (;;) {
		int r = child_poll(child);
		uint64_t spent = clock_mono_ns() - start;

		if (r != 0)
			return r < 0 ? r : 0;
		if (spent >= timeout_ns)
			return -ETIMEDOUT;
		r = wait_readable(child,
				  timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - spent);
		if (r < 0)
			return r;
	}
}

void child_kill(struct child *child, int signal)
{
	if (child->group > 0)
		kill(-child->group, signal);
	if (child->pid > 0)
		kill(child->pid, signal);
}

void child_deinit(struct child *child)
{
	if (child->pid > 0) {
		child_kill(child, SIGKILL);
		if (child_wait(child, UINT64_MAX) < 0)
			child->pid = 0;
	}
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
}

struct capture {
	int fd;
	struct strbuf *out;
};

/* Reads what is there; closes and forgets the descriptor at its end. */
static int drain(struct capture *c)
{
	char chunk[16384];
	ssize_t n = read(c->fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		close(c->fd);
		c->fd = -1;
		return 0;
	}
	strbuf_add(c->out, chunk, (size_t)n);
	return c->out->error;
}

static int drain_all(struct capture *captures, uint64_t deadline_ns)
{
	while (captures[0].fd >= 0 || captures[1].fd >= 0) {
		struct pollfd p[2] = {
			{ .fd = captures[0].fd, .events = POLLIN },
			{ .fd = captures[1].fd, .events = POLLIN },
		};
		uint64_t now = clock_mono_ns();

		if (now >= deadline_ns)
			return -ETIMEDOUT;
		if (poll(p, 2, 100) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < 2; i++) {
			int r = captures[i].fd >= 0 && p[i].revents ? drain(&captures[i]) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int run_to_end(struct child *child, struct capture *captures, uint64_t timeout_ns,
		      const char *name, struct ktstr_error *err)
{
	uint64_t deadline = clock_add_ns(clock_mono_ns(), timeout_ns), now;
	int r = drain_all(captures, deadline);

	now = clock_mono_ns();
	if (r == 0)
		r = child_wait(child, deadline == UINT64_MAX ? UINT64_MAX
				      : deadline > now	     ? deadline - now
							     : 0);
	if (r == -ETIMEDOUT)
		return ktstr_error_set(err, r, "'%s' did not finish within %llu ms", name,
				       (unsigned long long)(timeout_ns / NSEC_PER_MSEC));
	if (r < 0)
		return ktstr_error_set(err, r, "run '%s': %s", name, strerror(-r));
	if (child->signal)
		return ktstr_error_set(err, -EINTR, "'%s' was killed by signal %d (%s)", name,
				       child->signal, strsignal(child->signal));
	return child->exit_code;
}

int child_run(const char *const *argv, uint64_t timeout_ns, struct strbuf *ret_stdout,
	      struct strbuf *ret_stderr, struct ktstr_error *err)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	_cleanup_close_ int out_write = -1, err_write = -1;
	struct capture captures[2] = { { -1, ret_stdout }, { -1, ret_stderr } };
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return ktstr_error_set(err, -errno, "pipe: %s", strerror(errno));
	captures[0].fd = fds[0];
	out_write = fds[1];
	if (ret_stderr && pipe2(fds, O_CLOEXEC) == 0) {
		captures[1].fd = fds[0];
		err_write = fds[1];
	}
	r = child_start(&(struct child_opts){ .argv = argv,
					      .stdin_fd = -1,
					      .stdout_fd = out_write,
					      .stderr_fd = err_write >= 0 ? err_write : out_write },
			&child, err);
	close(take_fd(&out_write));
	if (err_write >= 0)
		close(take_fd(&err_write));
	if (r == 0)
		r = run_to_end(&child, captures, timeout_ns, argv[0], err);
	for (int i = 0; i < 2; i++)
		if (captures[i].fd >= 0)
			close(captures[i].fd);
	return r;
}
