// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static int pipe_fds[2] = { -1, -1 };
static volatile sig_atomic_t seen;
static volatile pid_t parent_pid; /* 0: its death is not our affair */
static struct sigaction before[ARRAY_SIZE(signals)];

static void on_signal(int sig)
{
	int saved = errno;
	ssize_t n;

	(void)sig;
	seen++;
	/* A full pipe is readable already. */
	n = write(pipe_fds[1], "", 1);
	(void)n;
	/* Nobody is left to insist. */
	if (parent_pid && getppid() != parent_pid)
		alarm(INTERRUPT_ORPHAN_S);
	errno = saved;
}

int interrupt_catch(struct ktstr_error *err)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigfillset(&action.sa_mask);
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return ktstr_error_set(err, -errno, "pipe: %s", strerror(errno));
	seen = 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], &action, &before[i]);
		/* nohup and shells that start jobs in the background mean it. */
		if (signals[i] != SIGTERM && before[i].sa_handler == SIG_IGN)
			sigaction(signals[i], &before[i], NULL);
	}
	return 0;
}

void interrupt_release(void)
{
	if (pipe_fds[0] < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	close(take_fd(&pipe_fds[0]));
	close(take_fd(&pipe_fds[1]));
	seen = 0;
}

int interrupt_fd(void)
{
	return pipe_fds[0];
}

bool interrupt_seen(void)
{
	return seen;
}

unsigned int interrupt_take(void)
{
	char bytes[64];

	while (read(pipe_fds[0], bytes, sizeof(bytes)) > 0)
		continue;
	return (unsigned int)seen;
}

int interrupt_in_child(pid_t parent)
{
	int fds[2];

	parent_pid = parent;
	signal(SIGALRM, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -errno;
	if (getppid() != parent)
		return -EOWNERDEAD;
	if (pipe_fds[0] < 0)
		return 0;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	pipe_fds[0] = fds[0];
	pipe_fds[1] = fds[1];
	seen = 0;
	return 0;
}
