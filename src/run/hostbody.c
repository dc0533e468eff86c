// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/hostbody.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/interrupt.h"
#include "run/orphan.h"
#include "run/protocol_record.h"

enum { OUTPUT_CHUNK = 32 << 10, OUTPUT_MAX = 64 << 20 };

struct hostbody {
	const struct hostbody_opts *opts;
	struct evidence *e;
	struct child child;
	int socket, out, err; /* -1: at its end */
	int records_fd, output_fd;
	uint64_t seq;
	uint64_t output_bytes, record_bytes;
	struct frame_parser parser;
};

static void damage(struct hostbody *b, const char *what, int r)
{
	if (r == -ENOSPC || r == -EDQUOT)
		evidence_end(b->e, END_DISK_FULL, NULL);
	if (!b->e->damage)
		b->e->damage = path_format("%s: %s", what, strerror(-r));
}

/* Numbers a frame, keeps it and takes it in. */
static void take_frame(struct hostbody *b, void *frame, size_t size)
{
	struct ktstr_error err;
	struct record record;
	int r = frame_renumber(frame, size, ++b->seq);

	if (r == 0)
		r = io_write_all(b->records_fd, frame, size);
	if (r < 0) {
		damage(b, "records.bin", r);
		return;
	}
	r = frame_parser_feed(&b->parser, frame, size);
	while (r == 0 && (r = frame_parser_next(&b->parser, &record, &err)) > 0) {
		evidence_add(b->e, &record);
		r = 0;
	}
	if (r < 0)
		damage(b, "records", r);
}

static void take_json(struct hostbody *b, enum record_type type, json_t *object)
{
	_cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;
	int r = record_encode_json(type, object, &frame);

	if (r < 0)
		damage(b, record_type_name(type), r);
	else
		take_frame(b, frame.data, frame.len);
}

static void take_message(struct hostbody *b, uint8_t *frame, size_t size)
{
	if (b->e->end == END_FLOODED)
		return;
	b->record_bytes += size;
	if (b->record_bytes > PROTOCOL_BODY_RECORDS_MAX)
		evidence_end(b->e, END_FLOODED, "the body sent more than 64 MiB of records");
	else if (size >= PROTOCOL_HEADER_BYTES && !record_from_body(frame_type(frame)))
		damage(b, "it sent a record that only the runner may send", -EBADMSG);
	else
		take_frame(b, frame, size);
}

