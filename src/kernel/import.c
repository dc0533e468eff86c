// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/sha256.h"
#include "kernel/config.h"
#include "kernel/module.h"
#include "kernel/unpack.h"
#include "kernel/version.h"

static int fill_image(const char *dir, const char *bzimage, struct entry *entry,
		      struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(bzimage, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *copy = path_format("%s/bzImage", dir);
	_cleanup_free_ char *vmlinux = path_format("%s/vmlinux", dir);
	struct image image;
	int r;

	if (!copy || !vmlinux)
		return ktstr_error_nomem(err);
	if (fd < 0)
		return ktstr_error_set(err, -errno, "open kernel '%s': %s", bzimage,
				       strerror(errno));
	r = image_read_fd(fd, bzimage, &image, err);
	if (r < 0)
		return r;
	if (image.kind != IMAGE_BZIMAGE)
		return ktstr_error_set(err, -ENOEXEC, "'%s' is a vmlinux, not a bzImage", bzimage);
	if (!entry->kernel.release[0])
		memcpy(entry->kernel.release, image.release, sizeof(image.release));
	r = unpack_bzimage(fd, bzimage, &image, vmlinux, err);
	return r < 0 ? r : io_copy_file(bzimage, copy, 0644, err);
}

static int fill_config(const char *dir, const struct import *import, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf config = STRBUF_INIT_LIMIT(CONFIG_MAX_BYTES);
	_cleanup_free_ char *path = path_format("%s/config", dir);
	_cleanup_free_ char *modules = path_format("%s/modules", dir);
	int r;

	if (!path || !modules)
		return ktstr_error_nomem(err);
	if (!import->config)
		return 0;
	r = io_read_file(import->config, &config, err);
	if (r == 0)
		r = io_write_file(path, config.data, config.len, 0644, err);
	if (r == 0 && import->modules_root)
		r = module_collect(strbuf_str(&config), import->modules_root, modules, err);
	return r < 0 ? r : 0;
}

int import_fill(const struct cache_temp *temp, struct import *import, struct ktstr_error *err)
{
	int r = fill_image(temp->path, import->bzimage, &import->entry, err);

	if (r == 0)
		r = fill_config(temp->path, import, err);
	if (r == 0)
		r = entry_create(temp->path, &import->entry, err);
	return r < 0 ? cache_explain(r, err) : 0;
}

static int make_name(struct import *import, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(import->bzimage, O_RDONLY | O_CLOEXEC);
	struct ktstr_kernel *k = &import->entry.kernel;
	char hash[SHA256_HEX];
	struct image image;
	int r;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "open kernel '%s': %s", import->bzimage,
				       strerror(errno));
	r = image_read_fd(fd, import->bzimage, &image, err);
	if (r < 0)
		return r;
	r = sha256_fd_hex(fd, hash);
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", import->bzimage, strerror(-r));
	memcpy(k->release, image.release, sizeof(k->release));
	if (!kernel_version_valid(k->release))
		k->release[0] = '\0';
	snprintf(k->name, sizeof(k->name), "%.100s-%.16s", k->release[0] ? k->release : "kernel",
		 hash);
	kernel_version_upstream(k->release, k->version, sizeof(k->version));
	k->imported = true;
	snprintf(import->entry.source, sizeof(import->entry.source), "%.100s",
		 path_base(import->bzimage));
	return 0;
}

/* The time of kernel.json is the time of last use. */
static void mark_used(const char *name)
{
	_cleanup_free_ char *path = cache_path(name, NULL);
	_cleanup_free_ char *json = path ? path_format("%s/kernel.json", path) : NULL;

	if (json && utimensat(AT_FDCWD, json, NULL, 0) < 0)
		ktstr_log(KTSTR_LOG_DEBUG, "cannot touch '%s', going on", json);
}

static int64_t last_used_ns(const char *name)
{
	_cleanup_free_ char *path = cache_path(name, NULL);
	_cleanup_free_ char *json = path ? path_format("%s/kernel.json", path) : NULL;
	struct stat st;

	if (!json || stat(json, &st) < 0)
		return 0;
	return st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_mtim.tv_nsec;
}

static void remove_oldest(const struct ktstr_kernel *kernels, int nr)
{
	const struct ktstr_kernel *oldest = NULL;
	int64_t oldest_ns = 0;
	struct ktstr_error why;

	for (int i = 0; i < nr; i++) {
		int64_t used_ns = kernels[i].imported ? last_used_ns(kernels[i].name) : 0;

		if (used_ns && (!oldest || used_ns < oldest_ns)) {
			oldest = &kernels[i];
			oldest_ns = used_ns;
		}
	}
	if (oldest && ktstr_kernel_remove(oldest->name, &why) < 0)
		ktstr_log(KTSTR_LOG_WARN, "%s, keeping it", why.text);
}

/* Somebody who builds kernels all day must not fill the disk. */
static void limit_imports(void)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	int nr = ktstr_kernel_list(&kernels, NULL);
	int nr_imported = 0;

	for (int i = 0; i < nr; i++)
		nr_imported += kernels[i].imported;
	for (; nr_imported > IMPORT_MAX_KEPT; nr_imported--)
		remove_oldest(kernels, nr);
}

static int use(const struct entry *entry, struct ktstr_kernel *ret_kernel)
{
	mark_used(entry->kernel.name);
	*ret_kernel = entry->kernel;
	return 0;
}

int import_file(struct import *import, struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	_cleanup_cache_temp_ struct cache_temp temp = CACHE_TEMP_INIT;
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;
	const char *name = import->entry.kernel.name;
	struct entry entry;
	int r = make_name(import, err);

	if (r == 0 && cache_load(name, &entry, NULL) == 0)
		return use(&entry, ret_kernel);
	if (r == 0)
		r = cache_lock_kernel(&lock, name, true, err);
	if (r == 0 && cache_load(name, &entry, NULL) == 0)
		return use(&entry, ret_kernel);
	if (r == 0)
		r = cache_temp_create(&temp, err);
	if (r == 0)
		r = import_fill(&temp, import, err);
	if (r == 0)
		r = cache_temp_commit(&temp, name, err);
	if (r == 0)
		r = cache_load(name, &entry, err);
	if (r < 0)
		return r;
	limit_imports();
	return use(&entry, ret_kernel);
}
