// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "kernel/program.h"
#include "kernel/version.h"

enum { MAX_ENTRIES = 1024 };

bool cache_name_valid(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) < KTSTR_KERNEL_NAME;
}

char *cache_path(const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *cache = path_cache_dir(err);
	char *path;

	if (!cache)
		return NULL;
	path = name ? path_format("%s/kernels/%s", cache, name) : path_format("%s/kernels", cache);
	if (!path)
		ktstr_error_nomem(err);
	return path;
}

int cache_explain(int code, struct ktstr_error *err)
{
	switch (code) {
	case -ENOSPC:
	case -EDQUOT:
		return ktstr_error_wrap(err, code,
					"no space left in the cache (free some, 'ktstr kernel rm' "
					"an old kernel, or set XDG_CACHE_HOME to a larger disk)");
	case -EROFS:
	case -EACCES:
	case -EPERM:
		return ktstr_error_wrap(err, code,
					"the cache cannot be written (set XDG_CACHE_HOME to a "
					"folder that can)");
	default:
		return code;
	}
}

/* Where the kernel of that name would be. */
static int path_of(const char *name, char **ret_path, struct ktstr_error *err)
{
	if (!cache_name_valid(name))
		return ktstr_error_set(err, -ENOENT, "'%s' is not a name a kernel can have", name);
	*ret_path = cache_path(name, err);
	return *ret_path ? 0 : -ENOMEM;
}

static int no_such(const char *name, struct ktstr_error *err)
{
	return ktstr_error_set(err, -ENOENT, "no kernel '%s' in the cache; see: ktstr kernel list",
			       name);
}

int cache_load(const char *name, struct entry *ret_entry, struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = path_of(name, &path, err);

	if (r < 0)
		return r;
	r = entry_load(path, ret_entry, err);
	if (r == -ENOENT || r == -ENOTDIR)
		return no_such(name, err);
	if (r < 0)
		return ktstr_error_wrap(err, r, "kernel '%s' (replace it: ktstr kernel rm %s)",
					name, name);
	return 0;
}

static bool still_there(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

static int lock_fd(int fd, bool wait)
{
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK)
			return -EBUSY;
		if (errno != EINTR || program_interrupted())
			return -errno;
	}
	return 0;
}

int cache_lock_take(struct cache_lock *lock, const char *path, bool wait, struct ktstr_error *err)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return ktstr_error_nomem(err);
	for (;;) {
		_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		int r = fd < 0 ? -errno : lock_fd(fd, wait);

		if (r < 0)
			return ktstr_error_set(err, r, "lock '%s': %s", path, strerror(-r));
		/* The last holder deletes the file: then this lock is on nothing. */
		if (!still_there(fd, path))
			continue;
		lock->fd = take_fd(&fd);
		lock->path = take_ptr(copy);
		return 0;
	}
}

static int make_kernels_dir(struct ktstr_error *err)
{
	_cleanup_free_ char *path = cache_path(NULL, err);

	return path ? path_mkdir_all(path, err) : -ENOMEM;
}

int cache_lock_kernel(struct cache_lock *lock, const char *name, bool wait, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = cache_path(NULL, err);
	_cleanup_free_ char *path = dir ? path_format("%s/.lock-%s", dir, name) : NULL;
	int r;

	if (!path)
		return -ENOMEM;
	r = make_kernels_dir(err);
	if (r == 0)
		r = cache_lock_take(lock, path, wait, err);
	return r == -EBUSY ? r : cache_explain(r, err);
}

void cache_lock_release(struct cache_lock *lock)
{
	if (lock->fd >= 0) {
		unlink(lock->path);
		close(lock->fd);
	}
	free(lock->path);
	*lock = (struct cache_lock)CACHE_LOCK_INIT;
}

static void remove_if_stale(const char *dir, const char *name)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0 && lock_fd(fd, false) == 0 && path_remove_tree(path, NULL) < 0)
		ktstr_log(KTSTR_LOG_DEBUG, "cannot remove '%s', leaving it", path);
}

static void remove_stale_temps(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (!strncmp(de->d_name, ".tmp-", 5))
			remove_if_stale(dir, de->d_name);
}

