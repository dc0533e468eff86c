// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/launch.h"

#include <errno.h>

#include "base/clock.h"

enum { FILES_MIN_BYTES = 16 << 20 };

uint64_t launch_memory_bytes(const struct ktstr_topology *topology, uint64_t files_bytes)
{
	uint64_t rounded = FILES_MIN_BYTES;

	while (rounded < files_bytes && rounded <= UINT64_MAX / 2)
		rounded *= 2;
	return vm_memory_bytes(topology, rounded);
}

static struct vm_opts vm_opts_of(const struct launch_opts *opts)
{
	const struct machine *machine = opts->machine;

	return (struct vm_opts){
		.qemu = &machine->qemu,
		.kernel = &machine->kernel,
		.topology = opts->topology,
		.memory_bytes = opts->memory_bytes,
		.accel = machine->accel,
		.initrd_path = machine->image_path,
		.exact = machine->exact,
		.job_path = opts->job_path,
		.files_path = opts->files_path,
		.gdb_path = opts->gdb_path,
		.hold = opts->hold,
		.pause_at_stop = opts->pause_at_stop,
		.dir = opts->dir,
		.shell_fd = opts->shell_fd,
	};
}

int launch_start(const struct launch_opts *opts, struct evidence *e, struct launch *ret_launch,
		 struct ktstr_error *err)
{
	struct vm_opts vm = vm_opts_of(opts);
	struct launch launch = { 0 };
	int r;

	e->emulated = opts->machine->accel == KTSTR_ACCEL_TCG;
	e->exact = opts->machine->exact;
	e->memory_bytes = opts->memory_bytes;
	e->start_ns = clock_mono_ns();
	r = vm_start(&vm, &launch.vm, err);
	e->no_capacity = r == -ENOMEM || r == -EAGAIN;
	if (r < 0)
		return r;
	*ret_launch = launch;
	return 0;
}

void launch_end(struct launch *launch)
{
	vm_destroy(launch->vm);
	*launch = (struct launch){ 0 };
}
