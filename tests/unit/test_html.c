// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include <ktstr/ctprof_html.h>

#include "base/io.h"
#include "ctprof/html.h"
#include "ctprof/snapshot.h"

#define EVIL "</script><img src=x onerror=alert(1)>"

enum { SECOND = 1000000000 };

/* Two processes of one boot; the second one's times are absent. */
struct made {
	struct ktstr_ctprof_thread threads[2];
	struct ktstr_ctprof snapshot;
};

static void make(struct made *m, int moment)
{
	*m = (struct made){ 0 };
	for (uint32_t i = 0; i < 2; i++) {
		struct ktstr_ctprof_thread *t = &m->threads[i];

		t->tgid = t->tid = i + 1;
		t->texts[KTSTR_CTPROF_TEXT_PCOMM] = i ? "quiet" : EVIL;
		t->texts[KTSTR_CTPROF_TEXT_COMM] = i ? "quiet" : EVIL;
		t->texts[KTSTR_CTPROF_TEXT_CGROUP] = "/" EVIL;
		thread_set(t, KTSTR_CTPROF_START_TIME, 5);
		thread_set(t, KTSTR_CTPROF_VOLUNTARY_CSW, 0);
		if (i == 0)
			thread_set(t, KTSTR_CTPROF_RUN_TIME, (moment + 1) * (SECOND / 2));
	}
	m->snapshot.captured_at_unix_ns = (uint64_t)(moment + 1) * SECOND;
	m->snapshot.host.texts[KTSTR_CTPROF_HOST_TEXT_BOOT_ID] = "one";
	m->snapshot.host.texts[KTSTR_CTPROF_HOST_TEXT_HOSTNAME] = EVIL;
	m->snapshot.kernel = "7.3";
	m->snapshot.threads = m->threads;
	m->snapshot.nr_threads = 2;
}

static char *save(const struct ktstr_ctprof_comparison *c,
		  const struct ktstr_ctprof_html_opts *opts)
{
	char path[] = "/tmp/ktstr-html.XXXXXX";
	struct strbuf page = STRBUF_INIT;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ktstr_ctprof_html_write(c, opts, path, NULL), 0);
	assert_int_equal(io_read_file(path, &page, NULL), 0);
	unlink(path);
	return strbuf_take(&page);
}

/* What the page's script reads. */
static json_t *data_of(const char *page)
{
	static const char mark[] = "<script id=\"data\" type=\"application/json\">";
	const char *begin = strstr(page, mark), *end;
	json_t *data;

	assert_non_null(begin);
	begin += strlen(mark);
	end = strstr(begin, "</script>");
	assert_non_null(end);
	data = json_loadb(begin, (size_t)(end - begin), 0, NULL);
	assert_non_null(data);
	return data;
}

static json_t *section(json_t *data, const char *name)
{
	json_t *sections = json_object_get(data, "sections");

	for (size_t i = 0; i < json_array_size(sections); i++) {
		json_t *s = json_array_get(sections, i);

		if (!strcmp(json_string_value(json_object_get(s, "name")), name))
			return json_object_get(s, "groups");
	}
	fail_msg("no section '%s'", name);
	return NULL;
}

static json_t *cell(json_t *data, json_t *group, const char *metric)
{
	json_t *cells = json_object_get(group, "cells");

	for (size_t i = 0; i < json_array_size(cells); i++) {
		json_t *c = json_array_get(cells, i);
		char number[32];

		snprintf(number, sizeof(number), "%lld",
			 (long long)json_integer_value(json_array_get(c, 0)));
		if (!strcmp(json_string_value(json_object_get(
				    json_object_get(json_object_get(data, "metrics"), number),
				    "name")),
			    metric))
			return c;
	}
	return NULL;
}

static json_t *named(json_t *groups, const char *name)
{
	for (size_t i = 0; i < json_array_size(groups); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(groups, i), "name")),
			    name))
			return json_array_get(groups, i);
	return NULL;
}

