// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/imagelibs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "vm/closure.h"

static const char loader[] = "/lib64/ld-linux-x86-64.so.2";

static const struct {
	const char *library; /* NULL: the loader */
	const char *name;
} wanted[] = {
	{ NULL, "usr/lib/ld-linux-x86-64.so.2" },
	{ "libc.so.6", "usr/lib/libc.so.6" },
	{ "libgcc_s.so.1", "usr/lib/libgcc_s.so.1" },
	{ "libm.so.6", "usr/lib/libm.so.6" },
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

int imagelibs_add(struct cpio_writer *w, struct vm_image *ret_image)
{
	_cleanup_(library_dirs_deinit) struct library_dirs dirs = { 0 };
	struct vm_image image = { 0 };
	int r = library_dirs_read(&dirs, "/etc/ld.so.conf", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && r == 0; i++) {
		_cleanup_free_ char *path =
			wanted[i].library ? closure_find(&dirs, wanted[i].library) : strdup(loader);
		struct vm_image_library *library = &image.libraries[image.nr_libraries];

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
