// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof_render.h>

#include "base/cleanup.h"
#include "tests/lib/made_snapshot.h"

/* A busy process that was there, one that is new, one that ends, and many that do nothing. */
static void populate(struct made *a, struct made *b)
{
	static const char *const idle[] = { "idle-a", "idle-b", "idle-c", "idle-d" };
	struct ktstr_ctprof_thread *t;

	for (uint32_t i = 0; i < 4; i++) {
		made_put(a, made_thread(a, 10 + i, 10 + i, idle[i], "t", "/"),
			 KTSTR_CTPROF_RUN_TIME, 1000);
		made_put(b, made_thread(b, 10 + i, 10 + i, idle[i], "t", "/"),
			 KTSTR_CTPROF_RUN_TIME, 1000);
	}
	t = made_thread(a, 20, 20, "busy", "t", "/");
	made_put(a, t, KTSTR_CTPROF_RUN_TIME, 1000000000);
	made_put(a, t, KTSTR_CTPROF_WAIT_TIME, 100);
	made_put(a, t, KTSTR_CTPROF_WRITE_BYTES, 0);
	t = made_thread(b, 20, 20, "busy", "t", "/");
	made_put(b, t, KTSTR_CTPROF_RUN_TIME, 3500000000);
	made_put(b, t, KTSTR_CTPROF_WAIT_TIME, 2000100);
	made_put(b, t, KTSTR_CTPROF_WRITE_BYTES, 50 << 20);
	made_put(a, made_thread(a, 30, 30, "gone\x1b[31m", "t", "/"), KTSTR_CTPROF_RUN_TIME, 7000);
	made_put(b, made_thread(b, 40, 40, "fresh", "t", "/"), KTSTR_CTPROF_RUN_TIME, 500000000);
	made_at(b, 5);
}

static int set_up(void **state)
{
	struct made_pair *m;

	made_set_up(state);
	m = *state;
	populate(m->a, m->b);
	return 0;
}

static char *render_by(enum ktstr_ctprof_group_by by, struct made *a, struct made *b,
		       enum ktstr_ctprof_boots boots,
		       const struct ktstr_ctprof_text_opts *text_opts)
{
	struct ktstr_ctprof_side x = { .snapshot = made_snapshot(a), .name = "/tmp/one.zst" };
	struct ktstr_ctprof_side y = { .name = "two.zst" };
	struct ktstr_ctprof_compare_opts opts = { .group_by = by,
						  .boots = boots,
						  .metrics = text_opts->metrics };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err = { 0 };
	char *text = NULL;

	if (b)
		y.snapshot = made_snapshot(b);
	if (ktstr_ctprof_compare(&x, b ? &y : NULL, &opts, &c, &err) < 0 ||
	    ktstr_ctprof_render_text(c, text_opts, &text, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static char *render(struct made *a, struct made *b, enum ktstr_ctprof_boots boots,
		    const struct ktstr_ctprof_text_opts *text_opts)
{
	return render_by(KTSTR_CTPROF_BY_PROCESS, a, b, boots, text_opts);
}

static void expect_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text);
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		longest = len > longest ? len : longest;
		text += len + (text[len] == '\n');
	}
	return longest;
}

static void what_happened_comes_first(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .width = 80, .limit = 15 };
	struct made_pair *m = *state;
	_cleanup_free_ char *text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_SAME, &opts);

	expect_line(text, "before one.zst");
	expect_line(text, "5.00s later");
	expect_line(text, "1 born, 1 ended");
	expect_line(text, "\n(all threads)       6 +3.00s*");
	expect_line(text, "\nbusy                1  +2.50s");
	expect_line(text, "\nfresh            0->1  +500ms");
	expect_line(text, "gone: gone\\x1b[31m\n");
	expect_line(text, "4 more, 4 of them unchanged; --limit 0");
	expect_line(text, "* at least: threads that ended");
	assert_true(strstr(text, "\nbusy") < strstr(text, "\nfresh"));
	assert_null(strstr(text, "idle"));
	assert_null(strchr(text, '\x1b'));
	assert_true(longest_line(text) <= 80);
}

