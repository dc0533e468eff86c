/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The catalogue's files as bytes, so that no installed path is needed; in the order they are listed. */
	.macro	scenarios name
	.section .rodata.ktstr_scenarios, "a"
1:	.asciz	"\name\().yaml"
2:	.incbin	"scenarios/\name\().yaml"
3:	.byte	0
	.section .data.rel.ro.ktstr_scenarios, "aw"
	.quad	1b, 2b, 3b
	.endm

	.section .data.rel.ro.ktstr_scenarios, "aw"
	.balign	8
	.globl	scenarios_blob
	.hidden	scenarios_blob
scenarios_blob:
	scenarios basic
	scenarios cpuset
	scenarios affinity
	scenarios policy
	scenarios dynamic
	scenarios nested
	scenarios weight
	scenarios wakeup
	scenarios stress
	scenarios hotplug
	scenarios swap
	.quad	0, 0, 0
	.section .note.GNU-stack, "", @progbits
