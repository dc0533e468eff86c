// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctprof/jemalloc_layout.h"

static int open_library(struct jelf *elf)
{
	static const char *const paths[] = {
		"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
		"/usr/lib64/libjemalloc.so.2",
		"/usr/lib/libjemalloc.so.2",
		"/usr/local/lib/libjemalloc.so.2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_close_ int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && jelf_read(fd, elf) == 0)
			return take_fd(&fd);
	}
	return -1;
}

/* All of the library's thread-local storage must be the thread data, so that sizes compare. */
static bool is_all_tsd(const struct jelf *library)
{
	return library->got_found && !library->got_ambiguous && !library->got_value &&
	       library->tls_filesz == library->tls_memsz;
}

int jemalloc_system_layout(int fd, const struct jelf *elf, struct jemalloc_layout *ret_layout)
{
	_cleanup_close_ int library_fd = -1;
	uint32_t crc, library_crc;
	struct jelf library;

	if (!elf->tsd_found || !elf->tsd_size)
		return -ENODATA;
	library_fd = open_library(&library);
	if (library_fd < 0 || !is_all_tsd(&library) || library.tls_memsz != elf->tsd_size ||
	    jelf_tls_crc(fd, elf, elf->tsd_value, elf->tsd_size, &crc) < 0 ||
	    jelf_tls_crc(library_fd, &library, 0, elf->tsd_size, &library_crc) < 0 ||
	    crc != library_crc)
		return -ENODATA;
	return jemalloc_calibrate(library_fd, &library, ret_layout);
}
