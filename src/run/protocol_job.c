// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "run/protocol.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

static const char *const mode_names[] = {
	[JOB_TEST] = "test",
	[JOB_EXEC] = "exec",
	[JOB_SHELL] = "shell",
};

static const char *const perturb_names[] = {
	[PERTURB_OFF] = "off",
	[PERTURB_LIGHT] = "light",
	[PERTURB_HEAVY] = "heavy",
};

enum { JOB_KEYS = 16, /* that are always there */ SEQ_DIGITS = 20 };

const char *seed_format(uint64_t seed, char text[PROTOCOL_SEED_TEXT])
{
	snprintf(text, PROTOCOL_SEED_TEXT, "%016llx", (unsigned long long)seed);
	return text;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int seed_parse(const char *text, uint64_t *ret_seed)
{
	uint64_t seed = 0;

	if (strlen(text) != PROTOCOL_SEED_TEXT - 1)
		return -EINVAL;
	for (; *text; text++) {
		int digit = digit_value(*text);

		if (digit < 0)
			return -EINVAL;
		seed = seed << 4 | (uint64_t)digit;
	}
	*ret_seed = seed;
	return 0;
}

const char *perturb_name(enum perturb perturb)
{
	return (unsigned int)perturb < ARRAY_SIZE(perturb_names) ? perturb_names[perturb] : "?";
}

int perturb_parse(const char *text, enum perturb *ret_perturb)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(perturb_names); i++) {
		if (strcmp(text, perturb_names[i]) == 0) {
			*ret_perturb = (enum perturb)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_text(json_t *object, const char *key, const char *text, struct ktstr_error *err)
{
	json_t *value = json_string(text);

	if (!value)
		return ktstr_error_set(err, -EINVAL, "job: '%s' is not UTF-8 text", key);
	return json_object_set_new(object, key, value) < 0 ? ktstr_error_nomem(err) : 0;
}

static int set_number(json_t *object, const char *key, uint64_t number, struct ktstr_error *err)
{
	if (number > INT64_MAX)
		return ktstr_error_set(err, -EINVAL, "job: '%s' is too large", key);
	if (json_object_set_new(object, key, json_integer((json_int_t)number)) < 0)
		return ktstr_error_nomem(err);
	return 0;
}

static int set_hex(json_t *object, const char *key, uint64_t value, struct ktstr_error *err)
{
	char text[PROTOCOL_SEED_TEXT];

	return set_text(object, key, seed_format(value, text), err);
}

/* Of one width, so that the guest does the same work whatever it says. */
static int set_seq(json_t *object, const char *key, uint64_t seq, struct ktstr_error *err)
{
	char text[SEQ_DIGITS + 1];

	snprintf(text, sizeof(text), "%0*llu", SEQ_DIGITS, (unsigned long long)seq);
	return set_text(object, key, text, err);
}

static int set_chance(json_t *object, const struct job *job, struct ktstr_error *err)
{
	int r = set_hex(object, "seed", job->seed, err);

	if (r == 0)
		r = set_text(object, "perturb", perturb_name(job->perturb), err);
	if (r == 0 && json_object_set_new(object, "exact", json_boolean(job->exact)) < 0)
		r = ktstr_error_nomem(err);
	if (r == 0)
		r = set_number(object, "realtime_ns", job->realtime_ns, err);
	if (r == 0)
		r = set_seq(object, "stop_seq", job->stop_seq, err);
	if (r == 0)
		r = set_number(object, "files_bytes", job->files_bytes, err);
	if (r == 0)
		r = set_hex(object, "files_xxh64", job->files_xxh64, err);
	return r < 0 || !job->scenario ? r : set_text(object, "scenario", job->scenario, err);
}

static int set_list(json_t *object, const char *key, char *const *list, unsigned int nr,
		    struct ktstr_error *err)
{
	json_t *array = json_array();

	if (json_object_set_new(object, key, array) < 0)
		return ktstr_error_nomem(err);
	if (nr > PROTOCOL_ARGS_MAX)
		return ktstr_error_set(err, -E2BIG, "job: '%s' has %u entries, at most %d fit", key,
				       nr, PROTOCOL_ARGS_MAX);
	for (unsigned int i = 0; i < nr; i++) {
		json_t *value = json_string(list[i]);

		if (!value)
			return ktstr_error_set(err, -EINVAL, "job: '%s' entry %u is not UTF-8 text",
					       key, i);
		if (json_array_append_new(array, value) < 0)
			return ktstr_error_nomem(err);
	}
	return 0;
}

static int fill_object(json_t *object, const struct job *job, struct ktstr_error *err)
{
	int r = set_number(object, "version", PROTOCOL_VERSION, err);

	if (r == 0)
		r = set_text(object, "mode", mode_names[job->mode], err);
	if (r == 0)
		r = set_list(object, "argv", job->argv, job->argc, err);
	if (r == 0)
		r = set_list(object, "env", job->env, job->nr_env, err);
	if (r == 0)
		r = set_text(object, "topology", job->topology ? job->topology : "", err);
	if (r == 0)
		r = set_number(object, "timeout_ns", job->timeout_ns, err);
	if (r == 0)
		r = set_number(object, "heartbeat_ns", job->heartbeat_ns, err);
	if (r == 0)
		r = set_number(object, "rows", job->rows, err);
	if (r == 0)
		r = set_number(object, "columns", job->columns, err);
	return r < 0 ? r : set_chance(object, job, err);
}

static int check_argv(const struct job *job, struct ktstr_error *err)
{
	if (job->argc == 0 && job->mode != JOB_SHELL)
		return ktstr_error_set(err, -EINVAL, "job: 'argv' is empty in mode '%s'",
				       mode_names[job->mode]);
	return 0;
}

int job_encode(const struct job *job, char **ret_text, struct ktstr_error *err)
{
	_cleanup_json_ json_t *object = json_object();
	_cleanup_free_ char *text = NULL;
	int r;

	if (!object)
		return ktstr_error_nomem(err);
	if ((unsigned int)job->mode >= ARRAY_SIZE(mode_names))
		return ktstr_error_set(err, -EINVAL, "job: no mode %d", (int)job->mode);
	if ((unsigned int)job->perturb >= ARRAY_SIZE(perturb_names))
		return ktstr_error_set(err, -EINVAL, "job: no perturbation %d", (int)job->perturb);
	r = check_argv(job, err);
	if (r == 0)
		r = fill_object(object, job, err);
	if (r < 0)
		return r;
	text = json_dumps(object, JSON_COMPACT);
	if (!text)
		return ktstr_error_nomem(err);
	if (strlen(text) > PROTOCOL_JOB_JSON_MAX)
		return ktstr_error_set(err, -E2BIG, "job: %zu bytes, at most %d fit", strlen(text),
				       PROTOCOL_JOB_JSON_MAX);
	*ret_text = take_ptr(text);
	return 0;
}

static int get_number(const json_t *object, const char *key, uint64_t max, uint64_t *ret_number,
		      struct ktstr_error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > max)
		return ktstr_error_set(err, -EINVAL, "job: '%s' is no whole number up to %llu", key,
				       (unsigned long long)max);
	*ret_number = (uint64_t)json_integer_value(value);
	return 0;
}

static int get_text(const json_t *object, const char *key, char **ret_text, struct ktstr_error *err)
{
	const json_t *value = json_object_get(object, key);
	char *text;

	if (!json_is_string(value))
		return ktstr_error_set(err, -EINVAL, "job: '%s' is no text", key);
	text = strdup(json_string_value(value));
	if (!text)
		return ktstr_error_nomem(err);
	*ret_text = text;
	return 0;
}

static int get_list(const json_t *object, const char *key, char **list, unsigned int *ret_nr,
		    struct ktstr_error *err)
{
	const json_t *array = json_object_get(object, key);

	if (!json_is_array(array))
		return ktstr_error_set(err, -EINVAL, "job: '%s' is no list", key);
	if (json_array_size(array) > PROTOCOL_ARGS_MAX)
		return ktstr_error_set(err, -E2BIG, "job: '%s' has more than %d entries", key,
				       PROTOCOL_ARGS_MAX);
	for (unsigned int i = 0; i < json_array_size(array); i++) {
		const json_t *value = json_array_get(array, i);

		if (!json_is_string(value))
			return ktstr_error_set(err, -EINVAL, "job: '%s' entry %u is no text", key,
					       i);
		list[i] = strdup(json_string_value(value));
		if (!list[i])
			return ktstr_error_nomem(err);
		*ret_nr = i + 1;
	}
	return 0;
}

static int get_mode(const json_t *object, enum job_mode *ret_mode, struct ktstr_error *err)
{
	const char *name = json_string_value(json_object_get(object, "mode"));

	for (unsigned int i = 0; name && i < ARRAY_SIZE(mode_names); i++) {
		if (strcmp(name, mode_names[i]) == 0) {
			*ret_mode = (enum job_mode)i;
			return 0;
		}
	}
	return ktstr_error_set(err, -EINVAL, "job: 'mode' is none of test, exec, shell");
}

static int get_limits(const json_t *object, struct job *job, struct ktstr_error *err)
{
	uint64_t rows = 0, columns = 0;
	int r = get_number(object, "timeout_ns", INT64_MAX, &job->timeout_ns, err);

	if (r == 0)
		r = get_number(object, "heartbeat_ns", INT64_MAX, &job->heartbeat_ns, err);
	if (r == 0)
		r = get_number(object, "rows", UINT16_MAX, &rows, err);
	if (r == 0)
		r = get_number(object, "columns", UINT16_MAX, &columns, err);
	job->rows = (uint32_t)rows;
	job->columns = (uint32_t)columns;
	return r;
}

/* Empty where there is no text: no key takes that. */
static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int get_hex(const json_t *object, const char *key, uint64_t *ret_value,
		   struct ktstr_error *err)
{
	if (seed_parse(text_of(object, key), ret_value) < 0)
		return ktstr_error_set(err, -EINVAL, "job: '%s' is not 16 hex digits", key);
	return 0;
}

static int get_seq(const json_t *object, const char *key, uint64_t *ret_seq,
		   struct ktstr_error *err)
{
	const char *text = text_of(object, key);

	if (strlen(text) != SEQ_DIGITS || parse_u64(text, ret_seq) < 0)
		return ktstr_error_set(err, -EINVAL, "job: '%s' is no number of %d digits", key,
				       SEQ_DIGITS);
	return 0;
}

static int get_chance(const json_t *object, struct job *job, struct ktstr_error *err)
{
	const json_t *exact = json_object_get(object, "exact");
	int r = get_hex(object, "seed", &job->seed, err);

	if (r < 0)
		return r;
	if (perturb_parse(text_of(object, "perturb"), &job->perturb) < 0)
		return ktstr_error_set(err, -EINVAL, "job: 'perturb' is none of off, light, heavy");
	if (!json_is_boolean(exact))
		return ktstr_error_set(err, -EINVAL, "job: 'exact' is neither true nor false");
	job->exact = json_is_true(exact);
	r = get_number(object, "realtime_ns", INT64_MAX, &job->realtime_ns, err);
	if (r == 0)
		r = get_seq(object, "stop_seq", &job->stop_seq, err);
	if (r == 0)
		r = get_number(object, "files_bytes", INT64_MAX, &job->files_bytes, err);
	if (r == 0)
		r = get_hex(object, "files_xxh64", &job->files_xxh64, err);
	return r < 0 || !json_object_get(object, "scenario")
		       ? r
		       : get_text(object, "scenario", &job->scenario, err);
}

static int get_job(const json_t *object, struct job *job, struct ktstr_error *err)
{
	uint64_t version;
	int r;

	if (!json_is_object(object))
		return ktstr_error_set(err, -EINVAL, "job: no JSON object");
	r = get_number(object, "version", INT64_MAX, &version, err);
	if (r < 0)
		return r;
	if (version != PROTOCOL_VERSION)
		return ktstr_error_set(err, -EPROTO, "job: version %llu, this agent speaks %d",
				       (unsigned long long)version, PROTOCOL_VERSION);
	if (json_object_size(object) > JOB_KEYS + (json_object_get(object, "scenario") != NULL))
		return ktstr_error_set(err, -EINVAL, "job: unknown keys");
	r = get_mode(object, &job->mode, err);
	if (r == 0)
		r = get_list(object, "argv", job->argv, &job->argc, err);
	if (r == 0)
		r = get_list(object, "env", job->env, &job->nr_env, err);
	if (r == 0)
		r = get_text(object, "topology", &job->topology, err);
	if (r == 0)
		r = get_limits(object, job, err);
	if (r == 0)
		r = get_chance(object, job, err);
	return r < 0 ? r : check_argv(job, err);
}

int job_decode(const char *text, size_t length, struct job *ret_job, struct ktstr_error *err)
{
	_cleanup_json_ json_t *object = NULL;
	_cleanup_(job_deinit) struct job job = { 0 };
	json_error_t why;
	int r;

	if (length > PROTOCOL_JOB_JSON_MAX)
		return ktstr_error_set(err, -E2BIG, "job: %zu bytes, at most %d are read", length,
				       PROTOCOL_JOB_JSON_MAX);
	object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
	if (!object)
		return ktstr_error_set(err, -EINVAL, "job: line %d: %s", why.line, why.text);
	r = get_job(object, &job, err);
	if (r < 0)
		return r;
	*ret_job = job;
	job = (struct job){ 0 };
	return 0;
}

void job_deinit(struct job *job)
{
	for (unsigned int i = 0; i < job->argc; i++)
		free(job->argv[i]);
	for (unsigned int i = 0; i < job->nr_env; i++)
		free(job->env[i]);
	free(job->topology);
	free(job->scenario);
	*job = (struct job){ 0 };
}
