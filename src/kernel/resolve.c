// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ktstr/kernel.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/cache.h"
#include "kernel/config.h"
#include "kernel/image.h"
#include "kernel/import.h"
#include "kernel/module.h"
#include "kernel/version.h"

/* A readable file at the formatted path, malloc'ed, or NULL. */
KTSTR_PRINTF(1, 2)
static char *readable(const char *fmt, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&path, fmt, ap);
	va_end(ap);
	if (n < 0) {
		path = NULL;
		return NULL;
	}
	return access(path, R_OK) == 0 && !path_is_dir(path) ? take_ptr(path) : NULL;
}

static int set_path(char to[KTSTR_KERNEL_PATH], const char *path, struct ktstr_error *err)
{
	_cleanup_free_ char *real = realpath(path, NULL);

	if (!real)
		return ktstr_error_set(err, -errno, "find '%s': %s", path, strerror(errno));
	if (strlen(real) >= KTSTR_KERNEL_PATH)
		return ktstr_error_set(err, -ENAMETOOLONG, "path '%.100s...' is longer than %d",
				       real, KTSTR_KERNEL_PATH - 1);
	memcpy(to, real, strlen(real) + 1);
	return 0;
}

/* A vmlinux is used where it lies. */
static int use_vmlinux(const char *path, const char *config, const struct image *image,
		       struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CONFIG_MAX_BYTES);
	struct ktstr_kernel k = { .pvh = image->pvh };
	int r = set_path(k.vmlinux_path, path, err);

	if (r == 0 && config)
		r = set_path(k.config_path, config, err);
	if (r == 0 && config)
		r = io_read_file(config, &text, err);
	if (r < 0)
		return r;
	if (!image->pvh)
		return ktstr_error_set(err, -ENOEXEC,
				       "vmlinux '%s' has no PVH entry; build the kernel with "
				       "CONFIG_PVH=y, or give its bzImage",
				       path);
	snprintf(k.name, sizeof(k.name), "%.120s", path_base(path));
	memcpy(k.release, image->release, sizeof(k.release));
	memcpy(k.build_id, image->build_id, sizeof(k.build_id));
	kernel_version_upstream(k.release, k.version, sizeof(k.version));
	if (config)
		config_facts(strbuf_str(&text), &k);
	*ret_kernel = k;
	return 0;
}

static char *folder_of(const char *path)
{
	return strchr(path, '/') ? path_format("%.*s", (int)(path_base(path) - path), path)
				 : strdup("./");
}

/* Distributions put the config of vmlinuz-X at config-X; cache entries and others at config. */
static char *config_beside(const char *path, const char *release)
{
	_cleanup_free_ char *dir = folder_of(path);
	char *config = NULL;

	if (!dir)
		return NULL;
	if (release[0])
		config = readable("%sconfig-%s", dir, release);
	if (!config && !strncmp(path_base(path), "vmlinu", 6))
		config = readable("%sconfig", dir);
	return config;
}

static int resolve_file(const char *path, struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	_cleanup_free_ char *config = NULL;
	_cleanup_free_ char *modules = NULL;
	struct import import = { .bzimage = path };
	struct image image;
	int r = image_read(path, &image, err);

	if (r < 0)
		return r;
	config = config_beside(path, image.release);
	if (image.kind == IMAGE_VMLINUX)
		return use_vmlinux(path, config, &image, ret_kernel, err);
	modules = path_format("/lib/modules/%s", image.release);
	if (!modules)
		return ktstr_error_nomem(err);
	import.config = config;
	if (image.release[0] && path_is_dir(modules))
		import.modules_root = modules;
	return import_file(&import, ret_kernel, err);
}

