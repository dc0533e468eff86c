// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/packer.h"
#include "ctprof/pull.h"

enum { MAX_COLUMNS = 512 };

_Static_assert(MAX_COLUMNS *(PACKER_NUMBER_BYTES + 1) + 1 < PACKER_BYTES, "a row fits");
_Static_assert((int)KTSTR_CTPROF_NR_THREAD_METRICS <= MAX_COLUMNS, "a column each");
_Static_assert((int)KTSTR_CTPROF_NR_CGROUP_METRICS <= MAX_COLUMNS, "a column each");

/* The columns that are written: those with a value somewhere. */
struct columns {
	uint16_t of[MAX_COLUMNS];
	size_t nr;
};

/* A text by its address: equal texts of a snapshot are mostly one copy. */
struct string {
	const char *text; /* NULL: free */
	uint32_t index;
};

struct writer {
	struct packer out;
	struct string *strings; /* open hash */
	size_t nr_strings, strings_size;
	struct strbuf text; /* one text, quoted */
	const struct ktstr_ctprof *snapshot;
};

typedef const struct ktstr_metric_info *info_fn(unsigned int index);

static void add_text(struct writer *w, const char *text)
{
	if (!text) {
		packer_add(&w->out, "null", 4);
		return;
	}
	strbuf_clear(&w->text);
	pull_add_bytes(&w->text, text);
	packer_add(&w->out, strbuf_str(&w->text), w->text.len);
	if (w->text.error && !w->out.error)
		w->out.error = w->text.error;
}

static struct string *slot_for(struct string *strings, size_t size, const char *text)
{
	size_t i = ((uintptr_t)text * 0x9e3779b97f4a7c15ull >> 20) & (size - 1);

	while (strings[i].text && strings[i].text != text)
		i = (i + 1) & (size - 1);
	return &strings[i];
}

static int grow_strings(struct writer *w)
{
	size_t size = w->strings_size ? w->strings_size * 2 : 1024;
	struct string *bigger;

	if (w->nr_strings * 2 < w->strings_size)
		return 0;
	bigger = calloc(size, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	for (size_t i = 0; i < w->strings_size; i++)
		if (w->strings[i].text)
			*slot_for(bigger, size, w->strings[i].text) = w->strings[i];
	free(w->strings);
	w->strings = bigger;
	w->strings_size = size;
	return 0;
}

/* Lists @text, written as it is listed first. */
static void list_string(struct writer *w, const char *text)
{
	struct string *slot;

	if (!text || w->out.error)
		return;
	if (grow_strings(w) < 0) {
		w->out.error = -ENOMEM;
		return;
	}
	slot = slot_for(w->strings, w->strings_size, text);
	if (slot->text)
		return;
	if (w->nr_strings)
		packer_addch(&w->out, ',');
	*slot = (struct string){ text, (uint32_t)w->nr_strings++ };
	add_text(w, text);
}

static void add_references(struct writer *w, const char *const *texts, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		packer_addch(&w->out, ',');
		if (!texts[i])
			packer_add(&w->out, "null", 4);
		else if (!w->out.error)
			packer_add_number(&w->out,
					  slot_for(w->strings, w->strings_size, texts[i])->index);
	}
}

static void add_strings(struct writer *w)
{
	const struct ktstr_ctprof *s = w->snapshot;

	packer_addstr(&w->out, ",\"strings\":[");
	for (size_t i = 0; i < s->nr_threads; i++)
		for (size_t k = 0; k < KTSTR_CTPROF_NR_TEXTS; k++)
			list_string(w, s->threads[i].texts[k]);
	packer_addch(&w->out, ']');
}

static void add_texts(struct writer *w, const char *const *texts, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		packer_addch(&w->out, ',');
		add_text(w, texts[i]);
	}
}

static void add_row(struct writer *w, const struct columns *c, const uint64_t *present,
		    const int64_t *values)
{
	char *at = packer_room(&w->out, c->nr * (PACKER_NUMBER_BYTES + 1) + 1);

	for (size_t k = 0; k < c->nr; k++) {
		size_t i = c->of[k];

		*at++ = ',';
		if (present[i / 64] >> (i % 64) & 1)
			at = packer_put_number(at, values[i]);
		else
			at = mempcpy(at, "null", 4);
	}
	*at++ = ']';
	packer_take(&w->out, at);
}

static void add_names(struct writer *w, const char *key, info_fn *info)
{
	packer_addf(&w->out, ",\"%s\":[", key);
	for (unsigned int i = 0; info(i); i++)
		packer_addf(&w->out, "%s\"%s\"", i ? "," : "", info(i)->name);
	packer_addch(&w->out, ']');
}

/* @base: the info of the first column. */
static void add_columns(struct writer *w, const char *key, info_fn *info, unsigned int base,
			const struct columns *c)
{
	packer_addf(&w->out, ",\"%s\":[", key);
	for (size_t i = 0; i < c->nr; i++)
		packer_addf(&w->out, "%s\"%s\"", i ? "," : "", info(base + c->of[i])->name);
	packer_addch(&w->out, ']');
}

