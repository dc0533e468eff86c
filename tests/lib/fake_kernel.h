/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* fake_kernel.h - the smallest files that look like kernels, whole or broken in one place. */
#ifndef KTSTR_TESTS_FAKE_KERNEL_H
#define KTSTR_TESTS_FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct fake_vmlinux {
	const char *release; /* NULL: no banner */
	uint16_t machine;    /* 0: x86-64 */
	uint16_t type;	     /* 0: ET_EXEC */
	bool big_endian, bits_32;
	bool no_pvh;
	bool user_program; /* linked low, as programs are */
	size_t padding;	   /* further bytes, so that something can be cut off */
};

/* Its GNU build id is 01 02 ... 14. */
#define FAKE_BUILD_ID "0102030405060708090a0b0c0d0e0f1011121314"

void fake_vmlinux(const struct fake_vmlinux *v, struct strbuf *out);

/* @payload as it lies in the image: packed, with the unpacked size after it if the format wants
 * it.  @release may be NULL. */
void fake_bzimage(const char *release, const struct strbuf *payload, struct strbuf *out);

/* zstd with the size appended, what the kernel's build makes of @plain. */
void fake_zstd_payload(const struct strbuf *plain, struct strbuf *out);
void fake_append_size(struct strbuf *payload, size_t plain_bytes);

/* A bzImage of @release with a PVH vmlinux inside. */
void fake_kernel(const char *release, struct strbuf *out);

/* An ELF object whose .modinfo says "depends=@depends". */
void fake_module(const char *depends, struct strbuf *out);

#endif
