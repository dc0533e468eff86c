// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

struct mount_row {
	const char *type, *where, *options;
	unsigned long flags;
	bool optional;
};

static const struct mount_row first_rows[] = {
	{ "devtmpfs", "/dev", "mode=755", MS_NOSUID, false },
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, false },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, false },
};

static const struct mount_row rest_rows[] = {
	{ "devpts", "/dev/pts", "mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC, false },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, false },
	{ "tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV, false },
	{ "tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV, false },
	{ "cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, false },
	{ "debugfs", "/sys/kernel/debug", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, true },
	{ "tracefs", "/sys/kernel/tracing", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV, true },
	{ "bpf", "/sys/fs/bpf", "mode=700", MS_NOSUID | MS_NOEXEC | MS_NODEV, true },
};

static int mount_rows(const struct mount_row *rows, size_t nr, struct ktstr_error *err)
{
	for (size_t i = 0; i < nr; i++) {
		const struct mount_row *row = &rows[i];

		if (mkdir(row->where, 0755) < 0 && errno != EEXIST && !row->optional)
			return ktstr_error_set(err, -errno, "create '%s': %s", row->where,
					       strerror(errno));
		/* The kernel may have mounted /dev itself. */
		if (mount(row->type, row->where, row->type, row->flags, row->options) < 0 &&
		    errno != EBUSY && !row->optional)
			return ktstr_error_set(err, -errno, "mount %s at '%s': %s", row->type,
					       row->where, strerror(errno));
	}
	return 0;
}

static int quiet_stdio(struct ktstr_error *err)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return ktstr_error_set(err, -errno, "open '/dev/null': %s", strerror(errno));
	for (int i = 0; i < 3; i++)
		if (i != fd && dup2(fd, i) < 0)
			return ktstr_error_set(err, -errno, "dup2: %s", strerror(errno));
	if (fd < 3)
		take_fd(&fd);
	return 0;
}

int mount_first(struct ktstr_error *err)
{
	int r = mount_rows(first_rows, ARRAY_SIZE(first_rows), err);

	return r < 0 ? r : quiet_stdio(err);
}

/* One by one: a controller that cannot be handed down must not keep the others back. */
static int enable_controllers(struct ktstr_error *err)
{
	static const char root[] = "/sys/fs/cgroup/cgroup.subtree_control";
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT_LIMIT(4096);
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT_LIMIT(4096);
	char *save = NULL;
	int r = io_read_file("/sys/fs/cgroup/cgroup.controllers", &names, err);

	if (r < 0)
		return r;
	for (char *name = strtok_r(names.data, " \n", &save); name;
	     name = strtok_r(NULL, " \n", &save))
		strbuf_addf(&line, "+%s ", name);
	if (line.error)
		return ktstr_error_nomem(err);
	if (io_write_sysfs(root, strbuf_str(&line)) == 0)
		return 0;
	for (char *name = strtok_r(line.data, " ", &save); name; name = strtok_r(NULL, " ", &save))
		r = io_write_sysfs(root, name);
	(void)r;
	return 0;
}

int mount_rest(struct ktstr_error *err)
{
	int r = mount_rows(rest_rows, ARRAY_SIZE(rest_rows), err);

	if (r < 0)
		return r;
	/* By default a tmpfs takes half of memory; a job's files live in this one. */
	mount("", "/", "", MS_REMOUNT, "size=80%");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	return enable_controllers(err);
}
