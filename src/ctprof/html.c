// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/html.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "ctprof/page.h"

enum { VALUE_BYTES = 256, FILE_MODE = 0644 };

static const char *name_of(const struct ktstr_ctprof_side *side, const char *otherwise)
{
	return side->name && *side->name ? side->name : otherwise;
}

void html_title(const struct html *h, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = h->comparison;

	strbuf_addstr(out, name_of(&c->sides[0], c->nr_sides > 1 ? "before" : "ctprof"));
	if (c->nr_sides > 1 && c->sides[0].name && c->sides[0].name == c->sides[1].name)
		strbuf_addstr(out, ", first moment against last");
	else if (c->nr_sides > 1)
		strbuf_addf(out, " against %s", name_of(&c->sides[1], "after"));
}

static void moment_text(uint64_t unix_ns, struct strbuf *out)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	char text[64];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		strbuf_addf(out, "%s.%03u UTC", text, (unsigned int)(unix_ns / 1000000 % 1000));
}

/* Rows of the heading; each appends what it knows of a side, nothing if it is absent. */
static void say_file(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	strbuf_addstr(out, name_of(side, ""));
}

static void say_text(const struct ktstr_ctprof_side *side, enum ktstr_ctprof_host_text text,
		     struct strbuf *out)
{
	if (side->snapshot->host.texts[text])
		strbuf_addstr(out, side->snapshot->host.texts[text]);
}

static void say_host(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	say_text(side, KTSTR_CTPROF_HOST_TEXT_HOSTNAME, out);
}

static void say_kernel(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	if (side->snapshot->kernel)
		strbuf_addstr(out, side->snapshot->kernel);
}

static void say_scheduler(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	say_text(side, KTSTR_CTPROF_HOST_TEXT_EXT_OPS, out);
}

static void say_cpus(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	const struct ktstr_ctprof_host *host = &side->snapshot->host;
	int64_t cpus;

	if (ktstr_ctprof_host_get(host, KTSTR_CTPROF_HOST_CPUS_ONLINE, &cpus))
		strbuf_addf(out, "%" PRId64 "  ", cpus);
	say_text(side, KTSTR_CTPROF_HOST_TEXT_CPU_MODEL, out);
}

static void say_boot(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	const char *id = side->snapshot->host.texts[KTSTR_CTPROF_HOST_TEXT_BOOT_ID];

	if (id)
		strbuf_addf(out, "%.8s", id);
}

static void say_moment(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	if (side->since) {
		moment_text(side->since->captured_at_unix_ns, out);
		strbuf_addstr(out, " to ");
	}
	moment_text(side->snapshot->captured_at_unix_ns, out);
}

static void say_collector(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	if (side->snapshot->collector)
		strbuf_addf(out, "%s, %.1f ms", side->snapshot->collector,
			    (double)side->snapshot->duration_ns / 1e6);
}

static void say_threads(const struct ktstr_ctprof_side *side, struct strbuf *out)
{
	uint64_t processes = side->snapshot->summary.processes;

	strbuf_addf(out, "%zu in %" PRIu64 " process%s", side->snapshot->nr_threads, processes,
		    processes == 1 ? "" : "es");
}

static const struct {
	const char *name;
	void (*say)(const struct ktstr_ctprof_side *side, struct strbuf *out);
	bool is_setting; /* worth a mark if it differs */
} heading[] = {
	{ "file", say_file, false },	   { "host", say_host, true },
	{ "kernel", say_kernel, true },	   { "scheduler", say_scheduler, true },
	{ "CPUs", say_cpus, true },	   { "boot", say_boot, true },
	{ "moment", say_moment, false },   { "collector", say_collector, false },
	{ "threads", say_threads, false },
};

static void add_heading_row(const struct html *h, size_t row, struct strbuf *out)
{
	struct strbuf texts[2] = { STRBUF_INIT, STRBUF_INIT };
	unsigned int nr = h->comparison->nr_sides;
	bool differs;

	for (unsigned int i = 0; i < nr; i++)
		heading[row].say(&h->comparison->sides[i], &texts[i]);
	differs = nr > 1 && heading[row].is_setting &&
		  strcmp(strbuf_str(&texts[0]), strbuf_str(&texts[1])) != 0;
	strbuf_addf(out, "<tr><th scope=\"row\">%s</th>", heading[row].name);
	for (unsigned int i = 0; i < nr; i++) {
		strbuf_addf(out, "<td%s><bdi>", differs ? " class=\"differs\"" : "");
		page_add_html(out, texts[i].len ? strbuf_str(&texts[i]) : "\xe2\x80\x93");
		strbuf_addstr(out, "</bdi></td>");
	}
	strbuf_addstr(out, "</tr>\n");
	for (unsigned int i = 0; i < 2; i++)
		strbuf_deinit(&texts[i]);
}

