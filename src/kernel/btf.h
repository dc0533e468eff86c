/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * btf.h - types of a kernel, from the BTF section of its vmlinux.
 *
 * Source: Documentation/bpf/btf.rst.  Only what is asked for is looked at; offsets, counts and names
 * are checked against the size of the data before they are used.  Data of the other byte order is
 * refused.  Nothing is copied: the bytes must stay until btf_types_deinit().
 */
#ifndef KTSTR_KERNEL_BTF_H
#define KTSTR_KERNEL_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

enum { BTF_MAX_TYPES = 1 << 21, BTF_MAX_BYTES = 64 << 20, BTF_MAX_HOPS = 32 };

struct btf_types {
	const unsigned char *types; /* borrowed */
	size_t types_len;
	const char *names; /* borrowed; ends with a NUL */
	size_t names_len;
	uint32_t nr;	   /* types, numbered from 1 */
	uint32_t *offsets; /* of type N in types, at N - 1 */
};

struct btf_field {
	const char *name; /* "" if it has none */
	uint32_t type;
	uint32_t bit_offset;
};

#define _cleanup_btf_types_ __attribute__((cleanup(btf_types_deinit)))

/* Return: 0, -EBADMSG (no BTF, or damaged), -E2BIG (over the limits), -ENOMEM. */
int btf_types_init(struct btf_types *btf, const void *bytes, size_t length,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
void btf_types_deinit(struct btf_types *btf);

/* A struct with members, by name.  Return: its number, 0 if there is none. */
uint32_t btf_find_struct(const struct btf_types *btf, const char *name);
/* Member @index of a struct.  Return: 0, -ENOENT (it has fewer), -EBADMSG (no struct, or damaged). */
int btf_get_field(const struct btf_types *btf, uint32_t type, uint32_t index,
		  struct btf_field *ret_field) KTSTR_MUST_CHECK;
/* Return: whether @type is a pointer to a function, through typedefs and qualifiers. */
bool btf_is_function_pointer(const struct btf_types *btf, uint32_t type);

#endif
