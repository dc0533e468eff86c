// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/runs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/results_file.h"

enum { BLOCK_BYTES = 512, UNWRITTEN_S = 3600 };

/* As folder.c names them: 20261123-070835-25130, perhaps ".1" behind it. */
static bool is_run_name(const char *name)
{
	static const char form[] = "dddddddd-dddddd-";
	size_t at = sizeof(form) - 1;

	for (size_t i = 0; i < at; i++)
		if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
			return false;
	return name[at] && strlen(name) < KTSTR_RUN_NAME &&
	       strspn(name + at, "0123456789.") == strlen(name + at);
}

static char *runs_dir(struct ktstr_error *err)
{
	_cleanup_free_ char *state = path_state_dir(err);
	char *dir = state ? path_format("%s/runs", state) : NULL;

	if (state && !dir)
		ktstr_error_nomem(err);
	return dir;
}

/* Its runner holds a lock; before it could, the folder is very young. */
static bool is_in_use(int results_fd, const struct stat *folder)
{
	if (results_fd < 0)
		return folder->st_mtime + UNWRITTEN_S > time(NULL);
	if (flock(results_fd, LOCK_EX | LOCK_NB) == 0) {
		flock(results_fd, LOCK_UN);
		return false;
	}
	return errno == EWOULDBLOCK;
}

static void count_result(const json_t *object, struct ktstr_run *run)
{
	const char *verdict = json_string_value(json_object_get(object, "verdict"));

	for (int v = KTSTR_PASS; verdict && v <= KTSTR_ERROR; v++)
		if (!strcmp(verdict, ktstr_verdict_name((enum ktstr_verdict)v)))
			run->counts[v]++;
}

static void read_results(int fd, struct ktstr_run *run)
{
	_cleanup_results_reader_ struct results_reader reader;
	struct results_line line;
	const char *program;

	results_reader_init(&reader, fd);
	while (results_reader_next(&reader, &line) > 0) {
		if (line.kind == RESULTS_RESULT)
			count_result(line.object, run);
		program = line.kind == RESULTS_RUN
				  ? json_string_value(json_object_get(line.object, "program"))
				  : NULL;
		if (program)
			snprintf(run->program, sizeof(run->program), "%s", program);
		run->finished = line.kind == RESULTS_SUMMARY;
	}
}

static uint64_t disk_bytes(char *path)
{
	char *const roots[] = { path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	uint64_t bytes = 0;
	FTSENT *entry;

	if (!fts)
		return 0;
	while ((entry = fts_read(fts)))
		if (entry->fts_info == FTS_D ||
		    (entry->fts_info == FTS_F && entry->fts_statp->st_nlink == 1))
			bytes += (uint64_t)entry->fts_statp->st_blocks * BLOCK_BYTES;
	fts_close(fts);
	return bytes;
}

/* Return: 1, 0 (there is no such folder), -ENOMEM. */
static int look_at(const char *dir, const char *name, bool closely, struct ktstr_run *run)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);
	_cleanup_free_ char *results = path ? path_format("%s/results.jsonl", path) : NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!results)
		return -ENOMEM;
	if (!is_run_name(name) || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	*run = (struct ktstr_run){ .ended_unix_s = st.st_mtime };
	snprintf(run->name, sizeof(run->name), "%s", name);
	fd = open(results, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	run->in_use = is_in_use(fd, &st);
	if (fd >= 0 && fstat(fd, &st) == 0)
		run->ended_unix_s = st.st_mtime;
	if (fd >= 0 && closely)
		read_results(fd, run);
	if (closely)
		run->disk_bytes = disk_bytes(path);
	return 1;
}

static int compare_runs(const void *a, const void *b)
{
	const struct ktstr_run *x = a, *y = b;

	if (x->ended_unix_s != y->ended_unix_s)
		return x->ended_unix_s > y->ended_unix_s ? -1 : 1;
	return strcmp(y->name, x->name);
}

static int add_run(const char *dir, const char *name, struct ktstr_run **runs, int nr)
{
	struct ktstr_run run, *more;
	int r = look_at(dir, name, true, &run);

	if (r <= 0)
		return r;
	if ((nr & (nr - 1)) == 0) {
		more = reallocarray(*runs, nr ? (size_t)nr * 2 : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		*runs = more;
	}
	(*runs)[nr] = run;
	return 1;
}

int ktstr_runs_list(struct ktstr_run **ret_runs, struct ktstr_error *err)
{
	_cleanup_free_ char *path = runs_dir(err);
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ struct ktstr_run *runs = NULL;
	struct dirent *de;
	int nr = 0, r;

	if (!path)
		return -ENOENT;
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return ktstr_error_set(err, -errno, "open '%s': %s", path, strerror(errno));
	while (dir && (de = readdir(dir))) {
		r = add_run(path, de->d_name, &runs, nr);
		if (r < 0)
			return ktstr_error_nomem(err);
		nr += r;
	}
	if (nr)
		qsort(runs, (size_t)nr, sizeof(*runs), compare_runs);
	*ret_runs = take_ptr(runs);
	return nr;
}

static int remove_run(const char *dir, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);

	return path ? path_remove_tree(path, err) : ktstr_error_nomem(err);
}

int ktstr_runs_remove(const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = NULL;
	struct ktstr_run run;
	int r;

	if (!is_run_name(name))
		return ktstr_error_set(
			err, -EINVAL, "'%s' is not the name of a run; 'ktstr runs list' shows them",
			name);
	dir = runs_dir(err);
	if (!dir)
		return -ENOENT;
	r = look_at(dir, name, false, &run);
	if (r < 0)
		return ktstr_error_nomem(err);
	if (r == 0)
		return ktstr_error_set(err, -ENOENT, "no run '%s' in '%s'", name, dir);
	if (run.in_use)
		return ktstr_error_set(err, -EBUSY, "run '%s' is under way", name);
	return remove_run(dir, name, err);
}

static bool may_stay(const struct ktstr_run *run, const struct ktstr_runs_limits *limits,
		     uint64_t kept_bytes)
{
	int64_t age_s = (int64_t)time(NULL) - run->ended_unix_s;

	if (run->in_use)
		return true;
	if (limits->max_age_s && age_s > 0 && (uint64_t)age_s > limits->max_age_s)
		return false;
	return kept_bytes + run->disk_bytes <= limits->max_bytes;
}

int ktstr_runs_prune(const struct ktstr_runs_limits *limits, struct ktstr_runs_pruned *ret_pruned,
		     struct ktstr_error *err)
{
	_cleanup_free_ char *dir = runs_dir(err);
	_cleanup_free_ struct ktstr_run *runs = NULL;
	struct ktstr_runs_pruned pruned = { 0 };
	int nr, result = 0;

	if (!dir)
		return -ENOENT;
	nr = ktstr_runs_list(&runs, err);
	if (nr < 0)
		return nr;
	for (int i = 0; i < nr; i++) {
		bool stays = may_stay(&runs[i], limits, pruned.kept_bytes);
		int r = stays || limits->dry ? 0
					     : remove_run(dir, runs[i].name, result ? NULL : err);

		if (r < 0 && !result)
			result = r;
		pruned.kept += stays || r < 0;
		pruned.kept_bytes += stays || r < 0 ? runs[i].disk_bytes : 0;
		pruned.removed += !stays && r == 0;
		pruned.freed_bytes += !stays && r == 0 ? runs[i].disk_bytes : 0;
	}
	if (result == 0)
		*ret_pruned = pruned;
	return result;
}
