// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/intake.h"
#include "run/interrupt.h"
#include "run/scenario.h"
#include "run/stolen.h"

enum { READ_CHUNK = 64 << 10, QEMU_LOG_TAIL = 2048 };

struct session {
	struct vm *vm;
	const struct session_opts *opts;
	struct evidence *e;
	struct intake intake;
	uint64_t start_ns, bye_ns, status_ns;
	uint64_t next_size_check_ns;
	/* When the guest was heard last, and what had been used by then. */
	uint64_t heard_ns, heard_qemu_ns, heard_idle_ns;
	/* When QEMU was last seen to have run, and how much it had by then. */
	uint64_t ran_ns, ran_qemu_ns;
	bool over;
	int console_fd;	      /* to be shown; -1: not, or not there yet */
	bool is_whole;	      /* QEMU is gone, so its records are all there */
	struct stolen stolen; /* of a live guest */
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

static void on_record(void *arg, const struct record *record)
{
	struct session *s = arg;

	stolen_heard(&s->stolen, record->time_ns, clock_mono_ns());
	if (record->type == RECORD_OUTPUT && record->length > 1 && s->opts->output &&
	    s->opts->output(s->opts->arg, record->payload[0] == 2 ? 2 : 1, record->payload + 1,
			    record->length - 1) < 0)
		end(s, END_INTERRUPTED, "its output could not be passed on");
	if (record->type == RECORD_BYE)
		s->bye_ns = clock_mono_ns();
}

static void read_records(struct session *s)
{
	char chunk[READ_CHUNK];
	int n;

	while ((n = vm_read_records(s->vm, chunk, sizeof(chunk))) > 0) {
		hear(s);
		if (intake_feed(&s->intake, chunk, (size_t)n) < 0) {
			s->over = true;
			return;
		}
		if (s->intake.bytes > SESSION_RECORDS_MAX) {
			end(s, END_FLOODED, "the guest sent more than 256 MiB of records");
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
	/* A clone that reads a page for the first time may have to put it on the template's disk. */
	return path_format("was killed by signal %d (%s)%s%s%s", ending->signal,
			   strsignal(ending->signal),
			   ending->signal == SIGBUS
				   ? "; is the disk full that the templates are on? See 'ktstr "
				     "template list'"
				   : "",
			   log.len ? ":\n" : "", strbuf_str(&log));
}

static void note_exit(struct session *s)
{
	struct vm_exit ending = { 0 };

	if (vm_exit_status(s->vm, &ending) <= 0)
		return;
	read_records(s);
	if (s->over)
		return;
	s->over = true;
	s->is_whole = true;
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
	end(s, !s->opts->exact && session_was_starved(&silence) ? END_STARVED : END_HUNG, text);
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

uint64_t session_wall_limit_ns(uint64_t timeout_ns)
{
	if (timeout_ns > UINT64_MAX / SESSION_WALL_FACTOR)
		return UINT64_MAX;
	timeout_ns *= SESSION_WALL_FACTOR;
	return timeout_ns > SESSION_WALL_LIMIT_NS ? timeout_ns : SESSION_WALL_LIMIT_NS;
}

static bool is_silent(const struct session_clock *c)
{
	uint64_t boot = SESSION_BOOT_NS + c->nr_cpus * SESSION_BOOT_CPU_NS;

	if (c->exact)
		return c->cpu_ns >
		       (c->hello ? SESSION_EXACT_SILENCE_NS : SESSION_EXACT_BOOT * boot);
	return c->heard_ns > (c->hello ? SESSION_SILENCE_NS : boot);
}

enum session_due session_due(const struct session_clock *c)
{
	if (c->patient)
		return SESSION_GOES_ON;
	if (c->run_is_over)
		return SESSION_RUN_OVER;
	if (is_silent(c))
		return SESSION_SILENT;
	if (c->timeout_ns && c->body_ns > clock_add_ns(c->timeout_ns, SESSION_GRACE_NS))
		return SESSION_OVERDUE;
	if (c->exact && c->wall_limit_ns && c->wall_ns > c->wall_limit_ns)
		return SESSION_WALL;
	return SESSION_GOES_ON;
}

static uint64_t body_ns(const struct session *s, uint64_t now)
{
	const struct evidence *e = s->e;

	if (!e->started || e->body_ended)
		return 0;
	return s->opts->exact ? since(e->last_virtual_ns, e->started_virtual_ns)
			      : since(now, e->started_ns);
}

static void end_wall_limit(struct session *s)
{
	s->e->wall_limit_ns = s->opts->wall_limit_ns;
	end(s, END_WALL_LIMIT, NULL);
}

static void check_limits(struct session *s, uint64_t now)
{
	const struct session_opts *opts = s->opts;
	const struct session_clock c = {
		.exact = opts->exact,
		.patient = opts->patient,
		.hello = s->e->hello,
		.wall_ns = now - s->start_ns,
		.heard_ns = now - s->heard_ns,
		.cpu_ns = opts->exact ? since(qemu_cpu_ns(s), s->heard_qemu_ns) : 0,
		.body_ns = body_ns(s, now),
		.timeout_ns = opts->timeout_ns,
		.wall_limit_ns = opts->wall_limit_ns,
		.nr_cpus = opts->nr_cpus,
		.run_is_over = now >= opts->deadline_ns,
	};

	switch (session_due(&c)) {
	case SESSION_GOES_ON:
		return;
	case SESSION_RUN_OVER:
		end(s, END_RUN_TIME_OVER, NULL);
		return;
	case SESSION_SILENT:
		end_silence(s, now);
		return;
	case SESSION_OVERDUE:
		s->e->timeout_limit_ns = opts->timeout_ns;
		end(s, END_OVERDUE, NULL);
		return;
	case SESSION_WALL:
		end_wall_limit(s);
		return;
	}
}

static void check_clock(struct session *s)
{
	uint64_t now = clock_mono_ns();

	/* Nothing follows; how long QEMU takes to end is nobody's business. */
	if (s->bye_ns)
		s->over = !s->opts->lingers || now > s->bye_ns + SESSION_GOODBYE_NS;
	else
		check_limits(s, now);
}

static void tell_status(struct session *s)
{
	uint64_t now = clock_mono_ns();

	if (!s->opts->status || now < s->status_ns)
		return;
	s->status_ns = now + SESSION_STATUS_NS;
	s->opts->status(s->opts->status_arg,
			&(struct session_status){ .exact = s->opts->exact,
						  .virtual_ns = evidence_virtual_ns(s->e),
						  .wall_ns = now - s->start_ns });
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

/* QEMU makes the file, and appends. */
static void show_console(struct session *s)
{
	char chunk[READ_CHUNK];
	ssize_t n;

	if (!s->opts->console)
		return;
	if (s->console_fd < 0) {
		_cleanup_free_ char *path = path_format("%s/console.log", s->opts->dir);

		s->console_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	}
	while (s->console_fd >= 0 && (n = read(s->console_fd, chunk, sizeof(chunk))) > 0)
		if (io_write_all(STDERR_FILENO, chunk, (size_t)n) < 0)
			break;
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
		stolen_sample(&s->stolen, clock_mono_ns());
		read_records(s);
		if (!s->over)
			note_exit(s);
		if (!s->over)
			check_clock(s);
		if (!s->over)
			check_console_size(s);
		tell_status(s);
		show_console(s);
	}
}

/* A full disk looks like silence, damage or a quiet end, and is none of them. */
static void check_disk(struct session *s)
{
	bool odd = s->e->damage || !s->bye_ns;

	if (odd && s->e->end != END_INTERRUPTED && folder_is_full(s->opts->dir))
		s->e->end = END_DISK_FULL;
}

/* What the host may have done to the guest meanwhile; nothing of it matters to an exact one. */
static void conclude(struct session *s)
{
	const struct judge_disturbance *disturbances;
	size_t nr = stolen_conclude(&s->stolen, &disturbances);

	scenario_conclude(s->e, &(struct judge_host){ .exact = s->opts->exact,
						      .one_thread = s->e->emulated,
						      .nr_vcpus = s->opts->nr_cpus,
						      .turn_ns = s->e->turn_ns,
						      .measured = s->opts->exact || nr,
						      .disturbances = disturbances,
						      .nr_disturbances = nr });
}

void session_run(struct vm *vm, const struct session_opts *opts, struct evidence *e)
{
	struct session s = { .vm = vm, .opts = opts, .e = e, .console_fd = -1 };
	_cleanup_free_ char *console = path_format("%s/console.log", opts->dir);
	struct ktstr_error err;

	e->exact = opts->exact;
	intake_init(&s.intake, e, on_record, &s);
	/* Without it nothing is measured, which its judge says. */
	if (!opts->exact && stolen_init(&s.stolen, "/proc", vm_pid(vm)) < 0)
		stolen_deinit(&s.stolen);
	hear(&s);
	s.start_ns = s.ran_ns = s.heard_ns;
	watch(&s);
	if (s.bye_ns && !opts->lingers)
		vm_kill(vm);
	else
		vm_stop(vm);
	show_console(&s);
	closep(&s.console_fd);
	if (s.is_whole || s.bye_ns)
		intake_end(&s.intake);
	check_disk(&s);
	intake_deinit(&s.intake);
	conclude(&s);
	stolen_deinit(&s.stolen);
	if (console && console_scan_file(console, &e->console, &err) < 0 && !e->damage)
		e->damage = strdup(err.text);
}
