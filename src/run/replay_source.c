// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/parcel.h"
#include "run/replay.h"
#include <ktstr/log.h>

static bool has_record(const char *dir)
{
	_cleanup_free_ char *path = path_format("%s/" RUNRECORD_FILE, dir);

	return path && access(path, F_OK) == 0;
}

static int add_item(struct replay_source *source, const char *name, struct ktstr_error *err)
{
	char **items;

	if (source->nr == REPLAY_ITEMS_MAX)
		return ktstr_error_set(err, -E2BIG, "'%s' holds more than %d items",
				       source->run_dir, REPLAY_ITEMS_MAX);
	items = reallocarray(source->items, source->nr + 1, sizeof(*items));
	if (!items)
		return ktstr_error_nomem(err);
	source->items = items;
	items[source->nr] = strdup(name);
	if (!items[source->nr])
		return ktstr_error_nomem(err);
	source->nr++;
	return 0;
}

/* Without @all, only what did not pass; a record that cannot be read is somebody's to see. */
static bool is_wanted(const char *dir, bool all)
{
	struct runrecord record;

	if (all || runrecord_read(dir, &record, NULL) < 0)
		return true;
	return record.verdict != KTSTR_PASS && record.verdict != KTSTR_SKIP;
}

static int add_all(struct replay_source *source, bool all, struct ktstr_error *err)
{
	_cleanup_closedir_ DIR *dir = opendir(source->run_dir);
	struct dirent *de;
	int r = 0;

	if (!dir)
		return ktstr_error_set(err, -errno, "open '%s': %s", source->run_dir,
				       strerror(errno));
	while (r == 0 && (de = readdir(dir))) {
		_cleanup_free_ char *path = path_format("%s/%s", source->run_dir, de->d_name);

		if (!path)
			return ktstr_error_nomem(err);
		if (de->d_name[0] == '.' || !has_record(path))
			continue;
		if (is_wanted(path, all))
			r = add_item(source, de->d_name, err);
		else
			source->nr_passed++;
	}
	if (r == 0 && !source->nr && !source->nr_passed)
		return ktstr_error_set(err, -ENOENT, "no run is recorded in '%s'", source->run_dir);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int open_folder(struct replay_source *source, const char *path, bool all,
		       struct ktstr_error *err)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	int r;

	if (!real)
		return ktstr_error_set(err, -errno, "'%s': %s", path, strerror(errno));
	if (has_record(real) && path_base(real) > real + 1) {
		source->run_dir = strndup(real, (size_t)(path_base(real) - real) - 1);
		return source->run_dir ? add_item(source, path_base(real), err)
				       : ktstr_error_nomem(err);
	}
	source->run_dir = take_ptr(real);
	r = add_all(source, all, err);
	if (source->nr)
		qsort(source->items, source->nr, sizeof(*source->items), by_name);
	return r;
}

static int open_parcel(struct replay_source *source, const struct ktstr_replay_opts *opts,
		       const char *work_dir, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = path_format("%s/parcel", work_dir);
	int r;

	source->is_parcel = true;
	if (!dir)
		return ktstr_error_nomem(err);
	if (mkdir(dir, 0700) < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", dir, strerror(errno));
	r = parcel_unpack(opts->path, dir, err);
	/* What was packed is what is wanted. */
	return r < 0 ? r : open_folder(source, dir, true, err);
}

int replay_source_open(const struct ktstr_replay_opts *opts, const char *work_dir,
		       struct replay_source *ret_source, struct ktstr_error *err)
{
	struct replay_source source = { 0 };
	struct stat st;
	int r;

	if (stat(opts->path, &st) < 0)
		return ktstr_error_set(err, -errno, "'%s': %s", opts->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		r = open_folder(&source, opts->path, opts->all, err);
	else
		r = open_parcel(&source, opts, work_dir, err);
	if (r < 0) {
		replay_source_close(&source);
		return r;
	}
	*ret_source = source;
	return 0;
}

void replay_source_close(struct replay_source *source)
{
	for (size_t i = 0; i < source->nr; i++)
		free(source->items[i]);
	free(source->items);
	free(source->run_dir);
	*source = (struct replay_source){ 0 };
}
