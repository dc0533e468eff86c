// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "guest/body.h"
#include "guest/shell.h"
#include "guest/tasks.h"
#include "run/protocol_record.h"

enum source {
	SOURCE_PORT,
	SOURCE_SIGNALS,
	SOURCE_BEAT,
	SOURCE_LIMIT,
	SOURCE_RECORDS,
	SOURCE_STDOUT,
	SOURCE_STDERR,
	SOURCE_SHELL,
	SOURCE_TERMINAL,
	NR_SOURCES
};

enum {
	OUTPUT_CHUNK = PROTOCOL_PAYLOAD_MAX - 1,
	/* Between reads of output: a body that writes in small pieces would otherwise be preempted
	 * for each of them.  The pipe holds BODY_PIPE_BYTES meanwhile. */
	OUTPUT_PAUSE_NS = 4 * 1000000,
	LEFTOVERS_NAMED = 8
};

struct loop {
	const struct loop_opts *opts;
	struct channel *channel;
	struct loop_result result;
	struct body body;
	struct shell shell;
	bool has_shell;
	int signals, beat, limit;
	bool port_stalled; /* no host behind it: asked again at the next beat */
	bool timed_out;
	bool ending; /* the body is gone or given up; what is left is being killed */
	bool given_up;
	uint64_t output_bytes[2];
	uint64_t output_ns; /* not read before */
	uint64_t record_bytes;
	uint64_t nr_garbage;
};

static void loop_deinit(struct loop *l)
{
	if (l->has_shell)
		shell_deinit(&l->shell);
	body_deinit(&l->body);
	closep(&l->signals);
	closep(&l->beat);
	closep(&l->limit);
}

static int set_timer(int fd, uint64_t first_ns, uint64_t interval_ns)
{
	const struct itimerspec when = {
		.it_value = { (time_t)(first_ns / NSEC_PER_SEC), (long)(first_ns % NSEC_PER_SEC) },
		.it_interval = { (time_t)(interval_ns / NSEC_PER_SEC),
				 (long)(interval_ns % NSEC_PER_SEC) },
	};

	return timerfd_settime(fd, 0, &when, NULL) < 0 ? -errno : 0;
}

int loop_make_ready(struct loop_ready *ret_ready)
{
	_cleanup_(loop_ready_deinit) struct loop_ready ready = LOOP_READY_INIT;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	ready.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	ready.beat = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	ready.limit = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (ready.signals < 0 || ready.beat < 0 || ready.limit < 0)
		return -errno;
	r = body_pipes_open(&ready.pipes);
	if (r < 0)
		return r;
	*ret_ready = ready;
	ready = (struct loop_ready)LOOP_READY_INIT;
	return 0;
}

void loop_ready_deinit(struct loop_ready *ready)
{
	closep(&ready->signals);
	closep(&ready->beat);
	closep(&ready->limit);
	body_pipes_deinit(&ready->pipes);
	*ready = (struct loop_ready)LOOP_READY_INIT;
}

static int start_timers(struct loop *l)
{
	const struct perturb_plan *plan = l->opts->plan;
	const struct job *job = l->opts->job;

	if (set_timer(l->beat, plan ? plan->beat_ns : job->heartbeat_ns, job->heartbeat_ns) < 0)
		return -errno;
	return set_timer(l->limit, job->timeout_ns, 0);
}

/* --- the end of the body ----------------------------------------------------------------- */

static void kill_leftovers(struct loop *l)
{
	if (l->opts->whole_machine)
		kill(-1, SIGKILL);
	else if (l->body.pid > 0)
		kill(-l->body.pid, SIGKILL);
}

static void name_leftovers(struct loop *l)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT_LIMIT(4096);
	unsigned int nr = tasks_names("/proc", getpid(), LEFTOVERS_NAMED, &names);

	if (nr)
		channel_send_text(l->channel, RECORD_NOTE,
				  "%u %s left running when the body ended, and killed: %s%s", nr,
				  nr == 1 ? "process was" : "processes were", strbuf_str(&names),
				  nr > LEFTOVERS_NAMED ? ", ..." : "");
}

