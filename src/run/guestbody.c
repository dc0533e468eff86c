// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/guestbody.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/jobfile.h"
#include "run/launch.h"
#include "run/objects.h"
#include "run/runrecord.h"
#include "run/verdict.h"
#include <ktstr/log.h>

struct output_log {
	int fd;
	struct evidence *e;
};

static int keep_output(void *arg, int stream, const void *bytes, size_t len)
{
	struct output_log *log = arg;
	int r = io_write_all(log->fd, bytes, len);

	(void)stream;
	if (r < 0 && !log->e->damage)
		log->e->damage = path_format("write output.log: %s", strerror(-r));
	return 0;
}

static int open_log(const char *dir, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/output.log", dir);
	int fd;

	if (!path)
		return ktstr_error_nomem(err);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
	return fd < 0 ? ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno)) : fd;
}

/* One guest on its way. */
struct guestbody {
	const struct guestbody_opts *opts;
	struct evidence *e;
	struct runrecord record;
	char *job_path, *files_path;
	struct jobfile_packed packed;
	uint64_t memory_bytes, wall_limit_ns;
	bool recorded;
	struct launch launch;
};

static int pack_files(struct guestbody *b, struct ktstr_error *err)
{
	const struct guestbody_opts *opts = b->opts;
	_cleanup_free_ char *path = path_format("%s/files.cpio", opts->dir);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = jobfile_pack_test(&(struct jobfile_archive){ path, &opts->machine->image,
							 opts->machine->kernel.vmlinux_path },
			      opts->entry, opts->program, &b->packed, err);
	if (r < 0)
		return r;
	if (!b->recorded) {
		b->files_path = take_ptr(path);
		return 0;
	}
	r = objects_move(opts->objects_dir, path, b->packed.sums.sha256, err);
	if (r == 0)
		r = objects_link(opts->objects_dir, opts->machine->image_path,
				 opts->machine->image_sha256, err);
	if (r < 0)
		return r;
	b->files_path = objects_path(opts->objects_dir, b->packed.sums.sha256);
	return b->files_path ? 0 : ktstr_error_nomem(err);
}

static int describe(struct guestbody *b, struct ktstr_error *err)
{
	const struct guestbody_opts *opts = b->opts;
	const struct jobfile_opts job = {
		.path = b->job_path,
		.files = &b->packed.sums,
		.scenario = b->packed.scenario,
		.topology = &opts->topology,
		.timeout_ns = opts->timeout_ns,
		.seed = opts->seed,
		.perturb = opts->perturb,
		.exact = opts->machine->exact,
		.realtime_ns = opts->machine->exact ? 0 : clock_real_ns(),
	};

	return jobfile_describe_test(&job, opts->program, opts->entry->name, err);
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%.*s", (int)size - 1, from);
}

