// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/elf_file.h"
#include "kernel/program.h"

DEFINE_CLEANUP(ZSTD_DCtx *, ZSTD_freeDCtx);

enum { CHUNK = 1 << 17 };

struct format {
	const char *name;
	const char *magic;
	size_t magic_len;
	const char *suffix;  /* of a file in this format */
	const char *argv[3]; /* {NULL}: decoded here */
	const char *package;
	bool own_trailer; /* the unpacked size is part of the format */
};

static const struct format formats[] = {
	{ "gzip", "\x1f\x8b", 2, ".gz", { "gzip", "-dc" }, "gzip", true },
	{ "xz",
	  "\xfd"
	  "7zXZ",
	  6,
	  ".xz",
	  { "xz", "-dc" },
	  "xz-utils",
	  false },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, ".zst", { NULL }, NULL, false },
	{ "lz4", "\x02\x21\x4c\x18", 4, NULL, { "lz4", "-dc" }, "lz4", false },
	{ "bzip2", "BZh", 3, NULL, { "bzip2", "-dc" }, "bzip2", false },
	{ "lzo", "\x89LZO", 4, NULL, { "lzop", "-dc" }, "lzop", false },
	{ "lzma", "\x5d\0\0", 3, NULL, { "lzma", "-dc" }, "xz-utils", false },
};

/* A part of a file, from where to where. */
struct part {
	int fd;
	const char *name;
	uint64_t offset, bytes;
};

struct decoder {
	const struct part *in;
	int out_fd;
	uint64_t written;
	struct ktstr_error *err;
};

static int damaged(const struct part *in, const char *why, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EINVAL, "'%s' is damaged: %s; copy or fetch it again",
			       in->name, why);
}

static int put(struct decoder *d, const void *bytes, size_t len)
{
	int r;

	if (len > UNPACK_MAX_BYTES - d->written)
		return damaged(d->in, "it unpacks to more than 1 GiB", d->err);
	r = io_write_all(d->out_fd, bytes, len);
	if (r < 0)
		return ktstr_error_set(d->err, r, "unpack '%s': %s", d->in->name, strerror(-r));
	d->written += len;
	return 0;
}

/* Return: 1 at the end of the frame, 0 to go on, -errno. */
static int decode_chunk(struct decoder *d, ZSTD_DCtx *ctx, ZSTD_inBuffer *in, void *out)
{
	while (in->pos < in->size) {
		ZSTD_outBuffer buf = { .dst = out, .size = CHUNK };
		size_t left = ZSTD_decompressStream(ctx, &buf, in);
		int r;

		if (ZSTD_isError(left))
			return damaged(d->in, ZSTD_getErrorName(left), d->err);
		r = put(d, out, buf.pos);
		if (r < 0)
			return r;
		if (left == 0)
			return 1;
	}
	return 0;
}

static int decode_zstd(struct decoder *d)
{
	_cleanup_(ZSTD_freeDCtxp) ZSTD_DCtx *ctx = ZSTD_createDCtx();
	_cleanup_free_ char *in = malloc(CHUNK);
	_cleanup_free_ char *out = malloc(CHUNK);

	if (!ctx || !in || !out)
		return ktstr_error_nomem(d->err);
	for (uint64_t at = 0; at < d->in->bytes;) {
		uint64_t left = d->in->bytes - at;
		ZSTD_inBuffer buf = { .src = in, .size = left < CHUNK ? (size_t)left : CHUNK };
		int r = elf_file_pread(d->in->fd, in, buf.size, d->in->offset + at);

		if (r < 0)
			return ktstr_error_set(d->err, r, "read '%s': %s", d->in->name,
					       strerror(-r));
		if (program_interrupted())
			return ktstr_error_set(d->err, -EINTR, "interrupted while unpacking '%s'",
					       d->in->name);
		r = decode_chunk(d, ctx, &buf, out);
		if (r != 0)
			return r < 0 ? r : 0;
		at += buf.size;
	}
	return damaged(d->in, "its zstd frame has no end", d->err);
}