static void names_are_never_markup(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made a, b;
	json_t *data;
	char *page;

	(void)state;
	make(&a, 0);
	make(&b, 1);
	assert_int_equal(
		ktstr_ctprof_compare(&(struct ktstr_ctprof_side){ &a.snapshot, NULL, EVIL },
				     &(struct ktstr_ctprof_side){ &b.snapshot, NULL, "b" },
				     &(struct ktstr_ctprof_compare_opts){ 0 }, &c, NULL),
		0);
	page = save(c, NULL);
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "{{"));
	assert_non_null(strstr(page, "&lt;img src=x onerror"));
	data = data_of(page);
	assert_non_null(named(section(data, "process"), EVIL));
	json_decref(data);
	free(page);
}

static void absent_values_are_left_out(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct made a, b;
	json_t *data, *quiet, *evil, *run;
	char *page;

	(void)state;
	make(&a, 0);
	make(&b, 1);
	assert_int_equal(ktstr_ctprof_compare(&(struct ktstr_ctprof_side){ &a.snapshot, NULL, "a" },
					      &(struct ktstr_ctprof_side){ &b.snapshot, NULL, "b" },
					      &(struct ktstr_ctprof_compare_opts){ 0 }, &c, NULL),
			 0);
	page = save(c, NULL);
	data = data_of(page);
	quiet = named(section(data, "process"), "quiet");
	evil = named(section(data, "process"), EVIL);
	assert_null(cell(data, quiet, "run_time_ns"));
	assert_non_null(cell(data, quiet, "voluntary_csw"));
	run = cell(data, evil, "run_time_ns");
	assert_non_null(run);
	assert_int_equal(json_number_value(json_array_get(run, 1)), SECOND / 2);
	assert_int_equal(json_number_value(json_array_get(run, 4)), SECOND);
	assert_int_equal(json_number_value(json_array_get(run, 10)), SECOND / 2);
	assert_int_equal(json_number_value(json_array_get(run, 11)), 100);
	/* One of the machine's two threads has it. */
	run = cell(data, json_array_get(section(data, "machine"), 0), "run_time_ns");
	assert_int_equal(json_integer_value(json_array_get(run, 2)), 1);
	assert_int_equal(json_integer_value(json_array_get(run, 3)), 2);
	json_decref(data);
	free(page);
}

static void a_series_has_curves(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_ctprof *snapshots[4];
	const struct ktstr_ctprof_series series = { .snapshots = snapshots, .nr = 4 };
	const struct ktstr_ctprof_compare_opts opts = { .group_by = KTSTR_CTPROF_BY_PROCESS };
	struct made moments[4];
	json_t *data, *curves, *times, *run, *group;
	char *page, number[32];

	(void)state;
	for (int i = 0; i < 4; i++) {
		make(&moments[i], i);
		snapshots[i] = &moments[i].snapshot;
	}
	/* Between the second and the third it was not seen. */
	moments[2].threads[0].present[0] = 0;
	assert_int_equal(
		ktstr_ctprof_compare(&(struct ktstr_ctprof_side){ snapshots[3], NULL, "s" }, NULL,
				     &opts, &c, NULL),
		0);
	page = save(c, &(struct ktstr_ctprof_html_opts){ .series = &series, .compare = &opts });
	data = data_of(page);
	times = json_object_get(data, "times");
	assert_int_equal(json_array_size(times), 3);
	assert_true(json_number_value(json_array_get(times, 2)) > 2.99);
	group = named(section(data, "process"), EVIL);
	run = cell(data, group, "run_time_ns");
	snprintf(number, sizeof(number), "%lld",
		 (long long)json_integer_value(json_array_get(run, 0)));
	curves = json_object_get(json_object_get(group, "curves"), number);
	assert_int_equal(json_array_size(curves), 3);
	assert_int_equal(json_number_value(json_array_get(curves, 0)), SECOND / 2);
	assert_true(json_is_null(json_array_get(curves, 1)));
	json_decref(data);
	free(page);
}

static void the_file_is_whole_or_untouched(void **state)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;
	struct made a;

	(void)state;
	make(&a, 0);
	assert_int_equal(
		ktstr_ctprof_compare(&(struct ktstr_ctprof_side){ &a.snapshot, NULL, NULL }, NULL,
				     &(struct ktstr_ctprof_compare_opts){ 0 }, &c, NULL),
		0);
	assert_int_equal(ktstr_ctprof_html_write(c, NULL, "/nonexistent/page.html", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_never_markup),
		cmocka_unit_test(absent_values_are_left_out),
		cmocka_unit_test(a_series_has_curves),
		cmocka_unit_test(the_file_is_whole_or_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
