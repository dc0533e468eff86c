// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Scripts play the loader, files of a folder play the kernel; tests/vm/sched_stories.c has real ones. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/attach.h"

#include "../lib/scratch.h"

static struct scratch folder;
static struct ktstr_scheduler scheduler;
static struct scheduler *running;
static struct ktstr_error err;

static int set_up(void **state)
{
	int r = scratch_set_up(state);

	scratch_text(&folder, "kernel/sched_ext/state", "disabled\n");
	scratch_text(&folder, "kernel/sched_ext/enable_seq", "0\n");
	scheduler = (struct ktstr_scheduler){ .name = "mine", .attach_timeout_ns = 30000000000 };
	running = NULL;
	return r;
}

static int tear_down(void **state)
{
	scheduler_destroy(running);
	return scratch_tear_down(state);
}

/* Return: as scheduler_start(). */
static int start(const char *path)
{
	scheduler.binary = path;
	return scheduler_start(
		&(struct scheduler_opts){ .scheduler = &scheduler, .sysfs = folder.dir }, &running,
		&err);
}

/* As in the kernel, the state changes before the count does, and nobody sees half a file. */
static int start_script(const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "#!/bin/sh\nK=%s/kernel/sched_ext\n"
			 "put() { echo \"$1\" >$2.new; mv $2.new $2; }\n"
			 "attach() { mkdir -p $K/root; put mine $K/root/ops; put enabled $K/state; "
			 "put 1 $K/enable_seq; }\ndetach() { put disabled $K/state; }\n%s\n",
			 folder.dir, body);

	assert_in_range(n, 1, sizeof(text) - 1);
	return start(scratch_write(&folder, "loader", text, (size_t)n, 0755));
}

static void expect(const char *word, const char *text)
{
	const struct story *story = scheduler_story(running);

	assert_string_equal(story_word_name(story->word), word);
	if (!strstr(story->text, text))
		fail_msg("'%s' is not in '%s'", text, story->text);
	assert_int_equal(scheduler_poll(running), 0);
	assert_int_equal(scheduler_stop(running, &err), 0);
}

static void kernels_without_sched_ext_are_told(void **state)
{
	(void)state;
	unlink(scratch_path(&folder, "kernel/sched_ext/state"));
	assert_int_equal(start("/bin/true"), -ENOTSUP);
	assert_non_null(strstr(err.text, "has no sched_ext"));
}

static void files_that_cannot_run_are_told(void **state)
{
	static const struct {
		const char *content;
		mode_t mode;
		const char *text;
	} rows[] = {
		{ "#!/bin/sh\n", 0644, "Permission denied" },
		{ "#!/no/such/shell\n", 0755, "its interpreter or dynamic linker is not there" },
		{ "text", 0755, "it is no program for this machine" },
	};

	(void)state;
	assert_int_equal(start(scratch_path(&folder, "none")), 0);
	expect("missing", "'mine' cannot be started: start '");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scheduler_destroy(running);
		assert_int_equal(start(scratch_write(&folder, "loader", rows[i].content,
						     strlen(rows[i].content), rows[i].mode)),
				 0);
		expect("missing", rows[i].text);
	}
}

static void ends_before_attachment_are_told(void **state)
{
	static const struct {
		const char *body, *word, *text;
	} rows[] = {
		{ "echo sorry >&2; exit 3", "exit", "exit status 3 before it was attached: sorry" },
		{ "echo only here; exit 0", "exit", "only here" },
		{ "kill -SEGV $$", "crash", "signal 11" },
		{ "echo 'Usage: mine' >&2; exit 1", "arguments", "Usage: mine" },
		{ "echo 'libbpf: failed to load object' >&2; exit 1", "load", "failed to load" },
		/* Its name is the shell's until it executes. */
		{ "sleep 1000 & exit 0", "forked", "went into the background and left" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scheduler_destroy(running);
		assert_int_equal(start_script(rows[i].body), 0);
		assert_false(scheduler_story(running)->was_attached);
		expect(rows[i].word, rows[i].text);
	}
}

static void time_is_limited(void **state)
{
	(void)state;
	scheduler.attach_timeout_ns = 100000000;
	assert_int_equal(start_script("sleep 1000"), 0);
	expect("attach", "not attached within 0.1 s");
}

static void it_goes_when_told_to(void **state)
{
	const struct story *story;

	(void)state;
	assert_int_equal(start_script("trap 'detach; exit 0' TERM; attach; "
				      "while :; do sleep 0.01; done"),
			 1);
	assert_int_equal(scheduler_poll(running), 1);
	assert_true(scheduler_pid(running) > 0);
	assert_string_equal(scheduler_story(running)->ops, "mine");
	assert_int_equal(scheduler_stop(running, &err), 0);
	story = scheduler_story(running);
	assert_int_equal(story->word, STORY_detached);
	assert_true(story->exited);
	assert_int_equal(story->exit_code, 0);
	assert_int_equal(scheduler_pid(running), 0);
}

static void ends_while_attached_are_told(void **state)
{
	(void)state;
	assert_int_equal(start_script("attach; sleep 0.2; detach; exit 7"), 1);
	while (scheduler_poll(running) == 1)
		;
	expect("exit", "exit status 7 while it was attached");
}

static void output_is_bounded(void **state)
{
	const struct story *story;

	(void)state;
	assert_int_equal(
		start_script("head -c 30000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2; "
			     "exit 1"),
		0);
	story = scheduler_story(running);
	assert_int_equal(story->stderr_bytes, 30000005);
	assert_in_range(strlen(story->words), 4, STORY_WORDS_BYTES);
	expect("exit", ": end");
}

#define ATTACH_TEST(test) cmocka_unit_test_prestate_setup_teardown(test, set_up, tear_down, &folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACH_TEST(kernels_without_sched_ext_are_told),
		ATTACH_TEST(files_that_cannot_run_are_told),
		ATTACH_TEST(ends_before_attachment_are_told),
		ATTACH_TEST(time_is_limited),
		ATTACH_TEST(it_goes_when_told_to),
		ATTACH_TEST(ends_while_attached_are_told),
		ATTACH_TEST(output_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
