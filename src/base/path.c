// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

char *path_format(const char *fmt, ...)
{
	char *path = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&path, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : path;
}

static const char *home_dir(void)
{
	const char *home = getenv("HOME");
	struct passwd *pw;

	if (home && home[0] == '/')
		return home;
	pw = getpwuid(getuid());
	return pw && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

static char *xdg_dir(const char *variable, const char *below_home, struct ktstr_error *err)
{
	const char *base = getenv(variable);
	const char *home;
	char *path;

	if (base && base[0] == '/') {
		path = path_format("%s/ktstr", base);
	} else {
		home = home_dir();
		if (!home) {
			ktstr_error_set(err, -ENOENT,
					"no home directory: set HOME or %s to an absolute path",
					variable);
			return NULL;
		}
		path = path_format("%s/%s/ktstr", home, below_home);
	}
	if (!path)
		ktstr_error_nomem(err);
	return path;
}

char *path_cache_dir(struct ktstr_error *err)
{
	return xdg_dir("XDG_CACHE_HOME", ".cache", err);
}

char *path_state_dir(struct ktstr_error *err)
{
	return xdg_dir("XDG_STATE_HOME", ".local/state", err);
}

bool path_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int path_mkdir_all(const char *path, struct ktstr_error *err)
{
	char copy[PATH_MAX];
	size_t len = strlen(path);

	if (!len || len >= sizeof(copy)) {
		int r = len ? -ENAMETOOLONG : -ENOENT;

		return ktstr_error_set(err, r, "create folder '%.64s': %s", path, strerror(-r));
	}
	memcpy(copy, path, len + 1);
	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			return ktstr_error_set(err, -errno, "create folder '%s': %s", copy,
					       strerror(errno));
		if (!c)
			break;
		*p = c;
	}
	if (!path_is_dir(path))
		return ktstr_error_set(err, -ENOTDIR, "'%s' is there but is not a folder", path);
	return 0;
}

static int remove_below(int dir_fd, dev_t dev, unsigned int depth);

static int remove_entry(int dir_fd, const char *name, dev_t dev, unsigned int depth)
{
	struct stat st;
	int fd, r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (st.st_dev != dev)
		return -EXDEV;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = remove_below(fd, dev, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Takes @dir_fd. */
static int remove_below(int dir_fd, dev_t dev, unsigned int depth)
{
	_cleanup_closedir_ DIR *dir = fdopendir(dir_fd);
	struct dirent *de;
	int r;

	if (!dir) {
		close(dir_fd);
		return -errno;
	}
	if (depth > 64)
		return -ELOOP;
	while ((de = readdir(dir))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		r = remove_entry(dirfd(dir), de->d_name, dev, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

int path_remove_tree(const char *path, struct ktstr_error *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return ktstr_error_set(err, -errno, "remove '%s': %s", path, strerror(errno));
	}
	r = remove_entry(AT_FDCWD, path, st.st_dev, 0);
	if (r < 0)
		return ktstr_error_set(err, r, "remove '%s': %s", path, strerror(-r));
	return 0;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *search_program(const char *name, struct ktstr_error *err)
{
	const char *path = getenv("PATH");
	const char *end;

	if (!path || !*path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (;; path = end + 1) {
		_cleanup_free_ char *candidate = NULL;

		end = strchrnul(path, ':');
		candidate = path_format("%.*s/%s", (int)(end - path), path, name);
		if (!candidate) {
			ktstr_error_nomem(err);
			return NULL;
		}
		if (end > path && access(candidate, X_OK) == 0 && !path_is_dir(candidate))
			return take_ptr(candidate);
		if (!*end)
			break;
	}
	ktstr_error_set(err, -ENOENT, "program '%s' is not in PATH", name);
	return NULL;
}

char *path_find_program(const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *found = NULL;
	char *real;

	if (strchr(name, '/')) {
		found = strdup(name);
		if (!found)
			ktstr_error_nomem(err);
	} else {
		found = search_program(name, err);
	}
	if (!found)
		return NULL;
	real = realpath(found, NULL);
	if (!real) {
		ktstr_error_set(err, -errno, "program '%s': %s", name, strerror(errno));
		return NULL;
	}
	if (path_is_dir(real) || access(real, X_OK) < 0) {
		ktstr_error_set(err, -EACCES, "'%s' is not an executable file; try: chmod +x '%s'",
				real, real);
		free(real);
		return NULL;
	}
	return real;
}

char *path_self(struct ktstr_error *err)
{
	char *self = realpath("/proc/self/exe", NULL);

	if (!self)
		ktstr_error_set(err, -errno, "find own executable: %s", strerror(errno));
	return self;
}