static void absent_values_are_no_zeros(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .metrics = "run_time,write_bytes" };
	struct made_pair *m = *state;
	_cleanup_free_ char *text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_SAME, &opts);

	expect_line(text, "\nfresh            0->1      +500ms           -\n");
	expect_line(text, "\nidle-a              1         0ns           -\n");
	expect_line(text, "+50.0MiB~\n");
	expect_line(text, "~ not of all");
}

static void two_boots_are_rows_with_percent(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .width = 80, .limit = 6 };
	struct made_pair *m = *state;
	_cleanup_free_ char *text = NULL;

	made_host_text(m->a, KTSTR_CTPROF_HOST_TEXT_EXT_OPS, NULL);
	made_host_text(m->b, KTSTR_CTPROF_HOST_TEXT_EXT_OPS, "simple");
	text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_OTHER, &opts);
	expect_line(text, "set-up ext_ops: - -> simple\n");
	expect_line(text, "+250.0%");
	expect_line(text, "only before: gone");
	expect_line(text, "only after: fresh (1, ran 500ms)");
	assert_true(longest_line(text) <= 80);
}

/* Names that do not fit are counted, never joined to one that does. */
static void names_apart_are_whole(void **state)
{
	static const char *const long_names[] = { "a-name-of-thirty-bytes-or-more-1",
						  "b-name-of-thirty-bytes-or-more-2",
						  "c-name-of-thirty-bytes-or-more-3",
						  "d-name-of-thirty-bytes-or-more-4" };
	static const struct {
		unsigned int width;
		const char *line;
	} rows[] = {
		{ 100, "only before: a-name-of-thirty-bytes-or-more-1 (1, ran 7.00us), 4 more\n" },
		{ 60, "only before: a-name-..-more-1 (1, ran 7.00us), 4 more\n" },
		{ 130,
		  "more-1 (1, ran 7.00us), b-name-of-thirty-bytes-or-more-2 (1, ran 7.00us), 3 "
		  "more\n" },
		{ 0, "d-name-of-thirty-bytes-or-more-4 (1, ran 7.00us), gone\\x1b[31m" },
	};
	struct made_pair *m = *state;

	for (uint32_t i = 0; i < 4; i++)
		made_put(m->a, made_thread(m->a, 50 + i, 50 + i, long_names[i], "t", "/"),
			 KTSTR_CTPROF_RUN_TIME, 7000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ktstr_ctprof_text_opts opts = { .width = rows[i].width, .limit = 15 };
		_cleanup_free_ char *text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_OTHER, &opts);

		expect_line(text, rows[i].line);
		assert_true(!rows[i].width || longest_line(text) <= rows[i].width);
	}
}

static void narrow_terminals_are_respected(void **state)
{
	struct made_pair *m = *state;

	for (unsigned int width = 50; width < 200; width += 7) {
		for (int layout = 0; layout <= KTSTR_CTPROF_LAYOUT_ROWS; layout++) {
			struct ktstr_ctprof_text_opts opts = { .width = width,
							       .limit = 3,
							       .layout = layout };
			_cleanup_free_ char *text =
				render(m->a, m->b, KTSTR_CTPROF_BOOTS_SAME, &opts);
			char *table = strstr(text, "\n\n"), *notes;

			assert_non_null(table);
			table += 2;
			/* Notes below the table are sentences. */
			notes = strstr(table, " more");
			assert_non_null(notes);
			*notes = '\0';
			if (longest_line(table) > width)
				fail_msg("wider than %u:\n%s", width, table);
		}
	}
}

static void colours_only_if_asked(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .colour = true };
	struct made_pair *m = *state;
	_cleanup_free_ char *text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_SAME, &opts);

	expect_line(text, "\033[1mPROCESS\033[0m");
	expect_line(text, "gone\\x1b[31m");
}

