// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/runs.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "tests/lib/scratch.h"

#define OLD	"20260101-000000-7"
#define MIDDLE	"20260102-000000-8.1"
#define NEW	"20260103-000000-9"
#define RESULTS "results.jsonl"

static const char run_line[] =
	"{\"type\":\"run\",\"version\":2,\"program\":\"p\",\"all\":[\"a\"]}\n";
static const char result[] =
	"{\"type\":\"result\",\"version\":2,\"verdict\":\"FAIL\",\"id\":\"a\"}\n";
static const char summary[] = "{\"type\":\"summary\",\"version\":2}\n";

static struct scratch scratch;
static struct ktstr_error err;

/* Its results are so many days old, and 64 KiB lie beside them. */
static void make_run(const char *name, int days, const char *last)
{
	char path[64], text[512];
	static char bulk[65537];
	struct timespec times[2] = { { .tv_sec = time(NULL) - days * 86400 } };

	memset(bulk, 'x', sizeof(bulk) - 1);
	snprintf(path, sizeof(path), "ktstr/runs/%s/bulk", name);
	scratch_text(&scratch, path, bulk);
	snprintf(path, sizeof(path), "ktstr/runs/%s/" RESULTS, name);
	snprintf(text, sizeof(text), "%s%s%s", run_line, result, last);
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, scratch_text(&scratch, path, text), times, 0), 0);
}

static void make_folder(const char *name)
{
	assert_int_equal(path_mkdir_all(scratch_path(&scratch, name), &err), 0);
}

static bool exists(const char *name)
{
	_cleanup_free_ char *path = path_format("%s/ktstr/runs/%s", scratch.dir, name);

	return access(path, F_OK) == 0;
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	setenv("XDG_STATE_HOME", scratch.dir, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static void make_three(void)
{
	make_run(OLD, 30, summary);
	make_run(MIDDLE, 20, "");
	make_run(NEW, 0, summary);
}

static void nothing_is_no_error(void **state)
{
	struct ktstr_runs_pruned pruned;
	struct ktstr_run *runs;

	(void)state;
	assert_int_equal(ktstr_runs_list(&runs, &err), 0);
	assert_null(runs);
	assert_int_equal(ktstr_runs_prune(&(struct ktstr_runs_limits){ 0 }, &pruned, &err), 0);
	assert_int_equal(pruned.removed + pruned.kept, 0);
}

static void the_newest_is_first(void **state)
{
	struct ktstr_run *runs;

	(void)state;
	make_three();
	make_folder("ktstr/runs/mine");
	assert_int_equal(ktstr_runs_list(&runs, &err), 3);
	assert_string_equal(runs[0].name, NEW);
	assert_string_equal(runs[1].name, MIDDLE);
	assert_string_equal(runs[2].name, OLD);
	assert_string_equal(runs[2].program, "p");
	assert_int_equal(runs[2].counts[KTSTR_FAIL], 1);
	assert_int_equal(runs[2].counts[KTSTR_PASS], 0);
	assert_true(runs[2].finished && !runs[1].finished);
	assert_false(runs[0].in_use);
	assert_true(runs[0].disk_bytes >= 65536 && runs[0].disk_bytes < 200000);
	free(runs);
}

static void the_oldest_go_first(void **state)
{
	struct ktstr_runs_limits limits = { .max_bytes = 200000, .dry = true };
	struct ktstr_runs_pruned pruned;

	(void)state;
	make_three();
	assert_int_equal(ktstr_runs_prune(&limits, &pruned, &err), 0);
	assert_int_equal(pruned.removed, 1);
	assert_true(exists(OLD));
	limits.dry = false;
	assert_int_equal(ktstr_runs_prune(&limits, &pruned, &err), 0);
	assert_int_equal(pruned.removed, 1);
	assert_int_equal(pruned.kept, 2);
	assert_true(pruned.freed_bytes >= 65536 && pruned.kept_bytes <= 200000);
	assert_true(!exists(OLD) && exists(MIDDLE) && exists(NEW));
	limits = (struct ktstr_runs_limits){ .max_bytes = UINT64_MAX / 2, .max_age_s = 86400 };
	assert_int_equal(ktstr_runs_prune(&limits, &pruned, &err), 0);
	assert_true(!exists(MIDDLE) && exists(NEW));
}

static void what_is_under_way_stays(void **state)
{
	struct ktstr_runs_limits nothing = { .max_bytes = 0 };
	struct ktstr_runs_pruned pruned;
	_cleanup_free_ char *path = NULL;
	int fd;

	(void)state;
	make_three();
	/* Not even its results are there yet. */
	make_folder("ktstr/runs/20260104-000000-1");
	path = path_format("%s/ktstr/runs/" OLD "/" RESULTS, scratch.dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	assert_int_equal(ktstr_runs_remove(OLD, &err), -EBUSY);
	assert_int_equal(ktstr_runs_prune(&nothing, &pruned, &err), 0);
	assert_true(exists(OLD) && exists("20260104-000000-1"));
	assert_true(!exists(MIDDLE) && !exists(NEW));
	close(fd);
	assert_int_equal(ktstr_runs_remove(OLD, &err), 0);
	assert_false(exists(OLD));
}

static void only_runs_are_removed(void **state)
{
	(void)state;
	make_three();
	assert_int_equal(ktstr_runs_remove("..", &err), -EINVAL);
	assert_int_equal(ktstr_runs_remove("20260101-000000-7/../x", &err), -EINVAL);
	assert_int_equal(ktstr_runs_remove("20260101-000000-", &err), -EINVAL);
	assert_int_equal(ktstr_runs_remove("20260101-000000-6", &err), -ENOENT);
	assert_true(exists(OLD) && exists(MIDDLE) && exists(NEW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_no_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_newest_is_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_go_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_under_way_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_runs_are_removed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
