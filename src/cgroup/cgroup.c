// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "cgroup/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/tree.h"

enum { CONTROL_BYTES = 4096, FILE_BYTES = 1 << 20 };

static bool is_root(const char *name)
{
	return !name || !*name;
}

char *cgroups_path(const struct cgroups *cgroups, const char *name, const char *file)
{
	return path_format("%s%s%s%s%s", cgroups->root, is_root(name) ? "" : "/",
			   is_root(name) ? "" : name, file ? "/" : "", file ? file : "");
}

int cgroups_change(struct cgroups *cgroups, const struct change *change, struct ktstr_error *err)
{
	static const char *const verbs[] = {
		[CHANGE_WRITE] = "write", [CHANGE_MKDIR] = "make", [CHANGE_RMDIR] = "remove"
	};
	const char *text = change->text ? change->text : "";
	int len = (int)strcspn(text, "\n");
	int r = changer_do(cgroups->changer, change);

	if (r == -ETIMEDOUT)
		return ktstr_error_set(err, r,
				       "%s '%s'%s%.*s%s: it does not return; something holds the "
				       "kernel's cgroups",
				       verbs[change->kind], change->path, change->text ? ": '" : "",
				       len, text, change->text ? "'" : "");
	if (r < 0)
		return ktstr_error_set(err, r, "%s '%s'%s%.*s%s: %s", verbs[change->kind],
				       change->path, change->text ? ": '" : "", len, text,
				       change->text ? "'" : "", strerror(-r));
	return 0;
}

/* No part is empty or begins with '.', so that a name never leads elsewhere. */
static bool is_name(const char *name)
{
	if (strlen(name) >= CGROUPS_NAME)
		return false;
	for (const char *p = name;; p++) {
		size_t len = strcspn(p, "/");

		if (!len || *p == '.')
			return false;
		p += len;
		if (!*p)
			return true;
	}
}

static size_t index_of(const struct cgroups *cgroups, const char *name)
{
	size_t i = 0;

	while (i < cgroups->nr && strcmp(cgroups->names[i], name) != 0)
		i++;
	return i;
}

size_t cgroups_count(const struct cgroups *cgroups)
{
	return cgroups->nr;
}

const char *cgroups_name(const struct cgroups *cgroups, size_t i)
{
	return i < cgroups->nr ? cgroups->names[i] : NULL;
}

bool cgroups_has(const struct cgroups *cgroups, const char *name)
{
	return is_root(name) || index_of(cgroups, name) < cgroups->nr;
}

int cgroups_find(const struct cgroups *cgroups, const char *name, struct ktstr_error *err)
{
	if (is_root(name))
		return 0;
	if (!is_name(name))
		return ktstr_error_set(err, -EINVAL, "'%s' is no name of a cgroup", name);
	if (!cgroups_has(cgroups, name))
		return ktstr_error_set(err, -ENOENT, "there is no cgroup '%s'", name);
	return 0;
}

int cgroups_write(struct cgroups *cgroups, const char *name, const char *file, const char *text,
		  struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = cgroups_find(cgroups, name, err);

	if (r < 0)
		return r;
	path = cgroups_path(cgroups, name, file);
	if (!path)
		return ktstr_error_nomem(err);
	/* A write of nothing would not reach the kernel. */
	return cgroups_change(cgroups, &(struct change){ CHANGE_WRITE, path, *text ? text : "\n" },
			      err);
}

int cgroups_read(const struct cgroups *cgroups, const char *name, const char *file,
		 struct strbuf *out, struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = cgroups_find(cgroups, name, err);

	if (r < 0)
		return r;
	path = cgroups_path(cgroups, name, file);
	if (!path)
		return ktstr_error_nomem(err);
	r = io_read_file(path, out, err);
	if (r == 0 && out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	return r;
}

int cgroups_stat(const struct cgroups *cgroups, const char *name, struct cgroup_stat *ret_stat,
		 struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_BYTES);
	int r = cgroups_read(cgroups, name, "cpu.stat", &text, err);

	if (r < 0)
		return r;
	r = cgroup_stat_parse(strbuf_str(&text), ret_stat);
	return r < 0 ? ktstr_error_set(err, r, "cpu.stat of cgroup '%s' is not understood",
				       name ? name : "")
		     : 0;
}

