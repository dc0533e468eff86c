// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/loader.h"

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

static const char *leader_metric_name(unsigned int i)
{
	return metric_name(KTSTR_CTPROF_NR_THREAD_METRICS + i);
}

static const char *thread_metric_name(unsigned int i)
{
	return i < KTSTR_CTPROF_NR_THREAD_METRICS ? metric_name(i) : NULL;
}

static const char *cgroup_text_name(unsigned int i)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_cgroup_text_info(i);

	return info ? info->name : NULL;
}

static const char *host_text_name(unsigned int i)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_host_text_info(i);

	return info ? info->name : NULL;
}

static const char *host_metric_name(unsigned int i)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_host_metric_info(i);

	return info ? info->name : NULL;
}

static const char *filler_name(unsigned int i)
{
	return i < KTSTR_CTPROF_NR_FILLERS ? ktstr_ctprof_filler_name(i) : NULL;
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
	return LOADER_UNKNOWN;
}

/* Names what is not known; the name is the string taken last. */
static void warn_unknown(struct loader *l, const char *what)
{
	char name[64];
	size_t len = 0;

	for (const char *at = strbuf_str(&l->text); *at && len < sizeof(name) - 1; at++)
		name[len++] = *at > ' ' && *at <= '~' ? *at : '?';
	name[len] = '\0';
	if (builder_warn(l->builder, "%s '%s' is not known here and was passed over", what, name) <
	    0)
		l->json.error = -ENOMEM;
}

/* The value of the key taken last. */
static void skip_unknown(struct loader *l, const char *what)
{
	warn_unknown(l, what);
	pull_skip(&l->json);
}

static void load_columns(struct loader *l, struct loader_columns *c, name_fn *name,
			 const char *what)
{
	*c = (struct loader_columns){ .known = true };
	pull_open(&l->json, '[');
	while (pull_more(&l->json, ']')) {
		pull_string(&l->json, &l->text);
		if (c->nr == LOADER_MAX_COLUMNS) {
			loader_bad(l);
			return;
		}
		c->to[c->nr] = (int16_t)index_of(name, strbuf_str(&l->text));
		if (c->to[c->nr++] == LOADER_UNKNOWN && !l->json.error)
			warn_unknown(l, what);
	}
}

static void load_counts(struct loader *l, name_fn *name, const char *what, uint64_t *counts)
{
	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		int i;

		pull_key(&l->json, &l->text);
		i = index_of(name, strbuf_str(&l->text));
		if (i == LOADER_UNKNOWN)
			skip_unknown(l, what);
		else
			counts[i] = loader_count(l);
	}
}

static void load_failures(struct loader *l)
{
	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		int file;

		pull_key(&l->json, &l->text);
		file = index_of(file_name, strbuf_str(&l->text));
		if (file == LOADER_UNKNOWN)
			skip_unknown(l, "source");
		else
			load_counts(l, reason_name, "reason",
				    l->builder->head.summary.failures[file]);
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
		{ "hidden", &s->hidden },
	};

	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		size_t i = 0;

		pull_key(&l->json, &l->text);
		while (i < ARRAY_SIZE(rows) && strcmp(strbuf_str(&l->text), rows[i].key) != 0)
			i++;
		if (i < ARRAY_SIZE(rows))
			*rows[i].to = loader_count(l);
		else if (!strcmp(strbuf_str(&l->text), "jemalloc_tags"))
			load_counts(l, tag_name, "jemalloc tag", s->jemalloc_tags);
		else if (!strcmp(strbuf_str(&l->text), "failures"))
			load_failures(l);
		else
			skip_unknown(l, "part of the summary");
	}
}

static void load_host(struct loader *l)
{
	struct ktstr_ctprof_host *h = &l->builder->head.host;

	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		int text, metric;

		pull_key(&l->json, &l->text);
		text = index_of(host_text_name, strbuf_str(&l->text));
		metric = index_of(host_metric_name, strbuf_str(&l->text));
		if (text != LOADER_UNKNOWN) {
			h->texts[text] = loader_text(l);
		} else if (metric == LOADER_UNKNOWN) {
			skip_unknown(l, "value of the machine");
		} else if (!pull_null(&l->json)) {
			host_set(h, (unsigned int)metric, pull_number(&l->json));
		}
	}
}

static void load_filled(struct loader *l, unsigned int filler)
{
	struct ktstr_ctprof *head = &l->builder->head;

	pull_open(&l->json, '[');
	while (pull_more(&l->json, ']')) {
		int text, metric;

		pull_string(&l->json, &l->text);
		text = index_of(text_name, strbuf_str(&l->text));
		metric = index_of(metric_name, strbuf_str(&l->text));
		/* Names that are not known are said with their columns. */
		if (text != LOADER_UNKNOWN)
			head->text_filled_by[text] |= (uint8_t)(1u << filler);
		else if (metric != LOADER_UNKNOWN)
			head->filled_by[metric] |= (uint8_t)(1u << filler);
	}
}

static void load_filled_by(struct loader *l)
{
	pull_open(&l->json, '{');
	while (pull_more(&l->json, '}')) {
		int filler;

		pull_key(&l->json, &l->text);
		filler = index_of(filler_name, strbuf_str(&l->text));
		if (filler == LOADER_UNKNOWN)
			skip_unknown(l, "collector");
		else
			load_filled(l, (unsigned int)filler);
	}
}

