// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/vm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cpio.h"
#include "base/path.h"
#include "vm/guestpath.h"
#include "vm/imagelibs.h"

extern const char ktstr_agent_start[], ktstr_agent_end[];

enum { CONSOLE_MAJOR = 5, CONSOLE_MINOR = 1, MODULES_MAX = 64 };

static const char *const dirs[] = { "dev", "proc", "root",    "run",	"sys",
				    "tmp", "usr",  "usr/bin", "usr/lib" };

static int add_dir(struct cpio_writer *w, const char *name)
{
	return cpio_add(w, &(struct cpio_entry){ .name = name, .mode = S_IFDIR | 0755 });
}

static int add_skeleton(struct cpio_writer *w)
{
	const struct cpio_entry console = { .name = "dev/console",
					    .mode = S_IFCHR | 0600,
					    .rdev_major = CONSOLE_MAJOR,
					    .rdev_minor = CONSOLE_MINOR };
	const struct cpio_entry init = { .name = "init",
					 .mode = S_IFREG | 0755,
					 .size = (uint32_t)(ktstr_agent_end - ktstr_agent_start),
					 .data = ktstr_agent_start };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++)
		r = add_dir(w, dirs[i]);
	for (const struct guest_link *l = guest_links; l->name && r == 0; l++)
		r = cpio_add(w, &(struct cpio_entry){ .name = l->name,
						      .mode = S_IFLNK | 0777,
						      .size = (uint32_t)strlen(l->target),
						      .data = l->target });
	if (r == 0)
		r = cpio_add(w, &console);
	return r == 0 ? cpio_add(w, &init) : r;
}

static int add_module(struct cpio_writer *w, int dir_fd, const char *name)
{
	_cleanup_free_ char *guest_name = path_format("modules/%s", name);
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct cpio_entry entry = { .name = guest_name, .mode = S_IFREG | 0644 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!guest_name)
		return -ENOMEM;
	entry.size = (uint32_t)st.st_size;
	return cpio_add_fd(w, &entry, fd);
}

static int is_module(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 3 && !strcmp(d->d_name + len - 3, ".ko");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The names begin with the order in which the agent loads them. */
static int add_modules(struct cpio_writer *w, const char *path)
{
	_cleanup_close_ int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int nr, r;

	if (dir_fd < 0)
		return -errno;
	nr = scandirat(dir_fd, ".", &names, is_module, by_bytes);
	if (nr < 0)
		return -errno;
	r = nr > MODULES_MAX ? -E2BIG : add_dir(w, "modules");
	for (int i = 0; i < nr; i++) {
		if (r == 0)
			r = add_module(w, dir_fd, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

/* Where libbpf looks for what a program of its declares as __kconfig. */
static int add_config(struct cpio_writer *w, const struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *name = path_format("boot/config-%s", kernel->release);
	_cleanup_close_ int fd = open(kernel->config_path, O_RDONLY | O_CLOEXEC);
	struct cpio_entry entry = { .name = name, .mode = S_IFREG | 0644 };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!name)
		return -ENOMEM;
	entry.size = (uint32_t)st.st_size;
	r = add_dir(w, "boot");
	return r == 0 ? cpio_add_fd(w, &entry, fd) : r;
}

int vm_image_write(const char *path, const struct ktstr_kernel *kernel, struct vm_image *ret_image,
		   struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct vm_image image = { 0 };
	struct cpio_writer w;
	int r;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno));
	cpio_writer_to_fd(&w, fd);
	r = add_skeleton(&w);
	if (r == 0)
		r = imagelibs_add(&w, kernel, &image);
	if (r == 0 && kernel->modules_path[0])
		r = add_modules(&w, kernel->modules_path);
	if (r == 0 && kernel->config_path[0] && kernel->release[0] && !strchr(kernel->release, '/'))
		r = add_config(&w, kernel);
	if (r == 0)
		r = cpio_finish(&w);
	if (r < 0) {
		unlink(path);
		return ktstr_error_set(err, r, "write guest image '%s'%s%s: %s", path,
				       kernel->modules_path[0] ? " with modules of " : "",
				       kernel->modules_path, strerror(-r));
	}
	if (ret_image)
		*ret_image = image;
	return 0;
}
