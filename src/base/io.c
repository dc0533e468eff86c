// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int io_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_read_to_end(int fd, struct strbuf *out)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		strbuf_add(out, chunk, (size_t)n);
		if (out->error)
			return out->error;
	}
	strbuf_add(out, "", 0);
	return out->error;
}

int io_read_file_at(int dir_fd, const char *path, struct strbuf *out)
{
	_cleanup_close_ int fd = -1;

	strbuf_clear(out);
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return io_read_to_end(fd, out);
}

int io_read_file(const char *path, struct strbuf *out, struct ktstr_error *err)
{
	int r = io_read_file_at(AT_FDCWD, path, out);

	if (r == -E2BIG)
		return ktstr_error_set(err, r, "read '%s': larger than the limit of %zu bytes",
				       path, out->limit);
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", path, strerror(-r));
	return 0;
}

int io_write_sysfs(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, text, strlen(text));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

/* A rename would replace the device by a file. */
static int write_in_place(const char *path, const void *bytes, size_t len, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int r = fd < 0 ? -errno : io_write_all(fd, bytes, len);

	return r < 0 ? ktstr_error_set(err, r, "write '%s': %s", path, strerror(-r)) : 0;
}

struct replacement {
	const void *bytes;
	size_t len;
	mode_t mode;
	bool sync;
};

static int write_temp(const char *temp, const struct replacement *with, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, with->mode);
	int r;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", temp, strerror(errno));
	r = io_write_all(fd, with->bytes, with->len);
	if (r == 0 && with->sync && fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		r = -errno;
	return r < 0 ? ktstr_error_set(err, r, "write '%s': %s", temp, strerror(-r)) : 0;
}

static void hold_signals(sigset_t *ret_before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, ret_before);
}

static int replace(const char *path, const struct replacement *with, struct ktstr_error *err)
{
	_cleanup_free_ char *temp = NULL;
	sigset_t before;
	struct stat st;
	int r;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return write_in_place(path, with->bytes, with->len, err);
	if (asprintf(&temp, "%s.tmp.%d", path, (int)getpid()) < 0) {
		temp = NULL;
		return ktstr_error_nomem(err);
	}
	hold_signals(&before);
	r = write_temp(temp, with, err);
	if (r == 0 && rename(temp, path) < 0)
		r = ktstr_error_set(err, -errno, "write '%s': %s", path, strerror(errno));
	if (r < 0)
		unlink(temp);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int io_write_file(const char *path, const void *bytes, size_t len, mode_t mode,
		  struct ktstr_error *err)
{
	return replace(path, &(struct replacement){ bytes, len, mode, true }, err);
}

int io_write_quickly(const char *path, const void *bytes, size_t len, mode_t mode,
		     struct ktstr_error *err)
{
	return replace(path, &(struct replacement){ bytes, len, mode, false }, err);
}

int io_check_target(const char *path, struct ktstr_error *err)
{
	_cleanup_free_ char *temp = NULL;
	_cleanup_close_ int fd = -1;
	sigset_t before;
	struct stat st;
	int r;

	/* What stands beside it could be made. */
	if (!*path)
		return ktstr_error_set(err, -ENOENT, "write '': %s", strerror(ENOENT));
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return ktstr_error_set(err, -EISDIR, "write '%s': %s", path, strerror(EISDIR));
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return 0;
	if (asprintf(&temp, "%s.tmp.%d", path, (int)getpid()) < 0) {
		temp = NULL;
		return ktstr_error_nomem(err);
	}
	hold_signals(&before);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : 0;
	if (r == 0)
		unlink(temp);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r < 0 ? ktstr_error_set(err, r, "write '%s': %s", path, strerror(-r)) : 0;
}

int io_open_output(const char *path, int *ret_fd, struct ktstr_error *err)
{
	int fd = STDOUT_FILENO;

	if (strcmp(path, "-") != 0)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

bool io_path_is_wrong(int code)
{
	switch (-code) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EACCES:
	case EPERM:
	case EROFS:
	case ELOOP:
	case ENAMETOOLONG:
		return true;
	default:
		return false;
	}
}

static int copy_bytes(int in, int out)
{
	char chunk[65536];
	ssize_t n;
	int r;

	for (;;) {
		/* Some kernels say 0 at once for files of /proc, so that is not yet the end. */
		n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
		if (n <= 0)
			break;
	}
	while ((n = read(in, chunk, sizeof(chunk))) != 0) {
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		r = io_write_all(out, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
	return 0;
}

int io_copy_file(const char *from, const char *to, mode_t mode, struct ktstr_error *err)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = -1;
	int r;

	if (in < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", from, strerror(errno));
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (out < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", to, strerror(errno));
	r = copy_bytes(in, out);
	if (r < 0) {
		unlink(to);
		return ktstr_error_set(err, r, "copy '%s' to '%s': %s", from, to, strerror(-r));
	}
	return 0;
}