/* --- making ------------------------------------------------------------------------------------ */

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; *p;) {
		size_t part = strcspn(p, " \n");

		if (part == len && !strncmp(p, word, len))
			return true;
		p += part + (p[part] != '\0');
	}
	return false;
}

static int check_controllers(const struct cgroups_opts *opts, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/cgroup.controllers", opts->mount);
	_cleanup_strbuf_ struct strbuf have = STRBUF_INIT_LIMIT(CONTROL_BYTES);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = io_read_file(path, &have, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < CGROUPS_CONTROLLERS && opts->controllers[i]; i++)
		if (!has_word(strbuf_str(&have), opts->controllers[i]))
			return ktstr_error_set(
				err, -ENODEV,
				"'%s' does not offer the cgroup controller '%s', only "
				"'%.*s'",
				opts->mount, opts->controllers[i],
				(int)strcspn(strbuf_str(&have), "\n"), strbuf_str(&have));
	return 0;
}

/* For the children of the cgroup at @dir. */
static int enable_controllers(struct cgroups *cgroups, const char *dir, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/cgroup.subtree_control", dir);

	if (!path)
		return ktstr_error_nomem(err);
	if (!*cgroups->controllers)
		return 0;
	return cgroups_change(cgroups, &(struct change){ CHANGE_WRITE, path, cgroups->controllers },
			      err);
}

static char *control_words(const struct cgroups_opts *opts)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT_LIMIT(CONTROL_BYTES);

	for (size_t i = 0; i < CGROUPS_CONTROLLERS && opts->controllers[i]; i++)
		strbuf_addf(&words, "%s+%s", i ? " " : "", opts->controllers[i]);
	return strbuf_take(&words);
}

static void tree_free(struct cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->nr; i++)
		free(cgroups->names[i]);
	changer_destroy(cgroups->changer);
	free(cgroups->controllers);
	free(cgroups->root);
	free(cgroups);
}

DEFINE_CLEANUP(struct cgroups *, tree_free);

int cgroups_create(const struct cgroups_opts *opts, struct cgroups **ret_cgroups,
		   struct ktstr_error *err)
{
	_cleanup_(tree_freep) struct cgroups *cgroups = calloc(1, sizeof(*cgroups));
	int r;

	if (!cgroups)
		return ktstr_error_nomem(err);
	cgroups->timeout_ns = opts->timeout_ns ? opts->timeout_ns : 2 * NSEC_PER_SEC;
	cgroups->root = path_format("%s/%s", opts->mount, opts->root);
	cgroups->controllers = control_words(opts);
	cgroups->changer = changer_create(cgroups->timeout_ns, CGROUPS_STUCK_MAX);
	if (!cgroups->root || !cgroups->controllers || !cgroups->changer)
		return ktstr_error_nomem(err);
	r = check_controllers(opts, err);
	if (r == 0)
		r = enable_controllers(cgroups, opts->mount, err);
	if (r == 0)
		r = cgroups_change(cgroups, &(struct change){ CHANGE_MKDIR, cgroups->root, NULL },
				   err);
	if (r == 0)
		*ret_cgroups = take_ptr(cgroups);
	return r;
}

void cgroups_set_timeouts(struct cgroups *cgroups, uint64_t change_ns, uint64_t after_ns)
{
	cgroups->timeout_ns = after_ns;
	changer_set_timeout(cgroups->changer, change_ns);
}

static int make_dir(struct cgroups *cgroups, const char *parent, const char *dir,
		    struct ktstr_error *err)
{
	_cleanup_free_ char *type = path_format("%s/cgroup.type", dir);
	int r = type ? enable_controllers(cgroups, parent, err) : ktstr_error_nomem(err);

