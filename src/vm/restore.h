/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * restore.h - QEMU's own migration, to a file and back.
 *
 * Guest memory stays where it is (x-ignore-shared): the state file holds devices and CPUs only.
 */
#ifndef KTSTR_VM_RESTORE_H
#define KTSTR_VM_RESTORE_H

#include "vm/qmp.h"
#include "vm/vm.h"

/* Brings a QEMU that waits with "-incoming defer" to life from @opts->template, and lets it run unless
 * @opts->hold.  Return: as vm_start(). */
int restore_run(struct vm *vm, const struct vm_opts *opts,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Lets a machine run that was started to be saved or to pass a stop.  Return: as vm_start(). */
int restore_begin(struct vm *vm, const struct vm_opts *opts,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Waits until the guest has rung pvpanic and is paused.  Return: as qmp_wait_event(). */
int restore_wait_stop(struct qmp *q, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Without waiting: lets a machine that vm_passes_stop() on if it has reached the stop.
 * Return: 1: it has, 0: not yet, -errno: it never will. */
int restore_pass_stop(struct vm *vm) KTSTR_MUST_CHECK;

/* Writes the state of a paused machine to @path.  The limits of vm's qmp are the caller's. */
int restore_save(struct vm *vm, const struct vm_opts *opts, const char *path,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