/* Return: true if there may be more. */
static bool read_socket(struct hostbody *b)
{
	static uint8_t frame[PROTOCOL_HEADER_BYTES + PROTOCOL_PAYLOAD_MAX + 1];
	ssize_t n = recv(b->socket, frame, sizeof(frame), MSG_DONTWAIT);

	if (n > 0) {
		take_message(b, frame, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	close(take_fd(&b->socket));
	return false;
}

static void keep_output(struct hostbody *b, char stream, const char *bytes, size_t len)
{
	_cleanup_strbuf_ struct strbuf payload = STRBUF_INIT, frame = STRBUF_INIT;
	int r;

	if (b->output_bytes > OUTPUT_MAX)
		return;
	b->output_bytes += len;
	if (b->output_bytes > OUTPUT_MAX)
		take_json(b, RECORD_NOTE,
			  json_pack("{s:s}", "text", "the output is cut after 64 MiB"));
	r = io_write_all(b->output_fd, bytes, len);
	if (r < 0)
		damage(b, "output.log", r);
	strbuf_addch(&payload, stream);
	strbuf_add(&payload, bytes, len);
	if (frame_encode(&(struct frame){ .type = RECORD_OUTPUT,
					  .time_ns = clock_mono_ns(),
					  .payload = payload.data,
					  .length = payload.len },
			 &frame) == 0)
		take_frame(b, frame.data, frame.len);
}

static bool read_output(struct hostbody *b, int *fd, char stream)
{
	char chunk[OUTPUT_CHUNK];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0) {
		keep_output(b, stream, chunk, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	close(take_fd(fd));
	return false;
}

/* What is there now, without waiting; the volume is limited because the writers are gone. */
static void drain(struct hostbody *b)
{
	for (int i = 0; b->socket >= 0 && i < 100000 && read_socket(b); i++)
		continue;
	for (int i = 0; b->out >= 0 && i < 1000 && read_output(b, &b->out, 1); i++)
		continue;
	for (int i = 0; b->err >= 0 && i < 1000 && read_output(b, &b->err, 2); i++)
		continue;
}

static int open_file(struct hostbody *b, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", b->opts->dir, name);
	int fd;

	if (!path)
		return ktstr_error_nomem(err);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
	return fd < 0 ? ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno)) : fd;
}

static int start_child(struct hostbody *b, const int far[3], struct ktstr_error *err)
{
	char fd_text[16], seed[PROTOCOL_SEED_TEXT];
	const char *argv[] = { b->opts->program,
			       PROTOCOL_BODY_OPTION,
			       b->opts->entry->name,
			       seed_format(b->opts->seed, seed),
			       perturb_name(b->opts->perturb),
			       fd_text,
			       NULL };
	struct child_opts opts = {
		.argv = argv,
		.stdin_fd = -1,
		.stdout_fd = far[1],
		.stderr_fd = far[2],
		.keep_fds = { far[0] },
		.nr_keep_fds = 1,
	};

	snprintf(fd_text, sizeof(fd_text), "%d", far[0]);
	return child_start(&opts, &b->child, err);
}

static int make_pipe(int *near, int *far, struct ktstr_error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return ktstr_error_set(err, -errno, "pipe: %s", strerror(errno));
	*near = fds[0];
	*far = fds[1];
	if (fcntl(*near, F_SETFL, O_NONBLOCK) < 0)
		return ktstr_error_set(err, -errno, "pipe: %s", strerror(errno));
	return 0;
}

static int start(struct hostbody *b, struct ktstr_error *err)
{
	int far[3] = { -1, -1, -1 }, pair[2], r;

	b->records_fd = open_file(b, "records.bin", err);
	b->output_fd = b->records_fd < 0 ? -1 : open_file(b, "output.log", err);
	if (b->output_fd < 0)
		return err->code;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return ktstr_error_set(err, -errno, "socketpair: %s", strerror(errno));
	b->socket = pair[0];
	far[0] = pair[1];
	r = make_pipe(&b->out, &far[1], err);
	if (r == 0)
		r = make_pipe(&b->err, &far[2], err);
	if (r == 0)
		r = start_child(b, far, err);
	for (int i = 0; i < 3; i++)
		if (far[i] >= 0)
			close(far[i]);
	if (r == 0)
		take_json(b, RECORD_STARTED, json_pack("{s:i}", "pid", (int)b->child.pid));
	return r;
}

static int wait_some(struct hostbody *b, uint64_t limit_ns)
{
	struct pollfd p[] = {
		{ .fd = b->socket, .events = POLLIN },
		{ .fd = b->out, .events = POLLIN },
		{ .fd = b->err, .events = POLLIN },
		{ .fd = b->child.pidfd, .events = POLLIN },
		{ .fd = interrupt_fd(), .events = POLLIN },
	};
	uint64_t now = clock_mono_ns();
	uint64_t left_ms = limit_ns > now ? (limit_ns - now) / NSEC_PER_MSEC + 1 : 0;
	/* Without a pidfd the exit is only seen by asking. */
	uint64_t most = b->child.pidfd >= 0 ? 60000 : 20;

	if (poll(p, ARRAY_SIZE(p), (int)(left_ms < most ? left_ms : most)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (b->socket >= 0 && p[0].revents)
		read_socket(b);
	if (b->out >= 0 && p[1].revents)
		read_output(b, &b->out, 1);
	if (b->err >= 0 && p[2].revents)
		read_output(b, &b->err, 2);
	return 0;
}

/* Until the body's process has ended, or must not go on. */
static void watch(struct hostbody *b)
{
	uint64_t body_end = clock_add_ns(clock_mono_ns(), b->opts->timeout_ns);
	uint64_t limit = body_end < b->opts->deadline_ns ? body_end : b->opts->deadline_ns;

	while (child_poll(&b->child) == 0) {
		int r = wait_some(b, limit);

		if (r < 0) {
			damage(b, "poll", r);
			return;
		}
		if (interrupt_seen()) {
			evidence_end(b->e, END_INTERRUPTED, NULL);
			return;
		}
		if (b->e->end == END_FLOODED)
			return;
		if (clock_mono_ns() < limit)
			continue;
		if (limit == b->opts->deadline_ns)
			evidence_end(b->e, END_RUN_TIME_OVER, NULL);
		else
			take_json(b, RECORD_TIMEOUT,
				  json_pack("{s:I, s:s}", "limit_ns",
					    (json_int_t)b->opts->timeout_ns, "tasks", ""));
		return;
	}
}

static void finish(struct hostbody *b)
{
	child_kill(&b->child, SIGKILL);
	if (child_wait(&b->child, UINT64_MAX) < 0)
		damage(b, "wait", -ECHILD);
	orphan_kill_all(NULL, 0);
	drain(b);
	if (b->child.signal)
		take_json(b, RECORD_BODY_END, json_pack("{s:i}", "signal", b->child.signal));
	else
		take_json(b, RECORD_BODY_END, json_pack("{s:i}", "exit", b->child.exit_code));
}

static void release(struct hostbody *b)
{
	int fds[] = { b->socket, b->out, b->err, b->records_fd, b->output_fd };

	child_deinit(&b->child);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	frame_parser_deinit(&b->parser);
}

void hostbody_run(const struct hostbody_opts *opts, struct evidence *e)
{
	struct hostbody b = {
		.opts = opts,
		.e = e,
		.child = CHILD_INIT,
		.socket = -1,
		.out = -1,
		.err = -1,
		.records_fd = -1,
		.output_fd = -1,
	};
	struct ktstr_error err;

	frame_parser_init(&b.parser);
	e->on_host = true;
	e->start_ns = clock_mono_ns();
	orphan_adopt();
	if (start(&b, &err) < 0) {
		folder_explain(&err);
		evidence_end(e, END_NOT_STARTED, err.text);
		e->no_capacity = err.code == -EAGAIN || err.code == -ENOMEM;
	} else {
		watch(&b);
		finish(&b);
	}
	release(&b);
}
