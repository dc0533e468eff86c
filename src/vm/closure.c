// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/closure.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "vm/elf.h"

enum { NO_PARENT = -1 };

static const char *const default_dirs_64[] = { "/lib/x86_64-linux-gnu",
					       "/usr/lib/x86_64-linux-gnu",
					       "/lib64",
					       "/usr/lib64",
					       "/lib",
					       "/usr/lib" };
static const char *const default_dirs_32[] = {
	"/lib/i386-linux-gnu", "/usr/lib/i386-linux-gnu", "/lib32", "/usr/lib32", "/lib", "/usr/lib"
};

struct object {
	char *name; /* as needed; NULL: the program */
	char *path;
	struct elf_needs needs;
	int parent;
};

struct walk {
	const struct closure_opts *opts;
	struct object *objects;
	int nr_objects;
	struct ktstr_error *err;
};

/* Reads a candidate.  Return: 0 if it serves, -ENOENT if the search goes on. */
static int try_file(const struct walk *w, const char *path, struct elf_needs *ret_needs)
{
	const struct elf_needs *program = &w->objects[0].needs;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_needs needs;

	if (fd < 0 || elf_needs_read(fd, path, &needs, NULL) < 0)
		return -ENOENT;
	if (needs.class != program->class || needs.machine != program->machine) {
		elf_needs_deinit(&needs);
		return -ENOENT;
	}
	*ret_needs = needs;
	return 0;
}

static int try_dir(const struct walk *w, const char *dir, const char *name, struct object *ret)
{
	char *path = path_format("%s/%s", dir, name);
	int r = path ? try_file(w, path, &ret->needs) : -ENOMEM;

	if (r < 0)
		free(path);
	else
		ret->path = path;
	return r;
}

/* Replaces $ORIGIN, ${ORIGIN} and the two other tokens of ld.so(8) in one search folder. */
static void expand_tokens(struct strbuf *out, const char *dir, size_t len, const char *origin)
{
	const struct {
		const char *token, *value;
	} tokens[] = {
		{ "$ORIGIN", origin }, { "${ORIGIN}", origin },	  { "$LIB", "lib64" },
		{ "${LIB}", "lib64" }, { "$PLATFORM", "x86_64" }, { "${PLATFORM}", "x86_64" },
	};

	for (size_t at = 0, i; at < len;) {
		for (i = 0; i < ARRAY_SIZE(tokens); i++) {
			size_t n = strlen(tokens[i].token);

			if (n > len - at || strncmp(dir + at, tokens[i].token, n))
				continue;
			strbuf_addstr(out, tokens[i].value);
			at += n;
			break;
		}
		if (i == ARRAY_SIZE(tokens))
			strbuf_addch(out, dir[at++]);
	}
}

/* Searches the colon-separated folders that object @holder names. */
static int try_search_path(const struct walk *w, int holder, const char *search, const char *name,
			   struct object *ret)
{
	const char *path = w->objects[holder].path;
	size_t dir_len = (size_t)(path_base(path) - path);
	_cleanup_free_ char *origin = strndup(path, dir_len > 1 ? dir_len - 1 : dir_len);
	int r = origin ? -ENOENT : -ENOMEM;

	while (search && r == -ENOENT) {
		struct strbuf dir = STRBUF_INIT;
		size_t len = strcspn(search, ":");

		expand_tokens(&dir, search, len, origin);
		/* An empty or relative entry means the working folder of a process to come. */
		if (dir.len && dir.data[0] == '/')
			r = try_dir(w, dir.data, name, ret);
		strbuf_deinit(&dir);
		search = search[len] ? search + len + 1 : NULL;
	}
	return r;
}

static int try_system(const struct walk *w, const char *name, struct object *ret)
{
	const struct library_dirs *conf = w->opts->dirs;
	bool is_64 = w->objects[0].needs.class == ELFCLASS64;
	const char *const *defaults = is_64 ? default_dirs_64 : default_dirs_32;
	int r = -ENOENT;

	for (unsigned int i = 0; i < conf->nr && r == -ENOENT; i++)
		r = try_dir(w, conf->dirs[i], name, ret);
	for (size_t i = 0; i < ARRAY_SIZE(default_dirs_64) && r == -ENOENT; i++)
		r = try_dir(w, defaults[i], name, ret);
	return r;
}

static int find_library(const struct walk *w, int needed_by, const char *name, struct object *ret)
{
	const struct object *o = &w->objects[needed_by];
	int r = -ENOENT;

	if (strchr(name, '/')) {
		ret->path = name[0] == '/' ? strdup(name) : NULL;
		return ret->path ? try_file(w, name, &ret->needs) : -ENOENT;
	}
	for (int i = needed_by; !o->needs.runpath && i != NO_PARENT && r == -ENOENT;
	     i = w->objects[i].parent)
		if (!w->objects[i].needs.runpath)
			r = try_search_path(w, i, w->objects[i].needs.rpath, name, ret);
	if (r == -ENOENT)
		r = try_search_path(w, needed_by, o->needs.runpath, name, ret);
	return r == -ENOENT ? try_system(w, name, ret) : r;
}

