// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/near.h"
#include "base/parse.h"
#include "scenario/check.h"
#include "scenario/model_arena.h"
#include "scenario/model_read.h"
#include "scenario/yaml.h"

enum { HINT_BYTES = NEAR_WORD + 32 };

struct reading {
	struct yaml_document *document;
	struct model_arena *arena;
	struct ktstr_error *err;
};

#define _cleanup_yaml_ _cleanup_(yaml_document_deinit)

static int fail_at(const struct reading *in, int code, const json_t *value, const char *text,
		   const char *name)
{
	const char *place = yaml_place(in->document, value);

	return ktstr_error_set(in->err, code, "%s: %s%s%s%s", place ? place : in->document->name,
			       text, name ? " '" : "", name ? name : "", name ? "'" : "");
}

static int check_version(const struct reading *in)
{
	const json_t *value = json_object_get(in->document->root, "ktstr");
	const char *text = json_string_value(value);
	uint32_t version;

	if (!value)
		return fail_at(in, -EINVAL, in->document->root,
			       "the file does not say its version; begin it with 'ktstr: 1'", NULL);
	if (!text || parse_u32(text, &version) < 0 || version != FILE_VERSION)
		return fail_at(in, -EINVAL, value,
			       "this program reads files of version 1; this one is of version",
			       text ? text : "?");
	return 0;
}

/* @keys end with NULL. */
static int check_keys(const struct reading *in, const char *const *keys)
{
	char text[HINT_BYTES + YAML_KEY], hint[HINT_BYTES];
	const char *key;
	json_t *value;

	json_object_foreach(in->document->root, key, value)
	{
		struct near near = near_start(key);
		bool known = false;

		for (size_t i = 0; keys[i]; i++) {
			known |= !strcmp(keys[i], key);
			near_offer(&near, keys[i]);
		}
		if (known)
			continue;
		snprintf(text, sizeof(text), "no key '%s' is known here%s", key,
			 near_hint(&near, hint, sizeof(hint)));
		return fail_at(in, -EINVAL, value, text, NULL);
	}
	return 0;
}

/* --- where a check failed -------------------------------------------------------------------- */

static const json_t *nth(const json_t *rows, size_t index)
{
	void *iter;

	if (json_is_array(rows))
		return json_array_get(rows, index);
	iter = json_object_iter((json_t *)rows);
	while (iter && index--)
		iter = json_object_iter_next((json_t *)rows, iter);
	return iter ? json_object_iter_value(iter) : NULL;
}

static const json_t *find_value(const json_t *scenario, const struct check_where *where)
{
	static const char *const parts[] = {
		[CHECK_STAGED] = "staged", [CHECK_CGROUP] = "cgroups", [CHECK_WORK] = "works",
		[CHECK_OP] = "ops",	   [CHECK_DEMAND] = "checks",
	};
	const json_t *rows = scenario;

	if (where->part == CHECK_WHOLE)
		return scenario;
	if (where->part != CHECK_STAGED && where->part != CHECK_DEMAND)
		rows = nth(json_object_get(scenario, "steps"), where->step);
	if (where->part == CHECK_STEP)
		return rows;
	return nth(json_object_get(rows, parts[where->part]), where->row);
}

static int check_scenario(const struct reading *in, const json_t *value,
			  const struct ktstr_scenario *scenario)
{
	struct check_where where;
	struct ktstr_error why;
	const json_t *culprit;
	int r = scenario_check_at(scenario, NULL, &where, &why);

	if (r == 0)
		return 0;
	culprit = find_value(value, &where);
	return fail_at(in, r, culprit ? culprit : value, why.text, NULL);
}

/* --- scenarios ------------------------------------------------------------------------------- */

static bool is_word(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_' &&
		    *p != '-')
			return false;
	return *name && strlen(name) < KTSTR_SCENARIO_NAME;
}

