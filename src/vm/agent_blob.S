/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The guest agent as bytes, so that a test program needs no file beside itself. */
	.section ktstr_host, "a", @progbits /* vm/elfloaded.h */
	.balign 4096
	.globl ktstr_agent_start
	.hidden ktstr_agent_start
ktstr_agent_start:
	.incbin AGENT_FILE
	.globl ktstr_agent_end
	.hidden ktstr_agent_end
ktstr_agent_end:
	.byte 0
	.balign 4096
	.section .note.GNU-stack, "", @progbits
