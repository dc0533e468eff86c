// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/btf.h"

#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

/* Newer than the headers of some systems. */
enum { KIND_FLOAT = 16, KIND_DECL_TAG, KIND_TYPE_TAG, KIND_ENUM64 };
enum { ENUM64_BYTES = 12, DECL_TAG_BYTES = 4 };

#define OFFSET_OF_BITFIELD(offset) ((offset)&0xffffff)

static uint32_t vlen_of(const struct btf_type *type)
{
	return type->info & 0xffff;
}

static uint32_t kind_of(const struct btf_type *type)
{
	return (type->info >> 24) & 0x1f;
}

static bool has_bitfields(const struct btf_type *type)
{
	return type->info >> 31;
}

/* Bytes behind struct btf_type; SIZE_MAX: no such kind. */
static size_t trailing_bytes(const struct btf_type *type)
{
	static const struct {
		size_t fixed, each;
	} sizes[] = {
		[BTF_KIND_UNKN] = { SIZE_MAX, 0 },
		[BTF_KIND_INT] = { sizeof(uint32_t), 0 },
		[BTF_KIND_ARRAY] = { sizeof(struct btf_array), 0 },
		[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_UNION] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum) },
		[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param) },
		[BTF_KIND_VAR] = { sizeof(struct btf_var), 0 },
		[BTF_KIND_DATASEC] = { 0, sizeof(struct btf_var_secinfo) },
		[KIND_DECL_TAG] = { DECL_TAG_BYTES, 0 },
		[KIND_ENUM64] = { 0, ENUM64_BYTES },
	};
	uint32_t kind = kind_of(type);

	if (kind > KIND_ENUM64 || kind == BTF_KIND_UNKN)
		return SIZE_MAX;
	return sizes[kind].fixed + vlen_of(type) * sizes[kind].each;
}

/* Return: false if there is no such type. */
static bool read_type(const struct btf_types *btf, uint32_t number, struct btf_type *ret_type)
{
	if (number == 0 || number > btf->nr)
		return false;
	memcpy(ret_type, btf->types + btf->offsets[number - 1], sizeof(*ret_type));
	return true;
}

static const char *name_at(const struct btf_types *btf, uint32_t offset)
{
	return offset < btf->names_len ? btf->names + offset : NULL;
}

static int add_type(struct btf_types *btf, size_t *size, size_t offset)
{
	uint32_t *larger;

	if (btf->nr == BTF_MAX_TYPES)
		return -E2BIG;
	if (btf->nr == *size) {
		*size = *size ? *size * 2 : 1024;
		larger = reallocarray(btf->offsets, *size, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		btf->offsets = larger;
	}
	btf->offsets[btf->nr++] = (uint32_t)offset;
	return 0;
}

static int index_types(struct btf_types *btf)
{
	size_t at = 0, size = 0;

	while (at < btf->types_len) {
		struct btf_type type;
		size_t left = btf->types_len - at, trailing;
		int r;

		if (left < sizeof(type))
			return -EBADMSG;
		memcpy(&type, btf->types + at, sizeof(type));
		trailing = trailing_bytes(&type);
		if (trailing > left - sizeof(type))
			return -EBADMSG;
		r = add_type(btf, &size, at);
		if (r < 0)
			return r;
		at += sizeof(type) + trailing;
	}
	return 0;
}

static int find_sections(struct btf_types *btf, const unsigned char *bytes, size_t length)
{
	struct btf_header header;

	if (length < sizeof(header))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != BTF_MAGIC || header.version != BTF_VERSION ||
	    header.hdr_len < sizeof(header) || header.hdr_len > length)
		return -EBADMSG;
	bytes += header.hdr_len;
	length -= header.hdr_len;
	if (header.type_off > length || header.type_len > length - header.type_off ||
	    header.str_off > length || header.str_len > length - header.str_off ||
	    header.str_len == 0 || bytes[header.str_off + header.str_len - 1])
		return -EBADMSG;
	btf->types = bytes + header.type_off;
	btf->types_len = header.type_len;
	btf->names = (const char *)bytes + header.str_off;
	btf->names_len = header.str_len;
	return 0;
}

int btf_types_init(struct btf_types *btf, const void *bytes, size_t length, struct ktstr_error *err)
{
	int r = length > BTF_MAX_BYTES ? -E2BIG : 0;

	*btf = (struct btf_types){ 0 };
	if (r == 0)
		r = find_sections(btf, bytes, length);
	if (r == 0)
		r = index_types(btf);
	if (r == 0)
		return 0;
	btf_types_deinit(btf);
	if (r == -ENOMEM)
		return ktstr_error_nomem(err);
	return ktstr_error_set(err, r,
			       r == -E2BIG ? "BTF of more than %d types or %d bytes"
					   : "the BTF is damaged (limits: %d types, %d bytes)",
			       BTF_MAX_TYPES, BTF_MAX_BYTES);
}

void btf_types_deinit(struct btf_types *btf)
{
	free(btf->offsets);
	*btf = (struct btf_types){ 0 };
}

uint32_t btf_find_struct(const struct btf_types *btf, const char *name)
{
	struct btf_type type;

	for (uint32_t i = 1; read_type(btf, i, &type); i++) {
		const char *own = name_at(btf, type.name_off);

		if (kind_of(&type) == BTF_KIND_STRUCT && own && !strcmp(own, name))
			return i;
	}
	return 0;
}

int btf_get_field(const struct btf_types *btf, uint32_t type, uint32_t index,
		  struct btf_field *ret_field)
{
	struct btf_type t;
	struct btf_member member;
	const char *name;

	if (!read_type(btf, type, &t) ||
	    (kind_of(&t) != BTF_KIND_STRUCT && kind_of(&t) != BTF_KIND_UNION))
		return -EBADMSG;
	if (index >= vlen_of(&t))
		return -ENOENT;
	memcpy(&member, btf->types + btf->offsets[type - 1] + sizeof(t) + index * sizeof(member),
	       sizeof(member));
	name = name_at(btf, member.name_off);
	if (!name)
		return -EBADMSG;
	*ret_field = (struct btf_field){
		.name = name,
		.type = member.type,
		.bit_offset = has_bitfields(&t) ? OFFSET_OF_BITFIELD(member.offset) : member.offset,
	};
	return 0;
}

/* Behind typedefs and qualifiers; false if they go round, or lead nowhere. */
static bool resolve(const struct btf_types *btf, uint32_t number, struct btf_type *ret_type)
{
	for (int hops = 0; hops < BTF_MAX_HOPS && read_type(btf, number, ret_type); hops++) {
		switch (kind_of(ret_type)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case KIND_TYPE_TAG:
			number = ret_type->type;
			break;
		default:
			return true;
		}
	}
	return false;
}

bool btf_is_function_pointer(const struct btf_types *btf, uint32_t type)
{
	struct btf_type t;

	return resolve(btf, type, &t) && kind_of(&t) == BTF_KIND_PTR && resolve(btf, t.type, &t) &&
	       kind_of(&t) == BTF_KIND_FUNC_PROTO;
}
