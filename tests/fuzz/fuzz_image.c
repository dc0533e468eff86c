// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Other formats than zstd start a program each, which says nothing about our code. */
static void unpack(int fd, const struct image *image, const uint8_t *data)
{
	struct ktstr_error err = { 0 };
	char path[32];
	int out;

	if (memcmp(data + image->payload_offset, "\x28\xb5\x2f\xfd", 4) != 0)
		return;
	out = memfd_create("vmlinux", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	if (unpack_bzimage(fd, "input", image, path, &err) < 0 && !err.code)
		abort();
	close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ktstr_error err = { 0 };
	struct image image;
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (image_read_fd(fd, "input", &image, &err) < 0) {
		if (!err.code || !err.text[0])
			abort();
	} else if (image.kind == IMAGE_BZIMAGE) {
		if (image.payload_offset + image.payload_bytes > size)
			abort();
		unpack(fd, &image, data);
	}
	close(fd);
	return 0;
}
