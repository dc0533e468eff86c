// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "ctprof/jemalloc_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that belongs to somebody else's process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct jemalloc_layout layout;
	uint64_t at = 0, bias;
	struct jelf elf;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 || io_write_all(fd, data, size) < 0)
		return 0;
	if (jelf_read(fd, &elf) < 0)
		return 0;
	if (elf.build_id_len > sizeof(elf.build_id) ||
	    !memchr(elf.mallctl, '\0', sizeof(elf.mallctl)))
		abort();
	if (jelf_bias(&elf, 0, size, &bias) == 0 && !elf.nr_texts)
		abort();
	if (jemalloc_layout_search(fd, &elf, &at, &layout) == 0 && at >= elf.tls_filesz)
		abort();
	if (elf.tsd_found && jemalloc_dwarf_layout(fd, &elf, "/nonexistent", &layout) == 0 &&
	    (layout.allocated >= layout.deallocated || layout.deallocated > elf.tls_memsz))
		abort();
	if (elf.tsd_found && jemalloc_layout_known(fd, &elf, elf.tsd_value, &layout) &&
	    layout.deallocated + 8 > elf.tls_filesz)
		abort();
	return 0;
}