int cache_temp_create(struct cache_temp *temp, struct ktstr_error *err)
{
	static unsigned int counter;
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;
	_cleanup_free_ char *dir = cache_path(NULL, err);
	_cleanup_free_ char *lock_path = dir ? path_format("%s/.lock", dir) : NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	if (!lock_path)
		return -ENOMEM;
	r = make_kernels_dir(err);
	if (r == 0)
		r = cache_lock_take(&lock, lock_path, true, err);
	if (r < 0)
		return cache_explain(r, err);
	remove_stale_temps(dir);
	path = path_format("%s/.tmp-%d-%u", dir, (int)getpid(),
			   __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED));
	if (!path)
		return ktstr_error_nomem(err);
	if (mkdir(path, 0777) < 0)
		return cache_explain(ktstr_error_set(err, -errno, "create folder '%s': %s", path,
						     strerror(errno)),
				     err);
	temp->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = temp->fd < 0 ? -errno : lock_fd(temp->fd, false);
	temp->path = take_ptr(path);
	if (r < 0)
		return ktstr_error_set(err, r, "lock '%s': %s", temp->path, strerror(-r));
	return 0;
}

int cache_temp_commit(struct cache_temp *temp, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *path = cache_path(name, err);
	int r;

	if (!path)
		return -ENOMEM;
	r = path_remove_tree(path, err);
	if (r < 0)
		return cache_explain(r, err);
	if (rename(temp->path, path) < 0) {
		r = -errno;
		return cache_explain(ktstr_error_set(err, r, "rename '%s' to '%s': %s", temp->path,
						     path, strerror(-r)),
				     err);
	}
	free(temp->path);
	temp->path = NULL;
	return 0;
}

void cache_temp_remove(struct cache_temp *temp)
{
	struct ktstr_error why;

	if (temp->path && path_remove_tree(temp->path, &why) < 0)
		ktstr_log(KTSTR_LOG_WARN, "%s, leaving it", why.text);
	free(temp->path);
	if (temp->fd >= 0)
		close(temp->fd);
	*temp = (struct cache_temp)CACHE_TEMP_INIT;
}

static int newer_first(const void *a, const void *b)
{
	const struct ktstr_kernel *left = a, *right = b;
	int r = kernel_version_compare(right->release, left->release);

	return r ? r : strcmp(left->name, right->name);
}

static int read_entries(DIR *dir, struct ktstr_kernel **kernels, int *nr, struct ktstr_error *err)
{
	struct dirent *de;

	while ((de = readdir(dir)) && *nr < MAX_ENTRIES) {
		struct ktstr_error why;
		struct ktstr_kernel *grown;
		struct entry entry;

		if (!cache_name_valid(de->d_name))
			continue;
		if (cache_load(de->d_name, &entry, &why) < 0) {
			ktstr_log(KTSTR_LOG_WARN, "%s, ignoring it", why.text);
			continue;
		}
		grown = realloc(*kernels, (size_t)(*nr + 1) * sizeof(*grown));
		if (!grown)
			return ktstr_error_nomem(err);
		grown[(*nr)++] = entry.kernel;
		*kernels = grown;
	}
	return 0;
}

int ktstr_kernel_list(struct ktstr_kernel **ret_kernels, struct ktstr_error *err)
{
	_cleanup_free_ char *path = cache_path(NULL, err);
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	_cleanup_closedir_ DIR *dir = NULL;
	int nr = 0, r;

	if (!path)
		return -ENOMEM;
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return ktstr_error_set(err, -errno, "open folder '%s': %s", path, strerror(errno));
	r = dir ? read_entries(dir, &kernels, &nr, err) : 0;
	if (r < 0)
		return r;
	if (nr)
		qsort(kernels, (size_t)nr, sizeof(*kernels), newer_first);
	*ret_kernels = take_ptr(kernels);
	return nr;
}

int ktstr_kernel_remove(const char *name, struct ktstr_error *err)
{
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *doomed = NULL;
	int r = path_of(name, &path, err);

	if (r < 0)
		return r;
	if (!path_is_dir(path))
		return no_such(name, err);
	r = cache_lock_kernel(&lock, name, false, err);
	if (r == -EBUSY)
		return ktstr_error_set(err, r, "kernel '%s' is being fetched now; try again later",
				       name);
	if (r < 0)
		return r;
	doomed = path_format("%.*s.tmp-%d-rm", (int)(path_base(path) - path), path, (int)getpid());
	if (!doomed)
		return ktstr_error_nomem(err);
	if (rename(path, doomed) < 0) {
		r = -errno;
		return cache_explain(ktstr_error_set(err, r, "rename '%s': %s", path, strerror(-r)),
				     err);
	}
	return cache_explain(path_remove_tree(doomed, err), err);
}

int ktstr_kernel_verify(const struct ktstr_kernel *kernel, struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	struct entry entry;
	int r;

	if (!kernel->cached)
		return 0;
	r = cache_load(kernel->name, &entry, err);
	if (r < 0)
		return r;
	path = cache_path(kernel->name, err);
	return path ? entry_verify(path, &entry, err) : -ENOMEM;
}
