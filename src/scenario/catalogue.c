// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/catalogue.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/near.h"
#include "scenario/file.h"
#include "scenario/model_arena.h"

enum { HINT_BYTES = NEAR_WORD + 32, PATTERN_BYTES = 2 * KTSTR_SCENARIO_NAME };

struct ktstr_catalogue {
	struct model_arena *arena;
	struct file_scenarios scenarios;
};

DEFINE_CLEANUP(struct ktstr_catalogue *, ktstr_catalogue_destroy);

/* scenarios_blob.S */
extern const struct file_embedded scenarios_blob[] __attribute__((visibility("hidden")));

const struct file_embedded *file_embedded(size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!scenarios_blob[i].name)
			return NULL;
	return scenarios_blob[index].name ? &scenarios_blob[index] : NULL;
}

static int load_embedded(struct ktstr_catalogue *c, struct ktstr_error *err)
{
	const struct file_embedded *file;
	int r = 0;

	for (size_t i = 0; r == 0 && (file = file_embedded(i)); i++)
		r = file_read(file->name, file->text, (size_t)(file->end - file->text), c->arena,
			      &c->scenarios, err);
	return r;
}

static int load_file(struct ktstr_catalogue *c, const char *path, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CATALOGUE_FILE_BYTES);
	int r = io_read_file(path, &text, err);

	return r < 0 ? r
		     : file_read(path, strbuf_str(&text), text.len, c->arena, &c->scenarios, err);
}

int ktstr_catalogue_load(const char *const *paths, struct ktstr_catalogue **ret_catalogue,
			 struct ktstr_error *err)
{
	_cleanup_(ktstr_catalogue_destroyp) struct ktstr_catalogue *c = calloc(1, sizeof(*c));
	int r = 0;

	if (c)
		c->arena = model_arena_create();
	if (!c || !c->arena)
		return ktstr_error_nomem(err);
	if (!paths)
		r = load_embedded(c, err);
	for (size_t i = 0; r == 0 && paths && paths[i]; i++)
		r = load_file(c, paths[i], err);
	if (r == 0)
		*ret_catalogue = take_ptr(c);
	return r;
}

void ktstr_catalogue_destroy(struct ktstr_catalogue *catalogue)
{
	if (!catalogue)
		return;
	model_arena_destroy(catalogue->arena);
	free(catalogue);
}

size_t ktstr_catalogue_nr(const struct ktstr_catalogue *catalogue)
{
	return catalogue->scenarios.nr;
}

const struct ktstr_scenario *ktstr_catalogue_scenario(const struct ktstr_catalogue *catalogue,
						      size_t index)
{
	return index < catalogue->scenarios.nr ? catalogue->scenarios.items[index].scenario : NULL;
}

const char *ktstr_catalogue_place(const struct ktstr_catalogue *catalogue, size_t index)
{
	return index < catalogue->scenarios.nr ? catalogue->scenarios.items[index].place : NULL;
}

const struct ktstr_scenario *ktstr_catalogue_find(const struct ktstr_catalogue *catalogue,
						  const char *name, struct ktstr_error *err)
{
	struct near near = near_start(name);
	char hint[HINT_BYTES];

	for (size_t i = 0; i < catalogue->scenarios.nr; i++) {
		const struct ktstr_scenario *s = catalogue->scenarios.items[i].scenario;

		if (!strcmp(s->name, name))
			return s;
		near_offer(&near, s->name);
	}
	ktstr_error_set(err, -ENOENT, "no scenario '%s'%s", name,
			near_hint(&near, hint, sizeof(hint)));
	return NULL;
}

bool ktstr_catalogue_matches(const struct ktstr_scenario *scenario, const char *pattern)
{
	char both[PATTERN_BYTES];

	if (!strchr(pattern, ':'))
		return fnmatch(pattern, scenario->name, 0) == 0;
	snprintf(both, sizeof(both), "%s:%s", scenario->group ? scenario->group : "",
		 scenario->name);
	return fnmatch(pattern, both, 0) == 0;
}

uint64_t ktstr_scenario_time_ns(const struct ktstr_scenario *scenario)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < KTSTR_SCENARIO_STEPS; i++)
		if (__builtin_add_overflow(sum, scenario->steps[i].hold_ns, &sum))
			return UINT64_MAX;
	return sum;
}