/* Does PID 1 have a child left?  Who loses its parent becomes one. */
static bool is_alone(const struct loop *l)
{
	siginfo_t info;

	return l->opts->whole_machine && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
	       errno == ECHILD;
}

static void begin_ending(struct loop *l)
{
	if (l->ending)
		return;
	l->ending = true;
	if (is_alone(l))
		return;
	if (l->opts->whole_machine && !l->timed_out && l->opts->job->mode == JOB_TEST)
		name_leftovers(l);
	kill_leftovers(l);
	if (set_timer(l->limit, LOOP_ENDING_NS, 0) < 0)
		l->given_up = true;
}

static void on_child(struct loop *l)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(l->signals, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != l->body.pid)
			continue;
		l->result.exited = WIFEXITED(status);
		l->result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
		l->result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		begin_ending(l);
		l->body.pid = 0;
	}
}

static void on_timeout(struct loop *l)
{
	_cleanup_strbuf_ struct strbuf tasks = STRBUF_INIT;

	l->timed_out = true;
	tasks_describe("/proc", getpid(), &tasks);
	channel_send_json(l->channel, RECORD_TIMEOUT,
			  json_pack("{s:I,s:o}", "limit_ns", (json_int_t)l->opts->job->timeout_ns,
				    "tasks", record_text(strbuf_str(&tasks))));
	begin_ending(l);
}

static void on_limit(struct loop *l)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT_LIMIT(4096);
	uint64_t expirations;

	if (read(l->limit, &expirations, sizeof(expirations)) < 0)
		return;
	if (!l->ending) {
		on_timeout(l);
		return;
	}
	l->given_up = true;
	tasks_names("/proc", getpid(), LEFTOVERS_NAMED, &names);
	channel_send_text(l->channel, RECORD_ERROR, "processes could not be killed within %d s: %s",
			  (int)(LOOP_ENDING_NS / NSEC_PER_SEC), strbuf_str(&names));
}

static void on_beat(struct loop *l)
{
	uint64_t expirations;

	l->port_stalled = false;
	if (l->ending)
		kill_leftovers(l);
	if (read(l->beat, &expirations, sizeof(expirations)) > 0)
		channel_send(l->channel, RECORD_HEARTBEAT, "{}", 2);
}

/* --- what the body says ------------------------------------------------------------------ */

static bool is_json_object(const char *text, size_t len)
{
	json_t *object = json_loadb(text, len, 0, NULL);
	bool is = json_is_object(object);

	json_decref(object);
	return is;
}

/* Why a message is not passed on; NULL if it is fine. */
static const char *message_fault(char *bytes, size_t len, bool cut)
{
	if (cut)
		return "longer than a record may be";
	if (frame_renumber(bytes, len, 0) < 0)
		return "not a record";
	if (!record_from_body(frame_type(bytes)))
		return "a record that only the agent may send";
	if (!is_json_object(bytes + PROTOCOL_HEADER_BYTES, len - PROTOCOL_HEADER_BYTES))
		return "a record whose payload is no JSON object";
	return NULL;
}

