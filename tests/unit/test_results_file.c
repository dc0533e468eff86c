// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "run/report.h"
#include "run/results_file.h"

static struct ktstr_error err;

static int file_of(const char *bytes, size_t len)
{
	int fd = memfd_create("results", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, bytes, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void lines_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum results_kind kind;
	} cases[] = {
		{ "{\"type\":\"run\",\"version\":2}\n", RESULTS_RUN },
		{ "{\"type\":\"result\",\"version\":1}\n", RESULTS_RESULT },
		{ "{\"version\":2,\"type\":\"summary\"}\n", RESULTS_SUMMARY },
		{ "{\"type\":\"notice\"}\n", RESULTS_OTHER },
		{ "{\"type\":\"later\",\"version\":99}\n", RESULTS_OTHER },
		{ "{\"type\":\"run\",\"version\":3}\n", RESULTS_NEWER },
		{ "{\"type\":\"run\"}\n", RESULTS_DAMAGED },
		{ "{\"type\":\"run\",\"version\":0}\n", RESULTS_DAMAGED },
		{ "{\"type\":7}\n", RESULTS_DAMAGED },
		{ "{}\n", RESULTS_DAMAGED },
		{ "\n", RESULTS_DAMAGED },
		{ "{\"type\":\"run\",\"type\":\"run\",\"version\":2}\n", RESULTS_DAMAGED },
		{ "\"run\"\n", RESULTS_DAMAGED },
		{ "{\"type\":\"run\"\n", RESULTS_DAMAGED },
		{ "{\"type\":\"run\"", RESULTS_CUT },
	};
	struct results_reader reader;
	struct results_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = file_of(cases[i].text, strlen(cases[i].text));

		results_reader_init(&reader, fd);
		assert_int_equal(results_reader_next(&reader, &line), 1);
		if (line.kind != cases[i].kind)
			fail_msg("kind %d, not %d: %s", line.kind, cases[i].kind, cases[i].text);
		assert_int_equal(results_reader_next(&reader, &line), 0);
		results_reader_deinit(&reader);
		close(fd);
	}
}

static void zeros_at_the_end_are_a_cut(void **state)
{
	static const char bytes[] = "{\"type\":\"summary\",\"version\":2}\n\0\0\0\0";
	int fd = file_of(bytes, sizeof(bytes) - 1);
	struct results_reader reader;
	struct results_line line;

	(void)state;
	results_reader_init(&reader, fd);
	assert_int_equal(results_reader_next(&reader, &line), 1);
	assert_int_equal(line.kind, RESULTS_SUMMARY);
	assert_int_equal(results_reader_next(&reader, &line), 1);
	assert_int_equal(line.kind, RESULTS_CUT);
	results_reader_deinit(&reader);
	close(fd);
}

/* Only a plan may be longer than any result. */
static void results_have_a_length(void **state)
{
	size_t len = (size_t)REPORT_LINE_MAX + 100;
	char *text = malloc(len + 2);
	struct results_reader reader;
	struct results_line line;

	(void)state;
	for (int is_run = 0; is_run < 2; is_run++) {
		const char *head = is_run ? "{\"type\":\"run\",\"version\":2,\"x\":\""
					  : "{\"type\":\"result\",\"version\":2,\"x\":\"";
		int fd;

		memset(text, 'x', len);
		memcpy(text, head, strlen(head));
		memcpy(text + len - 2, "\"}\n", 4);
		fd = file_of(text, len + 1);
		results_reader_init(&reader, fd);
		assert_int_equal(results_reader_next(&reader, &line), 1);
		assert_int_equal(line.kind, is_run ? RESULTS_RUN : RESULTS_DAMAGED);
		if (!is_run)
			assert_string_equal(line.why.text, "it is too long");
		results_reader_deinit(&reader);
		close(fd);
	}
	free(text);
}

static int read_run(const char *text, struct results_run *ret)
{
	json_t *object = json_loads(text, 0, NULL);
	int r;

	assert_non_null(object);
	r = results_run_read(object, ret, &err);
	json_decref(object);
	return r;
}

static void run_lines_are_read(void **state)
{
	json_t *object = json_loads("{\"program\":\"p q\",\"partition\":\"hash:2/3\","
				    "\"all\":[\"a@1#2\",\"b\"],\"plan\":[\"b\"]}",
				    0, NULL);
	struct results_run run;

	(void)state;
	assert_int_equal(results_run_read(object, &run, &err), 0);
	assert_string_equal(run.program, "p q");
	assert_int_equal(json_array_size(run.all), 2);
	assert_int_equal(json_array_size(run.plan), 1);
	assert_int_equal(run.shard.partition, PLAN_HASH);
	assert_int_equal(run.shard.number, 2);
	assert_string_equal(run.partition, "hash:2/3");
	json_object_del(object, "plan");
	json_object_del(object, "partition");
	assert_int_equal(results_run_read(object, &run, &err), 0);
	assert_ptr_equal(run.plan, run.all);
	assert_int_equal(run.shard.partition, PLAN_WHOLE);
	json_decref(object);
	/* A shard may have nothing to do. */
	assert_int_equal(read_run("{\"program\":\"p\",\"all\":[\"a\"],\"plan\":[]}", &run), 0);
}

static void nonsense_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"all\":[]}", "program" },
		{ "{\"program\":7,\"all\":[]}", "program" },
		{ "{\"program\":\"\",\"all\":[]}", "program" },
		{ "{\"program\":\"p\"}", "all" },
		{ "{\"program\":\"p\",\"all\":{}}", "all" },
		{ "{\"program\":\"p\",\"all\":[1]}", "all" },
		{ "{\"program\":\"p\",\"all\":[\"a\\n\"]}", "all" },
		{ "{\"program\":\"p\",\"all\":[\"\"]}", "all" },
		{ "{\"program\":\"p\",\"all\":[],\"plan\":null}", "plan" },
		{ "{\"program\":\"p\",\"all\":[],\"plan\":[\"a\\u0001\"]}", "plan" },
		{ "{\"program\":\"p\",\"all\":[],\"partition\":1}", "partition" },
		{ "{\"program\":\"p\",\"all\":[],\"partition\":\"slice:0/3\"}", "partition" },
	};
	struct results_run run;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_run(cases[i][0], &run), -EINVAL);
		if (!strstr(err.text, cases[i][1]))
			fail_msg("%s: %s", cases[i][0], err.text);
	}
}

static void lists_have_a_limit(void **state)
{
	json_t *all = json_array(), *id = json_string("a");
	json_t *object = json_pack("{s:s, s:o}", "program", "p", "all", all);
	struct results_run run;

	(void)state;
	for (int i = 0; i <= PLAN_ITEMS_MAX; i++)
		json_array_append(all, id);
	assert_int_equal(results_run_read(object, &run, &err), -E2BIG);
	json_decref(object);
	json_decref(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_told_apart),
		cmocka_unit_test(zeros_at_the_end_are_a_cut),
		cmocka_unit_test(results_have_a_length),
		cmocka_unit_test(run_lines_are_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(lists_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
