// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "vm/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("elf", MFD_CLOEXEC);
	struct ktstr_error err = { 0 };
	struct elf_needs needs;

	if (fd < 0 || io_write_all(fd, data, size) < 0)
		return 0;
	if (elf_needs_read(fd, "x", &needs, &err) < 0) {
		if (!err.code)
			abort();
		return 0;
	}
	for (size_t i = 0; i < needs.nr_needed; i++)
		if (strlen(needs.needed[i]) > ELF_STRING_MAX)
			abort();
	elf_needs_deinit(&needs);
	return 0;
}
