// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/filesum.h"
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

const char *machine_boot_path(const struct ktstr_kernel *kernel)
{
	return kernel->pvh || !kernel->image_path[0] ? kernel->vmlinux_path : kernel->image_path;
}

bool machine_tell_once(const struct machine *machine)
{
	return !machine->told || !__atomic_test_and_set(machine->told, __ATOMIC_RELAXED);
}

static int choose_engine(const struct machine_opts *opts, struct machine *machine,
			 struct ktstr_error *err)
{
	struct ktstr_error why = { .text = "asked for an exact run" };
	int r = 0;

	machine->accel = KTSTR_ACCEL_TCG;
	machine->exact = opts->mode == MACHINE_EXACT;
	if (!machine->exact)
		r = ktstr_accel_probe(&machine->qemu, opts->kernel_spec, &machine->accel, &why,
				      err);
	if (opts->mode == MACHINE_AUTO)
		machine->exact = machine->accel == KTSTR_ACCEL_TCG;
	if (r == 0)
		ktstr_log(KTSTR_LOG_DEBUG, "accelerator %s, mode %s: %s",
			  machine->accel == KTSTR_ACCEL_KVM ? "KVM" : "TCG",
			  machine->exact ? "exact" : "live", why.text);
	return r;
}

static int write_image(const struct machine_opts *opts, struct machine *machine,
		       struct ktstr_error *err)
{
	_cleanup_close_ int fd = -1;
	int r;

	machine->image_path = path_format("%s/guest.cpio", opts->dir);
	if (!machine->image_path)
		return ktstr_error_nomem(err);
	r = vm_image_write(machine->image_path, &machine->kernel, &machine->image, err);
	if (r < 0 || opts->unrecorded)
		return r;
	fd = open(machine->image_path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : sha256_fd_hex(fd, machine->image_sha256);
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", machine->image_path, strerror(-r));
	return filesum_sha256(machine_boot_path(&machine->kernel), machine->kernel_sha256, err);
}

static bool *share_flag(void)
{
	void *page =
		mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

int machine_prepare(const struct machine_opts *opts, struct machine *ret_machine,
		    struct ktstr_error *err)
{
	struct machine machine = { 0 };
	int r = ktstr_qemu_find(opts->qemu_path, &machine.qemu, err);

	if (r < 0)
		return r;
	warn_old(&machine.qemu);
	r = ktstr_kernel_resolve(opts->kernel_spec, &machine.kernel, err);
	if (r < 0)
		return r;
	ktstr_log(KTSTR_LOG_DEBUG, "kernel '%s' (%s)", machine.kernel.name,
		  machine.kernel.vmlinux_path);
	r = choose_engine(opts, &machine, err);
	if (r == 0)
		r = write_image(opts, &machine, err);
	if (r < 0) {
		machine_release(&machine, true);
		return r;
	}
	machine.told = share_flag();
	*ret_machine = machine;
	return 0;
}

void machine_release(struct machine *machine, bool remove_image)
{
	if (machine->image_path && remove_image)
		unlink(machine->image_path);
	free(machine->image_path);
	machine->image_path = NULL;
	if (machine->told)
		munmap(machine->told, sizeof(*machine->told));
	machine->told = NULL;
}
