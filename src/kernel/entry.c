// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/crc32.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/config.h"
#include "kernel/image.h"

static int bad(struct ktstr_error *err, const char *what)
{
	return ktstr_error_set(err, -EINVAL, "kernel.json is damaged: %s", what);
}

static int get_text(const json_t *object, const char *key, char *buf, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || strlen(text) >= size)
		return -EINVAL;
	memcpy(buf, text, strlen(text) + 1);
	return 0;
}

static enum ktstr_kernel_fact get_fact(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_true(value))
		return KTSTR_KERNEL_YES;
	return json_is_false(value) ? KTSTR_KERNEL_NO : KTSTR_KERNEL_UNKNOWN;
}

static bool stays_inside(const char *name)
{
	return *name && *name != '/' && !strstr(name, "..") && !strchr(name, '\\');
}

static int parse_file(const json_t *object, struct entry_file *file)
{
	json_int_t bytes = json_integer_value(json_object_get(object, "bytes"));
	char crc[16], *end;

	if (get_text(object, "name", file->name, sizeof(file->name)) < 0 ||
	    !stays_inside(file->name) || bytes < 0 ||
	    !json_is_integer(json_object_get(object, "bytes")) ||
	    get_text(object, "crc32", crc, sizeof(crc)) < 0 ||
	    strspn(crc, "0123456789abcdef") != 8 || crc[8])
		return -EINVAL;
	file->bytes = (uint64_t)bytes;
	file->crc32 = (uint32_t)strtoul(crc, &end, 16);
	return 0;
}

static int parse_files(const json_t *list, struct entry *entry, struct ktstr_error *err)
{
	size_t index;
	json_t *item;

	if (!json_is_array(list) || json_array_size(list) > ENTRY_MAX_FILES)
		return bad(err, "no list of files, or too many");
	json_array_foreach(list, index,
			   item) if (parse_file(item, &entry->files[index]) <
				     0) return bad(err, "a file without name, size or checksum");
	entry->nr_files = json_array_size(list);
	return 0;
}

int entry_parse(const char *text, size_t len, struct entry *ret_entry, struct ktstr_error *err)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct entry entry = { 0 };
	struct ktstr_kernel *k = &entry.kernel;
	json_error_t why;
	json_int_t hz;
	int r;

	if (len > ENTRY_MAX_BYTES)
		return bad(err, "it is too large");
	root = json_loadb(text, len, 0, &why);
	if (!root)
		return ktstr_error_set(err, -EINVAL, "kernel.json is damaged: line %d: %s",
				       why.line, why.text);
	if (json_integer_value(json_object_get(root, "format")) != ENTRY_FORMAT)
		return bad(err, "it is not of format 1");
	if (get_text(root, "name", k->name, sizeof(k->name)) < 0 ||
	    get_text(root, "release", k->release, sizeof(k->release)) < 0 ||
	    get_text(root, "version", k->version, sizeof(k->version)) < 0 ||
	    get_text(root, "build_id", k->build_id, sizeof(k->build_id)) < 0 ||
	    get_text(root, "source", entry.source, sizeof(entry.source)) < 0)
		return bad(err, "a text is missing or too long");
	hz = json_integer_value(json_object_get(root, "hz"));
	k->hz = hz > 0 && hz <= 1000000 ? (uint32_t)hz : 0;
	k->imported = json_is_true(json_object_get(root, "imported"));
	k->pvh = json_is_true(json_object_get(root, "pvh"));
	k->sched_ext = get_fact(root, "sched_ext");
	k->btf = get_fact(root, "btf");
	k->schedstats = get_fact(root, "schedstats");
	r = parse_files(json_object_get(root, "files"), &entry, err);
	if (r < 0)
		return r;
	*ret_entry = entry;
	return 0;
}

static json_t *from_fact(enum ktstr_kernel_fact fact)
{
	return fact == KTSTR_KERNEL_UNKNOWN ? json_null() : json_boolean(fact == KTSTR_KERNEL_YES);
}

