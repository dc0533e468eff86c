/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The BPF collector (bpf/ctprof.bpf.c) as bytes that load themselves (bpf/blob.h), and the one for
 * older kernels as an object in a frame of zstd. */
	.section .rodata.ktstr_ctprof_bpf, "a"
	.globl	ctprof_bpf_blob
	.hidden	ctprof_bpf_blob
	.balign 16
ctprof_bpf_blob:
	.incbin BPF_FILE

	.section .rodata.ktstr_ctprof_bpf_old, "a"
	.globl	ctprof_bpf_old, ctprof_bpf_old_end
	.hidden	ctprof_bpf_old, ctprof_bpf_old_end
ctprof_bpf_old:
	.incbin BPF_OLD_FILE
ctprof_bpf_old_end:
	.section .note.GNU-stack, "", @progbits
