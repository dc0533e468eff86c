// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/near.h"
#include <ktstr/catalogue.h>

enum { HINT_BYTES = NEAR_WORD + 32 };

static const struct ktstr_preset presets[] = {
	{ "uni", "one CPU: every waiting task waits for the same one", { 1, 1, 1, 1 } },
	{ "duo", "two CPUs of one LLC, the least that can balance", { 1, 1, 2, 1 } },
	{ "smt-1core", "two threads of one core", { 1, 1, 1, 2 } },
	{ "tiny-1llc", "four CPUs that share all caches", { 1, 1, 4, 1 } },
	{ "tiny-2llc", "four CPUs in two LLCs", { 1, 2, 2, 1 } },
	{ "tiny-smt", "four CPUs, threads of two cores", { 1, 1, 2, 2 } },
	{ "tiny-numa2", "four CPUs on two nodes", { 2, 2, 2, 1 } },
	{ "odd-3llc", "six CPUs in three LLCs, where halves do not come out even", { 1, 3, 2, 1 } },
	{ "odd-1llc", "seven CPUs, which nothing divides", { 1, 1, 7, 1 } },
	{ "smt-2llc", "eight CPUs, threads of four cores in two LLCs", { 1, 2, 2, 2 } },
	{ "numa2", "eight CPUs on two nodes of two LLCs each", { 2, 4, 2, 1 } },
	{ "numa4", "eight CPUs on four nodes", { 4, 4, 2, 1 } },
	{ "medium-1llc", "eight CPUs that share all caches", { 1, 1, 8, 1 } },
	{ "odd-5llc", "ten CPUs in five LLCs", { 1, 5, 2, 1 } },
	{ "smt-3llc", "twelve CPUs, threads of six cores in three LLCs", { 1, 3, 2, 2 } },
	{ "medium-4llc", "sixteen CPUs in four LLCs", { 1, 4, 4, 1 } },
	{ "medium-numa2", "sixteen CPUs with threads on two nodes", { 2, 4, 2, 2 } },
	{ "odd-7llc", "28 CPUs with threads in seven LLCs", { 1, 7, 2, 2 } },
	{ "large-4llc", "32 CPUs with threads in four LLCs", { 1, 4, 4, 2 } },
	{ "large-numa4", "32 CPUs in eight LLCs on four nodes", { 4, 8, 4, 1 } },
	{ "large-8llc", "64 CPUs with threads in eight LLCs", { 1, 8, 4, 2 } },
	{ "huge-numa2", "128 CPUs with threads in eight LLCs on two nodes", { 2, 8, 8, 2 } },
	{ "huge-15llc", "240 CPUs with threads in fifteen LLCs", { 1, 15, 8, 2 } },
};

const struct ktstr_preset *ktstr_preset(size_t index)
{
	return index < ARRAY_SIZE(presets) ? &presets[index] : NULL;
}

int ktstr_preset_find(const char *name, struct ktstr_topology *ret_topology,
		      struct ktstr_error *err)
{
	struct near near = near_start(name);
	char hint[HINT_BYTES];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
		if (!strcmp(presets[i].name, name)) {
			*ret_topology = presets[i].topology;
			return 0;
		}
		near_offer(&near, presets[i].name);
	}
	r = ktstr_topology_parse(name, ret_topology, err);
	if (r != -EINVAL || (*name >= '0' && *name <= '9'))
		return r;
	near_hint(&near, hint, sizeof(hint));
	return ktstr_error_set(err, -ENOENT, "no preset '%s'%s", name,
			       *hint ? hint
				     : "; ktstr list presets names them, and 1n2l4c2t is one "
				       "without a name");
}
