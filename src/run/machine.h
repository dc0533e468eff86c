/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * machine.h - what all VMs of one run share: QEMU, kernel, accelerator, guest image.
 */
#ifndef KTSTR_RUN_MACHINE_H
#define KTSTR_RUN_MACHINE_H

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
};

struct machine_opts {
	const char *qemu_path;	 /* NULL: find */
	const char *kernel_spec; /* NULL: choose */
	enum machine_mode mode;
	const char *dir; /* receives guest.cpio */
};

int machine_prepare(const struct machine_opts *opts, struct machine *ret_machine,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Frees; the image stays unless @remove_image.  A zeroed machine is fine. */
void machine_release(struct machine *machine, bool remove_image);

#endif
