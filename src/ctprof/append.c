// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/load.h"
#include "ctprof/write.h"

/* Where the next snapshot goes: behind the last whole one. */
static int find_end(int fd, const char *path, off_t *ret_end, struct ktstr_error *err)
{
	struct ctprof_frames frames;
	struct stat st;
	void *bytes;
	int r;

	if (fstat(fd, &st) < 0)
		return ktstr_error_set(err, -errno, "append to '%s': %s", path, strerror(errno));
	*ret_end = 0;
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return 0;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return ktstr_error_set(err, -errno, "map '%s': %s", path, strerror(errno));
	r = ctprof_find_frames(bytes, (size_t)st.st_size, path, &frames, err);
	munmap(bytes, (size_t)st.st_size);
	if (r == 0)
		*ret_end = (off_t)frames.end;
	return r;
}

static int write_at(int fd, off_t end, const struct strbuf *bytes)
{
	int r;

	/* A pipe or a terminal has no end to go to. */
	if (lseek(fd, 0, SEEK_CUR) < 0)
		return io_write_all(fd, bytes->data, bytes->len);
	if (ftruncate(fd, end) < 0 && errno != EINVAL)
		return -errno;
	if (lseek(fd, end, SEEK_SET) < 0)
		return -errno;
	r = io_write_all(fd, bytes->data, bytes->len);
	if (r < 0 && ftruncate(fd, end) < 0)
		return r;
	return r;
}

int ktstr_ctprof_append(const struct ktstr_ctprof *snapshot, const char *path,
			struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_close_ int fd = -1;
	off_t end;
	int r = ctprof_pack(snapshot, path, &bytes, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", path, strerror(errno));
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return ktstr_error_set(err, -errno, "lock '%s': %s", path, strerror(errno));
	r = find_end(fd, path, &end, err);
	if (r < 0)
		return r;
	r = write_at(fd, end, &bytes);
	if (r < 0)
		return ktstr_error_set(err, r, "append to '%s': %s", path, strerror(-r));
	return 0;
}
