// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"

enum { CHUNK_BYTES = 16384, GAP_BYTES = 64, LAST_LINE_BYTES = 4096 };

struct stream {
	int read_fd, write_fd;
	size_t half;
	struct strbuf head, tail;
	uint64_t written;
	bool cut;
};

struct capture {
	struct stream streams[CAPTURE_STREAMS];
	int stop_fd;
	int pidfd;
	uint64_t exit_ns;
	pthread_mutex_t lock; /* streams' text and exit_ns while the thread runs */
	pthread_t thread;
	bool running;
};

static int open_stream(struct stream *s, size_t keep_bytes)
{
	int fds[2];

	s->half = keep_bytes / 2;
	s->head.limit = keep_bytes + GAP_BYTES;
	s->tail.limit = 2 * s->half + CHUNK_BYTES;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	s->read_fd = fds[0];
	s->write_fd = fds[1];
	/* Only our end: the flag would follow the write end into the child. */
	return fcntl(s->read_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int capture_create(size_t keep_bytes, struct capture **ret_capture, struct ktstr_error *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c)
		return ktstr_error_nomem(err);
	pthread_mutex_init(&c->lock, NULL);
	c->pidfd = -1;
	for (int i = 0; i < CAPTURE_STREAMS; i++)
		c->streams[i].read_fd = c->streams[i].write_fd = -1;
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		r = -errno;
	for (int i = 0; i < CAPTURE_STREAMS && r == 0; i++)
		r = open_stream(&c->streams[i], keep_bytes);
	if (r < 0) {
		capture_destroy(c);
		return ktstr_error_set(err, r, "open pipes for the output: %s", strerror(-r));
	}
	*ret_capture = c;
	return 0;
}

int capture_write_fd(const struct capture *capture, enum capture_stream stream)
{
	return capture->streams[stream].write_fd;
}

static void keep(struct stream *s, const char *bytes, size_t len)
{
	size_t room = s->half - s->head.len;
	size_t first = len < room ? len : room;

	s->written += len;
	strbuf_add(&s->head, bytes, first);
	strbuf_add(&s->tail, bytes + first, len - first);
	if (s->tail.len > 2 * s->half)
		strbuf_consume(&s->tail, s->tail.len - s->half);
}

/* Return: bytes read; 0 if nothing is there now or ever. */
static size_t read_chunk(struct capture *c, struct stream *s)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = read(s->read_fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		close(take_fd(&s->read_fd));
		return 0;
	}
	pthread_mutex_lock(&c->lock);
	keep(s, chunk, (size_t)n);
	pthread_mutex_unlock(&c->lock);
	return (size_t)n;
}

