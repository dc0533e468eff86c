/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* fake_btf.h - BTF of a kernel with a small struct sched_ext_ops, for tests of what reads it. */
#ifndef KTSTR_TESTS_LIB_FAKE_BTF_H
#define KTSTR_TESTS_LIB_FAKE_BTF_H

#include <linux/btf.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Types: 1 int, 2 a function's, 3 a pointer to 2, 4 typedef of 3, 5 struct sched_ext_ops { enqueue (3)
 * at 0, dispatch (4) at 8, flags (1) at 16, name (1) at 24 }, 6 struct bpf_struct_ops_sched_ext_ops {
 * common (1) at 0, data (5) at 64 }.
 */
enum {
	FAKE_BTF_NAMES = 160,
	FAKE_BTF_INT = 1,
	FAKE_BTF_POINTER = 3,
	FAKE_BTF_OPS = 5,
	FAKE_BTF_VALUE
};

struct fake_btf {
	struct btf_header header;
	struct btf_type integer;
	uint32_t integer_info;
	struct btf_type proto, pointer, alias, ops;
	struct btf_member members[4];
	struct btf_type value;
	struct btf_member parts[2];
	char names[FAKE_BTF_NAMES];
};

void fake_btf(struct fake_btf *ret_btf);

#endif