static struct columns columns_of(const uint64_t *used, unsigned int nr)
{
	struct columns c = { .nr = 0 };

	for (unsigned int i = 0; i < nr; i++)
		if (used[i / 64] >> (i % 64) & 1)
			c.of[c.nr++] = (uint16_t)i;
	return c;
}

static void add_threads(struct writer *w)
{
	const struct ktstr_ctprof *s = w->snapshot;
	uint64_t used[KTSTR_CTPROF_PRESENT_WORDS] = { 0 };
	struct columns c;

	for (size_t i = 0; i < s->nr_threads; i++)
		for (size_t k = 0; k < KTSTR_CTPROF_PRESENT_WORDS; k++)
			used[k] |= s->threads[i].present[k];
	c = columns_of(used, KTSTR_CTPROF_NR_THREAD_METRICS);
	add_names(w, "texts", ktstr_ctprof_text_info);
	add_columns(w, "metrics", ktstr_ctprof_metric_info, 0, &c);
	packer_addstr(&w->out, ",\"threads\":[");
	for (size_t i = 0; i < s->nr_threads; i++) {
		const struct ktstr_ctprof_thread *t = &s->threads[i];

		packer_addstr(&w->out, i ? ",[" : "[");
		packer_add_number(&w->out, t->tgid);
		packer_addch(&w->out, ',');
		packer_add_number(&w->out, t->tid);
		packer_addch(&w->out, ',');
		packer_add_number(&w->out, t->jemalloc);
		add_references(w, t->texts, KTSTR_CTPROF_NR_TEXTS);
		add_row(w, &c, t->present, t->values);
	}
	packer_addch(&w->out, ']');
}

static void add_leaders(struct writer *w)
{
	const struct ktstr_ctprof *s = w->snapshot;
	const char *comma = "";
	uint64_t used = 0;
	struct columns c;

	for (size_t i = 0; i < s->nr_threads; i++)
		used |= s->threads[i].leader ? s->threads[i].leader->present : 0;
	c = columns_of(&used, KTSTR_CTPROF_NR_LEADER_METRICS);
	add_columns(w, "leader_metrics", ktstr_ctprof_metric_info, KTSTR_CTPROF_NR_THREAD_METRICS,
		    &c);
	packer_addstr(&w->out, ",\"leaders\":[");
	for (size_t i = 0; i < s->nr_threads; i++) {
		const struct ktstr_ctprof_thread *t = &s->threads[i];

		if (!t->leader || !t->leader->present || t->tid != t->tgid)
			continue;
		packer_addf(&w->out, "%s[%" PRIu32, comma, t->tgid);
		add_row(w, &c, &t->leader->present, t->leader->values);
		comma = ",";
	}
	packer_addch(&w->out, ']');
}

static void add_cgroups(struct writer *w)
{
	const struct ktstr_ctprof *s = w->snapshot;
	uint64_t used[KTSTR_CTPROF_CGROUP_PRESENT_WORDS] = { 0 };
	struct columns c;

	for (size_t i = 0; i < s->nr_cgroups; i++)
		for (size_t k = 0; k < KTSTR_CTPROF_CGROUP_PRESENT_WORDS; k++)
			used[k] |= s->cgroups[i].present[k];
	c = columns_of(used, KTSTR_CTPROF_NR_CGROUP_METRICS);
	add_names(w, "cgroup_texts", ktstr_ctprof_cgroup_text_info);
	add_columns(w, "cgroup_metrics", ktstr_ctprof_cgroup_metric_info, 0, &c);
	packer_addstr(&w->out, ",\"cgroups\":[");
	for (size_t i = 0; i < s->nr_cgroups; i++) {
		packer_addstr(&w->out, i ? ",[" : "[");
		add_text(w, s->cgroups[i].path);
		add_texts(w, s->cgroups[i].texts, KTSTR_CTPROF_NR_CGROUP_TEXTS);
		add_row(w, &c, s->cgroups[i].present, s->cgroups[i].values);
	}
	packer_addch(&w->out, ']');
}

static void add_host(struct writer *w)
{
	const struct ktstr_ctprof_host *h = &w->snapshot->host;
	const char *comma = "";
	int64_t value;

	packer_addstr(&w->out, ",\"host\":{");
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_HOST_TEXTS; i++) {
		if (!h->texts[i])
			continue;
		packer_addf(&w->out, "%s\"%s\":", comma, ktstr_ctprof_host_text_info(i)->name);
		add_text(w, h->texts[i]);
		comma = ",";
	}
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_HOST_METRICS; i++) {
		if (!ktstr_ctprof_host_get(h, i, &value))
			continue;
		packer_addf(&w->out, "%s\"%s\":%" PRId64, comma,
			    ktstr_ctprof_host_metric_info(i)->name, value);
		comma = ",";
	}
	packer_addch(&w->out, '}');
}

