// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/filehash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vm/filememo.h"

static bool recall(const struct filememo *memo, char hex[SHA256_HEX])
{
	_cleanup_free_ char *line = filememo_recall(memo);

	if (!line || strlen(line) != SHA256_HEX - 1 ||
	    strspn(line, "0123456789abcdef") != SHA256_HEX - 1)
		return false;
	memcpy(hex, line, SHA256_HEX);
	return true;
}

int filehash_sha256(const char *path, const char *cache_dir, char hex[SHA256_HEX],
		    struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(filememo_deinit) struct filememo memo = { 0 };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	if (filememo_init(&memo, cache_dir, "hashes", "hash", path, &st) < 0)
		return ktstr_error_nomem(err);
	if (recall(&memo, hex))
		return 0;
	r = sha256_fd_hex(fd, hex);
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", path, strerror(-r));
	filememo_remember(&memo, &st, hex);
	return 0;
}
