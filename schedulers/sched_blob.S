/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The BPF object inside the loader. */
	.section .rodata
	.balign 16
	.globl sched_object
	.globl sched_object_end
sched_object:
	.incbin SCHED_FILE
sched_object_end:
	.section .note.GNU-stack, "", @progbits