static void load_type(struct loader *l)
{
	pull_string(&l->json, &l->text);
	l->typed = !strcmp(strbuf_str(&l->text), "ktstr-ctprof");
	if (!l->typed)
		loader_bad(l);
}

static void load_version(struct loader *l)
{
	l->version = pull_number(&l->json);
	if (l->version < 1)
		loader_bad(l);
	else if (l->version > KTSTR_CTPROF_VERSION &&
		 builder_warn(l->builder,
			      "file version %lld is newer than this ktstr, which knows up to %d; "
			      "what it does not know is passed over",
			      (long long)l->version, KTSTR_CTPROF_VERSION) < 0)
		l->json.error = -ENOMEM;
}

static bool load_head_member(struct loader *l)
{
	struct ktstr_ctprof *head = &l->builder->head;
	const char *key = strbuf_str(&l->text);

	if (!strcmp(key, "captured_at_unix_ns"))
		head->captured_at_unix_ns = loader_count(l);
	else if (!strcmp(key, "duration_ns"))
		head->duration_ns = loader_count(l);
	else if (!strcmp(key, "kernel"))
		head->kernel = loader_text(l);
	else if (!strcmp(key, "collector"))
		head->collector = loader_text(l);
	else if (!strcmp(key, "summary"))
		load_summary(l);
	else if (!strcmp(key, "host"))
		load_host(l);
	else if (!strcmp(key, "filled_by"))
		load_filled_by(l);
	else
		return false;
	return true;
}

static bool load_list(struct loader *l)
{
	const struct {
		const char *key;
		struct loader_columns *to;
		name_fn *name;
		const char *what;
	} lists[] = {
		{ "jemalloc_tags", &l->tags, tag_name, "jemalloc tag" },
		{ "texts", &l->texts, text_name, "text of threads" },
		{ "metrics", &l->metrics, thread_metric_name, "metric of threads" },
		{ "leader_metrics", &l->leader_metrics, leader_metric_name, "metric of leaders" },
		{ "cgroup_texts", &l->cgroup_texts, cgroup_text_name, "text of cgroups" },
		{ "cgroup_metrics", &l->cgroup_metrics, cgroup_metric_name, "metric of cgroups" },
	};
	const char *key = strbuf_str(&l->text);

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(key, lists[i].key) != 0)
			continue;
		load_columns(l, lists[i].to, lists[i].name, lists[i].what);
		return true;
	}
	if (!strcmp(key, "strings"))
		loader_strings(l);
	else if (!strcmp(key, "threads"))
		loader_threads(l);
	else if (!strcmp(key, "leaders"))
		loader_leaders(l);
	else if (!strcmp(key, "cgroups"))
		loader_cgroups(l);
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
		loader_bad(l);
	else if (!strcmp(key, "version"))
		load_version(l);
	else if (!l->version)
		loader_bad(l);
	else if (!load_list(l) && !load_head_member(l))
		skip_unknown(l, "member");
}

static int load_error(const struct loader *l, const char *name, struct ktstr_error *err)
{
	switch (l->json.error) {
	case -ENOMEM:
		return ktstr_error_nomem(err);
	case -ELOOP:
		return ktstr_error_set(err, -EBADMSG, "load '%s': nested more than %d deep", name,
				       KTSTR_CTPROF_MAX_DEPTH);
	default:
		if (l->version > KTSTR_CTPROF_VERSION)
			return ktstr_error_set(err, -EPROTONOSUPPORT,
					       "load '%s': written by a newer ktstr (file version "
					       "%lld) in a form this one (%d) cannot read; update "
					       "ktstr, or the file is damaged",
					       name, (long long)l->version, KTSTR_CTPROF_VERSION);
		if (!l->typed)
			return ktstr_error_set(err, -EBADMSG, "'%s' is not a ctprof file", name);
		return ktstr_error_set(err, -EBADMSG, "load '%s': damaged; capture it again", name);
	}
}

int ctprof_load_text(const char *text, size_t len, const char *name, const char *warning,
		     struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err)
{
	_cleanup_builder_ struct builder builder = { 0 };
	struct loader l = { .builder = &builder,
			    .json = pull_begin(text, len, KTSTR_CTPROF_MAX_DEPTH),
			    .text = STRBUF_INIT };
	struct ktstr_ctprof *snapshot;
	int r = 0;

	if (warning && builder_warn(&builder, "%s", warning) < 0)
		return ktstr_error_nomem(err);
	pull_open(&l.json, '{');
	while (pull_more(&l.json, '}')) {
		pull_key(&l.json, &l.text);
		load_member(&l);
	}
	pull_finish(&l.json);
	if (!l.typed || !l.version)
		loader_bad(&l);
	if (l.json.error)
		r = load_error(&l, name, err);
	strbuf_deinit(&l.text);
	free(l.strings);
	if (r < 0)
		return r;
	snapshot = builder_finish(&builder);
	if (!snapshot)
		return ktstr_error_nomem(err);
	*ret_snapshot = snapshot;
	return 0;
}
