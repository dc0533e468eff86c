// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "base/cleanup.h"
#include "base/cpio.h"
#include "base/io.h"
#include "run/filesum.h"
#include "run/parcel.h"
#include "run/parcel_name.h"
#include "run/runrecord.h"

enum { CHUNK = 128 << 10 };

struct unpacking {
	int dir_fd;
	int fd;	     /* the file being written, or -1 */
	bool marked; /* the first entry was the mark, of this version */
	bool in_mark;
	uint64_t bytes; /* unpacked so far */
	struct cpio_stream stream;
	struct ktstr_error *err;
};

static bool is_item(const char *name, size_t len)
{
	return len > 0 && len < RUNRECORD_NAME && *name != '.';
}

bool parcel_name_ok(const char *name, bool folder)
{
	static const char *const files[] = { RUNRECORD_FILE, RUNRECORD_JOB, RUNRECORD_EVENTS,
					     "result.json" };
	const char *slash = strchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : strlen(name);

	if (!is_item(name, len) || (slash && strchr(slash + 1, '/')) || folder == (slash != NULL))
		return false;
	if (folder)
		return true;
	if (!strncmp(name, PARCEL_OBJECTS "/", len + 1) ||
	    !strncmp(name, PARCEL_KERNELS "/", len + 1))
		return filesum_is_hex(slash + 1);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!strcmp(slash + 1, files[i]))
			return true;
	return false;
}

static int begin(void *arg, const struct cpio_entry *entry)
{
	struct unpacking *u = arg;
	bool folder = S_ISDIR(entry->mode);

	if (!u->marked) {
		if (strcmp(entry->name, PARCEL_MARK) != 0 || !S_ISREG(entry->mode))
			return ktstr_error_set(u->err, -EINVAL, "it is no exported run");
		u->in_mark = true;
		return 0;
	}
	if ((!folder && !S_ISREG(entry->mode)) || !parcel_name_ok(entry->name, folder))
		return ktstr_error_set(u->err, -EINVAL,
				       "it holds '%.200s', which is no part of a run", entry->name);
	u->bytes += entry->size;
	if (u->bytes > PARCEL_BYTES_MAX)
		return ktstr_error_set(u->err, -E2BIG, "it holds more than %llu GiB",
				       PARCEL_BYTES_MAX >> 30);
	if (folder)
		return mkdirat(u->dir_fd, entry->name, 0777) < 0
			       ? ktstr_error_set(u->err, -errno, "create '%s': %s", entry->name,
						 strerror(errno))
			       : 0;
	u->fd = openat(u->dir_fd, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0666);
	return u->fd < 0 ? ktstr_error_set(u->err, -errno, "create '%s': %s", entry->name,
					   strerror(errno))
			 : 0;
}

static int data(void *arg, const void *bytes, size_t len)
{
	struct unpacking *u = arg;
	int r;

	if (u->in_mark) {
		u->marked = len == strlen(PARCEL_VERSION) && !memcmp(bytes, PARCEL_VERSION, len);
		return u->marked
			       ? 0
			       : ktstr_error_set(u->err, -EPROTO,
						 "it has another version than this program reads");
	}
	r = io_write_all(u->fd, bytes, len);
	return r < 0 ? ktstr_error_set(u->err, r, "write: %s", strerror(-r)) : 0;
}

static int end(void *arg)
{
	struct unpacking *u = arg;

	u->in_mark = false;
	if (u->fd >= 0)
		close(take_fd(&u->fd));
	return 0;
}

static const struct cpio_stream_ops ops = { .begin = begin, .data = data, .end = end };

DEFINE_CLEANUP(ZSTD_DCtx *, ZSTD_freeDCtx);

/* Everything in @in.  Return: 0 or a negative errno. */
static int decompress_chunk(struct unpacking *u, ZSTD_DCtx *zstd, ZSTD_inBuffer in,
			    size_t *ret_left)
{
	char bytes[CHUNK];
	ZSTD_outBuffer out;

	do {
		int r;

		out = (ZSTD_outBuffer){ .dst = bytes, .size = sizeof(bytes) };
		*ret_left = ZSTD_decompressStream(zstd, &out, &in);
		if (ZSTD_isError(*ret_left))
			return ktstr_error_set(u->err, -EINVAL,
					       "it is damaged, or no exported run");
		r = cpio_stream_feed(&u->stream, bytes, out.pos, u->err);
		if (r < 0)
			return r;
	} while (in.pos < in.size || out.pos == out.size);
	return 0;
}

static int unpack(struct unpacking *u, int fd)
{
	_cleanup_(ZSTD_freeDCtxp) ZSTD_DCtx *zstd = ZSTD_createDCtx();
	char bytes[CHUNK];
	size_t left = 1;
	ssize_t n;
	int r;

	if (!zstd)
		return ktstr_error_nomem(u->err);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		r = decompress_chunk(u, zstd, (ZSTD_inBuffer){ bytes, (size_t)n, 0 }, &left);
		if (r < 0)
			return r;
	}
	if (n < 0)
		return ktstr_error_set(u->err, -errno, "read: %s", strerror(errno));
	if (left)
		return ktstr_error_set(u->err, -EINVAL, "it is cut short");
	return cpio_stream_finish(&u->stream, u->err);
}

int parcel_unpack(const char *path, const char *dir, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct unpacking u = { .dir_fd = dir_fd, .fd = -1, .err = err };
	int r;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	if (dir_fd < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", dir, strerror(errno));
	cpio_stream_init(&u.stream, &ops, &u);
	r = unpack(&u, fd);
	if (u.fd >= 0)
		close(u.fd);
	return r < 0 ? ktstr_error_wrap(err, r, "'%s'", path) : 0;
}
