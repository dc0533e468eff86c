// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/module.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "kernel/config.h"
#include "kernel/elf_file.h"
#include "kernel/unpack.h"

enum { NAME_SIZE = 64 };

static const struct {
	const char *option, *module;
} drivers[] = {
	{ "VIRTIO_PCI", "virtio_pci" },
	{ "VIRTIO_CONSOLE", "virtio_console" },
};

struct found {
	char name[NAME_SIZE];
	char *path;
};

struct collection {
	const char *root, *to;
	struct found *found;
	size_t nr_found;
	char loaded[MODULE_MAX_LOADED][NAME_SIZE];
	int nr_loaded;
	struct ktstr_error *err;
};

static void collection_deinit(struct collection *c)
{
	for (size_t i = 0; i < c->nr_found; i++)
		free(c->found[i].path);
	free(c->found);
}

/* "virtio-rng.ko.xz" is module virtio_rng.  Return: false if it is no module. */
static bool module_name(const char *file, char name[NAME_SIZE])
{
	const char *end = strstr(file, ".ko");
	size_t len = end ? (size_t)(end - file) : 0;

	if (!len || len >= NAME_SIZE || (end[3] && end[3] != '.'))
		return false;
	for (size_t i = 0; i < len; i++)
		name[i] = file[i] == '-' ? '_' : file[i];
	name[len] = '\0';
	return true;
}

static int add_found(struct collection *c, const char *path, const char *file)
{
	char name[NAME_SIZE];
	struct found *grown;

	if (!module_name(file, name))
		return 0;
	if (c->nr_found == MODULE_MAX_FOUND)
		return -E2BIG;
	if (c->nr_found % 256 == 0) {
		grown = realloc(c->found, (c->nr_found + 256) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->found = grown;
	}
	memcpy(c->found[c->nr_found].name, name, NAME_SIZE);
	c->found[c->nr_found].path = strdup(path);
	if (!c->found[c->nr_found].path)
		return -ENOMEM;
	c->nr_found++;
	return 0;
}

static int find_modules(struct collection *c)
{
	char *roots[] = { (char *)c->root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	int r = fts ? 0 : -errno;

	while (r == 0 && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_F)
			r = add_found(c, entry->fts_path, entry->fts_name);
	if (fts)
		fts_close(fts);
	if (r < 0)
		return ktstr_error_set(c->err, r, "look for modules below '%s': %s", c->root,
				       strerror(-r));
	return 0;
}

static const char *path_of(const struct collection *c, const char *name)
{
	for (size_t i = 0; i < c->nr_found; i++)
		if (!strcmp(c->found[i].name, name))
			return c->found[i].path;
	return NULL;
}

static bool is_loaded(const struct collection *c, const char *name)
{
	for (int i = 0; i < c->nr_loaded; i++)
		if (!strcmp(c->loaded[i], name))
			return true;
	return false;
}

/* The comma-separated names after "depends=", malloc'ed. */
static int read_depends(const char *ko, char **ret_depends, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(ko, O_RDONLY | O_CLOEXEC);
	_cleanup_strbuf_ struct strbuf info = STRBUF_INIT_LIMIT(1 << 20);
	const char *depends = "";
	int r = fd < 0 ? -errno : elf_file_section(fd, ".modinfo", &info);

	if (r < 0)
		return ktstr_error_set(err, r, "read dependencies of module '%s': %s", ko,
				       strerror(-r));
	for (size_t at = 0; at < info.len; at += strlen(info.data + at) + 1)
		if (!strncmp(info.data + at, "depends=", 8))
			depends = info.data + at + 8;
	*ret_depends = strdup(depends);
	return *ret_depends ? 0 : ktstr_error_nomem(err);
}

static int load(struct collection *c, const char *name, int depth);

static int load_depends(struct collection *c, char *depends, int depth)
{
	for (char *name = depends; *name;) {
		size_t len = strcspn(name, ",");
		bool last = !name[len];
		int r;

		name[len] = '\0';
		r = *name ? load(c, name, depth + 1) : 0;
		if (r < 0)
			return r;
		name += len + !last;
	}
	return 0;
}

/* Unpacks under a temporary name first: the number is known once its dependencies have theirs. */
static int load(struct collection *c, const char *name, int depth)
{
	_cleanup_free_ char *depends = NULL;
	_cleanup_free_ char *plain = NULL;
	_cleanup_free_ char *final = NULL;
	const char *packed = path_of(c, name);
	int r;

	if (is_loaded(c, name))
		return 0;
	if (depth > 8 || c->nr_loaded == MODULE_MAX_LOADED)
		return ktstr_error_set(c->err, -ELOOP, "module '%s' depends on too many others",
				       name);
	if (!packed)
		return ktstr_error_set(c->err, -ENOENT,
				       "the kernel needs module '%s', which is not below '%s'; "
				       "build it in or install the modules",
				       name, c->root);
	plain = path_format("%s/unpacked-%s.ko", c->to, name);
	if (!plain)
		return ktstr_error_nomem(c->err);
	r = unpack_file(packed, plain, c->err);
	if (r == 0)
		r = read_depends(plain, &depends, c->err);
	if (r == 0)
		r = load_depends(c, depends, depth);
	if (r < 0)
		return r;
	final = path_format("%s/%02d-%s.ko", c->to, c->nr_loaded, name);
	if (!final)
		return ktstr_error_nomem(c->err);
	if (rename(plain, final) < 0)
		return ktstr_error_set(c->err, -errno, "rename '%s': %s", plain, strerror(errno));
	snprintf(c->loaded[c->nr_loaded++], NAME_SIZE, "%s", name);
	return 0;
}

static bool is_module(const char *config, const char *option)
{
	char value[4];

	return config_value(config, option, value, sizeof(value)) == 0 && !strcmp(value, "m");
}

int module_collect(const char *config, const char *root, const char *to, struct ktstr_error *err)
{
	_cleanup_(collection_deinit) struct collection c = { .root = root, .to = to, .err = err };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(drivers); i++) {
		if (!is_module(config, drivers[i].option))
			continue;
		r = path_mkdir_all(to, err);
		if (r == 0 && !c.found)
			r = find_modules(&c);
		if (r == 0)
			r = load(&c, drivers[i].module, 0);
	}
	return r < 0 ? r : c.nr_loaded;
}
