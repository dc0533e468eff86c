/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* list_tables.h - what "ktstr list" shows besides tests, each from its table. */
#ifndef KTSTR_CLI_LIST_TABLES_H
#define KTSTR_CLI_LIST_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <ktstr/catalogue.h>

enum { LIST_COLUMNS = 5 };

struct list_table {
	const char *name; /* "scenarios" */
	const char *columns[LIST_COLUMNS];
	/* The row as an object, a text for each column; false: there are no more.  NULL: no memory. */
	bool (*row)(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row);
};

/* NULL: there is none of that name. */
const struct list_table *list_table_find(const char *name);

/* @patterns: those whose name, or as ktstr_catalogue_matches(), is like one of them; none: all.
 * Return: an exit code. */
int list_table_print(const struct list_table *table, const struct ktstr_catalogue *catalogue,
		     char *const *patterns, size_t nr_patterns, bool json);

#endif
