/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The page of compare and show, so that no installed path is needed. */
	.macro	page name, file
	.globl	page_\name
	.hidden	page_\name
page_\name:
	.incbin	"\file"
	.byte	0
	.endm

	.section .rodata.ktstr_page, "a"
	page	html, "src/ctprof/page/page.html"
	page	css, "src/ctprof/page/page.css"
	page	js, "src/ctprof/page/page.js"
	.section .note.GNU-stack, "", @progbits