	if (r == 0)
		r = cgroups_change(cgroups, &(struct change){ CHANGE_MKDIR, dir, NULL }, err);
	if (r < 0)
		return r;
	r = cgroups_change(cgroups, &(struct change){ CHANGE_WRITE, type, "threaded" }, err);
	if (r < 0) {
		int undone =
			changer_do(cgroups->changer, &(struct change){ CHANGE_RMDIR, dir, NULL });

		(void)undone;
	}
	return r;
}

int cgroups_make(struct cgroups *cgroups, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = NULL, *copy = NULL, *parent = NULL;
	char *slash;
	int r;

	if (is_root(name) || !is_name(name))
		return ktstr_error_set(err, -EINVAL, "'%s' is no name of a cgroup",
				       name ? name : "");
	if (cgroups_has(cgroups, name))
		return ktstr_error_set(err, -EEXIST, "there is a cgroup '%s' already", name);
	if (cgroups->nr == CGROUPS_MAX)
		return ktstr_error_set(err, -ENOSPC, "make cgroup '%s': there are %d already", name,
				       CGROUPS_MAX);
	copy = strdup(name);
	dir = cgroups_path(cgroups, name, NULL);
	if (!copy || !dir)
		return ktstr_error_nomem(err);
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	r = cgroups_find(cgroups, slash ? copy : NULL, err);
	if (r < 0)
		return r;
	parent = cgroups_path(cgroups, slash ? copy : NULL, NULL);
	if (!parent)
		return ktstr_error_nomem(err);
	r = make_dir(cgroups, parent, dir, err);
	if (r < 0)
		return r;
	if (slash)
		*slash = '/';
	cgroups->names[cgroups->nr++] = take_ptr(copy);
	return 0;
}

/* --- the end ----------------------------------------------------------------------------------- */

static void forget(struct cgroups *cgroups, size_t i)
{
	free(cgroups->names[i]);
	memmove(&cgroups->names[i], &cgroups->names[i + 1],
		(--cgroups->nr - i) * sizeof(cgroups->names[0]));
}

static int remove_one(struct cgroups *cgroups, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *path = cgroups_path(cgroups, name, NULL);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = cgroups_empty(cgroups, name, err);
	if (r < 0)
		return r;
	r = cgroups_change(cgroups, &(struct change){ CHANGE_RMDIR, path, NULL }, err);
	return r == -ENOENT ? 0 : r;
}

static bool is_below(const char *name, const char *ancestor)
{
	size_t len = strlen(ancestor);

	return !strncmp(name, ancestor, len) && (name[len] == '\0' || name[len] == '/');
}

int cgroups_remove(struct cgroups *cgroups, const char *name, struct ktstr_error *err)
{
	int r = is_root(name) ? ktstr_error_set(err, -EINVAL, "the root stays")
			      : cgroups_find(cgroups, name, err);
	/* @name may be one of those that are freed. */
	_cleanup_free_ char *top = r < 0 ? NULL : strdup(name);

	if (r == 0 && !top)
		return ktstr_error_nomem(err);
	for (size_t i = cgroups->nr; r == 0 && i-- > 0;) {
		if (!is_below(cgroups->names[i], top))
			continue;
		r = remove_one(cgroups, cgroups->names[i], err);
		if (r == 0)
			forget(cgroups, i);
	}
	return r;
}

int cgroups_destroy(struct cgroups *cgroups, struct ktstr_error *err)
{
	struct ktstr_error first = { 0 };
	int r;

	if (!cgroups)
		return 0;
	while (cgroups->nr) {
		struct ktstr_error why = { 0 };

		if (remove_one(cgroups, cgroups->names[cgroups->nr - 1], &why) < 0 && !first.code)
			first = why;
		forget(cgroups, cgroups->nr - 1);
	}
	r = first.code ? first.code : remove_one(cgroups, NULL, &first);
	tree_free(cgroups);
	if (r < 0 && err)
		*err = first;
	return r;
}
