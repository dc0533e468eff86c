// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/story.h"

static const struct story_facts nothing = { .name = "mine", .output = "", .other = "" };

static void set(struct story *s, const char *reason, const char *message)
{
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	snprintf(s->message, sizeof(s->message), "%s", message);
}

static void expect(struct story *s, const struct story_facts *facts, enum story_word word,
		   const char *text)
{
	story_conclude(s, facts);
	assert_string_equal(story_word_name(s->word), story_word_name(word));
	assert_string_equal(s->text, text);
}

static void the_kernel_has_the_first_word(void **state)
{
	struct story s = { .was_attached = true, .signal = SIGSEGV };

	(void)state;
	set(&s, "runnable task stall", "a[1] failed to run for 3.1s");
	expect(&s, &nothing, STORY_stall,
	       "the kernel ejected 'mine': runnable task stall: a[1] failed to run for 3.1s");
	assert_int_equal(s.exit_kind, 1026);
	set(&s, "scx_bpf_error", "bad");
	expect(&s, &nothing, STORY_error, "the kernel ejected 'mine': scx_bpf_error: bad");
	set(&s, "runtime error", "Soft lockup - CPU 1 stuck for 20s");
	expect(&s, &nothing, STORY_stall,
	       "the kernel ejected 'mine': runtime error: Soft lockup - CPU 1 stuck for 20s");
	set(&s, "runtime error", "RCU CPU stall on CPUs (1)");
	expect(&s, &nothing, STORY_stall,
	       "the kernel ejected 'mine': runtime error: RCU CPU stall on CPUs (1)");
	set(&s, "runtime error", "no such DSQ");
	expect(&s, &nothing, STORY_error, "the kernel ejected 'mine': runtime error: no such DSQ");
}

static void ends_of_attached_ones_are_told_apart(void **state)
{
	struct story s = { .was_attached = true, .exited = true };
	struct story_facts f = nothing;

	(void)state;
	set(&s, "unregistered from user space", "");
	expect(&s, &f, STORY_exit,
	       "the loader of 'mine' ended by itself with exit status 0 while it was attached");
	s.exited = false;
	s.signal = SIGSEGV;
	f.output = "oh\n";
	expect(&s, &f, STORY_crash,
	       "the loader of 'mine' was killed by signal 11 (Segmentation fault) while it was "
	       "attached: oh");
	s.signal = 0;
	set(&s, "disabled by sysrq-S", "");
	expect(&s, &f, STORY_gone, "the kernel let go of 'mine': disabled by sysrq-S");
	s.exited = true;
	f.still_enabled = true;
	expect(&s, &f, STORY_left,
	       "the loader of 'mine' ended with exit status 0 and left it attached without any "
	       "process: it must stay as long as its scheduler");
	s.leftovers = strdup("12 (mine)");
	expect(&s, &f, STORY_forked,
	       "the loader of 'mine' went into the background and left 12 (mine): give it the "
	       "option that keeps it in the foreground");
	story_deinit(&s);
}

static void signals_from_here_are_no_crash(void **state)
{
	struct story s = { .was_attached = true, .signal = SIGTERM };
	struct story_facts f = nothing;

	(void)state;
	expect(&s, &f, STORY_crash,
	       "the loader of 'mine' was killed by signal 15 (Terminated) while it was attached");
	f.told_to_go = true;
	expect(&s, &f, STORY_detached, "'mine' was told to go, and went");
	s.signal = SIGSEGV;
	expect(&s, &f, STORY_crash,
	       "the loader of 'mine' was killed by signal 11 (Segmentation fault) while it was "
	       "attached");
	s.signal = SIGKILL;
	f.killed_here = f.forced = true;
	expect(&s, &f, STORY_detached,
	       "'mine' was told to go, and went, but its loader took no notice of SIGTERM and "
	       "SIGINT and was killed; the kernel let go of it only when SysRq-S told it to");
}

