/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * machine.h - what all VMs of one run share: QEMU, kernel, accelerator, guest image.
 */
#ifndef KTSTR_RUN_MACHINE_H
#define KTSTR_RUN_MACHINE_H

#include "base/sha256.h"
#include "vm/vm.h"
#include <ktstr/kernel.h>
#include <ktstr/vm.h>

/* AUTO is live where KVM boots a guest, else exact. */
enum machine_mode { MACHINE_AUTO, MACHINE_LIVE, MACHINE_EXACT };

struct machine {
	struct ktstr_qemu qemu;
	struct ktstr_kernel kernel;
	enum ktstr_accel accel;
	bool exact;	  /* accel is TCG then */
	char *image_path; /* in the folder the machine was prepared in */
	struct vm_image image;
	char image_sha256[SHA256_HEX], kernel_sha256[SHA256_HEX]; /* "" if not wanted */
	/* Has the lack of a template been told?  Shared with the processes that are forked. */
	bool *told;
};

struct machine_opts {
	const char *qemu_path;	 /* NULL: find */
	const char *kernel_spec; /* NULL: choose */
	enum machine_mode mode;
	const char *dir; /* receives guest.cpio */
	bool unrecorded; /* nobody asks for checksums */
};

int machine_prepare(const struct machine_opts *opts, struct machine *ret_machine,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The file QEMU is given as the kernel. */
const char *machine_boot_path(const struct ktstr_kernel *kernel);
/* True for the first caller only, among all processes that share @machine. */
bool machine_tell_once(const struct machine *machine);
/* Frees; the image stays unless @remove_image.  A zeroed machine is fine. */
void machine_release(struct machine *machine, bool remove_image);

#endif
