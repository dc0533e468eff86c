// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "watch.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ktstr/api.h>

#include "cli.h"
#include "ctprof_text.h"

enum { HEAD_ROWS = 4, HELP_FIRST = 14 };

static const char *clock_text(uint64_t unix_ns, char buf[16])
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(buf, 16, "%H:%M:%S", &tm))
		snprintf(buf, 16, "-");
	return buf;
}

/* What one of the columns is, for those who wonder. */
static void sort_text(const struct watch *w, char *buf, size_t size)
{
	const struct ktstr_metric_info *info =
		ktstr_ctprof_metric_info(w->view.metrics[w->view.sort]);

	snprintf(buf, size, "sorted by %s%s: %s%s%s", info->name,
		 w->view.ascending ? " (smallest first)" : "", info->about,
		 *info->needs ? " Needs " : "", info->needs);
}

static void put_head(struct watch *w, size_t nr_rows)
{
	const struct ktstr_ctprof *s = w->newer.snapshot;
	char line[WATCH_LINE], at[16];

	snprintf(line, sizeof(line), "ktstr watch  %s  by %s, every %.3g s%s%s   Linux %s",
		 clock_text(s->captured_at_unix_ns, at), watch_by_name(w->view.by),
		 (double)w->interval_ns / 1e9, w->paused ? "  PAUSED" : "",
		 w->movers ? "" : "  measuring ...", s->kernel ? s->kernel : "-");
	watch_screen_put(&w->screen, 0, WATCH_BOLD, line);
	snprintf(line, sizeof(line),
		 "%" PRIu64 " processes, %zu threads, %" PRIu64 " new, %" PRIu64
		 " gone; %s, %.1f ms a capture",
		 s->summary.processes, s->nr_threads, w->movers ? w->movers->threads_new : 0,
		 w->movers ? w->movers->threads_gone : 0, s->collector ? s->collector : "-",
		 (double)s->duration_ns / 1e6);
	watch_screen_put(&w->screen, 1, WATCH_PLAIN, line);
	sort_text(w, line, sizeof(line));
	if (w->typing)
		snprintf(line, sizeof(line), "filter: %s_   Enter keeps it, Esc drops it",
			 w->view.filter);
	else if (*w->view.filter)
		snprintf(line, sizeof(line), "filter: %s   %zu of %zu rows", w->view.filter,
			 nr_rows, w->movers ? w->movers->nr_rows : 0);
	watch_screen_put(&w->screen, 2, w->typing || *w->view.filter ? WATCH_BOLD : WATCH_DIM,
			 line);
	watch_screen_put(&w->screen, 3, WATCH_HEADING,
			 watch_heading(&w->view, w->screen.columns, line));
}

static void put_help(struct watch *w)
{
	static const char *const lines[] = {
		"",
		"  p t n c    rows: processes, threads, names, cgroups",
		"  < >        sort by the next column, left or right (arrows too)",
		"  r          turn the order round",
		"  /          filter by a part of the name, or by an id; Esc drops it",
		"  up down    scroll; page up, page down, home",
		"  space      pause, or go on",
		"  q          quit",
		"",
		"  Rates are per second of the interval; 100 % is one CPU.  ~ before a number:",
		"  not all threads of the row have it.  -: absent, never zero.  THR: threads,",
		"  +NEW-: of these new, and gone since.  A new thread counts from its birth.",
		"",
		"  Columns:",
	};
	char line[WATCH_LINE], label[WATCH_CELL];
	size_t row = HEAD_ROWS;

	for (size_t i = 0; i < HELP_FIRST; i++)
		watch_screen_put(&w->screen, row++, WATCH_PLAIN, lines[i]);
	for (size_t i = 0; i < w->view.nr_metrics; i++) {
		const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(w->view.metrics[i]);

		snprintf(line, sizeof(line), "  %-6s     %s: %s",
			 watch_label(w->view.metrics[i], label), info->name, info->about);
		watch_screen_put(&w->screen, row++, WATCH_PLAIN, line);
	}
}

static void put_rows(struct watch *w, const struct watch_row *rows, size_t nr)
{
	size_t room = w->screen.rows > HEAD_ROWS + 1 ? w->screen.rows - HEAD_ROWS - 1 : 0;
	char line[WATCH_LINE];

	if (w->top + room > nr)
		w->top = nr > room ? nr - room : 0;
	for (size_t i = 0; i < room && w->top + i < nr; i++) {
		const struct ktstr_ctprof_mover *m = rows[w->top + i].mover;

		watch_screen_put(&w->screen, HEAD_ROWS + i,
				 !m->threads			? WATCH_DIM
				 : m->threads_new == m->threads ? WATCH_BOLD
								: WATCH_PLAIN,
				 watch_line(&w->view, m, w->seconds, w->screen.columns, line));
	}
}

int watch_draw(struct watch *w)
{
	struct watch_row *rows = NULL;
	size_t nr = 0;

	if (w->movers) {
		rows = watch_sort(&w->view, w->movers, w->seconds, &nr);
		if (!rows)
			return -ENOMEM;
	}
	watch_screen_begin(&w->screen);
	put_head(w, nr);
	if (w->help)
		put_help(w);
	else
		put_rows(w, rows, nr);
	watch_screen_put(&w->screen, w->screen.rows - 1, WATCH_DIM,
			 w->help ? "any key: back"
				 : "q quit  p t n c rows  < > sort  r turn  / filter  space pause"
				   "  ? help");
	watch_screen_show(&w->screen);
	free(rows);
	return 0;
}

