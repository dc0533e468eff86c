// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/runrecord.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/filesum.h"

static const char *const accel_names[] = { [KTSTR_ACCEL_KVM] = "kvm", [KTSTR_ACCEL_TCG] = "tcg" };

static const char *mode_name(const struct runrecord *r)
{
	return r->exact ? "exact" : "live";
}

json_t *runrecord_inputs(const struct runrecord *r)
{
	const char *kernel_args = r->kernel_args[0] ? r->kernel_args : NULL;

	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:s*, s:s, s:s, s:s, s:s}", "engine",
			 (int)r->engine, "qemu", r->qemu, "kernel", r->kernel, "kernel_sha256",
			 r->kernel_sha256, "image_sha256", r->image_sha256, "topology", r->topology,
			 "memory_bytes", (json_int_t)r->memory_bytes, "kernel_args", kernel_args,
			 "mode", mode_name(r), "accelerator", accel_names[r->accel], "files_sha256",
			 r->files_sha256, "job_sha256", r->job_sha256);
}

json_t *runrecord_to_json(const struct runrecord *r)
{
	char seed[PROTOCOL_SEED_TEXT];
	json_t *inputs = runrecord_inputs(r);
	json_t *object = json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:s, s:I, s:I, s:o}",
		"type", "run", "version", RUNRECORD_VERSION, "item", r->item, "program", r->program,
		"test", r->test, "seed", seed_format(r->seed, seed), "perturb",
		perturb_name(r->perturb), "timeout_ns", (json_int_t)r->timeout_ns, "wall_limit_ns",
		(json_int_t)r->wall_limit_ns, "kernel_path", r->kernel_path, "cloned", r->cloned,
		"verdict", ktstr_verdict_name(r->verdict), "end", r->end, "events",
		(json_int_t)r->nr_events, "virtual_ns", (json_int_t)r->virtual_ns, "inputs",
		inputs);

	if (object && r->events_sha256[0] &&
	    json_object_set_new(object, "events_sha256", json_string(r->events_sha256)) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

int runrecord_write(const char *dir, const struct runrecord *record, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/" RUNRECORD_FILE, dir);
	json_t *object = runrecord_to_json(record);
	_cleanup_free_ char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;

	json_decref(object);
	if (!path || !text)
		return ktstr_error_nomem(err);
	return io_write_quickly(path, text, strlen(text), 0666, err);
}

/* A key whose value is a text of limited length. */
struct text_key {
	const char *key, *text;
	char *to;
	size_t size;
	bool is_hash;
};

static int invalid(const char *key, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EINVAL, "\"%s\" is not as it must be", key);
}

static int copy_texts(const struct text_key *keys, size_t nr, struct ktstr_error *err)
{
	for (size_t i = 0; i < nr; i++) {
		size_t len = strlen(keys[i].text);

		if (len >= keys[i].size || (keys[i].is_hash && !filesum_is_hex(keys[i].text)))
			return invalid(keys[i].key, err);
		memcpy(keys[i].to, keys[i].text, len + 1);
	}
	return 0;
}

/* What was read, as jansson hands it out. */
struct raw {
	const char *seed, *perturb, *mode, *accel, *verdict, *events_sha256, *kernel_args;
	json_int_t timeout_ns, wall_limit_ns, memory_bytes, events, virtual_ns;
	int cloned, engine;
};

static int take_verdict(const char *name, struct runrecord *r, struct ktstr_error *err)
{
	for (enum ktstr_verdict v = KTSTR_PASS; v <= KTSTR_ERROR; v++)
		if (!strcmp(name, ktstr_verdict_name(v))) {
			r->verdict = v;
			return 0;
		}
	return invalid("verdict", err);
}

static int take_words(const struct raw *raw, struct runrecord *r, struct ktstr_error *err)
{
	if (seed_parse(raw->seed, &r->seed) < 0)
		return invalid("seed", err);
	if (perturb_parse(raw->perturb, &r->perturb) < 0)
		return invalid("perturb", err);
	r->exact = !strcmp(raw->mode, "exact");
	if (!r->exact && strcmp(raw->mode, "live") != 0)
		return invalid("mode", err);
	r->accel = !strcmp(raw->accel, "kvm") ? KTSTR_ACCEL_KVM : KTSTR_ACCEL_TCG;
	if (strcmp(raw->accel, accel_names[r->accel]) != 0 ||
	    (r->exact && strcmp(raw->accel, "tcg")))
		return invalid("accelerator", err);
	if (raw->events_sha256 && !filesum_is_hex(raw->events_sha256))
		return invalid("events_sha256", err);
	if (raw->events_sha256)
		memcpy(r->events_sha256, raw->events_sha256, SHA256_HEX);
	if (raw->kernel_args && ktstr_kernel_args_check(raw->kernel_args, NULL) < 0)
		return invalid("kernel_args", err);
	if (raw->kernel_args)
		memcpy(r->kernel_args, raw->kernel_args, strlen(raw->kernel_args) + 1);
	return take_verdict(raw->verdict, r, err);
}