static json_t *from_files(const struct entry *entry)
{
	json_t *list = json_array();

	for (size_t i = 0; i < entry->nr_files; i++) {
		const struct entry_file *f = &entry->files[i];
		char crc[9];

		snprintf(crc, sizeof(crc), "%08x", f->crc32);
		json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "name", f->name, "bytes",
						      (json_int_t)f->bytes, "crc32", crc));
	}
	return list;
}

int entry_format(const struct entry *entry, struct strbuf *out)
{
	const struct ktstr_kernel *k = &entry->kernel;
	_cleanup_(json_decrefp) json_t *root =
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o}",
			  "format", ENTRY_FORMAT, "name", k->name, "release", k->release, "version",
			  k->version, "build_id", k->build_id, "source", entry->source, "imported",
			  k->imported, "pvh", k->pvh, "sched_ext", from_fact(k->sched_ext), "btf",
			  from_fact(k->btf), "schedstats", from_fact(k->schedstats), "hz",
			  k->hz ? json_integer(k->hz) : json_null(), "files", from_files(entry));
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	if (!text)
		return -ENOMEM;
	strbuf_clear(out);
	strbuf_addf(out, "%s\n", text);
	return out->error;
}

static int checksum(const char *path, struct entry_file *file, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[65536];
	ssize_t n = 0;

	file->bytes = 0;
	file->crc32 = 0;
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		file->crc32 = crc32_update(file->crc32, chunk, (size_t)n);
		file->bytes += (uint64_t)n;
	}
	if (fd < 0 || n < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	return 0;
}

static int add_file(const char *dir, const char *name, struct entry *entry, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);
	struct entry_file *file = &entry->files[entry->nr_files];
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	if (access(path, F_OK) < 0)
		return 0;
	if (entry->nr_files == ENTRY_MAX_FILES || strlen(name) >= sizeof(file->name))
		return ktstr_error_set(err, -E2BIG, "too many files for one kernel in '%s'", dir);
	snprintf(file->name, sizeof(file->name), "%s", name);
	r = checksum(path, file, err);
	if (r == 0)
		entry->nr_files++;
	return r;
}

static int add_modules(const char *dir, struct entry *entry, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/modules", dir);
	_cleanup_closedir_ DIR *modules = path ? opendir(path) : NULL;
	struct dirent *de;
	int r = 0;

	while (r == 0 && modules && (de = readdir(modules))) {
		_cleanup_free_ char *name = path_format("modules/%s", de->d_name);

		if (!name)
			return ktstr_error_nomem(err);
		if (de->d_name[0] != '.')
			r = add_file(dir, name, entry, err);
	}
	return r;
}

static int read_facts(const char *dir, struct ktstr_kernel *k, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf config = STRBUF_INIT_LIMIT(CONFIG_MAX_BYTES);
	_cleanup_free_ char *config_path = path_format("%s/config", dir);
	_cleanup_free_ char *vmlinux = path_format("%s/vmlinux", dir);
	struct image image;
	int r;

	if (!config_path || !vmlinux)
		return ktstr_error_nomem(err);
	r = image_read(vmlinux, &image, err);
	if (r < 0)
		return r;
	k->pvh = image.pvh;
	memcpy(k->build_id, image.build_id, sizeof(k->build_id));
	if (!k->release[0])
		memcpy(k->release, image.release, sizeof(k->release));
	r = io_read_file(config_path, &config, err);
	if (r == 0)
		config_facts(strbuf_str(&config), k);
	return r == -ENOENT ? 0 : r;
}