static int check_words(const struct reading *in, const json_t *value,
		       const struct ktstr_scenario *s)
{
	if (!is_word(s->name))
		return fail_at(in, -EINVAL, value,
			       "a scenario's name has lower-case letters, digits, '_' and '-', 47 "
			       "at most; not",
			       s->name);
	if (!s->group || !is_word(s->group))
		return fail_at(in, -EINVAL, value,
			       "which group is it of? say 'group: NAME' in small letters, here or "
			       "at the top;",
			       s->name);
	if (!s->about || !*s->about)
		return fail_at(in, -EINVAL, value,
			       "what does it promise? say 'about: ONE SENTENCE';", s->name);
	return 0;
}

static int check_unique(const struct reading *in, const json_t *value, const char *name,
			const struct file_scenarios *scenarios)
{
	char text[KTSTR_CATALOGUE_PLACE + 64];

	for (size_t i = 0; i < scenarios->nr; i++) {
		if (strcmp(scenarios->items[i].scenario->name, name) != 0)
			continue;
		snprintf(text, sizeof(text), "%s has a scenario of the same name,",
			 scenarios->items[i].place);
		return fail_at(in, -EINVAL, value, text, name);
	}
	return 0;
}

static int add_scenario(const struct reading *in, const char *name, json_t *value,
			struct file_scenarios *scenarios)
{
	const json_t *group = json_object_get(in->document->root, "group");
	const struct model_source source = { yaml_place, in->document };
	struct ktstr_scenario *s = model_arena_alloc(in->arena, sizeof(*s));
	const char *place = yaml_place(in->document, value);
	int r;

	if (scenarios->nr == KTSTR_CATALOGUE_SCENARIOS)
		return fail_at(in, -E2BIG, value, "too many scenarios", NULL);
	place = place ? model_arena_text(in->arena, place) : NULL;
	if (!s || !place)
		return ktstr_error_nomem(in->err);
	if (json_object_get(value, "name"))
		return fail_at(in, -EINVAL, value, "its name stands before the colon;", name);
	r = scenario_from_json(value, &source, in->arena, s, in->err);
	if (r < 0)
		return r;
	s->name = model_arena_text(in->arena, name);
	if (!s->group && json_is_string(group))
		s->group = model_arena_text(in->arena, json_string_value(group));
	if (!s->name)
		return ktstr_error_nomem(in->err);
	r = check_words(in, value, s);
	if (r == 0)
		r = check_unique(in, value, name, scenarios);
	if (r == 0)
		r = check_scenario(in, value, s);
	if (r == 0)
		scenarios->items[scenarios->nr++] = (struct file_scenario){ s, place };
	return r;
}

static int read_scenarios(const struct reading *in, struct file_scenarios *scenarios)
{
	static const char *const keys[] = { "ktstr", "about", "group", "scenarios", NULL };
	json_t *rows = json_object_get(in->document->root, "scenarios"), *value;
	const char *key;
	int r = check_version(in);

	if (r == 0)
		r = check_keys(in, keys);
	if (r < 0)
		return r;
	if (!json_is_object(rows) || !json_object_size(rows))
		return fail_at(in, -EINVAL, rows ? rows : in->document->root,
			       "no scenarios; they stand below 'scenarios:', each after its name "
			       "and a colon",
			       NULL);
	json_object_foreach(rows, key, value)
	{
		r = add_scenario(in, key, value, scenarios);
		if (r < 0)
			return r;
	}
	return 0;
}

int file_read(const char *name, const char *text, size_t length, struct model_arena *arena,
	      struct file_scenarios *scenarios, struct ktstr_error *err)
{
	_cleanup_yaml_ struct yaml_document document = { 0 };
	const struct reading in = { &document, arena, err };
	int r = yaml_parse(name, text, length, &document, err);

	return r < 0 ? r : read_scenarios(&in, scenarios);
}

/* --- a project's file ------------------------------------------------------------------------ */

