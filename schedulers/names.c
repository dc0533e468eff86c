// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * libbpf finds a function of the kernel by comparing its name with all the names there are, and we
 * call some thirty: a second in a guest whose time counts instructions.  Here the names that can be
 * meant are picked out once.  The linker sends libbpf's calls to __wrap_ and ours to __real_ back.
 */
#include <bpf/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 16384 };

int __wrap_btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind);
int __real_btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind);

static struct {
	const struct btf *btf; /* NULL: nothing picked yet */
	__u32 nr;
	struct {
		const char *name;
		int id;
	} items[NAMES_MAX];
} picked;

static bool may_be_called(const char *name)
{
	return !strncmp(name, "scx_bpf_", 8) || !strncmp(name, "bpf_", 4);
}

/* Only a table with all of them can tell that one is not there. */
static bool pick(const struct btf *btf)
{
	__u32 end = btf__type_cnt(btf);

	picked.nr = 0;
	picked.btf = NULL;
	for (__u32 id = 1; id < end; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name;

		if (!type || !btf_is_func(type))
			continue;
		name = btf__name_by_offset(btf, type->name_off);
		if (!name || !may_be_called(name))
			continue;
		if (picked.nr == NAMES_MAX)
			return false;
		picked.items[picked.nr].name = name;
		picked.items[picked.nr++].id = (int)id;
	}
	picked.btf = btf;
	return true;
}

int __wrap_btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	if (kind != BTF_KIND_FUNC || !may_be_called(name) || (picked.btf != btf && !pick(btf)))
		return __real_btf__find_by_name_kind(btf, name, kind);
	for (__u32 i = 0; i < picked.nr; i++)
		if (!strcmp(picked.items[i].name, name))
			return picked.items[i].id;
	return __real_btf__find_by_name_kind(btf, name, kind);
}
