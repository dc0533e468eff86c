// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/load.h"
#include "ctprof/snapshot.h"

#include "../lib/scratch.h"

static struct ktstr_error err;

static struct ktstr_ctprof *make(uint64_t at)
{
	struct builder b = { 0 };
	struct ktstr_ctprof_thread *t = builder_add_thread(&b);

	b.head.captured_at_unix_ns = at;
	t->tgid = t->tid = 1;
	thread_set(t, KTSTR_CTPROF_RUN_TIME, (int64_t)at * 10);
	return builder_finish(&b);
}

static void append(const char *path, uint64_t at)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = make(at);

	assert_int_equal(ktstr_ctprof_append(snap, path, &err), 0);
}

static size_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* Its snapshots are 1, 2, 3... */
static void check_series(const char *path, size_t nr, bool cut_short)
{
	_cleanup_ctprof_series_ struct ktstr_ctprof_series *series = NULL;
	_cleanup_ctprof_ struct ktstr_ctprof *last = NULL;

	assert_int_equal(ktstr_ctprof_series_load(path, &series, &err), 0);
	assert_int_equal(series->nr, nr);
	assert_int_equal(series->cut_short, cut_short);
	for (size_t i = 0; i < nr; i++) {
		const struct ktstr_ctprof *s = series->snapshots[i];

		assert_int_equal(s->captured_at_unix_ns, i + 1);
		assert_int_equal(ktstr_ctprof_get_or_zero(&s->threads[0], KTSTR_CTPROF_RUN_TIME),
				 (i + 1) * 10);
		assert_int_equal(s->nr_warnings, cut_short && i == nr - 1);
	}
	assert_int_equal(ktstr_ctprof_load(path, &last, &err), 0);
	assert_int_equal(last->captured_at_unix_ns, nr);
	assert_int_equal(last->nr_warnings, cut_short);
}

static void snapshots_add_up(void **state)
{
	struct scratch s;
	const char *path;

	(void)state;
	scratch_create(&s);
	path = scratch_path(&s, "x");
	for (uint64_t i = 1; i <= 5; i++) {
		append(path, i);
		check_series(path, i, false);
	}
	scratch_destroy(&s);
}

static void a_single_snapshot_is_a_series_of_one(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = make(1);
	struct scratch s;

	(void)state;
	scratch_create(&s);
	assert_int_equal(ktstr_ctprof_write(snap, scratch_path(&s, "x"), &err), 0);
	check_series(scratch_path(&s, "x"), 1, false);
	append(scratch_path(&s, "x"), 2);
	check_series(scratch_path(&s, "x"), 2, false);
	scratch_destroy(&s);
}

/* Wherever the last one is cut, the others are there, and the next goes in its place. */
static void only_the_last_can_be_lost(void **state)
{
	struct scratch s;
	const char *path;
	size_t two, three;

	(void)state;
	scratch_create(&s);
	path = scratch_path(&s, "x");
	append(path, 1);
	append(path, 2);
	two = size_of(path);
	append(path, 3);
	three = size_of(path);
	for (size_t len = two + 1; len < three; len += 7) {
		assert_int_equal(truncate(path, (off_t)len), 0);
		check_series(path, 2, true);
		append(path, 3);
		assert_int_equal(size_of(path), three);
		check_series(path, 3, false);
	}
	/* If even the first is cut, nothing can be read, but capturing goes on. */
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(
		ktstr_ctprof_series_load(path, &(struct ktstr_ctprof_series *){ NULL }, &err),
		-EBADMSG);
	append(path, 1);
	check_series(path, 1, false);
	scratch_destroy(&s);
}

static void foreign_files_are_left_alone(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = make(1);
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct ktstr_ctprof_series *series = NULL;
	struct scratch s;
	const char *path;

	(void)state;
	scratch_create(&s);
	path = scratch_path(&s, "x");
	assert_int_equal(io_write_file(path, "my thesis", 9, 0600, &err), 0);
	assert_int_equal(ktstr_ctprof_append(snap, path, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "is not a ctprof file"));
	assert_int_equal(size_of(path), 9);
	/* Something else behind a whole snapshot is damage, not a cut. */
	assert_int_equal(ktstr_ctprof_write(snap, path, &err), 0);
	assert_int_equal(io_read_file(path, &bytes, &err), 0);
	strbuf_addstr(&bytes, "x");
	assert_int_equal(ctprof_load_packed_series(bytes.data, bytes.len, "f", &series, &err),
			 -EBADMSG);
	assert_null(series);
	assert_int_equal(ktstr_ctprof_append(snap, "/nonexistent/x", &err), -ENOENT);
	scratch_destroy(&s);
}

static void the_number_of_snapshots_has_a_limit(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct ctprof_frames frames;
	char frame[32];
	size_t len = ZSTD_compress(frame, sizeof(frame), "", 0, 1);

	(void)state;
	assert_false(ZSTD_isError(len));
	for (int i = 0; i < KTSTR_CTPROF_MAX_SNAPSHOTS; i++)
		strbuf_add(&bytes, frame, len);
	assert_int_equal(ctprof_find_frames(bytes.data, bytes.len, "f", &frames, &err), 0);
	assert_int_equal(frames.nr, KTSTR_CTPROF_MAX_SNAPSHOTS);
	assert_int_equal(frames.end, bytes.len);
	strbuf_add(&bytes, frame, len);
	assert_int_equal(ctprof_find_frames(bytes.data, bytes.len, "f", &frames, &err), -E2BIG);
	assert_string_equal(err.text, "load 'f': over 65536 snapshots");
}

static void two_appenders_take_turns(void **state)
{
	pid_t children[4];
	struct scratch s;
	const char *path;

	(void)state;
	scratch_create(&s);
	path = scratch_path(&s, "x");
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i])
			continue;
		for (int k = 0; k < 25; k++) {
			struct ktstr_ctprof *snap = make((uint64_t)k);

			if (!snap || ktstr_ctprof_append(snap, path, &err) < 0)
				_exit(1);
			ktstr_ctprof_destroy(snap);
		}
		_exit(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	{
		_cleanup_ctprof_series_ struct ktstr_ctprof_series *series = NULL;

		assert_int_equal(ktstr_ctprof_series_load(path, &series, &err), 0);
		assert_int_equal(series->nr, 25 * ARRAY_SIZE(children));
		assert_false(series->cut_short);
	}
	scratch_destroy(&s);
}

static void a_flipped_bit_is_noticed(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct ktstr_ctprof *snap = NULL;
	int harmless = 0;
	struct scratch s;

	(void)state;
	scratch_create(&s);
	append(scratch_path(&s, "x"), 1);
	assert_int_equal(io_read_file(scratch_path(&s, "x"), &bytes, &err), 0);
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] ^= 0x10;
		/* Some bits only say how much memory to unpack with. */
		if (ctprof_load_packed(bytes.data, bytes.len, "f", &snap, &err) == 0) {
			harmless++;
			assert_int_equal(snap->captured_at_unix_ns, 1);
		}
		ktstr_ctprof_destroy(snap);
		snap = NULL;
		bytes.data[i] ^= 0x10;
	}
	assert_true(harmless < 10);
	scratch_destroy(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots_add_up),
		cmocka_unit_test(a_single_snapshot_is_a_series_of_one),
		cmocka_unit_test(only_the_last_can_be_lost),
		cmocka_unit_test(foreign_files_are_left_alone),
		cmocka_unit_test(the_number_of_snapshots_has_a_limit),
		cmocka_unit_test(two_appenders_take_turns),
		cmocka_unit_test(a_flipped_bit_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
