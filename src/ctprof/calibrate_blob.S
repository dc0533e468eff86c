/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The calibration helper (helper/calibrate.c) as bytes, so that no installed path is needed. */
	.section .rodata.ktstr_calibrate, "a"
	.globl	ctprof_calibrate_blob
	.hidden	ctprof_calibrate_blob
	.globl	ctprof_calibrate_blob_end
	.hidden	ctprof_calibrate_blob_end
	.balign 16
ctprof_calibrate_blob:
	.incbin CALIBRATE_FILE
ctprof_calibrate_blob_end:
	.section .note.GNU-stack, "", @progbits
