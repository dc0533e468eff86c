// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "sched/state.h"

#include "../lib/scratch.h"

static void numbers_are_whole_or_nothing(void **state)
{
	static const char *const bad[] = { "",	   "\n",  "x",
					   "1x",   "-1",  " 1",
					   "1\n2", "1 2", "111111111111111111111111111" };
	struct sched_number n = { 0 };

	(void)state;
	assert_int_equal(sched_parse_number("17\n", &n), 0);
	assert_true(n.known);
	assert_int_equal(n.value, 17);
	assert_int_equal(sched_parse_number("0", &n), 0);
	assert_int_equal(n.value, 0);
	n = (struct sched_number){ 0 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(sched_parse_number(bad[i], &n), 0);
	assert_int_equal(sched_parse_number("18446744073709551616", &n), -ERANGE);
	assert_false(n.known);
}

static void events_are_read(void **state)
{
	struct sched_events e;

	(void)state;
	assert_int_equal(sched_parse_events("SCX_EV_A 1\nSCX_EV_B -2\n", &e), 0);
	assert_true(e.known);
	assert_int_equal(e.nr, 2);
	assert_string_equal(e.items[1].name, "SCX_EV_B");
	assert_int_equal(e.items[1].value, -2);
	assert_int_equal(sched_parse_events("", &e), 0);
	assert_int_equal(e.nr, 0);
}

static void damaged_events_are_refused(void **state)
{
	static const char *const bad[] = { "A",	    "A ",	  " 1",	  "A x\n",
					   "A 1 2", "A 1\n\nB 2", "A\t1", "\001 1" };
	struct sched_events e = { .nr = 7 };
	char text[SCHED_EVENT_BYTES + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sched_parse_events(bad[i], &e), -EBADMSG);
	memset(text, 'A', SCHED_EVENT_BYTES);
	memcpy(text + SCHED_EVENT_BYTES, " 1", 3);
	assert_int_equal(sched_parse_events(text, &e), -EBADMSG);
	assert_int_equal(e.nr, 7);
	assert_int_equal(sched_parse_events(text + 1, &e), 0);
}

static void too_many_events_are_counted(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct sched_events e;

	(void)state;
	for (int i = 0; i < SCHED_EVENTS + 3; i++)
		strbuf_addf(&text, "E%d %d\n", i, i);
	assert_int_equal(sched_parse_events(strbuf_str(&text), &e), 0);
	assert_int_equal(e.nr, SCHED_EVENTS);
	assert_int_equal(e.more, 3);
	strbuf_deinit(&text);
}

static void increase_is_of_both_readings(void **state)
{
	struct sched_events before, after, unknown = { 0 };
	json_t *o;

	(void)state;
	assert_int_equal(sched_parse_events("A 5\nB 9\nGONE 1\n", &before), 0);
	assert_int_equal(sched_parse_events("A 7\nB 2\nNEW 3\n", &after), 0);
	o = sched_events_increase(&before, &after);
	assert_int_equal(json_object_size(o), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "A")), 2);
	/* It was begun anew. */
	assert_int_equal(json_integer_value(json_object_get(o, "B")), 2);
	json_decref(o);
	o = sched_events_increase(NULL, &after);
	assert_int_equal(json_integer_value(json_object_get(o, "NEW")), 3);
	json_decref(o);
	assert_null(sched_events_increase(&unknown, &after));
	assert_null(sched_events_increase(&before, &unknown));
}

static struct scratch folder;

static void put(const struct scratch *s, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "kernel/sched_ext/%s", name);
	scratch_text(s, path, text);
}

static void files_are_read(void **state)
{
	const struct scratch *s = *state;
	struct sched_state now;
	struct sched_events events;

	assert_false(sched_is_supported(s->dir));
	sched_read_state(s->dir, &now);
	assert_string_equal(now.state, "");
	put(s, "state", "enabled\n");
	put(s, "enable_seq", "3\n");
	put(s, "switch_all", "yes\n");
	assert_true(sched_is_supported(s->dir));
	sched_read_events(s->dir, &events);
	assert_false(events.known);
	put(s, "root/ops", "simple\002\n");
	put(s, "root/events", "A 1\n");
	sched_read_state(s->dir, &now);
	assert_string_equal(now.state, "enabled");
	assert_string_equal(now.ops, "simple?");
	assert_int_equal(now.enable_seq.value, 3);
	assert_false(now.switch_all.known);
	assert_false(now.hotplug_seq.known);
	sched_read_events(s->dir, &events);
	assert_true(events.known);
	put(s, "root/events", "A one\n");
	sched_read_events(s->dir, &events);
	assert_false(events.known);
}

/* The same file, as the kernel's are. */
static void rewrite(const struct scratch *s, const char *name, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/kernel/sched_ext/%s", s->dir, name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void quick_look_sees_changes(void **state)
{
	const struct scratch *s = *state;
	struct sched_quick quick;
	struct sched_state then;

	put(s, "state", "enabled\n");
	put(s, "enable_seq", "3\n");
	sched_read_state(s->dir, &then);
	sched_quick_open(&quick, s->dir);
	assert_true(sched_quick_is_same(&quick, &then));
	rewrite(s, "enable_seq", "4\n");
	assert_false(sched_quick_is_same(&quick, &then));
	rewrite(s, "enable_seq", "3\n");
	rewrite(s, "state", "enabling\n");
	assert_false(sched_quick_is_same(&quick, &then));
	rewrite(s, "state", "enabled\n");
	then.enable_seq.known = false;
	assert_false(sched_quick_is_same(&quick, &then));
	sched_quick_close(&quick);
	sched_quick_open(&quick, "/nowhere");
	assert_false(sched_quick_is_same(&quick, &then));
	sched_quick_close(&quick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_or_nothing),
		cmocka_unit_test(events_are_read),
		cmocka_unit_test(damaged_events_are_refused),
		cmocka_unit_test(too_many_events_are_counted),
		cmocka_unit_test(increase_is_of_both_readings),
		SCRATCH_TEST(files_are_read, folder),
		SCRATCH_TEST(quick_look_sees_changes, folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
