// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/ops_offsets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/btf.h"
#include "kernel/elf_file.h"

enum { KEY_BYTES = 160, OFFSET_MAX_BYTES = 1 << 16 };

static int put(json_t *object, const char *of, const char *member, uint32_t value)
{
	char key[KEY_BYTES];

	if (snprintf(key, sizeof(key), "%s%s%s", of, member ? "." : "", member ? member : "") >=
	    (int)sizeof(key))
		return -EBADMSG;
	return json_object_set_new(object, key, json_integer(value)) < 0 ? -ENOMEM : 0;
}

static int find_data(const struct btf_types *btf, uint32_t value_type, struct btf_field *ret_field)
{
	for (uint32_t i = 0;; i++) {
		int r = btf_get_field(btf, value_type, i, ret_field);

		if (r < 0)
			return -EBADMSG;
		if (!strcmp(ret_field->name, "data"))
			return ret_field->bit_offset % 8 ? -EBADMSG : 0;
	}
}

static int put_members(json_t *object, const char *of, const struct btf_types *btf,
		       const struct btf_field *data)
{
	struct btf_field field;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < OPS_OFFSETS_MAX; i++) {
		uint64_t at;

		r = btf_get_field(btf, data->type, i, &field);
		if (r == -ENOENT)
			return 0;
		if (r < 0 ||
		    (!btf_is_function_pointer(btf, field.type) && strcmp(field.name, "name") != 0))
			continue;
		at = ((uint64_t)data->bit_offset + field.bit_offset) / 8;
		if (at > OFFSET_MAX_BYTES)
			return -EBADMSG;
		r = put(object, of, field.name, (uint32_t)at);
	}
	return r < 0 ? r : -E2BIG;
}

static int put_struct(json_t *object, const char *of, const struct btf_types *btf)
{
	char value_name[64];
	struct btf_field data;
	uint32_t type;
	int r;

	snprintf(value_name, sizeof(value_name), "bpf_struct_ops_%s", of);
	type = btf_find_struct(btf, value_name);
	if (!type)
		return 0;
	r = find_data(btf, type, &data);
	if (r == 0)
		r = put_members(object, of, btf, &data);
	return r < 0 ? r : put(object, of, NULL, type);
}

int ops_offsets_from_btf(const void *bytes, size_t length, json_t **ret_offsets,
			 struct ktstr_error *err)
{
	_cleanup_btf_types_ struct btf_types btf = { 0 };
	json_t *object;
	int r = btf_types_init(&btf, bytes, length, err);

	if (r < 0)
		return r;
	object = json_object();
	if (!object)
		return ktstr_error_nomem(err);
	r = put_struct(object, "sched_ext_ops", &btf);
	if (r == 0)
		r = put_struct(object, "sched_ext_ops_cid", &btf);
	if (r == 0 && json_object_size(object) == 0)
		r = -ENOTSUP;
	if (r == 0) {
		*ret_offsets = object;
		return 0;
	}
	json_decref(object);
	if (r == -ENOTSUP)
		return ktstr_error_set(err, r, "the kernel's BTF has no struct sched_ext_ops");
	return ktstr_error_set(err, r, "the kernel's struct sched_ext_ops makes no sense: %s",
			       strerror(-r));
}

int ops_offsets_read(const char *vmlinux, json_t **ret_offsets, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT_LIMIT(BTF_MAX_BYTES);
	_cleanup_close_ int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : elf_file_section(fd, ".BTF", &bytes);

	if (r == -ENOENT && fd >= 0)
		return ktstr_error_set(err, -ENOTSUP, "'%s' has no BTF", vmlinux);
	if (r < 0)
		return ktstr_error_set(err, r, "read the BTF of '%s': %s", vmlinux, strerror(-r));
	r = ops_offsets_from_btf(bytes.data, bytes.len, ret_offsets, err);
	return r < 0 ? ktstr_error_wrap(err, r, "'%s'", vmlinux) : 0;
}
