// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/machine.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "vm/vm.h"
#include <ktstr/log.h>

static void warn_old(const struct ktstr_qemu *qemu)
{
	if (qemu->major < KTSTR_QEMU_GOOD_MAJOR)
		ktstr_log(KTSTR_LOG_WARN,
			  "QEMU %s is older than %d: a vCPU may run up to 250 ms at a stretch, so "
			  "short timing bounds mean little; 'ktstr doctor' says how to get a newer "
			  "one",
			  qemu->version, KTSTR_QEMU_GOOD_MAJOR);
}

int machine_prepare(const struct machine_opts *opts, struct machine *ret_machine,
		    struct ktstr_error *err)
{
	struct machine machine = { 0 };
	struct ktstr_error why = { 0 };
	int r = ktstr_qemu_find(opts->qemu_path, &machine.qemu, err);

	if (r < 0)
		return r;
	warn_old(&machine.qemu);
	r = ktstr_kernel_resolve(opts->kernel_spec, &machine.kernel, err);
	if (r < 0)
		return r;
	ktstr_log(KTSTR_LOG_DEBUG, "kernel '%s' (%s)", machine.kernel.name,
		  machine.kernel.vmlinux_path);
	r = ktstr_accel_probe(&machine.qemu, opts->kernel_spec, &machine.accel, &why, err);
	if (r < 0)
		return r;
	ktstr_log(KTSTR_LOG_DEBUG, "accelerator %s: %s",
		  machine.accel == KTSTR_ACCEL_KVM ? "KVM" : "TCG", why.text);
	machine.image_path = path_format("%s/guest.cpio", opts->dir);
	if (!machine.image_path)
		return ktstr_error_nomem(err);
	r = vm_image_write(machine.image_path, &machine.kernel, err);
	if (r < 0) {
		machine_release(&machine, true);
		return r;
	}
	*ret_machine = machine;
	return 0;
}

void machine_release(struct machine *machine, bool remove_image)
{
	if (machine->image_path && remove_image)
		unlink(machine->image_path);
	free(machine->image_path);
	machine->image_path = NULL;
}