static const char *add_filled(struct writer *w, const char *comma, const uint8_t *by,
			      unsigned int f, info_fn *info)
{
	for (unsigned int i = 0; info(i); i++) {
		if (!(by[i] >> f & 1))
			continue;
		packer_addf(&w->out, "%s\"%s\"", comma, info(i)->name);
		comma = ",";
	}
	return comma;
}

static void add_filled_by(struct writer *w)
{
	const struct ktstr_ctprof *s = w->snapshot;

	packer_addstr(&w->out, ",\"filled_by\":{");
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILLERS; f++) {
		const char *comma = "";

		packer_addf(&w->out, "%s\"%s\":[", f ? "," : "", ktstr_ctprof_filler_name(f));
		comma = add_filled(w, comma, s->text_filled_by, f, ktstr_ctprof_text_info);
		add_filled(w, comma, s->filled_by, f, ktstr_ctprof_metric_info);
		packer_addch(&w->out, ']');
	}
	packer_addch(&w->out, '}');
}

static void add_summary(struct writer *w)
{
	const struct ktstr_ctprof_summary *s = &w->snapshot->summary;
	struct packer *out = &w->out;

	packer_addf(out,
		    ",\"summary\":{\"processes\":%" PRIu64 ",\"threads_walked\":%" PRIu64
		    ",\"ghosts\":%" PRIu64 ",\"jemalloc_processes\":%" PRIu64 ",\"stops\":%" PRIu64
		    ",\"stop_max_ns\":%" PRIu64 ",\"stop_total_ns\":%" PRIu64 ",\"hidden\":%" PRIu64
		    ",\"jemalloc_tags\":{",
		    s->processes, s->threads_walked, s->ghosts, s->jemalloc_processes, s->stops,
		    s->stop_max_ns, s->stop_total_ns, s->hidden);
	for (unsigned int i = 0; i < KTSTR_JEMALLOC_NR_TAGS; i++)
		packer_addf(out, "%s\"%s\":%" PRIu64, i ? "," : "", ktstr_jemalloc_tag_name(i),
			    s->jemalloc_tags[i]);
	packer_addstr(out, "},\"failures\":{");
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILES; f++) {
		packer_addf(out, "%s\"%s\":{", f ? "," : "", ktstr_ctprof_file_name(f));
		for (unsigned int r = 0; r < KTSTR_CTPROF_NR_REASONS; r++)
			packer_addf(out, "%s\"%s\":%" PRIu64, r ? "," : "",
				    ktstr_ctprof_reason_name(r), s->failures[f][r]);
		packer_addch(out, '}');
	}
	packer_addstr(out, "}}");
}

static void add_snapshot(struct writer *w)
{
	const struct ktstr_ctprof *s = w->snapshot;
	struct packer *out = &w->out;

	packer_addf(out,
		    "{\"type\":\"ktstr-ctprof\",\"version\":%d,\"captured_at_unix_ns\":%" PRIu64
		    ",\"duration_ns\":%" PRIu64 ",\"kernel\":",
		    KTSTR_CTPROF_VERSION, s->captured_at_unix_ns, s->duration_ns);
	add_text(w, s->kernel);
	packer_addstr(out, ",\"collector\":");
	add_text(w, s->collector);
	add_filled_by(w);
	add_summary(w);
	add_host(w);
	packer_addstr(out, ",\"jemalloc_tags\":[");
	for (unsigned int i = 0; i < KTSTR_JEMALLOC_NR_TAGS; i++)
		packer_addf(out, "%s\"%s\"", i ? "," : "", ktstr_jemalloc_tag_name(i));
	packer_addch(out, ']');
	add_strings(w);
	add_threads(w);
	add_leaders(w);
	add_cgroups(w);
	packer_addstr(out, "}\n");
}

int ctprof_pack(const struct ktstr_ctprof *snapshot, const char *name, struct strbuf *ret_bytes,
		struct ktstr_error *err)
{
	struct writer w = { .snapshot = snapshot, .text = STRBUF_INIT };
	int r = packer_init(&w.out, KTSTR_CTPROF_MAX_FILE_BYTES);

	if (r == 0) {
		add_snapshot(&w);
		r = packer_finish(&w.out);
	}
	if (r == 0) {
		strbuf_deinit(ret_bytes);
		*ret_bytes = w.out.packed;
		w.out.packed = (struct strbuf)STRBUF_INIT;
	}
	packer_deinit(&w.out);
	strbuf_deinit(&w.text);
	free(w.strings);
	if (r == -E2BIG)
		return ktstr_error_set(err, r,
				       "write '%s': snapshot is over %d MiB; capture fewer threads",
				       name, KTSTR_CTPROF_MAX_FILE_BYTES >> 20);
	return r < 0 ? ktstr_error_nomem(err) : 0;
}

int ktstr_ctprof_write(const struct ktstr_ctprof *snapshot, const char *path,
		       struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	int r = ctprof_pack(snapshot, path, &bytes, err);

	if (r < 0)
		return r;
	return io_write_file(path, bytes.data, bytes.len, 0644, err);
}