static void columns_of_rows_are_chosen(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .columns = "metric,group,had,between",
							    .metrics = "run_time" };
	struct ktstr_ctprof_text_opts bad = opts;
	struct ktstr_ctprof_side side;
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made_pair *m = *state;
	_cleanup_free_ char *text = NULL;
	struct ktstr_error err;

	text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_SAME, &opts);
	expect_line(text, "METRIC      PROCESS");
	expect_line(text, "\nrun_time_ns busy        1/1 -> 1/1  +2.50s\n");
	side = (struct ktstr_ctprof_side){ .snapshot = made_snapshot(m->a) };
	assert_int_equal(ktstr_ctprof_compare(&side, NULL, NULL, &c, NULL), 0);
	bad.columns = "metric,colour";
	bad.layout = KTSTR_CTPROF_LAYOUT_ROWS;
	assert_int_equal(ktstr_ctprof_render_text(c, &bad, &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no column 'colour'"));
	bad.columns = NULL;
	bad.metrics = "speed";
	assert_int_equal(ktstr_ctprof_render_text(c, &bad, &text, &err), -EINVAL);
}

static void one_record_has_values(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .layout = KTSTR_CTPROF_LAYOUT_ROWS };
	struct made_pair *m = *state;
	_cleanup_free_ char *text = render(m->a, NULL, KTSTR_CTPROF_BOOTS_SAME, &opts);

	expect_line(text, " VALUE HAD\n");
	assert_null(strstr(text, "BEFORE"));
}

static void nothing_is_said_to_have_changed(void **state)
{
	struct made_pair *m = *state;

	for (int layout = KTSTR_CTPROF_LAYOUT_AUTO; layout <= KTSTR_CTPROF_LAYOUT_ROWS; layout++) {
		const struct ktstr_ctprof_text_opts opts = {
			.width = 80, .limit = 15, .layout = (enum ktstr_ctprof_layout)layout
		};
		_cleanup_free_ char *text = render(m->a, m->a, KTSTR_CTPROF_BOOTS_SAME, &opts);

		expect_line(text, "\nNothing changed.\n6 more, 6 of them unchanged");
		assert_null(strstr(text, "PROCESS"));
		assert_null(strstr(text, "(all threads)"));
	}
}

/* All of what moved ended: no group is listed, and the line of all threads still tells. */
static void what_ended_is_no_nothing(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .width = 80, .limit = 15 };
	struct made_pair *m = *state;
	_cleanup_free_ char *text = NULL;

	made_tear_down(state);
	made_set_up(state);
	m = *state;
	made_put(m->a, made_thread(m->a, 10, 10, "idle", "t", "/"), KTSTR_CTPROF_RUN_TIME, 1000);
	made_put(m->b, made_thread(m->b, 10, 10, "idle", "t", "/"), KTSTR_CTPROF_RUN_TIME, 1000);
	made_put(m->a, made_thread(m->a, 20, 20, "busy", "t", "/"), KTSTR_CTPROF_RUN_TIME, 7000000);
	made_at(m->b, 5);
	text = render(m->a, m->b, KTSTR_CTPROF_BOOTS_OTHER, &opts);
	assert_null(strstr(text, "Nothing changed."));
	expect_line(text, "all threads    2->1");
	/* Tasks have no such line. */
	free(take_ptr(text));
	text = render_by(KTSTR_CTPROF_BY_TASK, m->a, m->b, KTSTR_CTPROF_BOOTS_OTHER, &opts);
	expect_line(text, "\nNothing changed.\nonly before: ");
}

static void nobody_is_no_table(void **state)
{
	static const struct ktstr_ctprof_text_opts opts = { .width = 80, .limit = 15 };
	struct made_pair *m;
	_cleanup_free_ char *text = NULL;

	made_tear_down(state);
	made_set_up(state);
	m = *state;
	text = render(m->a, NULL, KTSTR_CTPROF_BOOTS_SAME, &opts);
	expect_line(text, "\nThere are no threads.\n");
	assert_null(strstr(text, "PROCESS"));
}

#define POPULATED_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, made_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POPULATED_TEST(what_happened_comes_first),
		POPULATED_TEST(absent_values_are_no_zeros),
		POPULATED_TEST(two_boots_are_rows_with_percent),
		POPULATED_TEST(names_apart_are_whole),
		POPULATED_TEST(narrow_terminals_are_respected),
		POPULATED_TEST(colours_only_if_asked),
		POPULATED_TEST(columns_of_rows_are_chosen),
		POPULATED_TEST(one_record_has_values),
		POPULATED_TEST(nothing_is_said_to_have_changed),
		POPULATED_TEST(what_ended_is_no_nothing),
		POPULATED_TEST(nobody_is_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
