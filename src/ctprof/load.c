// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/pull.h"
#include "ctprof/snapshot.h"

enum { MAX_COLUMNS = 1024, UNKNOWN = -1 };

/* What a position in a row stands for in this build: an index, or UNKNOWN. */
struct columns {
	int16_t to[MAX_COLUMNS];
	size_t nr;
	bool known;
};

struct loader {
	struct pull json;
	struct builder *builder;
	struct strbuf text; /* the string taken last */
	struct columns tags, texts, metrics, cgroup_metrics;
	bool typed;
	int64_t version;
};

/* A table's name at an index, NULL behind its end. */
typedef const char *name_fn(unsigned int index);

static const char *tag_name(unsigned int i)
{
	return i < KTSTR_JEMALLOC_NR_TAGS ? ktstr_jemalloc_tag_name(i) : NULL;
}

static const char *text_name(unsigned int i)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_text_info(i);

	return info ? info->name : NULL;
}

static const char *metric_name(unsigned int i)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(i);

	return info ? info->name : NULL;
}

static const char *cgroup_metric_name(unsigned int i)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_cgroup_metric_info(i);

	return info ? info->name : NULL;
}

static const char *file_name(unsigned int i)
{
	return i < KTSTR_CTPROF_NR_FILES ? ktstr_ctprof_file_name(i) : NULL;
}

static const char *reason_name(unsigned int i)
{
	return i < KTSTR_CTPROF_NR_REASONS ? ktstr_ctprof_reason_name(i) : NULL;
}

static int index_of(name_fn *name, const char *wanted)
{
	for (unsigned int i = 0; name(i); i++)
		if (!strcmp(name(i), wanted))
			return (int)i;
	return UNKNOWN;
}

static void bad(struct loader *l)
{
	if (!l->json.error)
		l->json.error = -EBADMSG;
}

static void load_columns(struct loader *l, struct columns *c, name_fn *name)
{
	pull_open(&l->json, '[');
	while (pull_more(&l->json, ']')) {
		pull_string(&l->json, &l->text);
		if (c->nr == MAX_COLUMNS) {
			bad(l);
			return;
		}
		c->to[c->nr++] = (int16_t)index_of(name, strbuf_str(&l->text));
	}
	c->known = true;
}

static uint64_t load_count(struct loader *l)
{
	int64_t value = pull_number(&l->json);

	if (value < 0)
		bad(l);
	return (uint64_t)value;
}

/* The interned text, NULL for null. */
static const char *load_text(struct loader *l)
{
	const char *copy;

	if (pull_null(&l->json))
		return NULL;
	pull_string(&l->json, &l->text);
	if (l->json.error)
		return NULL;
	pull_restore_bytes(&l->text);
	copy = builder_intern(l->builder, strbuf_str(&l->text), l->text.len);
	if (!copy)
		l->json.error = -ENOMEM;
	return copy;
}

static bool cell(struct loader *l)
{
	if (pull_more(&l->json, ']'))
		return true;
	bad(l);
	return false;
}

static void load_thread_values(struct loader *l, struct ktstr_ctprof_thread *t)
{
	for (size_t i = 0; i < l->texts.nr && cell(l); i++) {
		if (l->texts.to[i] == UNKNOWN)
			pull_skip(&l->json);
		else
			t->texts[l->texts.to[i]] = load_text(l);
	}
	for (size_t i = 0; i < l->metrics.nr && cell(l); i++) {
		if (l->metrics.to[i] == UNKNOWN)
			pull_skip(&l->json);
		else if (!pull_null(&l->json))
			thread_set(t, (unsigned int)l->metrics.to[i], pull_number(&l->json));
	}
	/* Columns without a name belong to nobody. */
	if (!l->json.error && pull_more(&l->json, ']'))
		bad(l);
}

static void load_thread(struct loader *l)
{
	struct ktstr_ctprof_thread *t = builder_add_thread(l->builder);
	uint64_t ids[3] = { 0 };

	if (!t) {
		l->json.error = -ENOMEM;
		return;
	}
	pull_open(&l->json, '[');
	for (int i = 0; i < 3 && cell(l); i++)
		ids[i] = load_count(l);
	if (ids[0] > UINT32_MAX || ids[1] > UINT32_MAX || ids[2] >= l->tags.nr) {
		bad(l);
		return;
	}
	t->tgid = (uint32_t)ids[0];
	t->tid = (uint32_t)ids[1];
	/* A tag this build does not know is still no reading. */
	t->jemalloc = l->tags.to[ids[2]] == UNKNOWN ? KTSTR_JEMALLOC_NOT_ASKED
						    : (enum ktstr_jemalloc_tag)l->tags.to[ids[2]];
	load_thread_values(l, t);
}

