/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * loader.h - a snapshot while it is taken out of its JSON, member by member.
 *
 * The first failure sticks in json.error, as in pull.h, and nothing is taken after it.
 */
#ifndef KTSTR_CTPROF_LOADER_H
#define KTSTR_CTPROF_LOADER_H

#include "ctprof/pull.h"
#include "ctprof/snapshot.h"

enum { LOADER_MAX_COLUMNS = 1024, LOADER_UNKNOWN = -1 };

/* What a position in a row stands for in this build: an index, or LOADER_UNKNOWN. */
struct loader_columns {
	int16_t to[LOADER_MAX_COLUMNS];
	size_t nr;
	bool known;
};

struct loader {
	struct pull json;
	struct builder *builder;
	struct strbuf text; /* the string taken last */
	struct loader_columns tags, texts, metrics, leader_metrics, cgroup_texts, cgroup_metrics;
	bool typed;
	int64_t version;
	const char **strings; /* interned, borrowed from the builder */
	size_t nr_strings, strings_size;
};

/* The file is not as it should be. */
void loader_bad(struct loader *l);
uint64_t loader_count(struct loader *l);
/* A text, interned; NULL for null. */
const char *loader_text(struct loader *l);

/* Members of the object: lists of strings and of rows. */
void loader_strings(struct loader *l);
void loader_threads(struct loader *l);
void loader_leaders(struct loader *l);
void loader_cgroups(struct loader *l);

#endif
