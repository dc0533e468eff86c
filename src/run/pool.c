// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "run/interrupt.h"
#include "run/orphan.h"

enum { CHUNK = 64 << 10, ORPHANED = 125, CHUNKS_AT_ONCE = 64 };

int pool_init(struct pool *pool, size_t size, const struct pool_ops *ops)
{
	*pool = (struct pool){ .ops = *ops, .size = size };
	pool->workers = calloc(size, sizeof(*pool->workers));
	return pool->workers ? 0 : -ENOMEM;
}

/* Its group holds what it started and did not put into groups of their own. */
static void kill_worker(const struct pool_worker *worker)
{
	kill(-worker->pid, SIGKILL);
	kill(worker->pid, SIGKILL);
}

static int reap(const struct pool_worker *worker)
{
	int status = 0;
	pid_t pid;

	do {
		pid = waitpid(worker->pid, &status, 0);
	} while (pid < 0 && errno == EINTR);
	return status;
}

static void release(struct pool_worker *worker)
{
	close(worker->fd);
	strbuf_deinit(&worker->text);
}

void pool_deinit(struct pool *pool)
{
	for (size_t i = 0; i < pool->nr; i++) {
		kill_worker(&pool->workers[i]);
		reap(&pool->workers[i]);
		release(&pool->workers[i]);
	}
	free(pool->workers);
	*pool = (struct pool){ 0 };
}

__attribute__((noreturn)) static void be_worker(struct pool *pool, size_t item, int fd,
						pid_t parent, const sigset_t *mask)
{
	sigset_t mine = *mask;

	setpgid(0, 0);
	/* A worker is in the background of the terminal and may still write to it. */
	signal(SIGTTOU, SIG_IGN);
	for (size_t i = 0; i < pool->nr; i++)
		close(pool->workers[i].fd);
	/* It is told of its parent's death, so that it can end what left its group as well. */
	if (interrupt_in_child(parent) < 0)
		_exit(ORPHANED);
	sigdelset(&mine, SIGTERM);
	sigdelset(&mine, SIGALRM);
	sigprocmask(SIG_SETMASK, &mine, NULL);
	_exit(pool->ops.work(pool->ops.arg, item, fd));
}

int pool_start(struct pool *pool, size_t item, struct ktstr_error *err)
{
	sigset_t all, before;
	pid_t parent = getpid(), pid;
	int fds[2], error;

	if (pool->nr == pool->size)
		return ktstr_error_set(err, -EAGAIN, "all %zu workers are busy", pool->size);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return ktstr_error_set(err, -errno, "start a worker: pipe: %s", strerror(errno));
	/* No signal may reach the new process while it still has this one's pipe for signals. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	error = errno;
	if (pid == 0)
		be_worker(pool, item, fds[1], parent, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return ktstr_error_set(err, -error, "start a worker: fork: %s", strerror(error));
	}
	setpgid(pid, pid); /* either side may come first */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	pool->workers[pool->nr++] = (struct pool_worker){
		.item = item,
		.pid = pid,
		.fd = fds[0],
		.text = STRBUF_INIT_LIMIT(POOL_LINE_MAX),
	};
	return 0;
}

static void hand_on_lines(struct pool *pool, struct pool_worker *worker, size_t from)
{
	char *text = worker->text.data, *end;
	size_t done = 0;

	/* What stood there before has no newline. */
	while ((end = memchr(text + from, '\n', worker->text.len - from))) {
		*end = '\0';
		pool->ops.line(pool->ops.arg, worker->item, text + done);
		done = from = (size_t)(end - text) + 1;
	}
	strbuf_consume(&worker->text, done);
}

/* Return: false at the end of what it wrote. */
static bool read_worker(struct pool *pool, struct pool_worker *worker)
{
	static char chunk[CHUNK];
	size_t before = worker->text.len;
	ssize_t n = 0;
	bool open;

	for (int i = 0; i < CHUNKS_AT_ONCE; i++) {
		n = read(worker->fd, chunk, sizeof(chunk));
		if (n <= 0)
			break;
		if (!worker->flooded)
			strbuf_add(&worker->text, chunk, (size_t)n);
	}
	open = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (worker->text.error && !worker->flooded) {
		worker->flooded = true;
		strbuf_clear(&worker->text);
		kill_worker(worker);
	}
	if (worker->text.len > before)
		hand_on_lines(pool, worker, before);
	return open;
}

static void kill_orphans(const struct pool *pool)
{
	_cleanup_free_ pid_t *keep = calloc(pool->nr + 1, sizeof(*keep));

	for (size_t i = 0; keep && i < pool->nr; i++)
		keep[i] = pool->workers[i].pid;
	if (keep)
		orphan_kill_all(keep, pool->nr);
}

static void end_worker(struct pool *pool, size_t index)
{
	struct pool_worker worker = pool->workers[index];
	struct pool_end end = { .flooded = worker.flooded };
	int status;

	/* While it is not reaped, its number and its group's belong to nobody else. */
	kill(-worker.pid, SIGKILL);
	status = reap(&worker);
	if (WIFSIGNALED(status))
		end.signal = WTERMSIG(status);
	else
		end.exit_code = WEXITSTATUS(status);
	pool->workers[index] = pool->workers[--pool->nr];
	release(&worker);
	if (end.signal)
		kill_orphans(pool);
	pool->ops.ended(pool->ops.arg, worker.item, &end);
}

static int poll_timeout(uint64_t timeout_ns)
{
	return timeout_ns < 3600 * NSEC_PER_SEC ? (int)(timeout_ns / NSEC_PER_MSEC) + 1
						: 3600 * 1000;
}

int pool_wait(struct pool *pool, int wake_fd, uint64_t timeout_ns)
{
	_cleanup_free_ struct pollfd *p = calloc(pool->nr + 1, sizeof(*p));
	size_t nr = pool->nr;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		p[i] = (struct pollfd){ .fd = pool->workers[i].fd, .events = POLLIN };
	p[nr] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
	if (poll(p, nr + 1, poll_timeout(timeout_ns)) < 0)
		return errno == EINTR ? 0 : -errno;
	/* From behind: the one that ends gives its place to the last, which was looked at. */
	for (size_t i = nr; i-- > 0;)
		if (p[i].revents && !read_worker(pool, &pool->workers[i]))
			end_worker(pool, i);
	return 0;
}

void pool_signal(struct pool *pool, int signal)
{
	for (size_t i = 0; i < pool->nr; i++)
		if (signal == SIGKILL)
			kill_worker(&pool->workers[i]);
		else
			kill(pool->workers[i].pid, signal);
}