static void ways_not_to_attach_are_told_apart(void **state)
{
	static const struct {
		const char *output, *other;
		enum story_word word;
		const char *text;
		int exit_code;
	} rows[] = {
		{ "Usage: mine\n", "", STORY_arguments,
		  "'mine' does not take its arguments (exit status 1): Usage: mine", 1 },
		{ "libbpf: prog 'x': BPF program load failed: E\n", "", STORY_load,
		  "'mine' was not loaded (exit status 1): libbpf: prog 'x': BPF program load "
		  "failed: E",
		  1 },
		{ "libbpf: odd\nUsage: mine\n", "", STORY_arguments,
		  "'mine' does not take its arguments (exit status 1): Usage: mine", 1 },
		{ "libbpf: odd\n", "", STORY_load,
		  "'mine' was not loaded (exit status 1): libbpf: odd", 1 },
		{ "Device or resource busy\n", "other", STORY_refused,
		  "the kernel did not let 'mine' attach: another scheduler, 'other', is attached",
		  1 },
		{ "failed to attach: no\n", "", STORY_refused,
		  "the kernel did not let 'mine' attach: failed to attach: no", 1 },
		{ "x: error while loading shared libraries: y\n", "", STORY_missing,
		  "'mine' cannot be started: x: error while loading shared libraries: y", 127 },
		{ "sorry\n", "", STORY_exit,
		  "the loader of 'mine' ended by itself with exit status 1 before it was "
		  "attached: sorry",
		  1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story s = { .exited = true, .exit_code = rows[i].exit_code };
		struct story_facts f = nothing;

		f.output = rows[i].output;
		f.other = rows[i].other;
		expect(&s, &f, rows[i].word, rows[i].text);
	}
}

static void time_and_refusal_go_before_signals(void **state)
{
	struct story s = { .signal = SIGKILL };
	struct story_facts f = nothing;

	(void)state;
	f.killed_here = f.timed_out = true;
	f.timeout_ns = 2500000000;
	expect(&s, &f, STORY_attach,
	       "'mine' was not attached within 2.5 s, and its loader still ran");
	f.timed_out = false;
	set(&s, "runtime error", "ops.init() failed (-22)");
	expect(&s, &f, STORY_refused,
	       "the kernel did not let 'mine' attach: runtime error: ops.init() failed (-22)");
	f.not_started = "Exec format error";
	expect(&s, &f, STORY_missing, "'mine' cannot be started: Exec format error");
}

static void loaders_know_messages_too(void **state)
{
	struct story s = { .was_attached = true, .exited = true };
	struct story_facts f = nothing;

	(void)state;
	set(&s, "unregistered from the main kernel", "");
	f.output = "EXIT: unregistered from the main kernel (cpu 1 going offline)\n";
	expect(&s, &f, STORY_gone,
	       "the kernel let go of 'mine': unregistered from the main kernel: cpu 1 going "
	       "offline");
	assert_true(story_asks_for_restart(s.reason));
	assert_false(story_asks_for_restart("scx_bpf_error"));
	assert_false(story_asks_for_restart(""));
}

static void odd_names_stay_text(void **state)
{
	struct story s = { .was_attached = true, .exited = true };
	struct story_facts f = nothing;
	char name[2000];

	(void)state;
	memset(name, '\377', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	f.name = name;
	story_conclude(&s, &f);
	assert_null(strchr(s.text, '\377'));
	assert_int_equal(strlen(s.text), STORY_TEXT - 1);
}

static void records_are_bounded(void **state)
{
	struct story s = { .word = STORY_stall, .has_exit_kind = true, .exit_kind = 1026 };
	json_t *record = json_object();
	char *text;

	(void)state;
	set(&s, "runnable task stall", "a");
	s.dump = malloc(STORY_DUMP);
	s.kernel = malloc(STORY_KERNEL);
	memset(s.dump, '\n', STORY_DUMP - 1);
	memset(s.kernel, '"', STORY_KERNEL - 1);
	s.dump[STORY_DUMP - 1] = s.kernel[STORY_KERNEL - 1] = '\0';
	s.exited = true;
	s.exit_code = 3;
	assert_int_equal(story_to_json(&s, record), 0);
	text = json_dumps(record, JSON_COMPACT);
	assert_in_range(strlen(text), STORY_JSON - 2048, STORY_JSON);
	assert_int_equal(json_integer_value(json_object_get(record, "exit")), 3);
	assert_null(json_object_get(record, "signal"));
	assert_null(json_object_get(record, "words"));
	assert_null(json_object_get(record, "restarts"));
	free(text);
	json_decref(record);
	story_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_has_the_first_word),
		cmocka_unit_test(ends_of_attached_ones_are_told_apart),
		cmocka_unit_test(signals_from_here_are_no_crash),
		cmocka_unit_test(ways_not_to_attach_are_told_apart),
		cmocka_unit_test(time_and_refusal_go_before_signals),
		cmocka_unit_test(loaders_know_messages_too),
		cmocka_unit_test(odd_names_stay_text),
		cmocka_unit_test(records_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