static void load_cgroup(struct loader *l)
{
	struct ktstr_ctprof_cgroup *c = builder_add_cgroup(l->builder);

	if (!c) {
		l->json.error = -ENOMEM;
		return;
	}
	pull_open(&l->json, '[');
	if (cell(l))
		c->path = load_text(l);
	if (!c->path)
		bad(l);
	for (size_t i = 0; i < l->cgroup_metrics.nr && cell(l); i++) {
		if (l->cgroup_metrics.to[i] == UNKNOWN)
			pull_skip(&l->json);
		else if (!pull_null(&l->json))
			cgroup_set(c, (unsigned int)l->cgroup_metrics.to[i], pull_number(&l->json));
	}
	if (!l->json.error && pull_more(&l->json, ']'))
		bad(l);
}

/* The lists that explain the rows must come before them. */
static void load_rows(struct loader *l, bool explained, void (*row)(struct loader *))
{
	if (!explained)
		bad(l);
	pull_open(&l->json, '[');
	while (pull_more(&l->json, ']'))
		row(l);
}

static void load_counts(struct loader *l, name_fn *name, uint64_t *counts)
{
	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		int i;

		pull_key(&l->json, &l->text);
		i = index_of(name, strbuf_str(&l->text));
		if (i == UNKNOWN)
			pull_skip(&l->json);
		else
			counts[i] = load_count(l);
	}
}

static void load_failures(struct loader *l)
{
	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		int file;

		pull_key(&l->json, &l->text);
		file = index_of(file_name, strbuf_str(&l->text));
		if (file == UNKNOWN)
			pull_skip(&l->json);
		else
			load_counts(l, reason_name, l->builder->head.summary.failures[file]);
	}
}

static void load_summary(struct loader *l)
{
	struct ktstr_ctprof_summary *s = &l->builder->head.summary;
	const struct {
		const char *key;
		uint64_t *to;
	} rows[] = {
		{ "processes", &s->processes },
		{ "threads_walked", &s->threads_walked },
		{ "ghosts", &s->ghosts },
		{ "stops", &s->stops },
		{ "stop_max_ns", &s->stop_max_ns },
		{ "jemalloc_processes", &s->jemalloc_processes },
		{ "stop_total_ns", &s->stop_total_ns },
	};

	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		size_t i = 0;

		pull_key(&l->json, &l->text);
		while (i < ARRAY_SIZE(rows) && strcmp(strbuf_str(&l->text), rows[i].key) != 0)
			i++;
		if (i < ARRAY_SIZE(rows))
			*rows[i].to = load_count(l);
		else if (!strcmp(strbuf_str(&l->text), "jemalloc_tags"))
			load_counts(l, tag_name, s->jemalloc_tags);
		else if (!strcmp(strbuf_str(&l->text), "failures"))
			load_failures(l);
		else
			pull_skip(&l->json);
	}
}

static void load_type(struct loader *l)
{
	pull_string(&l->json, &l->text);
	l->typed = !strcmp(strbuf_str(&l->text), "ktstr-ctprof");
	if (!l->typed)
		bad(l);
}

static void load_version(struct loader *l)
{
	l->version = pull_number(&l->json);
	if (l->version < 1)
		bad(l);
	else if (l->version > KTSTR_CTPROF_VERSION)
		l->json.error = -EPROTONOSUPPORT;
}

static bool load_head_member(struct loader *l)
{
	struct ktstr_ctprof *head = &l->builder->head;
	const char *key = strbuf_str(&l->text);

	if (!strcmp(key, "captured_at_unix_ns"))
		head->captured_at_unix_ns = load_count(l);
	else if (!strcmp(key, "duration_ns"))
		head->duration_ns = load_count(l);
	else if (!strcmp(key, "kernel"))
		head->kernel = load_text(l);
	else if (!strcmp(key, "collector"))
		head->collector = load_text(l);
	else if (!strcmp(key, "summary"))
		load_summary(l);
	else
		return false;
	return true;
}

