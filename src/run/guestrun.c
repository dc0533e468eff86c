// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/interrupt.h"
#include "run/jobfile.h"
#include "run/launch.h"
#include "run/session.h"
#include "run/terminal.h"
#include "run/verdict.h"

struct guestrun {
	const struct ktstr_guest_opts *opts;
	char *dir;
	struct machine machine;
	struct launch launch;
	int shell_near, shell_far; /* ends of the port's socket; -1 for a command */
	int output_error;
};

static int pass_output(void *arg, int stream, const void *bytes, size_t len)
{
	struct guestrun *g = arg;
	int r = io_write_all(stream == 2 ? STDERR_FILENO : STDOUT_FILENO, bytes, len);

	if (r < 0 && stream == 1)
		g->output_error = r;
	return g->output_error;
}

static int write_job(struct guestrun *g, const char *path, const struct pack_sums *files,
		     struct ktstr_error *err)
{
	struct jobfile_opts job = {
		.path = path,
		.files = files,
		.topology = &g->opts->topology,
		.timeout_ns = g->opts->timeout_ns,
		.exact = g->machine.exact,
		.realtime_ns = g->machine.exact ? 0 : clock_real_ns(),
	};
	struct jobfile_guest guest = { .argv = g->opts->argv };

	terminal_size(&guest.rows, &guest.columns);
	return jobfile_describe_guest(&job, &guest, err);
}

static int open_shell(struct guestrun *g, struct ktstr_error *err)
{
	int pair[2];

	if (g->opts->argv)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return ktstr_error_set(err, -errno, "socketpair: %s", strerror(errno));
	g->shell_near = pair[0];
	g->shell_far = pair[1];
	return 0;
}

static int start(struct guestrun *g, struct evidence *e, struct ktstr_error *err)
{
	_cleanup_free_ char *job_path = path_format("%s/job.json", g->dir);
	_cleanup_free_ char *files_path = path_format("%s/files.cpio", g->dir);
	struct pack_sums files;
	int r;

	if (!job_path || !files_path)
		return ktstr_error_nomem(err);
	r = machine_prepare(
		&(struct machine_opts){ .qemu_path = g->opts->qemu_path,
					.kernel_spec = g->opts->kernel_spec,
					.mode = g->opts->exact ? MACHINE_EXACT : MACHINE_LIVE,
					.unrecorded = true,
					.dir = g->dir },
		&g->machine, err);
	if (r == 0)
		r = jobfile_pack_guest(
			&(struct jobfile_archive){ .path = files_path, .image = &g->machine.image },
			g->opts->includes, &files, err);
	if (r == 0)
		r = write_job(g, job_path, &files, err);
	if (r == 0)
		r = open_shell(g, err);
	if (r < 0)
		return r;
	r = launch_start(
		&(struct launch_opts){
			.machine = &g->machine,
			.topology = g->opts->topology,
			.memory_bytes = g->opts->memory_bytes
						? g->opts->memory_bytes
						: vm_memory_bytes(&g->opts->topology, files.bytes),
			.kernel_args = g->opts->kernel_args,
			.job_path = job_path,
			.files_path = files_path,
			.dir = g->dir,
			.cold = g->opts->cold,
			.shell_fd = g->shell_far },
		e, &g->launch, err);
	/* Only QEMU holds its end, so that its exit is the end of the stream. */
	closep(&g->shell_far);
	g->shell_far = -1;
	return r;
}

static int tell(const struct guestrun *g, const struct evidence *e, int *ret_status,
		struct ktstr_error *err)
{
	_cleanup_verdict_ struct verdict verdict = VERDICT_INIT;

	if (g->output_error < 0)
		return ktstr_error_set(err, -EIO, "write to standard output: %s",
				       strerror(-g->output_error));
	if (e->end == END_INTERRUPTED)
		return ktstr_error_set(err, -EINTR, "interrupted");
	if (e->timed_out)
		return ktstr_error_set(err, -ETIMEDOUT, "the command did not finish within %llu ms",
				       (unsigned long long)(g->opts->timeout_ns / NSEC_PER_MSEC));
	if (e->bye && e->body_ended && !e->damage && !e->shape_wrong) {
		if (json_array_size(e->errors))
			return ktstr_error_set(err, -ENOENT, "%s",
					       json_string_value(json_array_get(e->errors, 0)));
		*ret_status = e->body_signal ? 128 + e->body_signal : e->body_exit;
		return 0;
	}
	verdict_judge(e, &verdict);
	return ktstr_error_set(err, -EIO, "%s%s%s", strbuf_str(&verdict.reasons),
			       e->console.tail ? "\nlast lines of the guest console:\n" : "",
			       e->console.tail ? e->console.tail : "");
}

static int run(struct guestrun *g, int *ret_status, struct ktstr_error *err)
{
	_cleanup_evidence_ struct evidence e = { 0 };
	struct terminal *terminal = NULL;
	int r = evidence_init(&e);

	if (r < 0)
		return ktstr_error_nomem(err);
	r = start(g, &e, err);
	if (r == 0 && !g->opts->argv)
		r = terminal_start(g->shell_near, &terminal, err);
	if (r < 0)
		return r;
	session_run(g->launch.vm,
		    &(struct session_opts){ .dir = g->dir,
					    .exact = g->machine.exact,
					    .timeout_ns = g->opts->timeout_ns,
					    .nr_cpus = ktstr_topology_nr_cpus(&g->opts->topology),
					    .deadline_ns = UINT64_MAX,
					    .output = pass_output,
					    .lingers = !g->opts->argv,
					    .arg = g },
		    &e);
	terminal_stop(terminal);
	return tell(g, &e, ret_status, err);
}

int ktstr_guest_run(const struct ktstr_guest_opts *opts, int *ret_status, struct ktstr_error *err)
{
	struct guestrun g = { .opts = opts, .shell_near = -1, .shell_far = -1 };
	struct ktstr_error ignored;
	int r = ktstr_topology_check(&opts->topology, err);

	if (r == 0)
		r = folder_create_run(opts->keep_dir, &g.dir, err);
	if (r < 0)
		return r;
	r = interrupt_catch(err);
	if (r == 0)
		r = run(&g, ret_status, err);
	launch_end(&g.launch);
	interrupt_release();
	closep(&g.shell_near);
	closep(&g.shell_far);
	machine_release(&g.machine, true);
	if (!opts->keep_dir && path_remove_tree(g.dir, &ignored) < 0 && r == 0)
		r = ktstr_error_set(err, -EIO, "%s", ignored.text);
	free(g.dir);
	return r;
}