static void report_garbage(struct loop *l, const char *fault, const char *bytes, size_t len)
{
	char hex[2 * 16 + 1] = "";

	if (++l->nr_garbage > LOOP_GARBAGE_SHOWN)
		return;
	for (size_t i = 0; i < len && i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	channel_send_text(l->channel, RECORD_ERROR,
			  "the test body sent %zu bytes that are %s: %s%s", len, fault, hex,
			  len > 16 ? "..." : "");
}

static void take_message(struct loop *l, char *bytes, size_t len, bool cut)
{
	const char *fault = message_fault(bytes, len, cut);

	if (fault) {
		report_garbage(l, fault, bytes, len);
		return;
	}
	if (l->record_bytes > PROTOCOL_BODY_RECORDS_MAX)
		return;
	l->record_bytes += len;
	if (l->record_bytes > PROTOCOL_BODY_RECORDS_MAX)
		channel_send_text(l->channel, RECORD_ERROR,
				  "the test body sent more than %d bytes of records; the rest is "
				  "dropped",
				  PROTOCOL_BODY_RECORDS_MAX);
	else
		channel_forward(l->channel, bytes, len);
}

static void on_records(struct loop *l)
{
	static char bytes[PROTOCOL_HEADER_BYTES + PROTOCOL_PAYLOAD_MAX];
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(l->body.records, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* An empty message looks like the end, but it brings credentials. */
	if (n < 0 || (n == 0 && msg.msg_controllen == 0)) {
		close(take_fd(&l->body.records));
		return;
	}
	take_message(l, bytes, (size_t)n, msg.msg_flags & MSG_TRUNC);
}

static void on_output(struct loop *l, int which)
{
	static char bytes[1 + OUTPUT_CHUNK];
	bool exec = l->opts->job->mode == JOB_EXEC;
	uint64_t max = exec ? LOOP_EXEC_OUTPUT_MAX : LOOP_OUTPUT_MAX;
	uint64_t before = l->output_bytes[which];
	ssize_t n = read(l->body.output[which], bytes + 1, OUTPUT_CHUNK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(take_fd(&l->body.output[which]));
		return;
	}
	if (n < OUTPUT_CHUNK)
		l->output_ns = clock_mono_ns() + OUTPUT_PAUSE_NS;
	l->output_bytes[which] += (uint64_t)n;
	bytes[0] = (char)(which + 1);
	if (l->output_bytes[which] <= max)
		channel_send(l->channel, RECORD_OUTPUT, bytes, 1 + (size_t)n);
	else if (before <= max)
		channel_send_text(l->channel, exec ? RECORD_ERROR : RECORD_NOTE,
				  "%s is cut after %llu bytes; the rest is dropped",
				  which == 0 ? "stdout" : "stderr", (unsigned long long)before);
}

/* --- waiting ----------------------------------------------------------------------------- */

/* Time until output is read again. */
static uint64_t pause_ns(const struct loop *l)
{
	uint64_t now = clock_mono_ns();

	return l->ending || now >= l->output_ns ? 0 : l->output_ns - now;
}

static void watch(const struct loop *l, bool pause, struct pollfd *fds)
{
	/* While the host is slow, whoever produces must wait. */
	bool wait = channel_full(l->channel);
	bool write = l->channel->queue.len && !l->port_stalled;

	for (int i = 0; i < NR_SOURCES; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	fds[SOURCE_PORT] = (struct pollfd){ write ? l->channel->fd : -1, POLLOUT, 0 };
	fds[SOURCE_SIGNALS].fd = l->signals;
	fds[SOURCE_BEAT].fd = l->beat;
	fds[SOURCE_LIMIT].fd = l->limit;
	fds[SOURCE_RECORDS].fd = wait ? -1 : l->body.records;
	fds[SOURCE_STDOUT].fd = wait || pause ? -1 : l->body.output[0];
	fds[SOURCE_STDERR].fd = wait || pause ? -1 : l->body.output[1];
	if (l->has_shell)
		shell_poll(&l->shell, &fds[SOURCE_SHELL], !pause);
}

static void serve(struct loop *l, const struct pollfd *fds)
{
	if (fds[SOURCE_BEAT].revents)
		on_beat(l);
	if (fds[SOURCE_PORT].revents & POLLOUT)
		channel_pump(l->channel);
	else if (fds[SOURCE_PORT].revents)
		l->port_stalled = true;
	if (fds[SOURCE_RECORDS].revents)
		on_records(l);
	for (int i = 0; i < 2; i++)
		if (fds[SOURCE_STDOUT + i].revents)
			on_output(l, i);
	if (fds[SOURCE_TERMINAL].revents & POLLIN)
		l->output_ns = clock_mono_ns() + OUTPUT_PAUSE_NS;
	if (l->has_shell && !shell_move(&l->shell, &fds[SOURCE_SHELL])) {
		shell_deinit(&l->shell);
		l->has_shell = false;
		begin_ending(l);
	}
	/* A body that ended in time did, even if its limit has passed since. */
	if (fds[SOURCE_SIGNALS].revents)
		on_child(l);
	if (fds[SOURCE_LIMIT].revents)
		on_limit(l);
}

/* Nothing is left that could write, or it was waited for long enough. */
static bool is_over(const struct loop *l)
{
	const struct body *b = &l->body;

	if (l->given_up)
		return true;
	return l->ending && b->pid == 0 && b->records < 0 && b->output[0] < 0 && b->output[1] < 0 &&
	       !l->has_shell;
}

static int watch_body(struct loop *l, struct ktstr_error *err)
{
	struct pollfd fds[NR_SOURCES];

	while (!is_over(l)) {
		uint64_t pause = pause_ns(l);
		const struct timespec timeout = { .tv_nsec = (long)pause };

		watch(l, pause, fds);
		if (ppoll(fds, NR_SOURCES, pause ? &timeout : NULL, NULL) < 0) {
			if (errno == EINTR)
				continue;
			return ktstr_error_set(err, -errno, "poll: %s", strerror(errno));
		}
		serve(l, fds);
	}
	return 0;
}

static void send_end(struct loop *l)
{
	const struct loop_result *r = &l->result;

	if (l->nr_garbage > LOOP_GARBAGE_SHOWN)
		channel_send_text(l->channel, RECORD_ERROR,
				  "the test body sent %llu bad messages in all",
				  (unsigned long long)l->nr_garbage);
	if (l->body.pid)
		return; /* it is still there: how it ended is not known */
	channel_send_number(l->channel, RECORD_BODY_END, r->exited ? "exit" : "signal",
			    r->exited ? r->exit_code : r->signal);
}

/* As a shell does: 127 for a command that is not there, 126 for one that cannot be run. */
static void report_no_start(struct loop *l, int code, const char *why)
{
	char text[1100];
	int len;

	l->result.exited = true;
	l->result.exit_code = code == -ENOENT ? 127 : 126;
	if (l->opts->job->mode != JOB_EXEC) {
		channel_send_text(l->channel, RECORD_ERROR, "%s", why);
		return;
	}
	len = snprintf(text, sizeof(text), "\2%s\n", why);
	channel_send(l->channel, RECORD_OUTPUT, text, (size_t)len);
	send_end(l);
}

int loop_run(const struct loop_opts *opts, struct loop_result *ret_result, struct ktstr_error *err)
{
	_cleanup_(loop_deinit) struct loop l = {
		.opts = opts,
		.channel = opts->channel,
		.body = BODY_INIT,
		.signals = take_fd(&opts->ready->signals),
		.beat = take_fd(&opts->ready->beat),
		.limit = take_fd(&opts->ready->limit),
	};
	struct ktstr_error why;
	int r = start_timers(&l);

	if (r < 0)
		return ktstr_error_set(err, r, "watch the body: %s", strerror(-r));
	r = body_start(opts->job, opts->plan, &opts->ready->pipes, &l.body, &why);
	if (r < 0) {
		report_no_start(&l, r, why.text);
		*ret_result = l.result;
		return 0;
	}
	l.result.started = true;
	if (opts->job->mode == JOB_SHELL) {
		shell_init(&l.shell, opts->shell_fd, l.body.terminal);
		l.has_shell = true;
	}
	channel_send_number(l.channel, RECORD_STARTED, "pid", (int)l.body.pid);
	r = watch_body(&l, err);
	if (r < 0)
		return r;
	send_end(&l);
	*ret_result = l.result;
	return 0;
}
