// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/procfs.h"

/* In the order of metrics.def. */
static const char *const keys[] = {
	"Rss",
	"Pss",
	"Pss_Dirty",
	"Pss_Anon",
	"Pss_File",
	"Pss_Shmem",
	"Shared_Clean",
	"Shared_Dirty",
	"Private_Clean",
	"Private_Dirty",
	"Referenced",
	"Anonymous",
	"KSM",
	"LazyFree",
	"AnonHugePages",
	"ShmemPmdMapped",
	"FilePmdMapped",
	"Shared_Hugetlb",
	"Private_Hugetlb",
	"Swap",
	"SwapPss",
	"Locked",
};

enum { NR_KEYS = sizeof(keys) / sizeof(keys[0]) };

_Static_assert(KTSTR_CTPROF_SMAPS_LOCKED == KTSTR_CTPROF_SMAPS_RSS + NR_KEYS - 1,
	       "one key per metric of smaps_rollup");

static int find_key(struct span name)
{
	for (int i = 0; i < NR_KEYS; i++)
		if (strlen(keys[i]) == name.len && !memcmp(keys[i], name.at, name.len))
			return i;
	return -1;
}

static int parse_line(struct span line, struct ktstr_ctprof_leader *leader)
{
	struct span name, unit;
	int64_t kib;
	int key;

	if (!next_word(&line, &name) || !name.len || name.at[name.len - 1] != ':')
		return 0;
	name.len--;
	key = find_key(name);
	if (key < 0)
		return 0;
	skip_blanks(&line);
	if (take_digits(&line, &kib) < 0 || !next_word(&line, &unit) || unit.len != 2 ||
	    memcmp(unit.at, "kB", 2) || __builtin_mul_overflow(kib, 1024, &kib))
		return -EINVAL;
	leader_set(leader, KTSTR_CTPROF_SMAPS_RSS + (unsigned int)key, kib);
	return 0;
}

int procfs_parse_smaps_rollup(struct span text, struct ktstr_ctprof_leader *leader)
{
	struct span line;
	int r = 0;

	while (next_line(&text, &line))
		if (parse_line(line, leader) < 0)
			r = -EINVAL;
	return r;
}