/* What is known before the start. */
static int fill_record(struct guestbody *b, struct ktstr_error *err)
{
	const struct guestbody_opts *opts = b->opts;
	const struct machine *machine = opts->machine;
	struct runrecord *r = &b->record;
	_cleanup_close_ int fd = open(b->job_path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? -errno : sha256_fd_hex(fd, r->job_sha256);

	if (error < 0)
		return ktstr_error_set(err, error, "read '%s': %s", b->job_path, strerror(-error));
	copy(r->item, sizeof(r->item), path_base(opts->dir));
	copy(r->program, sizeof(r->program), path_base(opts->program));
	copy(r->test, sizeof(r->test), opts->entry->name);
	copy(r->kernel_path, sizeof(r->kernel_path), machine_boot_path(&machine->kernel));
	copy(r->qemu, sizeof(r->qemu), machine->qemu.version);
	copy(r->kernel, sizeof(r->kernel), machine->kernel.name);
	memcpy(r->kernel_sha256, machine->kernel_sha256, SHA256_HEX);
	memcpy(r->image_sha256, machine->image_sha256, SHA256_HEX);
	memcpy(r->files_sha256, b->packed.sums.sha256, SHA256_HEX);
	ktstr_topology_format(&opts->topology, r->topology, sizeof(r->topology));
	r->seed = opts->seed;
	r->perturb = opts->perturb;
	r->timeout_ns = opts->timeout_ns;
	r->wall_limit_ns = b->wall_limit_ns;
	r->memory_bytes = b->memory_bytes;
	copy(r->kernel_args, sizeof(r->kernel_args),
	     b->opts->kernel_args ? b->opts->kernel_args : "");
	r->exact = machine->exact;
	r->engine = RUNRECORD_ENGINE;
	r->accel = machine->accel;
	b->e->inputs = runrecord_inputs(r);
	return b->e->inputs ? 0 : ktstr_error_nomem(err);
}

static const char *kernel_args_of(const struct guestbody_opts *opts)
{
	return opts->kernel_args && *opts->kernel_args ? opts->kernel_args : NULL;
}

static int start(struct guestbody *b, struct ktstr_error *err)
{
	const struct guestbody_opts *opts = b->opts;
	int r;

	b->job_path = path_format("%s/" RUNRECORD_JOB, opts->dir);
	if (!b->job_path)
		return ktstr_error_nomem(err);
	r = pack_files(b, err);
	if (r == 0)
		r = describe(b, err);
	if (r < 0)
		return r;
	b->memory_bytes = opts->memory_bytes
				  ? opts->memory_bytes
				  : vm_memory_bytes(&opts->topology, b->packed.sums.bytes);
	if (b->recorded)
		r = fill_record(b, err);
	if (r < 0)
		return r;
	return launch_start(&(struct launch_opts){ .machine = opts->machine,
						   .topology = opts->topology,
						   .memory_bytes = b->memory_bytes,
						   .kernel_args = kernel_args_of(opts),
						   .job_path = b->job_path,
						   .files_path = b->files_path,
						   .dir = opts->dir,
						   .cold = opts->cold,
						   .progress = opts->progress,
						   .progress_arg = opts->progress_arg,
						   .shell_fd = -1 },
			    b->e, &b->launch, err);
}

/* What only the end can tell.  The verdict's words are another's; here it is one more fact. */
static void write_record(struct guestbody *b)
{
	_cleanup_verdict_ struct verdict verdict = VERDICT_INIT;
	struct runrecord *r = &b->record;
	struct ktstr_error err;

	verdict_judge(b->e, &verdict);
	r->verdict = verdict.verdict;
	copy(r->end, sizeof(r->end), verdict.end);
	r->cloned = b->e->cloned;
	r->nr_events = b->e->nr_events;
	r->virtual_ns = evidence_virtual_ns(b->e);
	memcpy(r->events_sha256, b->e->events_sha256, SHA256_HEX);
	if (runrecord_write(b->opts->dir, r, &err) < 0)
		ktstr_log(KTSTR_LOG_WARN, "%s; this run cannot be replayed", err.text);
}

static void watch(struct guestbody *b, int log_fd)
{
	const struct guestbody_opts *opts = b->opts;
	struct output_log log = { .fd = log_fd, .e = b->e };

	session_run(b->launch.vm,
		    &(struct session_opts){ .dir = opts->dir,
					    .exact = opts->machine->exact,
					    .timeout_ns = opts->timeout_ns,
					    .wall_limit_ns = b->wall_limit_ns,
					    .nr_cpus = ktstr_topology_nr_cpus(&opts->topology),
					    .deadline_ns = opts->deadline_ns,
					    .output = keep_output,
					    .arg = &log,
					    .console = opts->console,
					    .status = opts->status,
					    .status_arg = opts->status_arg },
		    b->e);
	if (b->recorded)
		write_record(b);
}

void guestbody_run(const struct guestbody_opts *opts, struct evidence *e)
{
	_cleanup_close_ int log_fd = -1;
	struct guestbody b = {
		.opts = opts,
		.e = e,
		.recorded = opts->objects_dir && opts->machine->image_sha256[0],
		.wall_limit_ns = opts->wall_limit_ns ? opts->wall_limit_ns
						     : session_wall_limit_ns(opts->timeout_ns),
	};
	struct ktstr_error err;
	int r;

	log_fd = open_log(opts->dir, &err);
	r = log_fd < 0 ? log_fd : start(&b, &err);
	if (r == -EINTR) {
		evidence_end(e, END_INTERRUPTED, NULL);
	} else if (r < 0) {
		folder_explain(&err);
		evidence_end(e, END_NOT_STARTED, err.text);
	} else {
		watch(&b, log_fd);
	}
	launch_end(&b.launch);
	free(b.job_path);
	free(b.files_path);
	free(b.packed.scenario);
}
