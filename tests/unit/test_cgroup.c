// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A tree in an ordinary folder.  mkdir() and rmdir() are this program's own: they give a new folder the
 * files that cgroupfs gives it, and take them away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/cgroup.h"

/* However busy this machine is; and what is to time out anyway. */
#define LONG_NS	 UINT64_C(60000000000)
#define SHORT_NS UINT64_C(20000000)

static struct scratch scratch;
static bool fake;
static int rmdir_error;

static void put(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		_exit(99);
}

static const char *const files[][2] = {
	{ "cgroup.type", "domain" },
	{ "cgroup.procs", "" },
	{ "cgroup.threads", "" },
	{ "cgroup.controllers", "cpuset cpu" },
	{ "cgroup.subtree_control", "" },
	{ "cgroup.events", "populated 0\nfrozen 0\n" },
	{ "cgroup.freeze", "0" },
	{ "cpuset.cpus", "" },
	{ "cpu.stat", "usage_usec 1500\n" },
};

int mkdir(const char *path, mode_t mode)
{
	if (syscall(SYS_mkdirat, AT_FDCWD, path, mode) < 0)
		return -1;
	for (size_t i = 0; fake && i < ARRAY_SIZE(files); i++)
		put(path, files[i][0], files[i][1]);
	return 0;
}

int rmdir(const char *path)
{
	for (size_t i = 0; fake && !rmdir_error && i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *file = path_format("%s/%s", path, files[i][0]);

		unlink(file);
	}
	if (fake && rmdir_error) {
		errno = rmdir_error;
		return -1;
	}
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	scratch_text(&scratch, "cgroup.controllers", "cpuset cpu io memory\n");
	scratch_text(&scratch, "cgroup.subtree_control", "");
	fake = true;
	rmdir_error = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake = false;
	scratch_destroy(&scratch);
	return 0;
}

static struct cgroups *create(uint64_t timeout_ns)
{
	const struct cgroups_opts opts = { .mount = scratch.dir,
					   .root = "ktstr",
					   .controllers = { "cpu", "cpuset" },
					   .timeout_ns = timeout_ns };
	struct cgroups *cgroups = NULL;
	struct ktstr_error err = { 0 };

	if (cgroups_create(&opts, &cgroups, &err) < 0)
		fail_msg("%s", err.text);
	return cgroups;
}

static void holds(const char *file, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(io_read_file(scratch_path(&scratch, file), &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), wanted);
}

static void trees(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct cgroups *cgroups = create(LONG_NS);
	struct cgroup_stat stat;

	(void)state;
	holds("cgroup.subtree_control", "+cpu +cpuset");
	assert_int_equal(cgroups_make(cgroups, "left", NULL), 0);
	assert_int_equal(cgroups_make(cgroups, "left/inner", NULL), 0);
	assert_int_equal(cgroups_make(cgroups, "right", NULL), 0);
	holds("ktstr/cgroup.subtree_control", "+cpu +cpuset");
	holds("ktstr/left/cgroup.subtree_control", "+cpu +cpuset");
	holds("ktstr/right/cgroup.subtree_control", "");
	holds("ktstr/left/inner/cgroup.type", "threaded");
	holds("ktstr/cgroup.type", "domain");
	assert_int_equal(cgroups_count(cgroups), 3);
	assert_string_equal(cgroups_name(cgroups, 1), "left/inner");
	assert_null(cgroups_name(cgroups, 3));
	assert_true(cgroups_has(cgroups, NULL));
	assert_false(cgroups_has(cgroups, "middle"));
	assert_int_equal(cgroups_write(cgroups, "left", "cpuset.cpus", "0-3", NULL), 0);
	assert_int_equal(cgroups_read(cgroups, "left", "cpuset.cpus", &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), "0-3");
	assert_int_equal(cgroups_stat(cgroups, "left", &stat, NULL), 0);
	assert_int_equal(stat.usage_ns, 1500000);
	assert_false(stat.has_throttled);
	assert_int_equal(cgroups_remove(cgroups, "left", NULL), 0);
	assert_int_equal(cgroups_count(cgroups), 1);
	assert_false(path_is_dir(scratch_path(&scratch, "ktstr/left")));
	assert_true(path_is_dir(scratch_path(&scratch, "ktstr/right")));
	assert_int_equal(cgroups_destroy(cgroups, NULL), 0);
	assert_false(path_is_dir(scratch_path(&scratch, "ktstr")));
}

