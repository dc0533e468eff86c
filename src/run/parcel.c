// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/parcel.h"

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
#include "base/path.h"
#include "run/interrupt.h"
#include "run/parcel_name.h"

enum { LEVEL = 3, CHUNK = 128 << 10, NAMES_MAX = 1 << 16 };

struct parcel {
	char *path, *temp;
	int fd; /* the archive grows here, uncompressed, and has no name */
	struct cpio_writer writer;
	char **names;
	size_t nr_names;
};

static int failed(const char *what, const char *path, int r, struct ktstr_error *err)
{
	return ktstr_error_set(err, r, "%s '%s': %s", what, path, strerror(-r));
}

static int add_entry(struct parcel *parcel, struct cpio_entry entry, int fd,
		     struct ktstr_error *err)
{
	int r = fd < 0 ? cpio_add(&parcel->writer, &entry)
		       : cpio_add_fd(&parcel->writer, &entry, fd);

	return r < 0 ? failed("write", parcel->temp, r, err) : 0;
}

int parcel_create(const char *path, struct parcel **ret_parcel, struct ktstr_error *err)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));
	int r;

	if (!parcel)
		return ktstr_error_nomem(err);
	parcel->fd = -1;
	parcel->path = strdup(path);
	parcel->temp = path_format("%s.new.%d", path, (int)getpid());
	if (!parcel->path || !parcel->temp) {
		parcel_destroy(parcel);
		return ktstr_error_nomem(err);
	}
	parcel->fd = open(parcel->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = parcel->fd < 0 ? failed("create", parcel->temp, -errno, err) : 0;
	if (r == 0)
		unlink(parcel->temp);
	cpio_writer_to_fd(&parcel->writer, parcel->fd);
	if (r == 0)
		r = add_entry(parcel,
			      (struct cpio_entry){ .name = PARCEL_MARK,
						   .mode = S_IFREG | 0644,
						   .size = sizeof(PARCEL_VERSION) - 1,
						   .data = PARCEL_VERSION },
			      -1, err);
	if (r < 0) {
		parcel_destroy(parcel);
		return r;
	}
	*ret_parcel = parcel;
	return 0;
}

/* Return: 1 if it is new, 0 if it is there, -ENOMEM. */
static int note_name(struct parcel *parcel, const char *name)
{
	char **names;

	for (size_t i = 0; i < parcel->nr_names; i++)
		if (!strcmp(parcel->names[i], name))
			return 0;
	names = reallocarray(parcel->names, parcel->nr_names + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	parcel->names = names;
	names[parcel->nr_names] = strdup(name);
	return names[parcel->nr_names] && ++parcel->nr_names < NAMES_MAX ? 1 : -ENOMEM;
}

int parcel_add_folder(struct parcel *parcel, const char *name, struct ktstr_error *err)
{
	int r = note_name(parcel, name);

	if (r < 0)
		return ktstr_error_nomem(err);
	return r ? add_entry(parcel, (struct cpio_entry){ .name = name, .mode = S_IFDIR | 0755 },
			     -1, err)
		 : 0;
}

int parcel_add(struct parcel *parcel, const char *path, const char *name, struct ktstr_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = note_name(parcel, name);

	if (r <= 0)
		return r < 0 ? ktstr_error_nomem(err) : 0;
	if (interrupt_seen())
		return ktstr_error_set(err, -EINTR, "interrupted");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed("read", path, -errno, err);
	if (st.st_size > UINT32_MAX)
		return failed("pack", path, -EFBIG, err);
	return add_entry(parcel,
			 (struct cpio_entry){ .name = name,
					      .mode = S_IFREG | 0644,
					      .size = (uint32_t)st.st_size },
			 fd, err);
}

DEFINE_CLEANUP(ZSTD_CCtx *, ZSTD_freeCCtx);

/* One chunk through the compressor.  Return: 0, -EIO, -errno. */
static int compress_chunk(ZSTD_CCtx *zstd, ZSTD_inBuffer in, bool last, int out_fd)
{
	char out_bytes[CHUNK];
	size_t left;

	do {
		ZSTD_outBuffer out = { .dst = out_bytes, .size = sizeof(out_bytes) };
		int r;

		left = ZSTD_compressStream2(zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		r = io_write_all(out_fd, out_bytes, out.pos);
		if (r < 0)
			return r;
	} while (last ? left > 0 : in.pos < in.size);
	return 0;
}

static int compress(int in_fd, int out_fd)
{
	_cleanup_(ZSTD_freeCCtxp) ZSTD_CCtx *zstd = ZSTD_createCCtx();
	char bytes[CHUNK];
	ssize_t n;
	int r = zstd ? 0 : -ENOMEM;

	if (zstd)
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL);
	if (zstd)
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	if (r == 0 && lseek(in_fd, 0, SEEK_SET) < 0)
		r = -errno;
	while (r == 0) {
		if (interrupt_seen())
			return -EINTR;
		n = read(in_fd, bytes, sizeof(bytes));
		if (n < 0)
			return -errno;
		r = compress_chunk(zstd, (ZSTD_inBuffer){ bytes, (size_t)n, 0 }, n == 0, out_fd);
		if (n == 0)
			break;
	}
	return r;
}

int parcel_finish(struct parcel *parcel, struct ktstr_error *err)
{
	_cleanup_free_ char *packed = path_format("%s.zst", parcel->temp);
	_cleanup_close_ int fd = -1;
	int r = cpio_finish(&parcel->writer);

	if (!packed)
		return ktstr_error_nomem(err);
	fd = open(packed, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (r == 0)
		r = fd < 0 ? -errno : compress(parcel->fd, fd);
	if (r == 0 && rename(packed, parcel->path) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	if (fd >= 0)
		unlink(packed);
	if (r == -EINTR)
		return ktstr_error_set(err, r, "interrupted; '%s' is not written", parcel->path);
	return failed("write", parcel->path, r, err);
}

void parcel_destroy(struct parcel *parcel)
{
	if (!parcel)
		return;
	if (parcel->fd >= 0)
		close(parcel->fd);
	for (size_t i = 0; i < parcel->nr_names; i++)
		free(parcel->names[i]);
	free(parcel->names);
	free(parcel->path);
	free(parcel->temp);
	free(parcel);
}
