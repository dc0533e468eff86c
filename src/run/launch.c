// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/launch.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "run/interrupt.h"
#include <ktstr/log.h>

static struct vm_opts vm_opts_of(const struct launch_opts *opts)
{
	const struct machine *machine = opts->machine;

	return (struct vm_opts){
		.qemu = &machine->qemu,
		.kernel = &machine->kernel,
		.topology = opts->topology,
		.memory_bytes = opts->memory_bytes,
		.kernel_args = opts->kernel_args,
		.accel = machine->accel,
		.initrd_path = machine->image_path,
		.initrd_sha256 = machine->image_sha256,
		.exact = machine->exact,
		.job_path = opts->job_path,
		.files_path = opts->files_path,
		.gdb_path = opts->gdb_path,
		.hold = opts->hold,
		.pause_at_stop = opts->pause_at_stop,
		.dir = opts->dir,
		.shell_fd = opts->shell_fd,
		.cancel_fd = interrupt_fd(),
	};
}

static void log_progress(void *arg, const char *text)
{
	(void)arg;
	ktstr_log(KTSTR_LOG_INFO, "%s", text);
}

static void tell_cold(const struct launch_opts *opts, const struct ktstr_error *why)
{
	if (machine_tell_once(opts->machine))
		ktstr_log(KTSTR_LOG_WARN, "no template can be used, so each guest boots: %s",
			  why->text);
}

/* Return: 0, also without a template; -EINTR. */
static int obtain(const struct launch_opts *opts, const struct vm_opts *vm,
		  struct template **ret_template, struct ktstr_error *err)
{
	struct ktstr_error why = { 0 };
	_cleanup_free_ char *cache = path_cache_dir(&why);
	struct template_opts want = {
		.vm = vm,
		.cache_dir = cache,
		.cancel_fd = interrupt_fd(),
		.progress = opts->progress ? opts->progress : log_progress,
		.arg = opts->progress_arg,
	};
	int r;

	*ret_template = NULL;
	if (opts->cold)
		return 0;
	r = cache ? template_obtain(&want, ret_template, &why) : -ENOENT;
	if (r == -EINTR)
		return ktstr_error_set(err, r, "%s", why.text);
	if (r < 0)
		tell_cold(opts, &why);
	return 0;
}

static int start(const struct launch_opts *opts, struct vm_opts *vm, struct launch *launch,
		 struct ktstr_error *err)
{
	int r = vm_start(vm, &launch->vm, err);

	if (r >= 0 || !vm->template || r == -ENOMEM || r == -EAGAIN || r == -EINVAL || r == -EINTR)
		return r;
	tell_cold(opts, err);
	template_release(launch->template);
	launch->template = NULL;
	vm->template = NULL;
	return vm_start(vm, &launch->vm, err);
}

/* As measured, four busy vCPUs under icount. */
static uint64_t turn_ns(const struct machine *machine)
{
	if (machine->accel != KTSTR_ACCEL_TCG)
		return 0;
	return machine->qemu.major < KTSTR_QEMU_GOOD_MAJOR ? 250 * NSEC_PER_MSEC : NSEC_PER_MSEC;
}

int launch_start(const struct launch_opts *opts, struct evidence *e, struct launch *ret_launch,
		 struct ktstr_error *err)
{
	struct vm_opts vm = vm_opts_of(opts);
	struct launch launch = { 0 };
	int r = obtain(opts, &vm, &launch.template, err);

	if (r < 0)
		return r;
	vm.template = launch.template;
	e->emulated = opts->machine->accel == KTSTR_ACCEL_TCG;
	e->exact = opts->machine->exact;
	e->turn_ns = turn_ns(opts->machine);
	e->memory_bytes = opts->memory_bytes;
	e->start_ns = clock_mono_ns();
	r = start(opts, &vm, &launch, err);
	e->no_capacity = r == -ENOMEM || r == -EAGAIN;
	e->cloned = launch.template;
	if (r < 0) {
		launch_end(&launch);
		return r;
	}
	*ret_launch = launch;
	return 0;
}

void launch_end(struct launch *launch)
{
	vm_destroy(launch->vm);
	if (launch->template)
		template_release(launch->template);
	*launch = (struct launch){ 0 };
}