static void names(void **state)
{
	static const struct {
		const char *name;
		int result;
	} rows[] = {
		{ "", -EINVAL },     { "/left", -EINVAL }, { "left/", -EINVAL },
		{ "a//b", -EINVAL }, { "..", -EINVAL },	   { "left/../..", -EINVAL },
		{ ".", -EINVAL },    { "left", -EEXIST },  { "nobody/inner", -ENOENT },
	};
	struct cgroups *cgroups = create(LONG_NS);
	char name[CGROUPS_NAME + 1];

	(void)state;
	assert_int_equal(cgroups_make(cgroups, "left", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ktstr_error err = { 0 };

		assert_int_equal(cgroups_make(cgroups, rows[i].name, &err), rows[i].result);
		assert_int_equal(err.code, rows[i].result);
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(cgroups_make(cgroups, name, NULL), -EINVAL);
	assert_int_equal(cgroups_write(cgroups, "nobody", "cpuset.cpus", "0", NULL), -ENOENT);
	assert_int_equal(cgroups_write(cgroups, "../x", "cpuset.cpus", "0", NULL), -EINVAL);
	assert_int_equal(cgroups_remove(cgroups, "nobody", NULL), -ENOENT);
	assert_int_equal(cgroups_remove(cgroups, NULL, NULL), -EINVAL);
	assert_int_equal(cgroups_count(cgroups), 1);
	for (int i = 1; i < CGROUPS_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(cgroups_make(cgroups, name, NULL), 0);
	}
	assert_int_equal(cgroups_make(cgroups, "many", NULL), -ENOSPC);
	assert_int_equal(cgroups_destroy(cgroups, NULL), 0);
}

static void needs(void **state)
{
	struct cgroups_opts opts = { .mount = scratch.dir,
				     .root = "ktstr",
				     .controllers = { "cpu", "cpuset" } };
	struct cgroups *cgroups = NULL;
	struct ktstr_error err = { 0 };

	(void)state;
	scratch_text(&scratch, "cgroup.controllers", "cpu cpusets\n");
	assert_int_equal(cgroups_create(&opts, &cgroups, &err), -ENODEV);
	assert_non_null(strstr(err.text, "'cpuset', only 'cpu cpusets'"));
	scratch_text(&scratch, "cgroup.controllers", "cpuset cpu\n");
	assert_int_equal(mkdir(scratch_path(&scratch, "ktstr"), 0755), 0);
	assert_int_equal(cgroups_create(&opts, &cgroups, &err), -EEXIST);
	opts.mount = scratch_path(&scratch, "nowhere");
	assert_int_equal(cgroups_create(&opts, &cgroups, &err), -ENOENT);
	assert_null(cgroups);
}

/* A pipe that nobody reads keeps a write from ever returning. */
static void stuck(void **state)
{
	struct cgroups *cgroups = create(LONG_NS);
	struct ktstr_error err = { 0 };
	char path[300];
	int fd;

	(void)state;
	assert_int_equal(cgroups_make(cgroups, "left", NULL), 0);
	snprintf(path, sizeof(path), "%s/ktstr/left/cpuset.mems", scratch.dir);
	assert_int_equal(mkfifo(path, 0644), 0);
	cgroups_set_timeouts(cgroups, SHORT_NS, LONG_NS);
	assert_int_equal(cgroups_write(cgroups, "left", "cpuset.mems", "0-1", &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "ktstr/left/cpuset.mems': '0-1': it does not return"));
	/* The next one has a thread of its own. */
	cgroups_set_timeouts(cgroups, LONG_NS, LONG_NS);
	assert_int_equal(cgroups_write(cgroups, "left", "cpuset.cpus", "7", &err), 0);
	cgroups_set_timeouts(cgroups, SHORT_NS, LONG_NS);
	for (int i = 1; i < CGROUPS_STUCK_MAX; i++)
		assert_int_equal(cgroups_write(cgroups, "left", "cpuset.mems", "0", &err),
				 -ETIMEDOUT);
	assert_int_equal(cgroups_write(cgroups, "left", "cpuset.cpus", "8", &err), -ETIMEDOUT);
	holds("ktstr/left/cpuset.cpus", "7");
	assert_int_equal(cgroups_destroy(cgroups, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "ktstr/left"));
	/* Now they come back, long after the tree is gone. */
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
}

static void freezing(void **state)
{
	struct cgroups *cgroups = create(LONG_NS);
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(cgroups_make(cgroups, "left", NULL), 0);
	assert_int_equal(cgroups_make(cgroups, "left/inner", NULL), 0);
	cgroups_set_timeouts(cgroups, LONG_NS, SHORT_NS);
	assert_int_equal(cgroups_freeze(cgroups, "left", true, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "'left' was told to freeze"));
	scratch_text(&scratch, "ktstr/left/cgroup.events", "populated 0\nfrozen 1\n");
	scratch_text(&scratch, "ktstr/left/inner/cgroup.events", "populated 0\nfrozen 1\n");
	assert_int_equal(cgroups_freeze(cgroups, "left", true, &err), 0);
	holds("ktstr/left/cgroup.freeze", "1");
	/* It stays frozen, as what is above it is. */
	assert_int_equal(cgroups_freeze(cgroups, "left/inner", false, &err), 0);
	assert_int_equal(cgroups_freeze(cgroups, "left", false, &err), -ETIMEDOUT);
	scratch_text(&scratch, "ktstr/left/cgroup.events", "populated 0\n");
	assert_int_equal(cgroups_freeze(cgroups, "left", false, &err), -ENODATA);
	scratch_text(&scratch, "ktstr/left/cgroup.events", "populated 0\nfrozen 0\n");
	assert_int_equal(cgroups_freeze(cgroups, "left", false, &err), 0);
	assert_int_equal(cgroups_destroy(cgroups, NULL), 0);
}

static void moving(void **state)
{
	const pid_t tids[] = { 11, 12 };
	struct cgroups *cgroups = create(LONG_NS);

	(void)state;
	assert_int_equal(cgroups_make(cgroups, "left", NULL), 0);
	assert_int_equal(cgroups_move(cgroups, "left", tids, 2, NULL), 0);
	holds("ktstr/left/cgroup.threads", "12");
	holds("ktstr/cgroup.procs", "");
	assert_int_equal(cgroups_move(cgroups, "right", tids, 2, NULL), -ENOENT);
	scratch_text(&scratch, "ktstr/left/cgroup.threads", "");
	assert_int_equal(cgroups_destroy(cgroups, NULL), 0);
}

/* Says that nobody is left when the child has been killed. */
static void *bury(void *arg)
{
	int status;

	waitpid(*(pid_t *)arg, &status, 0);
	scratch_text(&scratch, "ktstr/left/cgroup.threads", "");
	scratch_text(&scratch, "ktstr/left/cgroup.events", "populated 0\nfrozen 0\n");
	return (void *)(intptr_t)(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static void leftovers(void **state)
{
	struct cgroups *cgroups = create(LONG_NS);
	struct ktstr_error err = { 0 };
	pthread_t thread;
	char text[16];
	pid_t child;
	void *how;

	(void)state;
	assert_int_equal(cgroups_make(cgroups, "left", NULL), 0);
	scratch_text(&scratch, "ktstr/left/cgroup.events", "populated 1\nfrozen 0\n");
	cgroups_set_timeouts(cgroups, LONG_NS, SHORT_NS);
	assert_int_equal(cgroups_remove(cgroups, "left", &err), -EBUSY);
	assert_non_null(strstr(err.text, "'left' has tasks that do not end"));
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(text, sizeof(text), "%d\n", child);
	scratch_text(&scratch, "ktstr/left/cgroup.threads", text);
	assert_int_equal(pthread_create(&thread, NULL, bury, &child), 0);
	while (cgroups_remove(cgroups, "left", &err) == -EBUSY)
		;
	assert_int_equal(pthread_join(thread, &how), 0);
	assert_int_equal((intptr_t)how, SIGKILL);
	assert_false(cgroups_has(cgroups, "left"));
	rmdir_error = EBUSY;
	assert_int_equal(cgroups_destroy(cgroups, &err), -EBUSY);
	assert_non_null(strstr(err.text, "remove '"));
	rmdir_error = 0;
}

static void stats(void **state)
{
	static const struct {
		const char *text;
		int result;
		struct cgroup_stat wanted;
	} rows[] = {
		{ "usage_usec 12\nuser_usec 3\nthrottled_usec 4\n",
		  0,
		  { true, true, 12000, 4000 } },
		{ "usage_usec 12", 0, { true, false, 12000, 0 } },
		{ "throttled_usec 4\n", 0, { false, true, 0, 4000 } },
		{ "", 0, { 0 } },
		{ "\n\n", 0, { 0 } },
		{ "xusage_usec 12\nusage_usecs 3\n", 0, { 0 } },
		{ "usage_usec \n", -EINVAL, { 0 } },
		{ "usage_usec x\n", -EINVAL, { 0 } },
		{ "usage_usec 1 2\n", -EINVAL, { 0 } },
		{ "usage_usec 18446744073709551615\n", -EINVAL, { 0 } },
		{ "throttled_usec 99999999999999999999999999\n", -EINVAL, { 0 } },
	};
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cgroup_stat stat = { 0 };

		assert_int_equal(cgroup_stat_parse(rows[i].text, &stat), rows[i].result);
		assert_int_equal(stat.has_usage, rows[i].wanted.has_usage);
		assert_int_equal(stat.has_throttled, rows[i].wanted.has_throttled);
		assert_int_equal(stat.usage_ns, rows[i].wanted.usage_ns);
		assert_int_equal(stat.throttled_ns, rows[i].wanted.throttled_ns);
	}
	assert_int_equal(cgroup_key_parse("a 1\nfrozen 1\n", "frozen", &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(cgroup_key_parse("a 1\n", "frozen", &value), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(needs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stuck, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freezing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(moving, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leftovers, set_up, tear_down),
		cmocka_unit_test(stats),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
