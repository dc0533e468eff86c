// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/payload_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

#ifndef KTSTR_LIBEXEC_DIR
#define KTSTR_LIBEXEC_DIR "/usr/local/libexec/ktstr"
#endif

static int check_file(const char *path, struct ktstr_error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return ktstr_error_set(err, -errno, "payload binary '%s': %s", path,
				       strerror(errno));
	if (S_ISDIR(st.st_mode))
		return ktstr_error_set(err, -EISDIR, "payload binary '%s' is a folder", path);
	if (access(path, X_OK) < 0)
		return ktstr_error_set(err, -EACCES,
				       "payload binary '%s' is not executable; try: chmod +x '%s'",
				       path, path);
	return 0;
}

/* Return: 1 (found), 0 (not here), -EACCES or another reason why the file here cannot run. */
static int look_in(const char *dir, const char *name, char **ret_path, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);
	_cleanup_free_ char *real = NULL;
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	if (access(path, F_OK) < 0)
		return 0;
	r = check_file(path, err);
	if (r < 0)
		return r == -EISDIR ? 0 : r;
	real = realpath(path, NULL);
	*ret_path = real ? take_ptr(real) : take_ptr(path);
	return 1;
}

static int look_beside(const char *program, const char *name, char **ret_path,
		       struct ktstr_error *err)
{
	static const char *const below[] = { ".", "payloads", "../payloads", "../../payloads" };
	_cleanup_free_ char *folder = NULL, *self = NULL;
	const char *slash;
	int r = 0;

	if (!program) {
		self = path_self(err);
		if (!self)
			return err ? err->code : -ENOENT;
		program = self;
	}
	slash = strrchr(program, '/');
	folder = slash ? strndup(program, (size_t)(slash - program) + 1) : strdup(".");
	if (!folder)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < ARRAY_SIZE(below) && r == 0; i++) {
		_cleanup_free_ char *dir = path_format("%s/%s", folder, below[i]);

		r = dir ? look_in(dir, name, ret_path, err) : ktstr_error_nomem(err);
	}
	return r;
}

static int find_path(const char *path, char **ret_path, struct ktstr_error *err)
{
	char *absolute;
	int r = check_file(path, err);

	if (r < 0)
		return r;
	absolute = realpath(path, NULL);
	if (!absolute)
		return ktstr_error_set(err, -errno, "payload binary '%s': %s", path,
				       strerror(errno));
	*ret_path = absolute;
	return 0;
}

int payload_find_binary(const char *binary, const char *program, char **ret_path,
			struct ktstr_error *err)
{
	char *path;
	int r;

	if (!binary || !path_base(binary)[0])
		return ktstr_error_set(err, -EINVAL, "the payload has no binary: set .binary");
	if (strchr(binary, '/'))
		return find_path(binary, ret_path, err);
	r = look_beside(program, binary, ret_path, err);
	if (r != 0)
		return r < 0 ? r : 0;
	path = path_find_program(binary, NULL);
	if (path) {
		*ret_path = path;
		return 0;
	}
	r = look_in(KTSTR_LIBEXEC_DIR, binary, ret_path, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return ktstr_error_set(err, -ENOENT,
			       "payload binary '%s' is not beside the program, in its payloads, "
			       "../payloads or ../../payloads, in PATH or in %s: build it, or give "
			       "its path",
			       binary, KTSTR_LIBEXEC_DIR);
}

int payload_find_in_guest(const char *binary, char **ret_path, struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!binary || !path_base(binary)[0])
		return ktstr_error_set(err, -EINVAL, "the payload has no binary: set .binary");
	path = path_format(PAYLOAD_GUEST_DIR "/%s", path_base(binary));
	if (!path)
		return ktstr_error_nomem(err);
	r = check_file(path, err);
	if (r == -ENOENT)
		return ktstr_error_set(err, r,
				       "payload binary '%s' is not in the guest: name the payload "
				       "in the test's .payloads",
				       path);
	if (r < 0)
		return r;
	*ret_path = take_ptr(path);
	return 0;
}