static void load_member(struct loader *l)
{
	const char *key = strbuf_str(&l->text);

	/* Type and version come first: nothing is believed before. */
	if (!strcmp(key, "type"))
		load_type(l);
	else if (!l->typed)
		bad(l);
	else if (!strcmp(key, "version"))
		load_version(l);
	else if (!l->version)
		bad(l);
	else if (!strcmp(key, "jemalloc_tags"))
		load_columns(l, &l->tags, tag_name);
	else if (!strcmp(key, "texts"))
		load_columns(l, &l->texts, text_name);
	else if (!strcmp(key, "metrics"))
		load_columns(l, &l->metrics, metric_name);
	else if (!strcmp(key, "cgroup_metrics"))
		load_columns(l, &l->cgroup_metrics, cgroup_metric_name);
	else if (!strcmp(key, "threads"))
		load_rows(l, l->tags.known && l->texts.known && l->metrics.known, load_thread);
	else if (!strcmp(key, "cgroups"))
		load_rows(l, l->cgroup_metrics.known, load_cgroup);
	else if (!load_head_member(l))
		pull_skip(&l->json);
}

static int load_error(const struct loader *l, const char *name, struct ktstr_error *err)
{
	switch (l->json.error) {
	case -ENOMEM:
		return ktstr_error_nomem(err);
	case -ELOOP:
		return ktstr_error_set(err, -ELOOP, "load '%s': nested more than %d deep", name,
				       KTSTR_CTPROF_MAX_DEPTH);
	case -EPROTONOSUPPORT:
		return ktstr_error_set(err, -EPROTONOSUPPORT,
				       "load '%s': written by a newer ktstr (file version %lld, "
				       "this one reads up to %d); update ktstr",
				       name, (long long)l->version, KTSTR_CTPROF_VERSION);
	default:
		if (!l->typed)
			return ktstr_error_set(err, -EBADMSG, "'%s' is not a ctprof file", name);
		return ktstr_error_set(err, -EBADMSG, "load '%s': damaged; capture it again", name);
	}
}

int ctprof_load_text(const char *text, size_t len, const char *name,
		     struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err)
{
	_cleanup_builder_ struct builder builder = { 0 };
	struct loader l = { .builder = &builder,
			    .json = pull_begin(text, len, KTSTR_CTPROF_MAX_DEPTH),
			    .text = STRBUF_INIT };
	struct ktstr_ctprof *snapshot;
	int r = 0;

	pull_open(&l.json, '{');
	while (pull_more(&l.json, '}')) {
		pull_key(&l.json, &l.text);
		load_member(&l);
	}
	pull_finish(&l.json);
	if (!l.typed || !l.version)
		bad(&l);
	if (l.json.error)
		r = load_error(&l, name, err);
	strbuf_deinit(&l.text);
	if (r < 0)
		return r;
	snapshot = builder_finish(&builder);
	if (!snapshot)
		return ktstr_error_nomem(err);
	*ret_snapshot = snapshot;
	return 0;
}

/* Return: 0, -EBADMSG, -E2BIG, -ENOMEM. */
static int unpack(const void *bytes, size_t len, struct strbuf *out)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	size_t chunk_size = ZSTD_DStreamOutSize(), left = 1;
	_cleanup_free_ char *chunk = malloc(chunk_size);
	ZSTD_inBuffer in = { bytes, len, 0 };
	int r = stream && chunk ? 0 : -ENOMEM;

	while (r == 0 && left) {
		ZSTD_outBuffer to = { chunk, chunk_size, 0 };
		size_t before = in.pos;

		left = ZSTD_decompressStream(stream, &to, &in);
		if (ZSTD_isError(left) || (!to.pos && in.pos == before && left))
			r = -EBADMSG;
		else
			strbuf_add(out, chunk, to.pos);
		if (r == 0)
			r = out->error;
	}
	ZSTD_freeDStream(stream);
	return r == 0 && in.pos != in.size ? -EBADMSG : r;
}

int ctprof_load_packed(const void *bytes, size_t len, const char *name,
		       struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_FILE_BYTES);
	static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	int r;

	if (len < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)))
		return ktstr_error_set(err, -EBADMSG, "'%s' is not a ctprof file", name);
	r = unpack(bytes, len, &text);
	if (r == -E2BIG)
		return ktstr_error_set(err, r, "load '%s': more than %d MiB when unpacked", name,
				       KTSTR_CTPROF_MAX_FILE_BYTES >> 20);
	if (r == -EBADMSG)
		return ktstr_error_set(err, r, "load '%s': damaged or cut short; capture it again",
				       name);
	if (r < 0)
		return ktstr_error_nomem(err);
	return ctprof_load_text(strbuf_str(&text), text.len, name, ret_snapshot, err);
}

int ktstr_ctprof_load(const char *path, struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_FILE_BYTES);
	int r = io_read_file(path, &bytes, err);

	if (r < 0)
		return r;
	return ctprof_load_packed(strbuf_str(&bytes), bytes.len, path, ret_snapshot, err);
}