static void *read_until_stopped(void *arg)
{
	struct capture *c = arg;

	for (;;) {
		struct pollfd p[CAPTURE_STREAMS + 2] = {
			{ .fd = c->streams[CAPTURE_STDOUT].read_fd, .events = POLLIN },
			{ .fd = c->streams[CAPTURE_STDERR].read_fd, .events = POLLIN },
			{ .fd = c->pidfd, .events = POLLIN },
			{ .fd = c->stop_fd, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[3].revents)
			return NULL;
		if (p[2].revents) {
			pthread_mutex_lock(&c->lock);
			c->exit_ns = clock_mono_ns();
			c->pidfd = -1;
			pthread_mutex_unlock(&c->lock);
		}
		for (int i = 0; i < CAPTURE_STREAMS; i++)
			if (p[i].revents)
				read_chunk(c, &c->streams[i]);
	}
}

static void asynchronous_signals(sigset_t *set)
{
	static const int synchronous[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };

	sigfillset(set);
	for (size_t i = 0; i < ARRAY_SIZE(synchronous); i++)
		sigdelset(set, synchronous[i]);
}

int capture_start(struct capture *capture, int pidfd, struct ktstr_error *err)
{
	sigset_t blocked, before;
	int r;

	for (int i = 0; i < CAPTURE_STREAMS; i++)
		close(take_fd(&capture->streams[i].write_fd));
	capture->pidfd = pidfd;
	asynchronous_signals(&blocked);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	r = pthread_create(&capture->thread, NULL, read_until_stopped, capture);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return ktstr_error_set(err, -r, "start the thread that reads the output: %s",
				       strerror(r));
	capture->running = true;
	pthread_setname_np(capture->thread, "ktstr-capture");
	return 0;
}

static void stop_thread(struct capture *c)
{
	const uint64_t one = 1;

	if (!c->running)
		return;
	while (write(c->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(c->thread, NULL);
	c->running = false;
}

static void read_rest(struct capture *c, struct stream *s)
{
	int size = s->read_fd >= 0 ? fcntl(s->read_fd, F_GETPIPE_SZ) : 0;
	size_t left = size > 0 ? (size_t)size : 0;

	while (left > 0 && s->read_fd >= 0) {
		size_t n = read_chunk(c, s);

		if (n == 0)
			break;
		left -= n < left ? n : left;
	}
	if (s->read_fd >= 0)
		close(take_fd(&s->read_fd));
}

static void join_halves(struct stream *s)
{
	if (s->tail.len > s->half)
		strbuf_consume(&s->tail, s->tail.len - s->half);
	s->cut = s->head.len + s->tail.len < s->written;
	if (s->cut)
		strbuf_addf(&s->head, "\n[%llu bytes left out]\n",
			    (unsigned long long)(s->written - s->head.len - s->tail.len));
	strbuf_add(&s->head, s->tail.data, s->tail.len);
	strbuf_deinit(&s->tail);
}

void capture_finish(struct capture *capture)
{
	stop_thread(capture);
	for (int i = 0; i < CAPTURE_STREAMS; i++) {
		struct stream *s = &capture->streams[i];

		read_rest(capture, s);
		join_halves(s);
		if (s->write_fd >= 0)
			close(take_fd(&s->write_fd));
	}
	close(take_fd(&capture->stop_fd));
}

struct capture_text capture_text(struct capture *capture, enum capture_stream stream)
{
	struct stream *s = &capture->streams[stream];

	return (struct capture_text){
		.text = strbuf_str(&s->head),
		.length = s->head.len,
		.written = s->written,
		.cut = s->cut,
	};
}

uint64_t capture_exit_ns(struct capture *capture)
{
	uint64_t ns;

	pthread_mutex_lock(&capture->lock);
	ns = capture->exit_ns;
	pthread_mutex_unlock(&capture->lock);
	return ns;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static void copy_last_line(const char *text, size_t len, char *buf, size_t size)
{
	size_t start, n = 0;

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	start = len;
	while (start > 0 && text[start - 1] != '\n' && len - start < LAST_LINE_BYTES)
		start--;
	for (; start < len && n + 1 < size; start++) {
		char c = text[start];

		buf[n++] = (c >= ' ' && c <= '~') || c == '\t' ? c : '?';
	}
	buf[n] = '\0';
}

void capture_last_line(struct capture *capture, enum capture_stream stream, char *buf, size_t size)
{
	struct stream *s = &capture->streams[stream];

	pthread_mutex_lock(&capture->lock);
	copy_last_line(strbuf_str(&s->tail), s->tail.len, buf, size);
	if (!buf[0])
		copy_last_line(strbuf_str(&s->head), s->head.len, buf, size);
	pthread_mutex_unlock(&capture->lock);
}

void capture_destroy(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->stop_fd >= 0)
		capture_finish(capture);
	for (int i = 0; i < CAPTURE_STREAMS; i++) {
		struct stream *s = &capture->streams[i];

		if (s->read_fd >= 0)
			close(s->read_fd);
		if (s->write_fd >= 0)
			close(s->write_fd);
		strbuf_deinit(&s->head);
		strbuf_deinit(&s->tail);
	}
	pthread_mutex_destroy(&capture->lock);
	free(capture);
}