static bool is_known(const struct walk *w, const char *name)
{
	for (int i = 1; i < w->nr_objects; i++)
		if (!strcmp(w->objects[i].name, name))
			return true;
	return false;
}

static void object_deinit(struct object *o)
{
	free(o->name);
	free(o->path);
	elf_needs_deinit(&o->needs);
}

/* Takes what @o holds, also on failure. */
static int append(struct walk *w, struct object *o)
{
	struct object *grown = reallocarray(w->objects, (size_t)w->nr_objects + 1, sizeof(*grown));

	if (!grown) {
		object_deinit(o);
		return ktstr_error_nomem(w->err);
	}
	w->objects = grown;
	grown[w->nr_objects++] = *o;
	return 0;
}

static int add_library(struct walk *w, int needed_by, const char *name)
{
	struct object o = { .parent = needed_by };
	int r;

	if (is_known(w, name))
		return 0;
	if (w->nr_objects > CLOSURE_LIBRARIES_MAX)
		return ktstr_error_set(w->err, -E2BIG, "'%s' needs more than %d libraries",
				       w->opts->program, CLOSURE_LIBRARIES_MAX);
	r = find_library(w, needed_by, name, &o);
	o.name = r == 0 ? strdup(name) : NULL;
	if (r == 0 && !o.name)
		r = -ENOMEM;
	if (r == 0)
		r = w->opts->fn(w->opts->arg, name, o.path, w->err);
	else if (r == -ENOENT)
		r = ktstr_error_set(w->err, r,
				    "library '%s', needed by '%s', was not found: install it or "
				    "add its folder to /etc/ld.so.conf",
				    name, w->objects[needed_by].path);
	else
		r = ktstr_error_set(w->err, r, "find library '%s': %s", name, strerror(-r));
	if (r < 0) {
		object_deinit(&o);
		return r;
	}
	return append(w, &o);
}

static int walk_objects(struct walk *w)
{
	static const char unwinder[] = "libgcc_s.so.1";
	struct object probe = { 0 };
	int r = 0;

	/* Breadth first, as the loader does: the list grows while it is walked. */
	for (int i = 0; i < w->nr_objects && r == 0; i++)
		for (size_t k = 0; k < w->objects[i].needs.nr_needed && r == 0; k++)
			r = add_library(w, i, w->objects[i].needs.needed[k]);
	if (r < 0 || !is_known(w, "libc.so.6") || is_known(w, unwinder))
		return r;
	if (find_library(w, 0, unwinder, &probe) < 0)
		return 0;
	object_deinit(&probe);
	return add_library(w, 0, unwinder);
}

static int add_interpreter(struct walk *w)
{
	const char *interpreter = w->objects[0].needs.interpreter;

	if (!interpreter)
		return 0;
	if (interpreter[0] != '/' || access(interpreter, R_OK) < 0)
		return ktstr_error_set(w->err, -ENOENT,
				       "'%s', the program loader of '%s', was not found",
				       interpreter, w->opts->program);
	return w->opts->fn(w->opts->arg, interpreter, interpreter, w->err);
}

int closure_walk(const struct closure_opts *opts, struct ktstr_error *err)
{
	struct walk w = { .opts = opts, .err = err };
	struct object program = { .parent = NO_PARENT };
	_cleanup_close_ int fd = open(opts->program, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", opts->program,
				       strerror(errno));
	r = elf_needs_read(fd, opts->program, &program.needs, err);
	if (r < 0)
		return r == -ENOEXEC ? 0 : r;
	program.path = realpath(opts->program, NULL);
	if (!program.path) {
		elf_needs_deinit(&program.needs);
		return ktstr_error_set(err, -errno, "resolve '%s': %s", opts->program,
				       strerror(errno));
	}
	r = append(&w, &program);
	if (r == 0)
		r = add_interpreter(&w);
	if (r == 0)
		r = walk_objects(&w);
	for (int i = 0; i < w.nr_objects; i++)
		object_deinit(&w.objects[i]);
	free(w.objects);
	return r;
}

char *closure_find(const struct library_dirs *dirs, const char *name)
{
	const struct closure_opts opts = { .dirs = dirs };
	struct object any = { .needs = { .class = ELFCLASS64, .machine = EM_X86_64 } };
	struct walk w = { .opts = &opts, .objects = &any, .nr_objects = 1 };
	struct object found = { 0 };

	if (try_system(&w, name, &found) < 0)
		return NULL;
	elf_needs_deinit(&found.needs);
	return found.path;
}
