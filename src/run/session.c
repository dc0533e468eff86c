// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/session.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/interrupt.h"

enum { READ_CHUNK = 64 << 10, QEMU_LOG_TAIL = 2048 };

struct session {
	struct vm *vm;
	const struct session_opts *opts;
	struct evidence *e;
	struct frame_parser parser;
	uint64_t records_bytes;
	uint64_t bye_ns;
	uint64_t next_size_check_ns;
	/* When the guest was heard last, and what had been used by then. */
	uint64_t heard_ns, heard_qemu_ns, heard_idle_ns;
	/* When QEMU was last seen to have run, and how much it had by then. */
	uint64_t ran_ns, ran_qemu_ns;
	bool over;
};

/* Idle and waiting time of all CPUs since boot, /proc/stat (proc(5)); 0 if it cannot be read. */
static uint64_t host_idle_ns(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint64_t ticks = 0, idle, per_second = (uint64_t)sysconf(_SC_CLK_TCK);
	char *rest, *word;
	int column = 0;

	if (io_read_file("/proc/stat", &text, NULL) < 0 || !text.len)
		return 0;
	rest = text.data;
	rest[strcspn(rest, "\n")] = '\0';
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if ((column == 4 || column == 5) && parse_u64(word, &idle) == 0)
			ticks += idle;
		column++;
	}
	return ticks * (NSEC_PER_SEC / per_second);
}

/* The time that waits for devices may go backwards (proc(5)): none is better than 500 years. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

bool session_was_starved(const struct session_silence *silence)
{
	/* Stopped or frozen: even an idle guest makes QEMU run every few seconds. */
	if (silence->still_ns > silence->window_ns / 2)
		return true;
	if (silence->qemu_cpu_ns >= silence->window_ns / 10)
		return false;
	/* It ran little: because nobody let it, or because it had nothing to do? */
	return silence->host_idle_ns < silence->window_ns / 2;
}

bool session_was_frozen(uint64_t gap_ns, uint64_t cpu_ns)
{
	/* If it used more, then it was the runner that saw nothing. */
	return gap_ns >= SESSION_FROZEN_NS && cpu_ns < gap_ns / 10;
}

static uint64_t qemu_cpu_ns(struct session *s)
{
	uint64_t ns;

	return vm_cpu_ns(s->vm, &ns) < 0 ? s->heard_qemu_ns : ns;
}

static void hear(struct session *s)
{
	s->heard_ns = clock_mono_ns();
	s->heard_qemu_ns = qemu_cpu_ns(s);
	s->heard_idle_ns = host_idle_ns();
}

static void end(struct session *s, enum evidence_end how, const char *text)
{
	evidence_end(s->e, how, text);
	s->over = true;
}

static void take_record(struct session *s, const struct record *record)
{
	evidence_add(s->e, record);
	if (record->type == RECORD_OUTPUT && record->length > 1 && s->opts->output &&
	    s->opts->output(s->opts->arg, record->payload[0] == 2 ? 2 : 1, record->payload + 1,
			    record->length - 1) < 0)
		end(s, END_INTERRUPTED, "its output could not be passed on");
	if (record->type == RECORD_BYE)
		s->bye_ns = clock_mono_ns();
}

static int parse_records(struct session *s, const void *bytes, size_t len)
{
	struct ktstr_error err = { 0 };
	struct record record;
	int r = frame_parser_feed(&s->parser, bytes, len);

	while (r == 0 && (r = frame_parser_next(&s->parser, &record, &err)) > 0) {
		take_record(s, &record);
		r = 0;
	}
	if (r < 0 && !s->e->damage)
		s->e->damage = strdup(err.text[0] ? err.text : strerror(-r));
	return r;
}

static void read_records(struct session *s)
{
	static char chunk[READ_CHUNK];
	int n;

	while ((n = vm_read_records(s->vm, chunk, sizeof(chunk))) > 0) {
		s->records_bytes += (uint64_t)n;
		hear(s);
		if (s->records_bytes > SESSION_RECORDS_MAX) {
			end(s, END_FLOODED, "the guest sent more than 256 MiB of records");
			return;
		}
		if (parse_records(s, chunk, (size_t)n) < 0) {
			s->over = true;
			return;
		}
	}
	if (n < 0 && !s->e->damage) {
		s->e->damage = path_format("read records.bin: %s", strerror(-n));
		s->over = true;
	}
}

static char *qemu_ending(struct session *s, const struct vm_exit *ending)
{
	_cleanup_free_ char *path = path_format("%s/qemu.log", s->opts->dir);
	_cleanup_strbuf_ struct strbuf log = STRBUF_INIT;

	if (path && io_read_file(path, &log, NULL) == 0 && log.len > QEMU_LOG_TAIL)
		strbuf_consume(&log, log.len - QEMU_LOG_TAIL);
	if (ending->exited && ending->exit_code == (PROTOCOL_END_GAVE_UP << 1 | 1))
		return path_format("was ended by the guest's agent, which could not go on; the "
				   "guest console says why");
	if (ending->exited)
		return path_format("ended with status %d%s%s", ending->exit_code,
				   log.len ? ":\n" : "", strbuf_str(&log));
	return path_format("was killed by signal %d (%s)%s%s", ending->signal,
			   strsignal(ending->signal), log.len ? ":\n" : "", strbuf_str(&log));
}

