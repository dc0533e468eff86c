// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/guestbody.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/jobfile.h"
#include "run/session.h"
#include "vm/vm.h"

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

static int start(const struct guestbody_opts *opts, struct evidence *e, struct vm **ret_vm,
		 struct ktstr_error *err)
{
	_cleanup_free_ char *job_path = path_format("%s/job.json", opts->dir);
	_cleanup_free_ char *files_path = path_format("%s/files.cpio", opts->dir);
	struct pack_sums files;
	struct jobfile_opts job = {
		.path = job_path,
		.files = &files,
		.topology = &opts->topology,
		.timeout_ns = opts->timeout_ns,
		.seed = opts->seed,
		.perturb = opts->perturb,
		.exact = opts->machine->exact,
		.realtime_ns = opts->machine->exact ? 0 : clock_real_ns(),
	};
	int r;

	if (!job_path || !files_path)
		return ktstr_error_nomem(err);
	r = jobfile_pack_test(files_path, opts->entry, opts->program, &files, err);
	if (r == 0)
		r = jobfile_describe_test(&job, opts->program, opts->entry->name, err);
	if (r < 0)
		return r;
	e->memory_bytes = opts->memory_bytes ? opts->memory_bytes
					     : vm_memory_bytes(&opts->topology, files.bytes);
	e->start_ns = clock_mono_ns();
	r = vm_start(&(struct vm_opts){ .qemu = &opts->machine->qemu,
					.kernel = &opts->machine->kernel,
					.topology = opts->topology,
					.memory_bytes = e->memory_bytes,
					.accel = opts->machine->accel,
					.initrd_path = opts->machine->image_path,
					.exact = opts->machine->exact,
					.job_path = job_path,
					.files_path = files_path,
					.dir = opts->dir,
					.shell_fd = -1 },
		     ret_vm, err);
	e->no_capacity = r == -ENOMEM || r == -EAGAIN;
	return r;
}

void guestbody_run(const struct guestbody_opts *opts, struct evidence *e)
{
	_cleanup_close_ int log_fd = -1;
	struct output_log log;
	struct ktstr_error err;
	struct vm *vm = NULL;
	int r = 0;

	e->emulated = opts->machine->accel == KTSTR_ACCEL_TCG;
	log_fd = open_log(opts->dir, &err);
	if (log_fd >= 0)
		r = start(opts, e, &vm, &err);
	if (log_fd < 0 || r < 0) {
		folder_explain(&err);
		evidence_end(e, END_NOT_STARTED, err.text);
		return;
	}
	log = (struct output_log){ .fd = log_fd, .e = e };
	session_run(vm,
		    &(struct session_opts){ .dir = opts->dir,
					    .timeout_ns = opts->timeout_ns,
					    .nr_cpus = ktstr_topology_nr_cpus(&opts->topology),
					    .deadline_ns = opts->deadline_ns,
					    .output = keep_output,
					    .arg = &log },
		    e);
	vm_destroy(vm);
}
