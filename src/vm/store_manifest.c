// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/store_manifest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static int bad(struct ktstr_error *err, const char *what)
{
	return ktstr_error_set(err, -EINVAL, MANIFEST_NAME " is damaged: %s", what);
}

void manifest_deinit(struct manifest *m)
{
	json_decref(m->about);
	free(m->files);
	*m = (struct manifest){ 0 };
}

static bool name_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len < MANIFEST_MAX_NAME && *name != '.' && strspn(name, NAME_CHARS) == len &&
	       strcmp(name, MANIFEST_NAME) != 0;
}

static bool has_file(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->nr_files; i++)
		if (!strcmp(m->files[i].name, name))
			return true;
	return false;
}

int manifest_add(struct manifest *m, const struct manifest_file *file, struct ktstr_error *err)
{
	struct manifest_file *grown;

	if (!name_valid(file->name) || has_file(m, file->name))
		return ktstr_error_set(err, -EINVAL,
				       "'%s' cannot name a file of an entry, or is there twice",
				       file->name);
	if (m->nr_files == MANIFEST_MAX_FILES)
		return ktstr_error_set(err, -E2BIG, "more than %d files in one entry",
				       MANIFEST_MAX_FILES);
	grown = realloc(m->files, (m->nr_files + 1) * sizeof(*grown));
	if (!grown)
		return ktstr_error_nomem(err);
	m->files = grown;
	grown[m->nr_files++] = *file;
	return 0;
}

static int get_bytes(const json_t *object, const char *name, uint64_t *ret)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -EINVAL;
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

static int get_hash(const json_t *object, char hex[XXH128_HEX])
{
	const char *text = json_string_value(json_object_get(object, "xxh128"));

	if (!text || strlen(text) != XXH128_HEX - 1 ||
	    strspn(text, "0123456789abcdef") != XXH128_HEX - 1)
		return -EINVAL;
	memcpy(hex, text, XXH128_HEX);
	return 0;
}

static int parse_file(const json_t *object, struct manifest *m, struct ktstr_error *err)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	struct manifest_file file = { 0 };

	if (!name || strlen(name) >= sizeof(file.name) || get_hash(object, file.xxh128) < 0 ||
	    get_bytes(object, "bytes", &file.bytes) < 0 ||
	    get_bytes(object, "allocated_bytes", &file.allocated_bytes) < 0)
		return bad(err, "a file without name, size or hash");
	memcpy(file.name, name, strlen(name) + 1);
	return manifest_add(m, &file, err);
}

/* Of @root as it is now. */
static int hash_object(const json_t *root, char hex[XXH128_HEX])
{
	_cleanup_free_ char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	struct xxh128 x;

	if (!text)
		return -ENOMEM;
	xxh128_init(&x);
	xxh128_update(&x, text, strlen(text));
	xxh128_final_hex(&x, hex);
	return 0;
}

static int check_hash(json_t *root, struct manifest *m, struct ktstr_error *err)
{
	char hex[XXH128_HEX];

	if (get_hash(root, m->xxh128) < 0 || json_object_del(root, "xxh128") < 0)
		return bad(err, "it has no hash");
	if (hash_object(root, hex) < 0)
		return ktstr_error_nomem(err);
	return strcmp(hex, m->xxh128) ? bad(err, "its content does not match its hash") : 0;
}

static int parse_root(json_t *root, const char *key, struct manifest *m, struct ktstr_error *err)
{
	const char *named = json_string_value(json_object_get(root, "key"));
	const json_t *files = json_object_get(root, "files");
	size_t index;
	json_t *file;
	int r;

	if (json_integer_value(json_object_get(root, "version")) != MANIFEST_VERSION)
		return bad(err, "it is not of version 1");
	if (!named || strcmp(named, key) != 0)
		return bad(err, "it is of another entry");
	m->about = json_incref(json_object_get(root, "about"));
	if (!json_is_object(m->about))
		return bad(err, "it does not say what it is about");
	if (!json_is_array(files))
		return bad(err, "it lists no files");
	json_array_foreach(files, index, file)
	{
		r = parse_file(file, m, err);
		if (r < 0)
			return r == -ENOMEM ? r : -EINVAL;
	}
	return check_hash(root, m, err);
}

int manifest_parse(const char *text, size_t len, const char *key, struct manifest *ret_manifest,
		   struct ktstr_error *err)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_manifest_ struct manifest m = { 0 };
	json_error_t why;
	int r;

	if (len > MANIFEST_MAX_BYTES)
		return bad(err, "it is too large");
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return ktstr_error_set(err, -EINVAL, MANIFEST_NAME " is damaged: line %d: %s",
				       why.line, why.text);
	r = parse_root(root, key, &m, err);
	if (r < 0)
		return r;
	*ret_manifest = m;
	m = (struct manifest){ 0 };
	return 0;
}

static json_t *from_files(const struct manifest *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->nr_files; i++) {
		const struct manifest_file *f = &m->files[i];

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:s}", "name", f->name, "bytes",
					(json_int_t)f->bytes, "allocated_bytes",
					(json_int_t)f->allocated_bytes, "xxh128", f->xxh128));
	}
	return list;
}

int manifest_format(struct manifest *m, const char *key, struct strbuf *out,
		    struct ktstr_error *err)
{
	_cleanup_(json_decrefp) json_t *root =
		json_pack("{s:i, s:s, s:O, s:o}", "version", MANIFEST_VERSION, "key", key, "about",
			  m->about, "files", from_files(m));
	_cleanup_manifest_ struct manifest read_back = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t start = out->len;

	if (!root || hash_object(root, m->xxh128) < 0 ||
	    json_object_set_new(root, "xxh128", json_string(m->xxh128)) < 0)
		return ktstr_error_nomem(err);
	text = json_dumps(root, JSON_INDENT(2));
	if (!text)
		return ktstr_error_nomem(err);
	strbuf_addf(out, "%s\n", text);
	if (out->error)
		return ktstr_error_set(err, out->error, "write " MANIFEST_NAME ": %s",
				       strerror(-out->error));
	return manifest_parse(out->data + start, out->len - start, key, &read_back, err);
}
