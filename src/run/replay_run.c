// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "run/launch.h"
#include "run/replay.h"
#include "run/session.h"
#include "run/symbol.h"

void replay_say(const struct ktstr_replay_opts *opts, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&line, fmt, ap);
	va_end(ap);
	opts->say(opts->arg, strbuf_str(&line));
}

void replay_say_lines(const struct ktstr_replay_opts *opts, const char *text)
{
	while (*text) {
		int len = (int)strcspn(text, "\n");

		replay_say(opts, "  %.*s", len, text);
		text += len + (text[len] == '\n');
	}
}

static int keep_output(void *arg, int stream, const void *bytes, size_t len)
{
	struct replay_run *run = arg;

	(void)stream;
	if (io_write_all(run->log_fd, bytes, len) < 0 && !run->e->damage)
		run->e->damage = strdup("output.log could not be written");
	return 0;
}

static void on_status(void *arg, const struct session_status *status)
{
	struct replay_run *run = arg;
	const struct ktstr_replay_opts *opts = run->opts;
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	if (run->stop_seq && !run->told_stop && run->e->nr_events >= run->stop_seq) {
		run->told_stop = true;
		replay_say(opts, "stopped at event %" PRIu64 " (%s), the one that made it fail",
			   run->stop_seq, record_type_name(run->stop_type));
	}
	if (!opts->progress)
		return;
	strbuf_addf(&line, "%s: ", run->label);
	text_add_duration(&line, status->virtual_ns);
	strbuf_addstr(&line, " of guest time in ");
	text_add_duration(&line, status->wall_ns);
	opts->progress(opts->arg, strbuf_str(&line));
}

static void on_launch(void *arg, const char *text)
{
	struct replay_run *run = arg;

	if (run->opts->progress)
		run->opts->progress(run->opts->arg, text);
}

/* The description as it was; a live guest's clock is set anew, and the debugger's stop is put in. */
static int write_job(const struct replay_run *run, const char *path, struct ktstr_error *err)
{
	const struct replay_item *item = run->item;
	_cleanup_free_ char *text = NULL;
	struct job job;
	int r;

	if (item->record.exact && !run->stop_seq)
		return io_write_quickly(path, item->job_text, strlen(item->job_text), 0644, err);
	r = job_decode(item->job_text, strlen(item->job_text), &job, err);
	if (r < 0)
		return ktstr_error_wrap(err, r, "the recorded job");
	job.stop_seq = run->stop_seq;
	if (!item->record.exact)
		job.realtime_ns = clock_real_ns();
	r = job_encode(&job, &text, err);
	job_deinit(&job);
	return r < 0 ? r : io_write_quickly(path, text, strlen(text), 0644, err);
}

static void say_debugger(const struct replay_run *run, const char *socket)
{
	const char *vmlinux = run->item->machine.kernel.vmlinux_path;
	_cleanup_strbuf_ struct strbuf command = STRBUF_INIT, target = STRBUF_INIT;
	bool symbols = symbols_present(vmlinux);

	strbuf_addf(&target, "target remote %s", socket);
	/* An exact guest that is busy lets its main loop wait. */
	strbuf_addstr(&command, "gdb -ex 'set remotetimeout 60' -ex ");
	strbuf_add_quoted(&command, strbuf_str(&target));
	strbuf_addch(&command, ' ');
	strbuf_add_quoted(&command, vmlinux);
	replay_say(run->opts,
		   run->stop_seq ? "%s runs until the event that made it fail; in another terminal:"
				 : "%s is held before its first instruction; in another terminal:",
		   run->label);
	replay_say(run->opts, "  %s", strbuf_str(&command));
	replay_say(run->opts,
		   symbols ? "that vmlinux has symbols; 'kill' in gdb or Ctrl-C here ends"
			   : "that vmlinux has no symbols; 'kill' in gdb or Ctrl-C here ends");
}

static int start(struct replay_run *run, const char *socket, struct launch *ret_launch,
		 struct ktstr_error *err)
{
	const struct replay_item *item = run->item;
	_cleanup_free_ char *job_path = path_format("%s/" RUNRECORD_JOB, run->dir);
	struct launch_opts opts = {
		.machine = &item->machine,
		.topology = item->topology,
		.memory_bytes = item->record.memory_bytes,
		.kernel_args = item->record.kernel_args[0] ? item->record.kernel_args : NULL,
		.job_path = job_path,
		.files_path = item->files_path,
		.dir = run->dir,
		.cold = run->opts->cold,
		.shell_fd = -1,
		.gdb_path = socket,
		.hold = run->opts->gdb == KTSTR_REPLAY_GDB_START,
		.pause_at_stop = run->stop_seq,
		.progress = on_launch,
		.progress_arg = run,
	};
	int r;

	if (!job_path)
		return ktstr_error_nomem(err);
	r = write_job(run, job_path, err);
	return r < 0 ? r : launch_start(&opts, run->e, ret_launch, err);
}

static int gdb_socket(const struct replay_run *run, char **ret_path, struct ktstr_error *err)
{
	*ret_path = NULL;
	if (!run->opts->gdb)
		return 0;
	*ret_path = path_format("%s/gdb", run->dir);
	if (!*ret_path)
		return ktstr_error_nomem(err);
	if (strlen(*ret_path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return ktstr_error_set(
			err, -ENAMETOOLONG,
			"'%s' is too long for a socket; choose a shorter folder with "
			"--run-dir",
			*ret_path);
	return 0;
}

int replay_run_once(struct replay_run *run, struct ktstr_error *err)
{
	const struct runrecord *record = &run->item->record;
	_cleanup_free_ char *log = path_format("%s/output.log", run->dir);
	_cleanup_free_ char *socket = NULL;
	_cleanup_close_ int log_fd = -1;
	struct launch launch = { 0 };
	int r = log ? gdb_socket(run, &socket, err) : ktstr_error_nomem(err);

	if (r < 0)
		return r;
	log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (log_fd < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", log, strerror(errno));
	run->log_fd = log_fd;
	r = start(run, socket, &launch, err);
	if (r < 0)
		return r;
	if (socket)
		say_debugger(run, socket);
	session_run(launch.vm,
		    &(struct session_opts){ .dir = run->dir,
					    .exact = record->exact,
					    .patient = socket,
					    .timeout_ns = record->timeout_ns,
					    .wall_limit_ns = record->wall_limit_ns,
					    .nr_cpus = ktstr_topology_nr_cpus(&run->item->topology),
					    .deadline_ns = UINT64_MAX,
					    .output = keep_output,
					    .arg = run,
					    .console = run->opts->console,
					    .status = on_status,
					    .status_arg = run },
		    run->e);
	launch_end(&launch);
	return 0;
}