static int take_numbers(const struct raw *raw, struct runrecord *r, struct ktstr_error *err)
{
	if (raw->timeout_ns < 0 || raw->wall_limit_ns < 0 || raw->memory_bytes <= 0 ||
	    raw->events < 0 || raw->virtual_ns < 0 || raw->engine < 0)
		return ktstr_error_set(err, -EINVAL, "a number is out of its range");
	r->timeout_ns = (uint64_t)raw->timeout_ns;
	r->wall_limit_ns = (uint64_t)raw->wall_limit_ns;
	r->memory_bytes = (uint64_t)raw->memory_bytes;
	r->nr_events = (uint64_t)raw->events;
	r->virtual_ns = (uint64_t)raw->virtual_ns;
	r->cloned = raw->cloned;
	r->engine = (uint32_t)raw->engine;
	return 0;
}

static int check_version(json_t *object, struct ktstr_error *err)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	json_int_t version = json_integer_value(json_object_get(object, "version"));

	if (!type || strcmp(type, "run") != 0)
		return invalid("type", err);
	if (version != RUNRECORD_VERSION)
		return ktstr_error_set(err, -EPROTO,
				       "the record has version %lld, this program reads version %d",
				       (long long)version, RUNRECORD_VERSION);
	return 0;
}

/* A name that becomes a file's must not lead elsewhere. */
static bool is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static int take(json_t *object, struct runrecord *r, struct ktstr_error *err)
{
	struct text_key t[] = {
		{ "item", NULL, r->item, sizeof(r->item), false },
		{ "program", NULL, r->program, sizeof(r->program), false },
		{ "test", NULL, r->test, sizeof(r->test), false },
		{ "kernel_path", NULL, r->kernel_path, sizeof(r->kernel_path), false },
		{ "end", NULL, r->end, sizeof(r->end), false },
		{ "qemu", NULL, r->qemu, sizeof(r->qemu), false },
		{ "kernel", NULL, r->kernel, sizeof(r->kernel), false },
		{ "topology", NULL, r->topology, sizeof(r->topology), false },
		{ "kernel_sha256", NULL, r->kernel_sha256, SHA256_HEX, true },
		{ "image_sha256", NULL, r->image_sha256, SHA256_HEX, true },
		{ "files_sha256", NULL, r->files_sha256, SHA256_HEX, true },
		{ "job_sha256", NULL, r->job_sha256, SHA256_HEX, true },
	};
	struct raw raw = { 0 };
	json_error_t error;
	int version, n;
	const char *type;

	n = json_unpack_ex(
		object, &error, JSON_STRICT,
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:s, s:I,"
		" s:I, s?s, s:{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s?s, s:s, s:s, s:s, s:s}}",
		"type", &type, "version", &version, t[0].key, &t[0].text, t[1].key, &t[1].text,
		t[2].key, &t[2].text, "seed", &raw.seed, "perturb", &raw.perturb, "timeout_ns",
		&raw.timeout_ns, "wall_limit_ns", &raw.wall_limit_ns, t[3].key, &t[3].text,
		"cloned", &raw.cloned, "verdict", &raw.verdict, t[4].key, &t[4].text, "events",
		&raw.events, "virtual_ns", &raw.virtual_ns, "events_sha256", &raw.events_sha256,
		"inputs", "engine", &raw.engine, t[5].key, &t[5].text, t[6].key, &t[6].text,
		t[8].key, &t[8].text, t[9].key, &t[9].text, t[7].key, &t[7].text, "memory_bytes",
		&raw.memory_bytes, "kernel_args", &raw.kernel_args, "mode", &raw.mode,
		"accelerator", &raw.accel, t[10].key, &t[10].text, t[11].key, &t[11].text);
	if (n < 0)
		return ktstr_error_set(err, -EINVAL, "%s", error.text);
	n = copy_texts(t, ARRAY_SIZE(t), err);
	if (n == 0)
		n = take_words(&raw, r, err);
	if (n == 0)
		n = take_numbers(&raw, r, err);
	if (n == 0 && !is_name(r->item))
		n = invalid("item", err);
	return n;
}

int runrecord_decode(const char *text, size_t length, struct runrecord *ret_record,
		     struct ktstr_error *err)
{
	struct runrecord record = { 0 };
	json_error_t error;
	json_t *object;
	int r;

	object = length > RUNRECORD_FILE_MAX
			 ? NULL
			 : json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		json_decref(object);
		return ktstr_error_set(err, -EINVAL, "no JSON object");
	}
	r = check_version(object, err);
	if (r == 0)
		r = take(object, &record, err);
	json_decref(object);
	if (r == 0)
		*ret_record = record;
	return r;
}

int runrecord_read(const char *dir, struct runrecord *ret_record, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(RUNRECORD_FILE_MAX);
	_cleanup_free_ char *path = path_format("%s/" RUNRECORD_FILE, dir);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = io_read_file(path, &text, err);
	if (r == 0)
		r = runrecord_decode(strbuf_str(&text), text.len, ret_record, err);
	return r < 0 ? ktstr_error_wrap(err, r, "run record of '%s'", dir) : 0;
}
