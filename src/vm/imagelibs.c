// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/imagelibs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "vm/closure.h"

static const char loader[] = "/lib64/ld-linux-x86-64.so.2";

static const struct {
	const char *library; /* NULL: the loader */
	const char *name;
	bool for_bpf; /* libbpf and what it needs, in either version */
} wanted[] = {
	{ NULL, "usr/lib/ld-linux-x86-64.so.2", false },
	{ "libc.so.6", "usr/lib/libc.so.6", false },
	{ "libgcc_s.so.1", "usr/lib/libgcc_s.so.1", false },
	{ "libm.so.6", "usr/lib/libm.so.6", false },
	{ "libbpf.so.1", "usr/lib/libbpf.so.1", true },
	{ "libbpf.so.0", "usr/lib/libbpf.so.0", true },
	{ "libelf.so.1", "usr/lib/libelf.so.1", true },
	{ "libz.so.1", "usr/lib/libz.so.1", true },
	{ "libzstd.so.1", "usr/lib/libzstd.so.1", true },
};

_Static_assert(ARRAY_SIZE(wanted) <= VM_IMAGE_LIBRARIES, "room for all");

static int add_one(struct cpio_writer *w, const char *path, const char *name, struct stat *ret_st)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct cpio_entry entry = { .name = name };

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	/* As vm/pack.c has them. */
	entry.mode = S_IFREG | (ret_st->st_mode & 0111 ? 0755 : 0644);
	entry.size = (uint32_t)ret_st->st_size;
	return cpio_add_fd(w, &entry, fd);
}

/* Captures open it there, which no program says of itself. */
static bool uses_libbpf(const struct ktstr_kernel *kernel)
{
	const char *version = kernel->version[0] ? kernel->version : kernel->release;
	unsigned int major, minor;

	return sscanf(version, "%u.%u", &major, &minor) == 2 && major == 5 && minor >= 15 &&
	       minor < 17;
}

int imagelibs_add(struct cpio_writer *w, const struct ktstr_kernel *kernel,
		  struct vm_image *ret_image)
{
	_cleanup_(library_dirs_deinit) struct library_dirs dirs = { 0 };
	struct vm_image image = { 0 };
	int r = library_dirs_read(&dirs, "/etc/ld.so.conf", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && r == 0; i++) {
		struct vm_image_library *library = &image.libraries[image.nr_libraries];
		_cleanup_free_ char *path = NULL;

		if (wanted[i].for_bpf && !uses_libbpf(kernel))
			continue;
		path = wanted[i].library ? closure_find(&dirs, wanted[i].library) : strdup(loader);
		if (!path || access(path, R_OK) < 0)
			continue;
		library->name = wanted[i].name;
		r = add_one(w, path, library->name, &library->st);
		image.nr_libraries++;
	}
	if (r == 0)
		*ret_image = image;
	return r;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool imagelibs_has(const struct vm_image *image, const char *name, const struct stat *st)
{
	for (unsigned int i = 0; i < image->nr_libraries; i++) {
		const struct vm_image_library *library = &image->libraries[i];

		if (strcmp(library->name, name) != 0)
			continue;
		return library->st.st_dev == st->st_dev && library->st.st_ino == st->st_ino &&
		       library->st.st_size == st->st_size &&
		       same_time(library->st.st_mtim, st->st_mtim) &&
		       same_time(library->st.st_ctim, st->st_ctim);
	}
	return false;
}
