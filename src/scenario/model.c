// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "scenario/model_arena.h"
#include "scenario/model_read.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

enum { JOB_BYTES = 1 << 20 };

json_t *scenario_to_json(const struct ktstr_scenario *scenario)
{
	return model_write_row(&model_scenario_table, scenario);
}

int scenario_from_json(const json_t *document, const struct model_source *source,
		       struct model_arena *arena, struct ktstr_scenario *ret_scenario,
		       struct ktstr_error *err)
{
	struct model_reader reader = { .source = source, .arena = arena, .err = err };
	_cleanup_free_ struct ktstr_scenario *scenario = calloc(1, sizeof(*scenario));
	int r;

	if (!scenario)
		return ktstr_error_nomem(err);
	r = model_read_row(&reader, &model_scenario_table, document, scenario);
	if (r == 0)
		*ret_scenario = *scenario;
	return r;
}

json_t *scheduler_to_json(const struct ktstr_scheduler *scheduler)
{
	return model_write_row(&model_scheduler_table, scheduler);
}

int scheduler_from_json(const json_t *document, const struct model_source *source,
			struct model_arena *arena, struct ktstr_scheduler *ret_scheduler,
			struct ktstr_error *err)
{
	struct model_reader reader = { .source = source, .arena = arena, .err = err };
	struct ktstr_scheduler scheduler = { 0 };
	int r = model_read_row(&reader, &model_scheduler_table, document, &scheduler);

	if (r == 0)
		*ret_scheduler = scheduler;
	return r;
}

json_t *demands_to_json(const struct model_demand *demands, size_t nr)
{
	json_t *array = json_array();

	for (size_t i = 0; i < nr; i++)
		if (json_array_append_new(
			    array, model_write_row(&model_layered_demand_table, &demands[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int read_demands(struct model_reader *reader, const json_t *array,
			struct model_demand *demands, size_t *ret_nr)
{
	static const struct model_field field = { .key = "demands",
						  .kind = MODEL_ROWS,
						  .max = MODEL_DEMANDS,
						  .rows = &model_layered_demand_table };
	int r;

	memset(demands, 0, MODEL_DEMANDS * sizeof(*demands));
	r = model_read_rows(reader, &field, array, demands);
	if (r == 0)
		*ret_nr = json_array_size(array);
	return r;
}

int demands_from_json(const json_t *array, struct model_arena *arena, struct model_demand *demands,
		      size_t *ret_nr, struct ktstr_error *err)
{
	struct model_reader reader = { .arena = arena, .err = err, .path = "demands" };

	return read_demands(&reader, array, demands, ret_nr);
}

/* --- jobs ------------------------------------------------------------------------------------ */

static bool is_given(const struct ktstr_scheduler *scheduler)
{
	static const struct ktstr_scheduler none;

	return memcmp(scheduler, &none, sizeof(none)) != 0;
}

static int set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value);
}

int scenario_job_encode(const struct scenario_job *job, char **ret_text, struct ktstr_error *err)
{
	_cleanup_json_ json_t *object = json_object();
	char *text;
	int r = set(object, "version", json_integer(MODEL_VERSION));

	if (r == 0)
		r = set(object, "scenario", scenario_to_json(&job->scenario));
	if (r == 0 && is_given(&job->scheduler))
		r = set(object, "scheduler", scheduler_to_json(&job->scheduler));
	if (r == 0)
		r = set(object, "demands", demands_to_json(job->demands, job->nr_demands));
	if (r == 0 && job->ops_offsets)
		r = json_object_set(object, "ops_offsets", job->ops_offsets);
	text = r == 0 ? json_dumps(object, JSON_COMPACT) : NULL;
	if (!text)
		return ktstr_error_set(
			err, -EINVAL,
			"scenario '%s' cannot be written: a text in it is not UTF-8, "
			"or memory is short",
			job->scenario.name ? job->scenario.name : "");
	*ret_text = text;
	return 0;
}

static int read_offsets(struct model_reader *reader, json_t *offsets)
{
	const char *key;
	json_t *value;

	if (!json_is_object(offsets))
		return model_read_fail(reader, -EINVAL, offsets, "a mapping is expected here");
	json_object_foreach(offsets, key, value)
	{
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return model_read_fail(reader, -EINVAL, value,
					       "the offset of '%s' is no number", key);
	}
	return 0;
}

static int check_keys(struct model_reader *reader, const json_t *object)
{
	static const char *const keys[] = { "version", "scenario", "scheduler", "demands",
					    "ops_offsets" };
	size_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		known += json_object_get(object, keys[i]) != NULL;
	return known == json_object_size(object)
		       ? 0
		       : model_read_fail(reader, -EINVAL, object, "unknown keys in a job");
}

static int read_part(struct model_reader *reader, const json_t *object, const char *key,
		     const struct model_table *table, void *row)
{
	const json_t *value = json_object_get(object, key);
	int r;

	if (!value)
		return 0;
	snprintf(reader->path, sizeof(reader->path), "%s", key);
	r = model_read_row(reader, table, value, row);
	reader->path[0] = '\0';
	return r;
}

static int read_job(struct model_reader *reader, const json_t *object, struct scenario_job *job)
{
	const json_t *version = json_object_get(object, "version"),
		     *demands = json_object_get(object, "demands");
	json_t *offsets = json_object_get(object, "ops_offsets");
	int r;

	if (json_integer_value(version) != MODEL_VERSION)
		return model_read_fail(reader, -EINVAL, version,
				       "a job of version %lld, this program knows %d",
				       (long long)json_integer_value(version), MODEL_VERSION);
	r = check_keys(reader, object);
	if (r == 0 && !json_object_get(object, "scenario"))
		r = model_read_fail(reader, -EINVAL, object, "a job without a scenario");
	if (r == 0)
		r = read_part(reader, object, "scenario", &model_scenario_table, &job->scenario);
	if (r == 0)
		r = read_part(reader, object, "scheduler", &model_scheduler_table, &job->scheduler);
	if (r == 0 && demands)
		r = read_demands(reader, demands, job->demands, &job->nr_demands);
	if (r == 0 && offsets)
		r = read_offsets(reader, offsets);
	if (r == 0 && offsets)
		job->ops_offsets = json_incref(offsets);
	return r;
}

int scenario_job_decode(const char *text, size_t length, struct model_arena *arena,
			struct scenario_job *ret_job, struct ktstr_error *err)
{
	struct model_reader reader = { .arena = arena, .err = err };
	_cleanup_free_ struct scenario_job *job = calloc(1, sizeof(*job));
	_cleanup_json_ json_t *object = NULL;
	json_error_t why;
	int r;

	if (!job)
		return ktstr_error_nomem(err);
	if (length > JOB_BYTES)
		return ktstr_error_set(err, -E2BIG, "a job of %zu bytes, at most %d are read",
				       length, JOB_BYTES);
	object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
	if (!object)
		return ktstr_error_set(err, -EINVAL, "job: line %d: %s", why.line, why.text);
	r = read_job(&reader, object, job);
	if (r == 0)
		*ret_job = *job;
	return r < 0 ? ktstr_error_wrap(err, r, "job") : 0;
}