static int read_project(const struct reading *in, struct ktstr_demand *rows, size_t *ret_nr)
{
	static const char *const keys[] = { "ktstr", "about", "checks", NULL };
	static const struct model_field field = { .key = "checks",
						  .kind = MODEL_ROWS,
						  .max = PROJECT_CHECKS,
						  .rows = &model_demand_table };
	const struct model_source source = { yaml_place, in->document };
	struct model_reader reader = { .source = &source, .arena = in->arena, .err = in->err };
	const json_t *checks = json_object_get(in->document->root, "checks");
	int r = check_version(in);

	memset(rows, 0, PROJECT_CHECKS * sizeof(*rows));
	if (r == 0)
		r = check_keys(in, keys);
	if (r == 0 && checks)
		r = model_read_rows(&reader, &field, checks, rows);
	if (r == 0)
		*ret_nr = json_array_size(checks);
	return r;
}

int file_read_project(const char *name, const char *text, size_t length, struct model_arena *arena,
		      struct ktstr_demand *rows, size_t *ret_nr, struct ktstr_error *err)
{
	_cleanup_yaml_ struct yaml_document document = { 0 };
	const struct reading in = { &document, arena, err };
	int r = yaml_parse(name, text, length, &document, err);

	return r < 0 ? r : read_project(&in, rows, ret_nr);
}

/* --- a scheduler's file ---------------------------------------------------------------------- */

static int check_flag_names(const struct reading *in, const json_t *value,
			    const struct ktstr_scheduler *s, const char *const *names)
{
	char text[HINT_BYTES + YAML_KEY], hint[HINT_BYTES];

	for (size_t i = 0; i < KTSTR_FLAG_LINKS && names[i]; i++) {
		struct near near = near_start(names[i]);
		bool known = false;

		for (size_t k = 0; k < KTSTR_SCHEDULER_FLAGS && s->flags[k].name; k++) {
			known |= !strcmp(s->flags[k].name, names[i]);
			near_offer(&near, s->flags[k].name);
		}
		if (known)
			continue;
		snprintf(text, sizeof(text), "there is no flag '%.*s'%s", NEAR_WORD, names[i],
			 near_hint(&near, hint, sizeof(hint)));
		return fail_at(in, -EINVAL, value, text, NULL);
	}
	return 0;
}

static int read_scheduler(const struct reading *in, struct ktstr_scheduler *s)
{
	static const char *const keys[] = { "ktstr", "about", "scheduler", NULL };
	const struct model_source source = { yaml_place, in->document };
	struct model_reader reader = { .source = &source, .arena = in->arena, .err = in->err };
	const json_t *value = json_object_get(in->document->root, "scheduler");
	int r = check_version(in);

	if (r == 0)
		r = check_keys(in, keys);
	if (r == 0 && !json_is_object(value))
		r = fail_at(in, -EINVAL, value ? value : in->document->root,
			    "no scheduler; it stands below 'scheduler:', with its 'binary'", NULL);
	if (r == 0)
		r = model_read_row(&reader, &model_scheduler_table, value, s);
	if (r == 0 && !s->binary)
		r = fail_at(in, -EINVAL, value, "which program is it? say 'binary: PATH'", NULL);
	for (size_t i = 0; r == 0 && i < KTSTR_SCHEDULER_FLAGS && s->flags[i].name; i++) {
		r = check_flag_names(in, value, s, s->flags[i].requires);
		if (r == 0)
			r = check_flag_names(in, value, s, s->flags[i].excludes);
	}
	return r;
}

int file_read_scheduler(const char *name, const char *text, size_t length,
			struct model_arena *arena, struct ktstr_scheduler *ret_scheduler,
			struct ktstr_error *err)
{
	_cleanup_yaml_ struct yaml_document document = { 0 };
	const struct reading in = { &document, arena, err };
	struct ktstr_scheduler scheduler = { 0 };
	int r = yaml_parse(name, text, length, &document, err);

	if (r == 0)
		r = read_scheduler(&in, &scheduler);
	if (r == 0)
		*ret_scheduler = scheduler;
	return r;
}
