// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/pull.h"
#include <ktstr/ctprof.h>

enum { ZSTD_LEVEL = 3 };

/* Called millions of times: no printf. */
static void add_number(struct strbuf *out, int64_t value)
{
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		digits[--at] = '-';
	strbuf_add(out, digits + at, sizeof(digits) - at);
}

static void add_text(struct strbuf *out, const char *text)
{
	if (text)
		pull_add_bytes(out, text);
	else
		strbuf_addstr(out, "null");
}

static void add_names(struct strbuf *out, const char *key,
		      const struct ktstr_metric_info *(*info)(unsigned int))
{
	strbuf_addf(out, ",\n\"%s\":[", key);
	for (unsigned int i = 0; info(i); i++)
		strbuf_addf(out, "%s\"%s\"", i ? "," : "", info(i)->name);
	strbuf_addch(out, ']');
}

static void add_thread(struct strbuf *out, const struct ktstr_ctprof_thread *t)
{
	int64_t value;

	strbuf_addch(out, '[');
	add_number(out, t->tgid);
	strbuf_addch(out, ',');
	add_number(out, t->tid);
	strbuf_addch(out, ',');
	add_number(out, t->jemalloc);
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_TEXTS; i++) {
		strbuf_addch(out, ',');
		add_text(out, t->texts[i]);
	}
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_METRICS; i++) {
		strbuf_addch(out, ',');
		if (ktstr_ctprof_get(t, i, &value))
			add_number(out, value);
		else
			strbuf_addstr(out, "null");
	}
	strbuf_addch(out, ']');
}

static void add_cgroup(struct strbuf *out, const struct ktstr_ctprof_cgroup *c)
{
	int64_t value;

	strbuf_addch(out, '[');
	add_text(out, c->path);
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_CGROUP_METRICS; i++) {
		strbuf_addch(out, ',');
		if (ktstr_ctprof_cgroup_get(c, i, &value))
			add_number(out, value);
		else
			strbuf_addstr(out, "null");
	}
	strbuf_addch(out, ']');
}

static void add_summary(struct strbuf *out, const struct ktstr_ctprof_summary *s)
{
	strbuf_addf(out,
		    ",\n\"summary\":{\"processes\":%" PRIu64 ",\"threads_walked\":%" PRIu64
		    ",\"ghosts\":%" PRIu64 ",\"jemalloc_processes\":%" PRIu64 ",\"stops\":%" PRIu64
		    ",\"stop_max_ns\":%" PRIu64 ",\"stop_total_ns\":%" PRIu64
		    ",\"jemalloc_tags\":{",
		    s->processes, s->threads_walked, s->ghosts, s->jemalloc_processes, s->stops,
		    s->stop_max_ns, s->stop_total_ns);
	for (unsigned int i = 0; i < KTSTR_JEMALLOC_NR_TAGS; i++)
		strbuf_addf(out, "%s\"%s\":%" PRIu64, i ? "," : "", ktstr_jemalloc_tag_name(i),
			    s->jemalloc_tags[i]);
	strbuf_addstr(out, "},\"failures\":{");
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILES; f++) {
		strbuf_addf(out, "%s\"%s\":{", f ? "," : "", ktstr_ctprof_file_name(f));
		for (unsigned int r = 0; r < KTSTR_CTPROF_NR_REASONS; r++)
			strbuf_addf(out, "%s\"%s\":%" PRIu64, r ? "," : "",
				    ktstr_ctprof_reason_name(r), s->failures[f][r]);
		strbuf_addch(out, '}');
	}
	strbuf_addstr(out, "}}");
}

static void add_snapshot(struct strbuf *out, const struct ktstr_ctprof *s)
{
	strbuf_addf(out,
		    "{\"type\":\"ktstr-ctprof\",\"version\":%d,\n\"captured_at_unix_ns\":%" PRIu64
		    ",\"duration_ns\":%" PRIu64 ",\"kernel\":",
		    KTSTR_CTPROF_VERSION, s->captured_at_unix_ns, s->duration_ns);
	add_text(out, s->kernel);
	strbuf_addstr(out, ",\"collector\":");
	add_text(out, s->collector);
	add_summary(out, &s->summary);
	strbuf_addstr(out, ",\n\"jemalloc_tags\":[");
	for (unsigned int i = 0; i < KTSTR_JEMALLOC_NR_TAGS; i++)
		strbuf_addf(out, "%s\"%s\"", i ? "," : "", ktstr_jemalloc_tag_name(i));
	strbuf_addch(out, ']');
	add_names(out, "texts", ktstr_ctprof_text_info);
	add_names(out, "metrics", ktstr_ctprof_metric_info);
	strbuf_addstr(out, ",\n\"threads\":[");
	for (size_t i = 0; i < s->nr_threads; i++) {
		strbuf_addstr(out, i ? ",\n" : "\n");
		add_thread(out, &s->threads[i]);
	}
	strbuf_addch(out, ']');
	add_names(out, "cgroup_metrics", ktstr_ctprof_cgroup_metric_info);
	strbuf_addstr(out, ",\n\"cgroups\":[");
	for (size_t i = 0; i < s->nr_cgroups; i++) {
		strbuf_addstr(out, i ? ",\n" : "\n");
		add_cgroup(out, &s->cgroups[i]);
	}
	strbuf_addstr(out, "]}\n");
}

int ktstr_ctprof_write(const struct ktstr_ctprof *snapshot, const char *path,
		       struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf json = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_FILE_BYTES);
	_cleanup_free_ void *packed = NULL;
	size_t bound, len;

	add_snapshot(&json, snapshot);
	if (json.error == -E2BIG)
		return ktstr_error_set(err, -E2BIG,
				       "write '%s': snapshot is over %d MiB; capture fewer threads",
				       path, KTSTR_CTPROF_MAX_FILE_BYTES >> 20);
	bound = ZSTD_compressBound(json.len);
	packed = json.error ? NULL : malloc(bound);
	if (!packed)
		return ktstr_error_nomem(err);
	len = ZSTD_compress(packed, bound, json.data, json.len, ZSTD_LEVEL);
	if (ZSTD_isError(len))
		return ktstr_error_set(err, -ENOMEM, "compress '%s': %s", path,
				       ZSTD_getErrorName(len));
	return io_write_file(path, packed, len, 0644, err);
}
