// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cpio.h"
#include "base/io.h"

enum { RELEASE_STEP = 1 << 20, PAGE = 4096 };

struct unpack {
	int root_fd;
	struct job *job;
	bool has_job;
	uint8_t *released; /* everything before it has been given back; NULL: keep all */
	struct ktstr_error *err;
};

static int write_file(int root_fd, const struct cpio_entry *entry)
{
	_cleanup_close_ int fd = -1;
	int r;

	/* Not in place: what has this name may be running. */
	if (unlinkat(root_fd, entry->name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(root_fd, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = io_write_all(fd, entry->data, entry->size);
	if (r < 0)
		return r;
	return fchmod(fd, entry->mode & 07777) < 0 ? -errno : 0;
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

static int unpack_entry(int root_fd, const struct cpio_entry *entry)
{
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		return write_file(root_fd, entry);
	case S_IFDIR:
		return make_folder(root_fd, entry);
	case S_IFLNK:
		return make_link(root_fd, entry);
	case S_IFCHR:
		return make_device(root_fd, entry);
	default:
		return -EINVAL;
	}
}

static void release_until(struct unpack *u, const void *end)
{
	uint8_t *stop = (uint8_t *)((uintptr_t)end & -(uintptr_t)PAGE);

	if (!u->released || stop < u->released + RELEASE_STEP)
		return;
	madvise(u->released, (size_t)(stop - u->released), MADV_DONTNEED);
	u->released = stop;
}

static int on_entry(void *arg, const struct cpio_entry *entry)
{
	struct unpack *u = arg;
	int r;

	if (!u->has_job) {
		if (strcmp(entry->name, "job.json") != 0 || !S_ISREG(entry->mode))
			return ktstr_error_set(u->err, -EINVAL,
					       "the first entry is '%s', not job.json",
					       entry->name);
		r = job_decode(entry->data, entry->size, u->job, u->err);
		u->has_job = r == 0;
		return r;
	}
	r = unpack_entry(u->root_fd, entry);
	if (r < 0)
		return ktstr_error_set(u->err, r, "unpack '/%s' (%u bytes): %s", entry->name,
				       entry->size, strerror(-r));
	if (entry->size)
		release_until(u, (const uint8_t *)entry->data + entry->size);
	return 0;
}

int job_unpack(const struct fwcfg_blob *blob, bool release, int root_fd, struct job *ret_job,
	       struct ktstr_error *err)
{
	_cleanup_(job_deinit) struct job job = { 0 };
	struct unpack u = {
		.root_fd = root_fd,
		.job = &job,
		.released = release ? blob->bytes : NULL,
		.err = err,
	};
	int r = cpio_read(blob->bytes, blob->size, on_entry, &u, err);

	if (r < 0)
		return ktstr_error_wrap(err, r, "job");
	if (!u.has_job)
		return ktstr_error_set(err, -EINVAL, "job: the archive is empty");
	*ret_job = job;
	job = (struct job){ 0 };
	return 0;
}
