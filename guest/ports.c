// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

static bool has_name(int dir_fd, const char *device, const char *name)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(256);
	char path[300];

	snprintf(path, sizeof(path), "%s/name", device);
	if (io_read_file_at(dir_fd, path, &text) < 0)
		return false;
	return text.len == strlen(name) + 1 && memcmp(text.data, name, strlen(name)) == 0 &&
	       text.data[text.len - 1] == '\n';
}

int ports_find(const char *class_dir, const char *name, char *ret_device, size_t size)
{
	_cleanup_closedir_ DIR *dir = opendir(class_dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || !has_name(dirfd(dir), entry->d_name, name))
			continue;
		if (strlen(entry->d_name) >= size)
			return -ENAMETOOLONG;
		memcpy(ret_device, entry->d_name, strlen(entry->d_name) + 1);
		return 0;
	}
	return -ENOENT;
}

static int try_open(const char *name)
{
	char device[64], path[80];
	int r = ports_find("/sys/class/virtio-ports", name, device, sizeof(device));

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/dev/%s", device);
	r = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return r < 0 ? -errno : r;
}

static bool host_is_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT && !(p.revents & POLLHUP);
}

int ports_open(const char *name, uint64_t timeout_ns, struct ktstr_error *err)
{
	uint64_t deadline = clock_mono_ns() + timeout_ns;
	_cleanup_close_ int fd = -1;

	for (;;) {
		if (fd < 0)
			fd = try_open(name);
		if (fd < 0 && fd != -ENOENT)
			return ktstr_error_set(err, fd, "open virtio port '%s': %s", name,
					       strerror(-fd));
		if (fd >= 0 && host_is_connected(fd))
			return take_fd(&fd);
		if (clock_mono_ns() >= deadline)
			return ktstr_error_set(err, -ETIMEDOUT, "virtio port '%s' %s", name,
					       fd < 0 ? "is not there" : "has no host behind it");
		nanosleep(&(struct timespec){ .tv_nsec = 500 * 1000 }, NULL);
	}
}