static int resolve_tree(const char *dir, struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	_cleanup_free_ char *vmlinux = readable("%s/vmlinux", dir);
	_cleanup_free_ char *bzimage = readable("%s/arch/x86/boot/bzImage", dir);
	_cleanup_free_ char *config = readable("%s/.config", dir);
	struct import import = { .bzimage = bzimage, .config = config, .modules_root = dir };
	struct image image;
	int r;

	if (!vmlinux && !bzimage)
		return ktstr_error_set(
			err, -ENOENT,
			"'%s' holds neither vmlinux nor arch/x86/boot/bzImage; if it "
			"is a kernel tree, build it: make -C '%s' bzImage",
			dir, dir);
	/* The bzImage is smaller, made last, and its entry keeps the modules that it needs. */
	if (bzimage)
		return import_file(&import, ret_kernel, err);
	r = image_read(vmlinux, &image, err);
	return r < 0 ? r : use_vmlinux(vmlinux, config, &image, ret_kernel, err);
}

static int resolve_path(const char *path, struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	if (access(path, F_OK) < 0)
		return ktstr_error_set(err, -errno, "no kernel at '%s': %s", path, strerror(errno));
	return path_is_dir(path) ? resolve_tree(path, ret_kernel, err)
				 : resolve_file(path, ret_kernel, err);
}

static int resolve_host(struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	static const char *const places[] = { "/boot/vmlinuz-%s", "/usr/lib/modules/%s/vmlinuz",
					      "/lib/modules/%s/vmlinuz" };
	struct utsname host;

	if (uname(&host) < 0 || strcmp(host.machine, "x86_64") != 0)
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[KTSTR_KERNEL_PATH];
		const char *mark = strstr(places[i], "%s");

		snprintf(path, sizeof(path), "%.*s%s%s", (int)(mark - places[i]), places[i],
			 host.release, mark + 2);
		if (access(path, R_OK) == 0)
			return resolve_file(path, ret_kernel, err);
	}
	return -ENOENT;
}

static int resolve_default(struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	const struct ktstr_kernel *best = NULL;
	int nr = ktstr_kernel_list(&kernels, err);

	if (nr < 0)
		return nr;
	/* Files that were only tried once must not become everybody's default. */
	for (int i = 0; i < nr; i++)
		if (!kernels[i].imported && (!best || (best->sched_ext != KTSTR_KERNEL_YES &&
						       kernels[i].sched_ext == KTSTR_KERNEL_YES)))
			best = &kernels[i];
	if (best) {
		*ret_kernel = *best;
		return 0;
	}
	nr = resolve_host(ret_kernel, err);
	if (nr != -ENOENT)
		return nr;
	return ktstr_error_set(err, -ENOENT,
			       "no kernel is cached and the host's own image cannot be read; run: "
			       "ktstr kernel fetch");
}

static int resolve_version(const char *spec, struct ktstr_kernel *ret_kernel,
			   struct ktstr_error *err)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	int nr = ktstr_kernel_list(&kernels, err);

	for (int i = 0; i < nr; i++) {
		if (kernels[i].imported || (!kernel_version_matches(kernels[i].release, spec) &&
					    !kernel_version_matches(kernels[i].version, spec)))
			continue;
		*ret_kernel = kernels[i];
		return 0;
	}
	return nr < 0 ? nr : -ENOENT;
}

int ktstr_kernel_resolve(const char *spec, struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	struct entry entry;
	int r = -ENOENT;

	if (!spec)
		return resolve_default(ret_kernel, err);
	if (strchr(spec, '/'))
		return resolve_path(spec, ret_kernel, err);
	if (cache_name_valid(spec))
		r = cache_load(spec, &entry, err);
	if (r == 0)
		*ret_kernel = entry.kernel;
	if (r == -ENOENT && kernel_version_valid(spec))
		r = resolve_version(spec, ret_kernel, err);
	if (r == -ENOENT && access(spec, F_OK) == 0)
		return resolve_path(spec, ret_kernel, err);
	if (r == -ENOENT && kernel_version_valid(spec))
		return ktstr_error_set(err, r,
				       "no kernel '%s' in the cache and no file of that name; run: "
				       "ktstr kernel fetch %s",
				       spec, spec);
	if (r == -ENOENT)
		return ktstr_error_set(err, r,
				       "no kernel '%s' in the cache and no file of that name; see: "
				       "ktstr kernel list",
				       spec);
	return r;
}
