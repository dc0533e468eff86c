// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/tree.h"

enum { EVENTS_BYTES = 4096, TIDS_BYTES = 1 << 20, BUSY_TRIES = 10 };

#define BUSY_WAIT_NS (2 * NSEC_PER_MSEC)

static void wait_until(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
			       .tv_nsec = (long)(ns % NSEC_PER_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int read_events(int fd, const char *key, uint64_t *ret_value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(EVENTS_BYTES);
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	r = io_read_to_end(fd, &text);
	return r < 0 ? r : cgroup_key_parse(strbuf_str(&text), key, ret_value);
}

int cgroups_await(const struct cgroups *cgroups, const char *name, const char *key, uint64_t value,
		  uint64_t until_ns)
{
	_cleanup_free_ char *path = cgroups_path(cgroups, name, "cgroup.events");
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (!path)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd events = { .fd = fd, .events = POLLPRI };
		uint64_t now_ns = clock_mono_ns(), seen = 0;
		int r = read_events(fd, key, &seen);

		if (r < 0 || seen == value)
			return r;
		if (now_ns >= until_ns)
			return -ETIMEDOUT;
		/* A file that cannot be waited for is looked at now and then. */
		ppoll(&events, 1,
		      &(struct timespec){ .tv_nsec = (long)(until_ns - now_ns < BUSY_WAIT_NS * 5
								    ? until_ns - now_ns
								    : BUSY_WAIT_NS * 5) },
		      NULL);
	}
}

/* --- moving ------------------------------------------------------------------------------------ */

static int move_once(struct cgroups *cgroups, const char *path, const char *tid,
		     struct ktstr_error *err)
{
	int r = cgroups_change(cgroups, &(struct change){ CHANGE_WRITE, path, tid }, err);

	if (r != -EOPNOTSUPP)
		return r;
	/* A thread enters a threaded tree with its whole process, at the root. */
	r = cgroups_write(cgroups, NULL, "cgroup.procs", tid, err);
	return r < 0 ? r
		     : cgroups_change(cgroups, &(struct change){ CHANGE_WRITE, path, tid }, err);
}

static int move_one(struct cgroups *cgroups, const char *path, pid_t tid, struct ktstr_error *err)
{
	char text[16];
	int r = 0;

	snprintf(text, sizeof(text), "%d", tid);
	for (int i = 0; i < BUSY_TRIES; i++) {
		r = move_once(cgroups, path, text, err);
		if (r != -EBUSY)
			return r == -ESRCH ? 0 : r;
		wait_until(clock_mono_ns() + BUSY_WAIT_NS);
	}
	return r;
}

int cgroups_move(struct cgroups *cgroups, const char *name, const pid_t *tids, size_t nr,
		 struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = cgroups_find(cgroups, name, err);

	if (r < 0)
		return r;
	path = cgroups_path(cgroups, name, "cgroup.threads");
	if (!path)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < nr && r == 0; i++)
		r = move_one(cgroups, path, tids[i], err);
	return r;
}

/* --- freezing ---------------------------------------------------------------------------------- */

/* A cgroup below a frozen one stays frozen when it is thawed. */
static bool ancestor_freezes(const struct cgroups *cgroups, const char *name)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(EVENTS_BYTES);
	_cleanup_free_ char *up = name ? strdup(name) : NULL;

	while (up && *up) {
		char *slash = strrchr(up, '/');

		*(slash ? slash : up) = '\0';
		if (cgroups_read(cgroups, up, "cgroup.freeze", &text, NULL) == 0 &&
		    !strcmp(strbuf_str(&text), "1"))
			return true;
	}
	return false;
}

int cgroups_freeze(struct cgroups *cgroups, const char *name, bool frozen, struct ktstr_error *err)
{
	int r = cgroups_write(cgroups, name, "cgroup.freeze", frozen ? "1" : "0", err);

	if (r < 0 || (!frozen && ancestor_freezes(cgroups, name)))
		return r;
	r = cgroups_await(cgroups, name, "frozen", frozen,
			  clock_add_ns(clock_mono_ns(), cgroups->timeout_ns));
	if (r < 0)
		return ktstr_error_set(err, r, "cgroup '%s' was told to %s and does not: %s",
				       name ? name : "", frozen ? "freeze" : "thaw", strerror(-r));
	return 0;
}

/* --- emptying ---------------------------------------------------------------------------------- */

/* A thread's id serves as its process's for kill(2). */
static int kill_threads(const struct cgroups *cgroups, const char *name)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(TIDS_BYTES);
	_cleanup_free_ char *path = cgroups_path(cgroups, name, "cgroup.threads");
	char *save = NULL;
	int r = path ? io_read_file(path, &text, NULL) : -ENOMEM;

	if (r < 0)
		return r;
	for (char *p = text.data ? strtok_r(text.data, "\n", &save) : NULL; p;
	     p = strtok_r(NULL, "\n", &save)) {
		uint32_t tid;

		if (parse_u32(p, &tid) == 0 && tid > 1 && tid <= INT32_MAX)
			kill((pid_t)tid, SIGKILL);
	}
	return 0;
}

int cgroups_empty(const struct cgroups *cgroups, const char *name, struct ktstr_error *err)
{
	uint64_t until_ns = clock_add_ns(clock_mono_ns(), cgroups->timeout_ns);

	for (;;) {
		uint64_t next_ns = clock_mono_ns() + 5 * BUSY_WAIT_NS;
		int r = kill_threads(cgroups, name);

		if (r == 0)
			r = cgroups_await(cgroups, name, "populated", 0,
					  next_ns < until_ns ? next_ns : until_ns);
		if (r == -ENOENT)
			return 0;
		if (r != -ETIMEDOUT)
			return r < 0 ? ktstr_error_set(err, r, "empty cgroup '%s': %s",
						       name ? name : "", strerror(-r))
				     : 0;
		if (next_ns >= until_ns)
			return ktstr_error_set(err, -EBUSY,
					       "cgroup '%s' has tasks that do not end when killed",
					       name ? name : "");
	}
}
