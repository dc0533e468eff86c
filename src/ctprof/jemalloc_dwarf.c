// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "ctprof/jemalloc_elf.h"

DEFINE_CLEANUP(Dwarf *, dwarf_end);

struct offsets {
	bool have_allocated, have_deallocated;
	Dwarf_Word allocated, deallocated;
};

static bool constant_offset(Dwarf_Die *member, Dwarf_Word *ret_offset)
{
	Dwarf_Attribute attribute;
	Dwarf_Sword value;

	if (!dwarf_attr(member, DW_AT_data_member_location, &attribute) ||
	    dwarf_formsdata(&attribute, &value) != 0 || value < 0)
		return false;
	*ret_offset = (Dwarf_Word)value;
	return true;
}

/* Each version has a prefix of its own, which warns against using the member. */
static bool is_member(const char *name, const char *plain)
{
	size_t len = strlen(name), plain_len = strlen(plain);

	return len >= plain_len && !strcmp(name + len - plain_len, plain) &&
	       (len == plain_len || name[len - plain_len - 1] == '_');
}

static void take_member(Dwarf_Die *member, struct offsets *o)
{
	const char *name = dwarf_diename(member);

	if (dwarf_tag(member) != DW_TAG_member || !name)
		return;
	if (is_member(name, "thread_allocated"))
		o->have_allocated = constant_offset(member, &o->allocated);
	else if (is_member(name, "thread_deallocated"))
		o->have_deallocated = constant_offset(member, &o->deallocated);
}

static bool take_struct(Dwarf_Die *die, struct offsets *o)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die child;

	if (dwarf_tag(die) != DW_TAG_structure_type || !name || strcmp(name, "tsd_s") != 0 ||
	    dwarf_child(die, &child) != 0)
		return false;
	*o = (struct offsets){ 0 };
	do {
		take_member(&child, o);
	} while (dwarf_siblingof(&child, &child) == 0);
	return o->have_allocated && o->have_deallocated;
}

static bool search_unit(Dwarf_Die *unit, struct offsets *o)
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die) != 0)
		return false;
	do {
		if (take_struct(&die, o))
			return true;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

static int search_file(int fd, const struct jelf *elf, struct jemalloc_layout *ret_layout)
{
	_cleanup_(dwarf_endp) Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
	Dwarf_Off offset = 0, next;
	struct offsets o;
	size_t header;

	for (; dwarf && dwarf_nextcu(dwarf, offset, &next, &header, NULL, NULL, NULL) == 0;
	     offset = next) {
		Dwarf_Die unit;

		if (!dwarf_offdie(dwarf, offset + header, &unit) || !search_unit(&unit, &o))
			continue;
		if (o.deallocated <= o.allocated || o.deallocated > elf->tls_memsz ||
		    o.deallocated > UINT32_MAX)
			return -ENODATA;
		*ret_layout = (struct jemalloc_layout){ .allocated = (uint32_t)o.allocated,
							.deallocated = (uint32_t)o.deallocated };
		return 0;
	}
	return -ENODATA;
}

static char *debug_path(const struct jelf *elf, const char *debug_root)
{
	char hex[2 * JELF_BUILD_ID_BYTES + 1] = "";

	for (uint32_t i = 0; i < elf->build_id_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", elf->build_id[i]);
	return path_format("%s/.build-id/%.2s/%s.debug", debug_root, hex, hex + 2);
}

int jemalloc_dwarf_layout(int fd, const struct jelf *elf, const char *debug_root,
			  struct jemalloc_layout *ret_layout)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int debug_fd = -1;

	if (search_file(fd, elf, ret_layout) == 0)
		return 0;
	if (elf->build_id_len < 2)
		return -ENODATA;
	path = debug_path(elf, debug_root);
	if (!path)
		return -ENODATA;
	debug_fd = open(path, O_RDONLY | O_CLOEXEC);
	return debug_fd < 0 ? -ENODATA : search_file(debug_fd, elf, ret_layout);
}