static void add_note(struct strbuf *out, const char *class, const char *text)
{
	strbuf_addf(out, "<p class=\"note%s\">", class);
	page_add_html(out, text);
	strbuf_addstr(out, "</p>\n");
}

static void add_notes(const struct html *h, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = h->comparison;
	char text[512];

	if (c->one_boot) {
		snprintf(text, sizeof(text),
			 "%.2f s of one boot%s lie between the two; %" PRIu32 " threads were born, "
			 "%" PRIu32 " ended. Threads are joined one by one: what happened "
			 "meanwhile is exact but for what those that ended did.",
			 c->seconds[1], c->guessed ? " (by the threads they share)" : "", c->born,
			 c->ended);
		add_note(out, "", text);
	} else if (c->nr_sides > 1 && c->sides[0].since) {
		snprintf(text, sizeof(text),
			 "Windows of %.2f s and %.2f s; counters are per second of each.",
			 c->seconds[0], c->seconds[1]);
		add_note(out, "", text);
	} else if (c->nr_sides > 1) {
		add_note(out, " warn",
			 "Two moments of different boots: counters run from each thread's birth, "
			 "so a thread that is older has more of everything.");
	}
	for (unsigned int i = 0; i < c->nr_sides; i++)
		for (size_t w = 0; w < c->sides[i].snapshot->nr_warnings; w++)
			add_note(out, " warn", c->sides[i].snapshot->warnings[w]);
}

void html_add_heading(const struct html *h, struct strbuf *out)
{
	strbuf_addstr(out, "<div class=\"box head\"><table class=\"what\">\n");
	if (h->comparison->nr_sides > 1)
		strbuf_addstr(out, "<thead><tr><td></td><th scope=\"col\">Before</th>"
				   "<th scope=\"col\">After</th></tr></thead>\n");
	strbuf_addstr(out, "<tbody>\n");
	for (size_t i = 0; i < sizeof(heading) / sizeof(heading[0]); i++)
		add_heading_row(h, i, out);
	strbuf_addstr(out, "</tbody></table>\n<div class=\"notes\">\n");
	add_notes(h, out);
	strbuf_addstr(out, "</div></div>");
}

size_t html_groups(const struct html *h, const struct ktstr_ctprof_block *block)
{
	return h->opts.limit && h->opts.limit < block->nr_groups ? (size_t)h->opts.limit
								 : block->nr_groups;
}

static void add_plain_value(const struct ktstr_ctprof_column *column,
			    const struct ktstr_ctprof_value *v, struct strbuf *out)
{
	char text[VALUE_BYTES];

	strbuf_addstr(out, v->there ? "<td>" : "<td class=\"absent\">");
	page_add_html(out, v->there ? ktstr_ctprof_format_value(column, v, text, sizeof(text))
				    : "\xe2\x80\x93");
	if (v->there && v->have < v->of)
		strbuf_addf(out, "<span class=\"of\">%" PRIu32 "/%" PRIu32 "</span>", v->have,
			    v->of);
	strbuf_addstr(out, "</td>");
}

static void add_plain_change(const struct ktstr_ctprof_group *g,
			     const struct ktstr_ctprof_column *column,
			     const struct ktstr_ctprof_cell *cell, struct strbuf *out)
{
	char text[KTSTR_CTPROF_NUMBER_BYTES];

	strbuf_addstr(out, "<td>");
	if (!g->on[0] || !g->on[1])
		strbuf_addstr(out, g->on[0] ? "gone" : "new");
	else if (cell->mark == KTSTR_CTPROF_MARK_IMPOSSIBLE)
		strbuf_addstr(out, "went back");
	else if (cell->has_delta)
		strbuf_addf(
			out, "%s%s",
			cell->mark == KTSTR_CTPROF_MARK_AT_LEAST ? "\xe2\x89\xa5 " : "",
			ktstr_ctprof_format_number(column->info->unit, cell->delta, true, text));
	else
		strbuf_addstr(out, cell->differs ? "differs" : "\xe2\x80\x93");
	strbuf_addstr(out, "</td>");
}

