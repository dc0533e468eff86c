// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* The caller's umask must be 0. */
static int open_file(struct unpack *u)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;

	u->fd = openat(u->root_fd, u->name, flags, u->entry.mode & 07777);
	if (u->fd >= 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* Not in place: what has this name may be running. */
	if (unlinkat(u->root_fd, u->name, 0) < 0)
		return -errno;
	u->fd = openat(u->root_fd, u->name, flags, u->entry.mode & 07777);
	return u->fd < 0 ? -errno : 0;
}

static int make_folder(int root_fd, const struct cpio_entry *entry)
{
	struct stat st;

	if (mkdirat(root_fd, entry->name, entry->mode & 07777) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(root_fd, entry->name, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int make_link(int root_fd, const struct cpio_entry *entry)
{
	_cleanup_free_ char *target = strndup(entry->data, entry->size);

	if (!target)
		return -ENOMEM;
	if (unlinkat(root_fd, entry->name, 0) < 0 && errno != ENOENT)
		return -errno;
	return symlinkat(target, root_fd, entry->name) < 0 ? -errno : 0;
}

static int make_device(int root_fd, const struct cpio_entry *entry)
{
	dev_t dev = makedev(entry->rdev_major, entry->rdev_minor);

	if (mknodat(root_fd, entry->name, entry->mode, dev) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int failed(struct unpack *u, int r)
{
	return ktstr_error_set(u->err, r, "unpack '/%s' (%u bytes): %s", u->name, u->entry.size,
			       strerror(-r));
}

static int begin_entry(struct unpack *u, const struct cpio_entry *entry)
{
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		return open_file(u);
	case S_IFDIR:
		return make_folder(u->root_fd, entry);
	case S_IFLNK:
		return make_link(u->root_fd, entry);
	case S_IFCHR:
		return make_device(u->root_fd, entry);
	default:
		return -EINVAL;
	}
}

static int on_begin(void *arg, const struct cpio_entry *entry)
{
	struct unpack *u = arg;
	int r;

	u->entry = *entry;
	memcpy(u->name, entry->name, strlen(entry->name) + 1);
	r = begin_entry(u, entry);
	return r < 0 ? failed(u, r) : 0;
}

static int on_data(void *arg, const void *bytes, size_t len)
{
	struct unpack *u = arg;
	int r = io_write_all(u->fd, bytes, len);

	return r < 0 ? failed(u, r) : 0;
}

static int on_end(void *arg)
{
	struct unpack *u = arg;

	if (u->fd >= 0)
		close(take_fd(&u->fd));
	return 0;
}

static const struct cpio_stream_ops ops = { on_begin, on_data, on_end };

void unpack_init(struct unpack *u, int root_fd)
{
	*u = (struct unpack){ .root_fd = root_fd, .fd = -1 };
	xxh64_init(&u->sum);
	cpio_stream_init(&u->stream, &ops, u);
}

int unpack_feed(struct unpack *u, const void *bytes, size_t size, struct ktstr_error *err)
{
	int r;

	u->err = err;
	u->bytes += size;
	xxh64_update(&u->sum, bytes, size);
	r = cpio_stream_feed(&u->stream, bytes, size, err);
	return r < 0 ? ktstr_error_wrap(err, r, "the job's files") : 0;
}

int unpack_finish(struct unpack *u, const struct job *job, struct ktstr_error *err)
{
	uint64_t sum = xxh64_value(&u->sum);
	int r = 0;

	if (u->bytes != job->files_bytes || sum != job->files_xxh64)
		return ktstr_error_set(err, -EBADMSG,
				       "the job's files arrived damaged: %llu bytes with XXH64 "
				       "%016llx, the job says %llu and %016llx",
				       (unsigned long long)u->bytes, (unsigned long long)sum,
				       (unsigned long long)job->files_bytes,
				       (unsigned long long)job->files_xxh64);
	if (u->bytes)
		r = cpio_stream_finish(&u->stream, err);
	return r < 0 ? ktstr_error_wrap(err, r, "the job's files") : 0;
}

void unpack_deinit(struct unpack *u)
{
	closep(&u->fd);
	u->fd = -1;
}
