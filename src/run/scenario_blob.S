/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What drives scenarios in guests, as bytes, so that `ktstr check` needs no file beside itself. */
	.section .rodata.ktstr_scenario, "a", @progbits
	.balign 16
	.globl ktstr_scenario_start
	.hidden ktstr_scenario_start
ktstr_scenario_start:
	.incbin SCENARIO_FILE
	.globl ktstr_scenario_end
	.hidden ktstr_scenario_end
ktstr_scenario_end:
	.byte 0
	.section .note.GNU-stack, "", @progbits
