// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"

/* Ends that the child inherits, closed here once it runs. */
struct ends {
	int records;
	int output[2];
	int terminal;
	const struct perturb_plan *plan;
};

static void ends_deinit(struct ends *e)
{
	closep(&e->records);
	closep(&e->output[0]);
	closep(&e->output[1]);
	closep(&e->terminal);
}

void body_deinit(struct body *body)
{
	closep(&body->records);
	closep(&body->output[0]);
	closep(&body->output[1]);
	closep(&body->terminal);
	*body = (struct body)BODY_INIT;
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_pipe(struct body_pipe *pipe)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*pipe = (struct body_pipe){ fds[0], fds[1] };
	fcntl(fds[1], F_SETPIPE_SZ, BODY_PIPE_BYTES); /* refused: the usual size will do */
	return set_nonblocking(fds[0]);
}

static int open_socket(struct body_pipe *pipe)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*pipe = (struct body_pipe){ fds[0], fds[1] };
	if (setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0)
		return -errno;
	return set_nonblocking(fds[0]);
}

int body_pipes_open(struct body_pipes *ret_pipes)
{
	_cleanup_(body_pipes_deinit) struct body_pipes pipes = BODY_PIPES_INIT;
	int r = open_pipe(&pipes.output[0]);

	if (r == 0)
		r = open_pipe(&pipes.output[1]);
	if (r == 0)
		r = open_socket(&pipes.records);
	if (r < 0)
		return r;
	*ret_pipes = pipes;
	pipes = (struct body_pipes)BODY_PIPES_INIT;
	return 0;
}

static void pipe_deinit(struct body_pipe *pipe)
{
	closep(&pipe->ours);
	closep(&pipe->theirs);
	*pipe = (struct body_pipe){ -1, -1 };
}

void body_pipes_deinit(struct body_pipes *pipes)
{
	pipe_deinit(&pipes->output[0]);
	pipe_deinit(&pipes->output[1]);
	pipe_deinit(&pipes->records);
}

static void take_pipe(struct body_pipe *pipe, int *ret_ours, int *ret_theirs)
{
	*ret_ours = take_fd(&pipe->ours);
	*ret_theirs = take_fd(&pipe->theirs);
}

static int open_terminal(const struct job *job, int *ret_master, int *ret_slave)
{
	struct winsize size = { .ws_row = (unsigned short)job->rows,
				.ws_col = (unsigned short)job->columns };
	char path[64];

	*ret_master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (*ret_master < 0 || unlockpt(*ret_master) < 0 ||
	    ptsname_r(*ret_master, path, sizeof(path)) != 0)
		return -errno;
	*ret_slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ret_slave < 0)
		return -errno;
	if (size.ws_row && size.ws_col && ioctl(*ret_slave, TIOCSWINSZ, &size) < 0)
		return -errno;
	return 0;
}

static int open_ends(const struct job *job, struct body_pipes *pipes, struct body *body,
		     struct ends *ends)
{
	if (job->mode == JOB_SHELL)
		return open_terminal(job, &body->terminal, &ends->terminal);
	for (int i = 0; i < 2; i++)
		take_pipe(&pipes->output[i], &body->output[i], &ends->output[i]);
	if (job->mode == JOB_TEST)
		take_pipe(&pipes->records, &body->records, &ends->records);
	return 0;
}

static int prepare(void *arg)
{
	const struct ends *ends = arg;

	if (setsid() < 0)
		return -errno;
	if (ends->terminal >= 0 && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return -errno;
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) < 0)
		return -errno;
	return ends->plan ? perturb_before_exec(ends->plan) : 0;
}

static const char *search_path(const struct job *job)
{
	for (unsigned int i = 0; i < job->nr_env; i++)
		if (strncmp(job->env[i], "PATH=", 5) == 0)
			return job->env[i] + 5;
	return "/bin:/usr/bin:/sbin:/usr/sbin";
}

static bool may_execute(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* malloc'ed path of @name along PATH, or NULL. */
static char *look_up(const struct job *job, const char *name)
{
	for (const char *dir = search_path(job); *dir; dir += *dir == ':') {
		int len = (int)strcspn(dir, ":");
		char *path = NULL;

		if (len && asprintf(&path, "%.*s/%s", len, dir, name) < 0)
			return NULL;
		if (path && may_execute(path))
			return path;
		free(path);
		dir += len;
	}
	return NULL;
}

struct command {
	const char *argv[PROTOCOL_ARGS_MAX + 3]; /* busybox, the job's, a descriptor, NULL */
	unsigned int argc;
	char *found; /* argv[0] if it was looked up */
	char record_fd[16];
};

static void command_deinit(struct command *c)
{
	free(c->found);
}

static int command_build(const struct job *job, int record_fd, struct command *c,
			 struct ktstr_error *err)
{
	static const char *const shell[] = { "sh" };
	const char *const *argv = job->argc ? (const char *const *)job->argv : shell;
	unsigned int argc = job->argc ? job->argc : 1, i = 0;

	if (strchr(argv[0], '/')) {
		c->argv[c->argc++] = argv[i++];
	} else {
		c->found = look_up(job, argv[0]);
		if (!c->found && !may_execute(BODY_BUSYBOX))
			return ktstr_error_set(err, -ENOENT, "start '%s': not found in the guest",
					       argv[0]);
		c->argv[c->argc++] = c->found ? c->found : BODY_BUSYBOX;
		i += c->found ? 1 : 0;
	}
	while (i < argc)
		c->argv[c->argc++] = argv[i++];
	if (record_fd >= 0) {
		snprintf(c->record_fd, sizeof(c->record_fd), "%d", record_fd);
		c->argv[c->argc++] = c->record_fd;
	}
	return 0;
}

static int start(const struct job *job, struct ends *ends, pid_t *ret_pid, struct ktstr_error *err)
{
	_cleanup_(command_deinit) struct command command = { 0 };
	bool tty = ends->terminal >= 0;
	struct child child;
	int r = command_build(job, ends->records, &command, err);

	if (r == 0 && ends->plan)
		perturb_before_fork(ends->plan);
	if (r == 0)
		r = child_start(
			&(struct child_opts){
				.argv = command.argv,
				.env = (const char *const *)job->env,
				.cwd = BODY_FOLDER,
				.stdin_fd = ends->terminal,
				.stdout_fd = tty ? ends->terminal : ends->output[0],
				.stderr_fd = tty ? ends->terminal : ends->output[1],
				.keep_fds = { ends->records },
				.nr_keep_fds = ends->records >= 0 ? 1 : 0,
				.same_group = true, /* setsid() makes the group */
				.outlive_parent = true,
				.borrow_memory = true,
				.prepare = prepare,
				.prepare_arg = ends,
			},
			&child, err);
	if (r < 0)
		return r;
	closep(&child.pidfd);
	*ret_pid = child.pid;
	return 0;
}

int body_start(const struct job *job, const struct perturb_plan *plan, struct body_pipes *pipes,
	       struct body *ret_body, struct ktstr_error *err)
{
	_cleanup_(body_deinit) struct body body = BODY_INIT;
	_cleanup_(ends_deinit) struct ends ends = {
		.records = -1,
		.output = { -1, -1 },
		.terminal = -1,
		.plan = plan,
	};
	int r = open_ends(job, pipes, &body, &ends);

	body_pipes_deinit(pipes);
	if (r < 0)
		return ktstr_error_set(err, r, "start the body: terminal: %s", strerror(-r));
	r = start(job, &ends, &body.pid, err);
	if (r < 0)
		return r;
	*ret_body = body;
	body = (struct body)BODY_INIT;
	return 0;
}
