// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum { FIRST_PAUSE_MS = 2, LONGEST_PAUSE_MS = 64 };

static int open_lock(const char *path, bool create)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, O_RDWR | flags | (create ? O_CREAT : 0), 0666);

	/* Reading is enough to lock, so a store that cannot be written to can be used. */
	if (fd < 0 && (errno == EROFS || errno == EACCES || errno == EPERM)) {
		int why = errno;

		fd = open(path, O_RDONLY | flags);
		if (fd < 0 && errno == ENOENT && create)
			errno = why;
	}
	return fd < 0 ? -errno : fd;
}

bool store_lock_is_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

int store_lock_try(const char *path, int operation, bool create)
{
	for (;;) {
		_cleanup_close_ int fd = open_lock(path, create);

		if (fd < 0)
			return fd;
		if (flock(fd, operation | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (store_lock_is_at(fd, path))
			return take_fd(&fd);
		store_lock_drop(&fd);
	}
}

void store_lock_drop(int *fd)
{
	if (*fd < 0)
		return;
	flock(*fd, LOCK_UN);
	close(take_fd(fd));
}

int store_lock_pause(int cancel_fd, unsigned int *turn)
{
	struct pollfd p = { .fd = cancel_fd, .events = POLLIN };
	int ms = *turn < 5 ? FIRST_PAUSE_MS << *turn : LONGEST_PAUSE_MS;

	(*turn)++;
	return poll(&p, 1, ms) > 0 ? -EINTR : 0;
}
