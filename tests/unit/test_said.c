// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/said.h"

static const char verifier_log[] = "libbpf: prog 'x': BPF program load failed: Permission denied\n"
				   "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n"
				   "0: R1=ctx() R10=fp0\n"
				   "1: (61) r0 = *(u32 *)(r1 +0)\n"
				   "R1 invalid mem access 'scalar'\n"
				   "processed 2 insns (limit 1000000) max_states_per_insn 0\n"
				   "-- END PROG LOAD LOG --\n"
				   "libbpf: prog 'x': failed to load: -13\n"
				   "libbpf: failed to load object 'x'\n"
				   "x: cannot go on\n";

static void expect_reason(const char *text, const char *wanted)
{
	char buf[128];

	said_find_reason(text, buf, sizeof(buf));
	assert_string_equal(buf, wanted);
}

static void reasons_are_found(void **state)
{
	char buf[8];

	(void)state;
	expect_reason(verifier_log, "R1 invalid mem access 'scalar'");
	expect_reason("a\nR2 bad\n\nVerification failed: Memory\n\nReason:\n  x\n\n"
		      "processed 2 insns (limit 1)\n",
		      "R2 bad");
	expect_reason("libbpf: extern 'x' incompatible\nlibbpf: failed to load object 'o'\nend\n",
		      "libbpf: extern 'x' incompatible");
	expect_reason("x\nmine: unrecognized option '--foo'\nUsage: mine [-v]\n  -v: more\n",
		      "mine: unrecognized option '--foo'");
	expect_reason("/bin/x: error while loading shared libraries: liba.so.1: no\nx\n",
		      "/bin/x: error while loading shared libraries: liba.so.1: no");
	expect_reason("one\n  two \n\n \t\n", "two");
	expect_reason("tw\001o", "tw?o");
	expect_reason("", "");
	said_find_reason("0123456789", buf, sizeof(buf));
	assert_string_equal(buf, "0123456");
}

static void kinds_are_told_apart(void **state)
{
	(void)state;
	assert_true(said_load_failure(verifier_log));
	assert_false(said_usage(verifier_log));
	assert_false(said_load_failure("Usage: a program that loads"));
	assert_true(said_usage("USAGE: x"));
	assert_true(said_attach_failure("x: Failed to attach struct ops"));
	assert_false(said_attach_failure("nothing"));
	assert_true(said_missing_library("x: error while loading shared libraries: y"));
	assert_false(said_missing_library("library"));
	assert_true(said_missing_function("libbpf: extern (func ksym) 'scx_bpf_x': not found in "
					  "kernel or module BTFs\nlibbpf: failed to load object"));
	assert_true(said_missing_function(
		"0: R1=ctx()\ninvalid kernel function call not eliminated in verifier pass\n"));
	assert_false(
		said_missing_function("libbpf: extern (func ksym) 'x': resolved\n': not found"));
}

static void exits_are_found(void **state)
{
	char message[64] = "?";

	(void)state;
	assert_false(said_find_exit("no EXIT: x\n", message, sizeof(message)));
	assert_string_equal(message, "?");
	assert_true(said_find_exit("EXIT: first\nEXIT: stall (a[1] failed (x)) on CPU 1\nmore\n",
				   message, sizeof(message)));
	assert_string_equal(message, "a[1] failed (x)");
	assert_true(
		said_find_exit("EXIT: unregistered from user space\n", message, sizeof(message)));
	assert_string_equal(message, "");
}

static char *collapse(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	said_collapse(text, strlen(text), &out);
	return strbuf_take(&out);
}

static void repetitions_are_collapsed(void **state)
{
	struct strbuf text = STRBUF_INIT;
	char *out;

	(void)state;
	strbuf_addstr(&text, "begin\n");
	for (int i = 0; i < 50; i++)
		strbuf_addf(&text, "1: (b7) r1 = 0 ; R1_w=%d\nfrom 1 to 2: R1=%d\n3: exit\n", i, i);
	strbuf_addstr(&text, "end\n");
	out = collapse(strbuf_str(&text));
	assert_string_equal(out, "begin\n"
				 "1: (b7) r1 = 0 ; R1_w=0\nfrom 1 to 2: R1=0\n3: exit\n"
				 "[the 3 lines above came 50 times; the last time:]\n"
				 "1: (b7) r1 = 0 ; R1_w=49\nfrom 1 to 2: R1=49\n3: exit\n"
				 "end\n");
	free(out);
	strbuf_deinit(&text);
}

static void others_stay(void **state)
{
	char *out = collapse("a\nb\na\nb\nc\nd");

	(void)state;
	assert_string_equal(out, "a\nb\na\nb\nc\nd\n");
	free(out);
	out = collapse("");
	assert_string_equal(out, "");
	free(out);
}

static void the_end_of_a_long_text_counts(void **state)
{
	struct strbuf text = STRBUF_INIT_LIMIT(64 << 20);
	char *out;

	(void)state;
	for (int i = 0; i < SAID_LINES + 100; i++)
		strbuf_addf(&text, "line %d\n", i);
	out = collapse(strbuf_str(&text));
	assert_memory_equal(out, "line 100\n", 9);
	assert_non_null(strstr(out, "line 16483\n"));
	free(out);
	strbuf_deinit(&text);
}

static void last_lines_are_whole(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	said_last_lines("one\ntwo\nthree\n", 14, 9, &out);
	assert_string_equal(strbuf_str(&out), "three\n");
	strbuf_clear(&out);
	said_last_lines("one\rtw\000o", 8, 100, &out);
	assert_string_equal(strbuf_str(&out), "onetw?o");
	strbuf_clear(&out);
	said_last_lines("0123456789", 10, 4, &out);
	assert_string_equal(strbuf_str(&out), "6789");
	strbuf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_found),
		cmocka_unit_test(kinds_are_told_apart),
		cmocka_unit_test(exits_are_found),
		cmocka_unit_test(repetitions_are_collapsed),
		cmocka_unit_test(others_stay),
		cmocka_unit_test(the_end_of_a_long_text_counts),
		cmocka_unit_test(last_lines_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
