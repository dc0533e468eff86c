/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What drives scenarios in guests, as bytes, so that `ktstr check` needs no file beside itself. */
	.section ktstr_host, "a", @progbits /* vm/elfloaded.h */
	.balign 4096
	.globl ktstr_scenario_start
	.hidden ktstr_scenario_start
ktstr_scenario_start:
	.incbin SCENARIO_FILE
	.globl ktstr_scenario_end
	.hidden ktstr_scenario_end
ktstr_scenario_end:
	.byte 0
	.balign 4096
	.section .note.GNU-stack, "", @progbits
