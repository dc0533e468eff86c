/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * made_records.h - records of a scenario in which all is well, to be broken in one way each.
 *
 * Eight CPUs, one step of a second.  CPUs 0-3: left (weight 100) with four hogs, right (300) with four
 * pigs.  CPU 4: cap (50 ms of every 100) with one capped.  CPUs 5-7: side with two naps, one once, one
 * ice, which is frozen.
 */
#ifndef KTSTR_TESTS_MADE_RECORDS_H
#define KTSTR_TESTS_MADE_RECORDS_H

#include <stddef.h>

#include <jansson.h>

#define MADE_BEGIN_NS 5000000000
#define MADE_END_NS   6000000000

/* A new array; @demands: text of a JSON array. */
json_t *made_records(const char *demands);
/* A demand of layer "test" for every check, all of which hold. */
const char *made_demands(void);
/* The record of that kind with these values, borrowed; one must be there.  @work NULL: any. */
json_t *made_find(json_t *records, const char *kind, const char *work, int index);
json_t *made_cgroup(json_t *records, const char *cgroup);
/* Sets one field from JSON text ("12", "\"a\""). */
void made_set(json_t *object, const char *key, const char *value);
/* Puts @object (taken) before the end, and counts again. */
void made_insert(json_t *records, size_t place, json_t *object);
void made_remove(json_t *records, size_t place);
/* Makes "records" of the end right. */
void made_count(json_t *records);

#endif
