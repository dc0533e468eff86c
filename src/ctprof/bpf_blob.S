/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The BPF collector (bpf/ctprof.bpf.c) as bytes that load themselves: see bpf/blob.h. */
	.section .rodata.ktstr_ctprof_bpf, "a"
	.globl	ctprof_bpf_blob
	.hidden	ctprof_bpf_blob
	.balign 16
ctprof_bpf_blob:
	.incbin BPF_FILE
	.section .note.GNU-stack, "", @progbits
