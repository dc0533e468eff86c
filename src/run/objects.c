// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"

char *objects_path(const char *dir, const char *sha256)
{
	return path_format("%s/%s", dir, sha256);
}

static int prepare(const char *dir, const char *sha256, char **ret_path, struct ktstr_error *err)
{
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return ktstr_error_set(err, -errno, "create folder '%s': %s", dir, strerror(errno));
	*ret_path = objects_path(dir, sha256);
	return *ret_path ? 0 : ktstr_error_nomem(err);
}

int objects_move(const char *dir, const char *path, const char *sha256, struct ktstr_error *err)
{
	_cleanup_free_ char *object = NULL;
	int r = prepare(dir, sha256, &object, err);

	if (r < 0)
		return r;
	/* One that is in use is better left where it is than replaced by its equal. */
	if (access(object, F_OK) == 0) {
		unlink(path);
		return 0;
	}
	if (rename(path, object) < 0)
		return ktstr_error_set(err, -errno, "move '%s' to '%s': %s", path, object,
				       strerror(errno));
	return 0;
}

int objects_link(const char *dir, const char *path, const char *sha256, struct ktstr_error *err)
{
	_cleanup_free_ char *object = NULL, *copy = NULL;
	int r = prepare(dir, sha256, &object, err);

	if (r < 0 || access(object, F_OK) == 0)
		return r;
	if (link(path, object) == 0 || errno == EEXIST)
		return 0;
	copy = path_format("%s.new.%d", object, (int)getpid());
	if (!copy)
		return ktstr_error_nomem(err);
	r = io_copy_file(path, copy, 0644, err);
	return r < 0 ? r : objects_move(dir, copy, sha256, err);
}

int objects_check(const char *dir, const char *sha256, struct ktstr_error *err)
{
	_cleanup_free_ char *object = objects_path(dir, sha256);
	_cleanup_close_ int fd = -1;
	char found[SHA256_HEX];
	int r;

	if (!object)
		return ktstr_error_nomem(err);
	fd = open(object, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : sha256_fd_hex(fd, found);
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", object, strerror(-r));
	if (strcmp(found, sha256) != 0)
		return ktstr_error_set(err, -EBADMSG,
				       "'%s' has been changed: its content has the SHA-256 %s",
				       object, found);
	return 0;
}
