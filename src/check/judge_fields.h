/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * judge_fields.h - the fields of one record, read into a struct by a table.
 *
 * A field that must be there and is not, or is of another type, is damage.
 */
#ifndef KTSTR_CHECK_JUDGE_FIELDS_H
#define KTSTR_CHECK_JUDGE_FIELDS_H

#include "check/judge_records.h"

enum field_type {
	FIELD_U64,
	FIELD_I64,
	FIELD_BOOL,
	FIELD_TEXT,
	FIELD_CPUS,
	/* These may be left out. */
	FIELD_READING,	 /* struct reading */
	FIELD_SOME_TEXT, /* else NULL */
};

struct field {
	const char *key; /* NULL behind the last */
	enum field_type type;
	size_t offset;
};

#define FIELD(type_, struct_, member_)                             \
	{                                                          \
#member_, type_, offsetof(struct struct_, member_) \
	}

/* Keeps the first damage.  @index: of the record. */
KTSTR_PRINTF(4, 5)
void records_damage(struct records *r, size_t index, const char *kind, const char *fmt, ...);

/* Return: whether all that must be there is. */
bool fields_read(struct records *r, const json_t *object, size_t index, const struct field *fields,
		 void *ret_struct);
/* @words ends with NULL.  Return: the number of the word; -1: it is none of them, which is damage. */
int fields_word(struct records *r, const json_t *object, size_t index, const char *key,
		const char *const *words);

/* An array of {who, ns}. */
struct holders {
	const char *key;
	struct rec_holder *to;
	size_t limit, *nr;
};

/* Return: whether it is there and no longer than the limit; else it is damage. */
bool holders_read(struct records *r, const json_t *object, size_t index,
		  const struct holders *holders);

#endif