static void note_exit(struct session *s)
{
	struct vm_exit ending = { 0 };

	if (vm_exit_status(s->vm, &ending) <= 0)
		return;
	read_records(s);
	if (s->over)
		return;
	if (frame_parser_pending(&s->parser) && !s->e->damage)
		s->e->damage = strdup("the last record is cut off");
	s->over = true;
	/* The agent has said all; if it is not here, the records are incomplete. */
	if (s->bye_ns || (ending.exited && ending.exit_code == (PROTOCOL_END_FINISHED << 1 | 1)))
		return;
	if (ending.exited && ending.exit_code == 0) {
		end(s, END_WENT_DOWN, NULL);
	} else {
		_cleanup_free_ char *text = qemu_ending(s, &ending);

		end(s, END_QEMU_DIED, text);
	}
}

static void end_silence(struct session *s, uint64_t now)
{
	struct session_silence silence = {
		.window_ns = now - s->heard_ns,
		.qemu_cpu_ns = since(qemu_cpu_ns(s), s->heard_qemu_ns),
		.still_ns = now - s->ran_ns,
		.host_idle_ns = since(host_idle_ns(), s->heard_idle_ns),
	};
	_cleanup_free_ char *text =
		path_format("QEMU used %llu ms of CPU time in it, the last of it %llu ms ago, and "
			    "%llu ms were idle on the host's CPUs",
			    silence.qemu_cpu_ns / NSEC_PER_MSEC, silence.still_ns / NSEC_PER_MSEC,
			    silence.host_idle_ns / NSEC_PER_MSEC);

	s->e->silence_ns = silence.window_ns;
	end(s, session_was_starved(&silence) ? END_STARVED : END_HUNG, text);
}

static void note_progress(struct session *s)
{
	uint64_t now = clock_mono_ns(), used = qemu_cpu_ns(s);

	if (used == s->ran_qemu_ns)
		return;
	if (s->e->hello && session_was_frozen(now - s->ran_ns, since(used, s->ran_qemu_ns)))
		s->e->frozen_ns += now - s->ran_ns;
	s->ran_qemu_ns = used;
	s->ran_ns = now;
}

static uint64_t overdue_ns(const struct session *s)
{
	if (!s->e->started || s->e->body_ended || !s->opts->timeout_ns)
		return UINT64_MAX;
	return clock_add_ns(clock_add_ns(s->e->started_ns, s->opts->timeout_ns), SESSION_GRACE_NS);
}

static void end_overdue(struct session *s)
{
	s->e->timeout_limit_ns = s->opts->timeout_ns;
	end(s, END_OVERDUE, NULL);
}

static void check_clock(struct session *s)
{
	uint64_t now = clock_mono_ns();
	uint64_t boot = SESSION_BOOT_NS + s->opts->nr_cpus * SESSION_BOOT_CPU_NS;
	uint64_t silence = s->e->hello ? SESSION_SILENCE_NS : boot;

	if (s->bye_ns)
		s->over = now > s->bye_ns + SESSION_GOODBYE_NS;
	else if (now >= s->opts->deadline_ns)
		end(s, END_RUN_TIME_OVER, NULL);
	else if (now - s->heard_ns > silence)
		end_silence(s, now);
	else if (now > overdue_ns(s))
		end_overdue(s);
}

static void check_console_size(struct session *s)
{
	_cleanup_free_ char *path = NULL;
	uint64_t now = clock_mono_ns();
	struct stat st;

	if (now < s->next_size_check_ns)
		return;
	s->next_size_check_ns = now + NSEC_PER_SEC;
	path = path_format("%s/console.log", s->opts->dir);
	if (path && stat(path, &st) == 0 && st.st_size > SESSION_CONSOLE_MAX)
		end(s, END_FLOODED, "the guest's console wrote more than 64 MiB");
}

static void watch(struct session *s)
{
	while (!s->over) {
		int r = vm_wait(s->vm, interrupt_fd(), 100 * NSEC_PER_MSEC);

		if (r < 0 && r != -EINTR) {
			end(s, END_QEMU_DIED, strerror(-r));
			return;
		}
		if (interrupt_seen()) {
			end(s, END_INTERRUPTED, NULL);
			return;
		}
		note_progress(s);
		read_records(s);
		if (!s->over)
			note_exit(s);
		if (!s->over)
			check_clock(s);
		if (!s->over)
			check_console_size(s);
	}
}

/* A full disk looks like silence, damage or a quiet end, and is none of them. */
static void check_disk(struct session *s)
{
	bool odd = s->e->damage || !s->bye_ns;

	if (odd && s->e->end != END_INTERRUPTED && folder_is_full(s->opts->dir))
		s->e->end = END_DISK_FULL;
}

void session_run(struct vm *vm, const struct session_opts *opts, struct evidence *e)
{
	struct session s = { .vm = vm, .opts = opts, .e = e };
	_cleanup_free_ char *console = path_format("%s/console.log", opts->dir);
	struct ktstr_error err;

	frame_parser_init(&s.parser);
	hear(&s);
	s.ran_ns = s.heard_ns;
	watch(&s);
	vm_stop(vm);
	check_disk(&s);
	frame_parser_deinit(&s.parser);
	if (console && console_scan_file(console, &e->console, &err) < 0 && !e->damage)
		e->damage = strdup(err.text);
}
