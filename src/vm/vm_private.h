/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* vm_private.h - what the makers and restorers of templates see of a VM. */
#ifndef KTSTR_VM_VM_PRIVATE_H
#define KTSTR_VM_VM_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/child.h"
#include "vm/qmp.h"

struct vm {
	struct child qemu;
	int records_fd;
	uint64_t records_read;
	uint64_t news_ns; /* when there was something last */
	uint64_t cpu_ns;  /* last reading */
	clockid_t cpu_clock;
	struct qmp qmp; /* joined to QEMU if it is restored, saved or passes a stop */
	/* Of a machine that vm_passes_stop(). */
	bool awaits_stop, rang, pause_at_stop;
};

/* Stops QEMU.  Did a page of its memory find no room in the file behind it, of which QEMU died? */
bool vm_lacked_room(struct vm *vm);
/* Says so.  Return: -ENOSPC. */
int vm_refuse_room(const char *dir, struct ktstr_error *err);

#endif
