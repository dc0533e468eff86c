// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "fake_btf.h"

#include <string.h>

static uint32_t add_name(struct fake_btf *b, uint32_t *at, const char *name)
{
	uint32_t here = *at;

	memcpy(b->names + here, name, strlen(name) + 1);
	*at += (uint32_t)strlen(name) + 1;
	return here;
}

static struct btf_type type_of(uint32_t name, uint32_t kind, uint32_t vlen, uint32_t size)
{
	return (struct btf_type){ .name_off = name, .info = kind << 24 | vlen, .size = size };
}

void fake_btf(struct fake_btf *b)
{
	uint32_t at = 1;

	*b = (struct fake_btf){ .header = { .magic = BTF_MAGIC,
					    .version = BTF_VERSION,
					    .hdr_len = sizeof(b->header) } };
	b->integer = type_of(add_name(b, &at, "int"), BTF_KIND_INT, 0, 4);
	b->integer_info = 32;
	b->proto = type_of(0, BTF_KIND_FUNC_PROTO, 0, 0);
	b->pointer = type_of(0, BTF_KIND_PTR, 0, 2);
	b->alias = type_of(add_name(b, &at, "alias"), BTF_KIND_TYPEDEF, 0, FAKE_BTF_POINTER);
	b->ops = type_of(add_name(b, &at, "sched_ext_ops"), BTF_KIND_STRUCT, 4, 32);
	b->members[0] = (struct btf_member){ add_name(b, &at, "enqueue"), 3, 0 };
	b->members[1] = (struct btf_member){ add_name(b, &at, "dispatch"), 4, 64 };
	b->members[2] = (struct btf_member){ add_name(b, &at, "flags"), 1, 128 };
	b->members[3] = (struct btf_member){ add_name(b, &at, "name"), 1, 192 };
	b->value =
		type_of(add_name(b, &at, "bpf_struct_ops_sched_ext_ops"), BTF_KIND_STRUCT, 2, 96);
	b->parts[0] = (struct btf_member){ add_name(b, &at, "common"), 1, 0 };
	b->parts[1] = (struct btf_member){ add_name(b, &at, "data"), FAKE_BTF_OPS, 512 };
	b->header.type_len = offsetof(struct fake_btf, names) - sizeof(b->header);
	b->header.str_off = b->header.type_len;
	b->header.str_len = sizeof(b->names);
}