static int copy_part(const struct part *in, int to, struct ktstr_error *err)
{
	_cleanup_free_ char *chunk = malloc(CHUNK);
	int r = chunk ? 0 : -ENOMEM;

	for (uint64_t at = 0; r == 0 && at < in->bytes;) {
		uint64_t left = in->bytes - at;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		r = elf_file_pread(in->fd, chunk, n, in->offset + at);
		if (r == 0)
			r = io_write_all(to, chunk, n);
		at += n;
	}
	if (r == 0 && lseek(to, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", in->name, strerror(-r));
	return 0;
}

static int decode_with_program(struct decoder *d, const struct format *format)
{
	static const struct rlimit limit = { UNPACK_MAX_BYTES, UNPACK_MAX_BYTES };
	_cleanup_close_ int copy = memfd_create("payload", MFD_CLOEXEC);
	_cleanup_program_ struct program p = PROGRAM_INIT;
	struct stat st;
	int r;

	if (copy < 0)
		return ktstr_error_set(d->err, -errno, "unpack '%s': %s", d->in->name,
				       strerror(errno));
	r = copy_part(d->in, copy, d->err);
	if (r < 0)
		return r;
	r = program_start(&(struct program_opts){ .argv = format->argv,
						  .package = format->package,
						  .stdin_fd = copy,
						  .stdout_fd = d->out_fd },
			  &p, d->err);
	if (r == 0) {
		/* Ends a program that writes without end; it may also be gone already. */
		if (p.child.pid > 0 && prlimit(p.child.pid, RLIMIT_FSIZE, &limit, NULL) < 0 &&
		    errno != ESRCH)
			return ktstr_error_set(d->err, -errno, "limit '%s': %s", p.name,
					       strerror(errno));
		r = program_wait(&p, NULL, d->err);
	}
	if (r == -EIO)
		r = -EINVAL;
	if (r < 0)
		return ktstr_error_wrap(d->err, r, "unpack '%s', which is packed with %s",
					d->in->name, format->name);
	if (fstat(d->out_fd, &st) < 0)
		return ktstr_error_set(d->err, -errno, "stat: %s", strerror(errno));
	d->written = (uint64_t)st.st_size;
	return 0;
}

static int decode(struct decoder *d, const struct format *format)
{
	return format->argv[0] ? decode_with_program(d, format) : decode_zstd(d);
}

static const struct format *format_of(const uint8_t magic[8])
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!memcmp(magic, formats[i].magic, formats[i].magic_len))
			return &formats[i];
	return NULL;
}

static int unpack_payload(struct part *in, int out_fd, struct ktstr_error *err)
{
	struct decoder d = { .in = in, .out_fd = out_fd, .err = err };
	const struct format *format;
	uint8_t magic[8], tail[4];
	uint64_t want;
	int r = elf_file_pread(in->fd, magic, sizeof(magic), in->offset);

	if (r == 0)
		r = elf_file_pread(in->fd, tail, sizeof(tail), in->offset + in->bytes - 4);
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", in->name, strerror(-r));
	want = tail[0] | tail[1] << 8 | tail[2] << 16 | (uint64_t)tail[3] << 24;
	format = format_of(magic);
	if (!format)
		return ktstr_error_set(err, -ENOTSUP,
				       "'%s' is packed in a way that is not known here (it begins "
				       "%02x %02x %02x %02x); give the vmlinux instead",
				       in->name, magic[0], magic[1], magic[2], magic[3]);
	if (want > UNPACK_MAX_BYTES)
		return damaged(in, "it says it unpacks to more than 1 GiB", err);
	if (!format->own_trailer)
		in->bytes -= 4;
	r = decode(&d, format);
	if (r < 0)
		return r;
	if (d.written != want)
		return ktstr_error_set(err, -EINVAL,
				       "'%s' is damaged: it unpacks to %llu bytes where its "
				       "trailer says %llu; copy or fetch it again",
				       in->name, (unsigned long long)d.written,
				       (unsigned long long)want);
	return 0;
}

static int create(const char *to, struct ktstr_error *err)
{
	int fd = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd >= 0 ? fd : ktstr_error_set(err, -errno, "create '%s': %s", to, strerror(errno));
}

int unpack_bzimage(int fd, const char *name, const struct image *image, const char *to,
		   struct ktstr_error *err)
{
	struct part in = { fd, name, image->payload_offset, image->payload_bytes };
	_cleanup_close_ int out = create(to, err);
	int r;

	if (out < 0)
		return out;
	r = unpack_payload(&in, out, err);
	if (r < 0)
		unlink(to);
	return r;
}

static const struct format *format_by_suffix(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t len = formats[i].suffix ? strlen(formats[i].suffix) : 0;

		if (len && strlen(name) > len &&
		    !strcmp(name + strlen(name) - len, formats[i].suffix))
			return &formats[i];
	}
	return NULL;
}

int unpack_file(const char *from, const char *to, struct ktstr_error *err)
{
	const struct format *format = format_by_suffix(from);
	_cleanup_close_ int in_fd = -1;
	_cleanup_close_ int out = -1;
	struct decoder d = { .err = err };
	struct part in = { .name = from };
	struct stat st;
	int r;

	if (!format)
		return io_copy_file(from, to, 0644, err);
	in_fd = open(from, O_RDONLY | O_CLOEXEC);
	if (in_fd < 0 || fstat(in_fd, &st) < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", from, strerror(errno));
	in.fd = in_fd;
	in.bytes = (uint64_t)st.st_size;
	out = create(to, err);
	if (out < 0)
		return out;
	d.in = &in;
	d.out_fd = out;
	r = decode(&d, format);
	if (r < 0)
		unlink(to);
	return r;
}
