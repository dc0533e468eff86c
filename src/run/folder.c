// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/runrecord.h"
#include <ktstr/log.h>

enum { NAMES_TRIED = 100 };

static bool is_empty(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *de;

	if (!dir)
		return false;
	while ((de = readdir(dir)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			return false;
	return true;
}

static int use_wanted(const char *wanted, char **ret_path, struct ktstr_error *err)
{
	int r = path_mkdir_all(wanted, err);

	if (r < 0)
		return ktstr_error_wrap(err, r, "folder for the run");
	if (!is_empty(wanted))
		return ktstr_error_set(err, -EEXIST,
				       "folder '%s' for the run is not empty, and it is never "
				       "overwritten: name another one",
				       wanted);
	*ret_path = realpath(wanted, NULL);
	if (!*ret_path)
		return ktstr_error_set(err, -errno, "folder '%s' for the run: %s", wanted,
				       strerror(errno));
	return 0;
}

static char *dated_path(const char *runs, unsigned int attempt)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	if (attempt)
		return path_format("%s/%s-%d.%u", runs, stamp, (int)getpid(), attempt);
	return path_format("%s/%s-%d", runs, stamp, (int)getpid());
}

/* Another machine or container may share the folder and have used this second and pid. */
static int make_dated(const char *runs, char **ret_path, struct ktstr_error *err)
{
	for (unsigned int attempt = 0; attempt < NAMES_TRIED; attempt++) {
		_cleanup_free_ char *path = dated_path(runs, attempt);

		if (!path)
			return ktstr_error_nomem(err);
		if (mkdir(path, 0777) == 0) {
			*ret_path = take_ptr(path);
			return 0;
		}
		if (errno != EEXIST)
			return ktstr_error_set(err, -errno, "create run folder '%s': %s", path,
					       strerror(errno));
	}
	return ktstr_error_set(err, -EEXIST, "no free name for a run folder in '%s'", runs);
}

int folder_create_run(const char *wanted, char **ret_path, struct ktstr_error *err)
{
	_cleanup_free_ char *state = NULL, *runs = NULL;
	int r;

	if (wanted)
		return use_wanted(wanted, ret_path, err);
	state = path_state_dir(err);
	if (!state)
		return -ENOENT;
	runs = path_format("%s/runs", state);
	if (!runs)
		return ktstr_error_nomem(err);
	r = path_mkdir_all(runs, err);
	if (r == 0)
		r = make_dated(runs, ret_path, err);
	return r < 0 ? ktstr_error_wrap(err, r, "no run folder (--run-dir chooses another place)")
		     : 0;
}

int folder_create_test(const char *run_dir, const char *test, char **ret_path,
		       struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", run_dir, test);

	if (!path)
		return ktstr_error_nomem(err);
	if (mkdir(path, 0777) < 0)
		return ktstr_error_set(err, -errno, "create folder '%s': %s", path,
				       strerror(errno));
	*ret_path = take_ptr(path);
	return 0;
}

bool folder_is_full(const char *dir)
{
	_cleanup_free_ char *path = path_format("%s/room.%d", dir, (int)getpid());
	static const char page[4096];
	int fd, r;

	if (!path)
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : io_write_all(fd, page, sizeof(page));
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return r == -ENOSPC || r == -EDQUOT;
}

void folder_explain(struct ktstr_error *err)
{
	struct ktstr_error cause = *err;

	if (err->code == -ENOSPC || err->code == -EDQUOT)
		ktstr_error_set(err, cause.code, "%s; " FOLDER_REMEDY, cause.text);
}

void folder_remove_file(const char *dir, const char *name)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);

	if (path && unlink(path) < 0 && errno != ENOENT)
		ktstr_log(KTSTR_LOG_WARN, "remove '%s': %s, leaving it", path, strerror(errno));
}

static bool is_kept(int dir_fd, const char *name)
{
	static const char *const kept[] = { "result.json", RUNRECORD_FILE, RUNRECORD_JOB };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!strcmp(name, kept[i]))
			return true;
	return !strcmp(name, RUNRECORD_EVENTS) &&
	       fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_size <= FOLDER_RECORDS_KEPT;
}

void folder_trim(const char *test_dir)
{
	_cleanup_closedir_ DIR *dir = opendir(test_dir);
	struct dirent *de;

	while (dir && (de = readdir(dir)))
		if (de->d_name[0] != '.' && !is_kept(dirfd(dir), de->d_name))
			folder_remove_file(test_dir, de->d_name);
}
