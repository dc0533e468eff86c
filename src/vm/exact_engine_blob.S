/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The library that stops one clock for QEMU: EXACT_ENGINE_FILE is set by the Makefile. */
	.section .rodata
	.global ktstr_exact_engine_start
	.global ktstr_exact_engine_end
	.hidden ktstr_exact_engine_start
	.hidden ktstr_exact_engine_end
	.balign 16
ktstr_exact_engine_start:
	.incbin EXACT_ENGINE_FILE
ktstr_exact_engine_end:
	.section .note.GNU-stack, "", @progbits