int entry_create(const char *dir, struct entry *entry, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(ENTRY_MAX_BYTES);
	_cleanup_free_ char *path = path_format("%s/kernel.json", dir);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	entry->nr_files = 0;
	r = read_facts(dir, &entry->kernel, err);
	if (r == 0)
		r = add_file(dir, "bzImage", entry, err);
	if (r == 0)
		r = add_file(dir, "vmlinux", entry, err);
	if (r == 0)
		r = add_file(dir, "config", entry, err);
	if (r == 0)
		r = add_modules(dir, entry, err);
	if (r < 0)
		return r;
	r = entry_format(entry, &text);
	if (r < 0)
		return ktstr_error_set(err, r, "describe '%s': %s", dir, strerror(-r));
	return io_write_file(path, text.data, text.len, 0644, err);
}

static int check_file(const char *dir, const struct entry_file *file, struct ktstr_kernel *k,
		      struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, file->name);
	struct stat st;

	if (!path)
		return ktstr_error_nomem(err);
	if (stat(path, &st) < 0)
		return ktstr_error_set(err, -EINVAL, "'%s' is missing", path);
	if ((uint64_t)st.st_size != file->bytes)
		return ktstr_error_set(err, -EINVAL, "'%s' has %lld bytes instead of %llu", path,
				       (long long)st.st_size, (unsigned long long)file->bytes);
	k->size_bytes += file->bytes;
	return 0;
}

static int set_path(const struct entry *entry, const char *dir, const char *name,
		    char path[KTSTR_KERNEL_PATH])
{
	size_t len = strlen(name);

	for (size_t i = 0; i < entry->nr_files; i++) {
		const char *file = entry->files[i].name;

		if (strncmp(file, name, len) != 0 || (file[len] && file[len] != '/'))
			continue;
		return snprintf(path, KTSTR_KERNEL_PATH, "%s/%s", dir, name) < KTSTR_KERNEL_PATH
			       ? 0
			       : -ENAMETOOLONG;
	}
	return 0;
}

static int set_paths(const char *dir, struct entry *entry, struct ktstr_error *err)
{
	struct ktstr_kernel *k = &entry->kernel;

	if (set_path(entry, dir, "bzImage", k->image_path) < 0 ||
	    set_path(entry, dir, "vmlinux", k->vmlinux_path) < 0 ||
	    set_path(entry, dir, "config", k->config_path) < 0 ||
	    set_path(entry, dir, "modules", k->modules_path) < 0)
		return ktstr_error_set(err, -ENAMETOOLONG, "path of '%s' is too long", dir);
	if (!k->vmlinux_path[0])
		return bad(err, "it lists no vmlinux");
	k->cached = true;
	return 0;
}

int entry_load(const char *dir, struct entry *ret_entry, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(ENTRY_MAX_BYTES);
	_cleanup_free_ char *path = path_format("%s/kernel.json", dir);
	struct entry entry;
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = io_read_file(path, &text, err);
	if (r == 0)
		r = entry_parse(strbuf_str(&text), text.len, &entry, err);
	if (r == 0 && strcmp(entry.kernel.name, path_base(dir)) != 0)
		r = bad(err, "it names another kernel than its folder");
	for (size_t i = 0; r == 0 && i < entry.nr_files; i++)
		r = check_file(dir, &entry.files[i], &entry.kernel, err);
	if (r == 0)
		r = set_paths(dir, &entry, err);
	if (r < 0)
		return r;
	*ret_entry = entry;
	return 0;
}

int entry_verify(const char *dir, const struct entry *entry, struct ktstr_error *err)
{
	for (size_t i = 0; i < entry->nr_files; i++) {
		_cleanup_free_ char *path = path_format("%s/%s", dir, entry->files[i].name);
		struct entry_file now;
		int r = path ? checksum(path, &now, err) : ktstr_error_nomem(err);

		if (r < 0)
			return r;
		if (now.bytes != entry->files[i].bytes || now.crc32 != entry->files[i].crc32)
			return ktstr_error_set(err, -EINVAL,
					       "'%s' changed since it was fetched; remove the "
					       "kernel and fetch it again",
					       path);
	}
	return 0;
}
