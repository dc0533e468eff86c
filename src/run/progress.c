// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/progress.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

static void add_counts(const struct progress *progress, struct strbuf *out)
{
	const struct totals *totals = progress->totals;
	unsigned int done = 0;

	for (size_t i = 0; i < TOTALS_PARTS; i++)
		done += totals->counts[totals_parts[i].verdict];
	strbuf_addf(out, "[%u/%u]", done, totals->planned);
	if (progress->elapsed_ns)
		strbuf_addf(out, " %llu s%s",
			    (unsigned long long)(progress->elapsed_ns / NSEC_PER_SEC),
			    done ? "," : "");
	for (size_t i = 0; i < TOTALS_PARTS; i++)
		if (totals->counts[totals_parts[i].verdict])
			strbuf_addf(out, " %u %s", totals->counts[totals_parts[i].verdict],
				    totals_parts[i].word);
}

static void add_item(const struct progress_item *item, struct strbuf *out)
{
	strbuf_addstr(out, item->id);
	if (!item->status.exact || !item->status.wall_ns)
		return;
	strbuf_addstr(out, " (virtual ");
	text_add_duration(out, item->status.virtual_ns);
	strbuf_addstr(out, " in ");
	text_add_duration(out, item->status.wall_ns);
	strbuf_addch(out, ')');
}

void progress_line(const struct progress *progress, struct strbuf *out)
{
	size_t nr = progress->nr_running, shown = nr < PROGRESS_NAMES ? nr : PROGRESS_NAMES;

	add_counts(progress, out);
	strbuf_addstr(out, progress->stopping ? "; stopping, waiting for " : "; ");
	for (size_t i = 0; i < shown; i++) {
		strbuf_addstr(out, i ? ", " : "");
		add_item(&progress->running[i], out);
	}
	if (nr > shown)
		strbuf_addf(out, " and %zu more", nr - shown);
	strbuf_addstr(out, " ...");
}
