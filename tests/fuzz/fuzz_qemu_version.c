// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "vm/qemu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct ktstr_qemu qemu = { 0 };

	if (!text || qemu_version_parse(text, &qemu) < 0)
		return 0;
	if (strlen(qemu.version) >= sizeof(qemu.version) || strpbrk(qemu.version, "\r\n"))
		abort();
	return 0;
}
