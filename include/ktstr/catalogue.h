/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * catalogue.h - scenarios by name, from files of text or built in, and topologies by name.
 *
 * The format of the files: docs/format/scenario.md.  What a catalogue hands out belongs to it and
 * lives until it is destroyed.  A catalogue that is loaded does not change; any thread may read it.
 *
 * A preset fits a scenario if ktstr_scenario_check(scenario, &preset->topology) says so.
 */
#ifndef KTSTR_CATALOGUE_H
#define KTSTR_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/error.h>
#include <ktstr/scenario.h>
#include <ktstr/topology.h>

enum {
	KTSTR_CATALOGUE_SCENARIOS = 1024,
	KTSTR_CATALOGUE_FILE_BYTES = 1 << 20, /* of one file */
	KTSTR_CATALOGUE_PLACE = 256	      /* bytes of any place, terminator included */
};

struct ktstr_catalogue;

/**
 * ktstr_catalogue_load() - read scenarios.
 * @paths:	files, ended by NULL; or NULL: what is built in
 * @ret_catalogue: written on success; ktstr_catalogue_destroy() it
 * @err:	"FILE:LINE: what is wrong"; may be NULL
 *
 * Each scenario is checked as far as that can be done for all machines.
 *
 * Return: 0; -EINVAL (damaged file, unknown word, two scenarios of one name), -E2BIG (too large, too deep,
 * too many rows), -ENOENT or another errno of reading, -ENOMEM.
 */
KTSTR_API int ktstr_catalogue_load(const char *const *paths, struct ktstr_catalogue **ret_catalogue,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_catalogue_destroy() - release all that it handed out.
 * @catalogue:	may be NULL
 */
KTSTR_API void ktstr_catalogue_destroy(struct ktstr_catalogue *catalogue);

/**
 * ktstr_catalogue_nr() - how many scenarios there are.
 * @catalogue:	any
 *
 * Return: 0 to KTSTR_CATALOGUE_SCENARIOS.
 */
KTSTR_API size_t ktstr_catalogue_nr(const struct ktstr_catalogue *catalogue);

/**
 * ktstr_catalogue_scenario() - a scenario by its number, in the order of files and lines.
 * @catalogue:	any
 * @index:	from 0
 *
 * Return: the scenario, its name and group never NULL; or NULL if there is none.
 */
KTSTR_API const struct ktstr_scenario *ktstr_catalogue_scenario(
	const struct ktstr_catalogue *catalogue, size_t index);

/**
 * ktstr_catalogue_place() - where a scenario begins.
 * @catalogue:	any
 * @index:	from 0
 *
 * Return: "basic.yaml:12", or NULL if there is no such scenario.
 */
KTSTR_API const char *ktstr_catalogue_place(const struct ktstr_catalogue *catalogue, size_t index);

/**
 * ktstr_catalogue_find() - a scenario by its name.
 * @catalogue:	any
 * @name:	the whole name
 * @err:	suggests a near name; may be NULL
 *
 * Return: the scenario, or NULL.
 */
KTSTR_API const struct ktstr_scenario *ktstr_catalogue_find(const struct ktstr_catalogue *catalogue,
							    const char *name,
							    struct ktstr_error *err);

/**
 * ktstr_catalogue_matches() - does a scenario bear that name, or is it of that group?
 * @scenario:	of a catalogue
 * @pattern:	as a shell's: "cpuset_*"; "group:*" and "group:name" look at both
 *
 * Return: whether name, or group and name, match.
 */
KTSTR_API bool ktstr_catalogue_matches(const struct ktstr_scenario *scenario, const char *pattern);

/**
 * ktstr_scenario_time_ns() - how much guest time the steps of a scenario take.
 * @scenario:	any
 *
 * Return: the sum of its steps' hold_ns: what it takes, or at most takes where events end steps.
 */
KTSTR_API uint64_t ktstr_scenario_time_ns(const struct ktstr_scenario *scenario);

/* A topology with a name. */
struct ktstr_preset {
	const char *name, *about;
	struct ktstr_topology topology;
};

/**
 * ktstr_preset() - a preset by its number, the smaller machines first.
 * @index:	from 0
 *
 * Return: the preset, or NULL behind the last.
 */
KTSTR_API const struct ktstr_preset *ktstr_preset(size_t index);

/**
 * ktstr_preset_find() - a topology by the name of a preset, or as text.
 * @name:	"tiny-2llc", or "1n2l2c1t"
 * @ret_topology: written on success
 * @err:	suggests a near name; may be NULL
 *
 * Return: 0; -ENOENT (no preset of that name, and no topology); else as ktstr_topology_parse().
 */
KTSTR_API int ktstr_preset_find(const char *name, struct ktstr_topology *ret_topology,
				struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