static void add_plain_row(const struct html *h, const struct ktstr_ctprof_block *block,
			  const struct ktstr_ctprof_group *g, size_t column, struct strbuf *out)
{
	const struct ktstr_ctprof_cell *cell = &g->cells[column];

	strbuf_addstr(out, "<tr><td class=\"text\"><bdi>");
	page_add_html(out, g->label);
	strbuf_addstr(out, "</bdi></td><td class=\"text mono\">");
	page_add_html(out, block->columns[column].info->name);
	strbuf_addstr(out, "</td>");
	for (unsigned int i = 0; i < h->comparison->nr_sides; i++)
		add_plain_value(&block->columns[column], &cell->sides[i], out);
	if (h->comparison->nr_sides > 1)
		add_plain_change(g, &block->columns[column], cell, out);
	strbuf_addstr(out, "</tr>\n");
}

static bool is_plain(const struct html *h, const struct ktstr_ctprof_cell *cell)
{
	if (h->comparison->nr_sides > 1)
		return cell->has_delta ? cell->delta < 0 || cell->delta > 0 : cell->differs;
	return cell->sides[0].there;
}

/* Groups come with the largest changes first; of each, what changed. */
static void add_plain_block(const struct html *h, const struct ktstr_ctprof_block *block,
			    struct strbuf *out)
{
	size_t nr = 0, groups = html_groups(h, block);

	strbuf_addf(out, "<h2>%s</h2>\n<div class=\"scroll\"><table><thead><tr>",
		    ktstr_ctprof_group_by_name(block->by));
	strbuf_addf(out,
		    "<th class=\"text\">Group</th><th class=\"text\">Metric</th>%s</tr></thead>"
		    "<tbody>\n",
		    h->comparison->nr_sides > 1 ? "<th>Before</th><th>After</th><th>Change</th>"
						: "<th>Value</th>");
	for (size_t g = 0; g < groups && nr < KTSTR_CTPROF_HTML_PLAIN; g++) {
		size_t of_group = 0;

		for (size_t i = 0; i < block->nr_columns && of_group < 10; i++) {
			if (!is_plain(h, &block->groups[g].cells[i]))
				continue;
			add_plain_row(h, block, &block->groups[g], i, out);
			of_group++;
			nr++;
		}
	}
	strbuf_addstr(out, "</tbody></table></div>\n");
}

void html_add_plain(const struct html *h, struct strbuf *out)
{
	for (size_t i = 0; i < h->comparison->nr_blocks; i++)
		add_plain_block(h, &h->comparison->blocks[i], out);
}

static int build(const struct html *h, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf title = STRBUF_INIT, escaped = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf head = STRBUF_INIT, plain = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT_LIMIT(KTSTR_CTPROF_HTML_MAX_BYTES);
	struct strbuf *const parts[] = { &title, &escaped, &head, &plain, &data };

	html_title(h, &title);
	page_add_html(&escaped, strbuf_str(&title));
	html_add_heading(h, &head);
	html_add_plain(h, &plain);
	html_add_data(h, &data);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i]->error)
			return parts[i]->error;
	return page_build((const struct page_part[]){ { "TITLE", strbuf_str(&escaped) },
						      { "HEADER", strbuf_str(&head) },
						      { "TABLE", strbuf_str(&plain) },
						      { "DATA", strbuf_str(&data) } },
			  4, out);
}

int ktstr_ctprof_html_write(const struct ktstr_ctprof_comparison *comparison,
			    const struct ktstr_ctprof_html_opts *opts, const char *path,
			    struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf page =
		STRBUF_INIT_LIMIT(KTSTR_CTPROF_HTML_MAX_BYTES + STRBUF_LIMIT);
	struct html h = { .comparison = comparison };
	int r = 0;

	if (opts)
		h.opts = *opts;
	if (h.opts.series && h.opts.series->nr > 1)
		r = html_curves_create(&h, err);
	if (r < 0)
		return r;
	r = build(&h, &page);
	html_curves_destroy(h.curves);
	if (r == -ENOMEM)
		return ktstr_error_nomem(err);
	if (r < 0)
		return ktstr_error_set(err, r,
				       "the page is over %d MiB: choose fewer groups or metrics",
				       KTSTR_CTPROF_HTML_MAX_BYTES >> 20);
	return io_write_file(path, page.data, page.len, FILE_MODE, err);
}