static void type(struct watch *w)
{
	size_t len = strlen(w->view.filter);
	int key = w->screen.key;

	if (key == '\r' || key == '\n') {
		w->typing = false;
	} else if (key == WATCH_KEY_ESCAPE) {
		memcpy(w->view.filter, w->before_typing, sizeof(w->view.filter));
		w->typing = false;
	} else if ((key == 0177 || key == '\b') && len) {
		w->view.filter[len - 1] = '\0';
	} else if (key == 'U' - '@') {
		w->view.filter[0] = '\0';
	} else if (key >= ' ' && key <= '~' && len + 1 < sizeof(w->view.filter)) {
		w->view.filter[len] = (char)key;
		w->view.filter[len + 1] = '\0';
	}
	w->top = 0;
}

static int group_by(struct watch *w, enum ktstr_ctprof_movers_by by, struct ktstr_error *err)
{
	w->view.by = by;
	w->top = 0;
	return watch_recompute(w, err);
}

static void scroll(struct watch *w, int key)
{
	size_t page = w->screen.rows > HEAD_ROWS + 2 ? w->screen.rows - HEAD_ROWS - 2 : 1;

	if (key == WATCH_KEY_HOME)
		w->top = 0;
	else if (key == WATCH_KEY_END)
		w->top = w->movers ? w->movers->nr_rows : 0;
	else if (key == WATCH_KEY_DOWN || key == 'j')
		w->top++;
	else if (key == WATCH_KEY_PAGE_DOWN)
		w->top += page;
	else if (key == WATCH_KEY_UP || key == 'k')
		w->top -= w->top > 0;
	else if (key == WATCH_KEY_PAGE_UP)
		w->top -= w->top < page ? w->top : page;
}

static void change_view(struct watch *w, int key)
{
	struct watch_view *v = &w->view;

	if (key == '<' || key == WATCH_KEY_LEFT)
		v->sort = v->sort ? v->sort - 1 : v->nr_metrics - 1;
	else if (key == '>' || key == WATCH_KEY_RIGHT)
		v->sort = (v->sort + 1) % v->nr_metrics;
	else if (key == 'r')
		v->ascending = !v->ascending;
	else if (key == WATCH_KEY_ESCAPE)
		v->filter[0] = '\0';
	else
		return;
	w->top = 0;
}

int watch_press(struct watch *w, struct ktstr_error *err)
{
	int key = w->screen.key;

	if (w->typing) {
		type(w);
		return 0;
	}
	if (w->help) {
		w->help = false;
		return key == 'q';
	}
	switch (key) {
	case 'q':
		return 1;
	case '?':
	case 'h':
		w->help = true;
		return 0;
	case '/':
		memcpy(w->before_typing, w->view.filter, sizeof(w->before_typing));
		w->typing = true;
		return 0;
	case ' ':
		w->paused = !w->paused;
		return 0;
	case 'p':
		return group_by(w, KTSTR_CTPROF_MOVERS_BY_PROCESS, err);
	case 't':
		return group_by(w, KTSTR_CTPROF_MOVERS_BY_THREAD, err);
	case 'n':
		return group_by(w, KTSTR_CTPROF_MOVERS_BY_NAME, err);
	case 'c':
		return group_by(w, KTSTR_CTPROF_MOVERS_BY_CGROUP, err);
	default:
		scroll(w, key);
		change_view(w, key);
		return 0;
	}
}

int watch_print(struct watch *w)
{
	size_t nr = 0, shown;
	struct watch_row *rows = watch_sort(&w->view, w->movers, w->seconds, &nr);
	char line[WATCH_LINE], at[16];

	if (!rows)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	shown = w->limit && w->limit < nr ? (size_t)w->limit : nr;
	printf("%s  %.2f s  %" PRIu64 " threads, %" PRIu64 " new, %" PRIu64 " gone\n",
	       clock_text(w->newer.snapshot->captured_at_unix_ns, at), w->seconds,
	       w->movers->threads, w->movers->threads_new, w->movers->threads_gone);
	if (shown)
		printf("%s\n", watch_heading(&w->view, WATCH_WIDTH, line));
	for (size_t i = 0; i < shown; i++)
		printf("%s\n", watch_line(&w->view, rows[i].mover, w->seconds, WATCH_WIDTH, line));
	putchar('\n');
	free(rows);
	return KTSTR_EXIT_PASS;
}

int watch_print_json(struct watch *w)
{
	size_t nr = 0, shown;
	struct watch_row *rows = watch_sort(&w->view, w->movers, w->seconds, &nr);
	json_t *list = json_array();

	if (!rows)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	shown = w->limit && w->limit < nr ? (size_t)w->limit : nr;
	for (size_t i = 0; i < shown; i++)
		json_array_append_new(list, watch_row_json(&w->view, rows[i].mover, w->seconds));
	free(rows);
	return cli_print_json(json_pack(
		"{s:s, s:i, s:I, s:f, s:s, s:I, s:I, s:I, s:I, s:o}", "type", "ktstr-ctprof-watch",
		"version", 1, "captured_at_unix_ns",
		(json_int_t)w->newer.snapshot->captured_at_unix_ns, "seconds", w->seconds, "by",
		watch_by_name(w->view.by), "threads", (json_int_t)w->movers->threads, "new",
		(json_int_t)w->movers->threads_new, "gone", (json_int_t)w->movers->threads_gone,
		"rows_of", (json_int_t)nr, "rows", list));
}
