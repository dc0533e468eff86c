// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "vm/store.h"
#include "vm/store_lock.h"
#include "vm/store_verify.h"

struct found {
	char key[STORE_KEY_MAX + 1];
	uint64_t disk_bytes;
	uint64_t used_ns;
	bool whole; /* has its name; else only leftovers */
};

struct survey {
	struct found *items;
	int nr;
	uint64_t disk_bytes;
};

static void survey_deinit(struct survey *s)
{
	free(s->items);
	*s = (struct survey){ 0 };
}

#define _cleanup_survey_ _cleanup_(survey_deinit)

/* KEY of KEY, KEY.new, KEY.lock and KEY.seen. */
static bool key_of(const char *name, char key[STORE_KEY_MAX + 1])
{
	static const char *const suffixes[] = { "", ".new", ".lock", ".seen" };
	size_t len = strspn(name, "0123456789abcdef");

	if (!len || len > STORE_KEY_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (strcmp(name + len, suffixes[i]) != 0)
			continue;
		memcpy(key, name, len);
		key[len] = '\0';
		return true;
	}
	return false;
}

/* Allocated bytes of the files in @path. */
static uint64_t size_of(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *de;
	uint64_t bytes = 0;
	struct stat st;

	while (dir && (de = readdir(dir)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, "..") &&
		    fstatat(dirfd(dir), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_blocks * 512;
	return bytes;
}

static uint64_t used_of(const struct store_paths *paths)
{
	struct stat st;

	if (lstat(paths->lock, &st) < 0 && lstat(paths->dir, &st) < 0 &&
	    lstat(paths->temp, &st) < 0)
		return 0;
	return st.st_mtim.tv_sec < 0
		       ? 0
		       : (uint64_t)st.st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)st.st_mtim.tv_nsec;
}

static int add_key(struct survey *s, const char *root, const char *key, struct ktstr_error *err)
{
	_cleanup_store_paths_ struct store_paths paths = { 0 };
	struct found *grown, item = { 0 };
	struct stat st;
	int r;

	for (int i = 0; i < s->nr; i++)
		if (!strcmp(s->items[i].key, key))
			return 0;
	if (s->nr == STORE_MAX_ENTRIES)
		return ktstr_error_set(err, -E2BIG, "more than %d entries in '%s'",
				       STORE_MAX_ENTRIES, root);
	r = store_paths_init(&paths, root, key, err);
	if (r < 0)
		return r;
	grown = realloc(s->items, (size_t)(s->nr + 1) * sizeof(*grown));
	if (!grown)
		return ktstr_error_nomem(err);
	s->items = grown;
	snprintf(item.key, sizeof(item.key), "%s", key);
	item.whole = lstat(paths.dir, &st) == 0;
	item.used_ns = used_of(&paths);
	item.disk_bytes = size_of(paths.dir) + size_of(paths.temp);
	s->disk_bytes += item.disk_bytes;
	grown[s->nr++] = item;
	return 0;
}

static int last_used_first(const void *a, const void *b)
{
	const struct found *left = a, *right = b;

	if (left->used_ns != right->used_ns)
		return left->used_ns < right->used_ns ? 1 : -1;
	return strcmp(left->key, right->key);
}

static int survey_store(const char *root, struct survey *s, struct ktstr_error *err)
{
	_cleanup_closedir_ DIR *dir = opendir(root);
	struct dirent *de;
	char key[STORE_KEY_MAX + 1];

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return ktstr_error_set(err, -errno, "open folder '%s': %s", root, strerror(errno));
	while ((de = readdir(dir))) {
		int r = key_of(de->d_name, key) ? add_key(s, root, key, err) : 0;

		if (r < 0)
			return r;
	}
	if (s->nr)
		qsort(s->items, (size_t)s->nr, sizeof(*s->items), last_used_first);
	return 0;
}

int store_size(const char *root, uint64_t *ret_bytes, struct ktstr_error *err)
{
	_cleanup_survey_ struct survey s = { 0 };
	int nr = 0, r = survey_store(root, &s, err);

	if (r < 0)
		return r;
	for (int i = 0; i < s.nr; i++)
		nr += s.items[i].whole;
	*ret_bytes = s.disk_bytes;
	return nr;
}

static int remove_unlocked(const char *root, const char *key, struct ktstr_error *err)
{
	_cleanup_store_paths_ struct store_paths paths = { 0 };
	int fd, r = store_paths_init(&paths, root, key, err);

	if (r < 0)
		return r;
	fd = store_lock_try(paths.lock, LOCK_EX, true);
	if (fd < 0)
		return ktstr_error_set(err, fd, "lock '%s': %s", paths.lock,
				       fd == -EBUSY ? "in use" : strerror(-fd));
	r = store_wipe(&paths, err);
	if (r == 0 && unlink(paths.lock) < 0)
		r = ktstr_error_set(err, -errno, "remove '%s': %s", paths.lock, strerror(errno));
	store_lock_drop(&fd);
	return r;
}

int store_remove(const char *root, const char *key, struct ktstr_error *err)
{
	_cleanup_store_paths_ struct store_paths paths = { 0 };
	struct stat st;
	int r = store_paths_init(&paths, root, key, err);

	if (r < 0)
		return r;
	if (lstat(paths.dir, &st) < 0 && lstat(paths.temp, &st) < 0)
		return ktstr_error_set(err, -ENOENT, "no '%s' in '%s'", key, root);
	return remove_unlocked(root, key, err);
}

int store_prune(const char *root, uint64_t max_bytes, struct ktstr_error *err)
{
	_cleanup_survey_ struct survey s = { 0 };
	struct ktstr_error why;
	int removed = 0, failed = 0, r = survey_store(root, &s, err);

	if (r < 0)
		return r;
	for (int i = s.nr - 1; i >= 0; i--) {
		const struct found *f = &s.items[i];

		if (f->whole && s.disk_bytes <= max_bytes)
			continue;
		r = remove_unlocked(root, f->key, &why);
		if (r == 0) {
			s.disk_bytes -= f->disk_bytes;
			removed += f->whole;
		} else if (r != -EBUSY && !failed) {
			failed = ktstr_error_set(err, r, "%s", why.text);
		}
	}
	return failed ? failed : removed;
}

static void free_about(struct store_info *info)
{
	json_decref(info->about);
	info->about = NULL;
}

static void look(const struct store_paths *paths, struct store_info *info)
{
	struct manifest m = { 0 };
	struct ktstr_error why;
	int fd = store_lock_try(paths->lock, LOCK_EX, false), r;

	info->in_use = fd == -EBUSY;
	store_lock_drop(&fd);
	fd = store_lock_try(paths->lock, LOCK_SH, false);
	if (fd == -EBUSY) {
		info->state = STORE_MAKING;
		info->in_use = true;
		return;
	}
	r = store_verify(paths, &m, &why);
	if (r == 1) {
		info->state = STORE_WHOLE;
		info->about = json_incref(m.about);
	} else if (r == 0) {
		info->state = STORE_LEFTOVER;
	} else {
		info->state = STORE_DAMAGED;
		snprintf(info->why, sizeof(info->why), "%.*s", (int)sizeof(info->why) - 1,
			 why.text);
	}
	manifest_deinit(&m);
	store_lock_drop(&fd);
}

void store_list_free(struct store_info *infos, int nr)
{
	for (int i = 0; i < nr; i++)
		free_about(&infos[i]);
	free(infos);
}

int store_list(const char *root, struct store_info **ret_infos, struct ktstr_error *err)
{
	_cleanup_survey_ struct survey s = { 0 };
	struct store_info *infos;
	int nr = 0, r = survey_store(root, &s, err);

	if (r < 0)
		return r;
	infos = calloc((size_t)s.nr + 1, sizeof(*infos));
	if (!infos)
		return ktstr_error_nomem(err);
	for (int i = 0; i < s.nr; i++) {
		_cleanup_store_paths_ struct store_paths paths = { 0 };
		struct store_info *info = &infos[nr];

		r = store_paths_init(&paths, root, s.items[i].key, err);
		if (r < 0) {
			store_list_free(infos, nr);
			return r;
		}
		memcpy(info->key, s.items[i].key, sizeof(info->key));
		info->disk_bytes = s.items[i].disk_bytes;
		info->used_ns = s.items[i].used_ns;
		look(&paths, info);
		/* A lock file alone is nothing to tell about. */
		nr += info->state != STORE_LEFTOVER || info->disk_bytes || path_is_dir(paths.temp);
	}
	*ret_infos = infos;
	return nr;
}
