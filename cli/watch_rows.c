// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "watch_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/display.h"
#include "ctprof_text.h"

enum { COLUMN = 7, NAME_MIN = 16 };

static const struct {
	unsigned int metric;
	const char *label;
} labels[] = {
	{ KTSTR_CTPROF_RUN_TIME, "CPU%" },
	{ KTSTR_CTPROF_WAIT_TIME, "WAIT%" },
	{ KTSTR_CTPROF_UTIME, "USR%" },
	{ KTSTR_CTPROF_STIME, "SYS%" },
	{ KTSTR_CTPROF_BLOCK_SUM, "BLOCK%" },
	{ KTSTR_CTPROF_IOWAIT_SUM, "IOW%" },
	{ KTSTR_CTPROF_VOLUNTARY_SLEEP, "SLEEP%" },
	{ KTSTR_CTPROF_TIMESLICES, "SLIC/s" },
	{ KTSTR_CTPROF_VOLUNTARY_CSW, "VCSW/s" },
	{ KTSTR_CTPROF_NONVOLUNTARY_CSW, "ICSW/s" },
	{ KTSTR_CTPROF_NR_MIGRATIONS, "MIGR/s" },
	{ KTSTR_CTPROF_NR_WAKEUPS, "WAKE/s" },
	{ KTSTR_CTPROF_MINFLT, "MINF/s" },
	{ KTSTR_CTPROF_MAJFLT, "MAJF/s" },
	{ KTSTR_CTPROF_RCHAR, "RCHR/s" },
	{ KTSTR_CTPROF_WCHAR, "WCHR/s" },
	{ KTSTR_CTPROF_SYSCR, "SYSR/s" },
	{ KTSTR_CTPROF_SYSCW, "SYSW/s" },
	{ KTSTR_CTPROF_READ_BYTES, "READ/s" },
	{ KTSTR_CTPROF_WRITE_BYTES, "WRIT/s" },
	{ KTSTR_CTPROF_ALLOCATED, "ALOC/s" },
	{ KTSTR_CTPROF_DEALLOCATED, "FREE/s" },
	{ KTSTR_CTPROF_HIWATER_RSS, "PEAKRS" },
	{ KTSTR_CTPROF_NR_THREADS, "THREAD" },
	{ KTSTR_CTPROF_WAIT_MAX, "WAITMX" },
};

const char *watch_label(unsigned int metric, char *buf)
{
	snprintf(buf, WATCH_CELL, "%.6s", ktstr_ctprof_metric_info(metric)->name);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (labels[i].metric == metric)
			snprintf(buf, WATCH_CELL, "%s", labels[i].label);
	return buf;
}

const char *watch_by_name(unsigned int by)
{
	static const char *const names[] = {
		[KTSTR_CTPROF_MOVERS_BY_PROCESS] = "process",
		[KTSTR_CTPROF_MOVERS_BY_THREAD] = "thread",
		[KTSTR_CTPROF_MOVERS_BY_NAME] = "name",
		[KTSTR_CTPROF_MOVERS_BY_CGROUP] = "cgroup",
	};

	return by < sizeof(names) / sizeof(names[0]) ? names[by] : NULL;
}

static double ns_in(const char *unit)
{
	if (!strcmp(unit, "ns"))
		return 1;
	if (!strcmp(unit, "us"))
		return 1e3;
	if (!strcmp(unit, "ticks"))
		return 1e9 / (double)sysconf(_SC_CLK_TCK);
	return 0;
}

static bool is_whole(double value)
{
	return value < 1e15 && (double)(int64_t)value >= value;
}

/* Five characters and a letter at most. */
static const char *short_number(double value, double step, char *buf)
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P" };
	unsigned int i = 0;

	while (value >= (i ? step - 0.5 : 9999.5) && i + 1 < sizeof(units) / sizeof(units[0])) {
		value /= step;
		i++;
	}
	if (value < 99.95 && (i || !is_whole(value)))
		snprintf(buf, WATCH_CELL, "%.1f%s", value, units[i]);
	else
		snprintf(buf, WATCH_CELL, "%.0f%s", value, units[i]);
	return buf;
}

static const char *short_time(double ns, char *buf)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	unsigned int i = 0;

	while (ns >= 999.5 && i < 3) {
		ns /= 1000;
		i++;
	}
	snprintf(buf, WATCH_CELL, ns < 9.995 && i ? "%.1f%s" : "%.0f%s", ns, units[i]);
	return buf;
}

const char *watch_cell(unsigned int metric, const struct ktstr_ctprof_mover_cell *cell,
		       double seconds, char *buf)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(metric);
	bool rate = info->type == KTSTR_TYPE_COUNTER;
	double ns = ns_in(info->unit), value = (double)cell->value;

	if (!cell->threads) {
		snprintf(buf, WATCH_CELL, "-");
		return buf;
	}
	if (rate)
		value /= seconds;
	if (ns > 0 && !rate)
		return short_time(value * ns, buf);
	if (ns > 0) {
		value *= ns / 1e7;
		snprintf(buf, WATCH_CELL, value < 999.95 ? "%.1f" : "%.0f", value);
		return buf;
	}
	return short_number(value, strcmp(info->unit, "bytes") ? 1000 : 1024, buf);
}

/* What is shown of a cell, as a number: nobody sees more than three digits. */
static double shown(unsigned int metric, const struct ktstr_ctprof_mover_cell *cell, double seconds)
{
	const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(metric);
	double value = (double)cell->value, step = 0.1;

	if (info->type != KTSTR_TYPE_COUNTER)
		return value;
	value /= seconds;
	if (ns_in(info->unit) > 0)
		return (double)(int64_t)(value * ns_in(info->unit) / 1e6 + 0.5);
	while (value / step >= 1000)
		step *= 10;
	return (double)(int64_t)(value / step + 0.5) * step;
}

static bool ascending_order;

/* Absent last either way; equal ones in the order of the movers. */

static int compare_rows(const void *a, const void *b)
{
	const struct watch_row *x = a, *y = b;

	if (x->present != y->present)
		return x->present ? -1 : 1;
	if (x->present && (x->key > y->key || x->key < y->key))
		return (x->key > y->key) == ascending_order ? 1 : -1;
	return x->mover < y->mover ? -1 : x->mover > y->mover;
}

static bool passes(const struct watch_view *view, const struct ktstr_ctprof_mover *mover)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	char id[16];

	if (!*view->filter)
		return true;
	snprintf(id, sizeof(id), "%" PRIu32, mover->tgid);
	if (mover->tgid && !strcmp(id, view->filter))
		return true;
	snprintf(id, sizeof(id), "%" PRIu32, mover->tid);
	if (mover->tid && !strcmp(id, view->filter))
		return true;
	ctprof_add_name(&name, mover->name);
	return strcasestr(strbuf_str(&name), view->filter) != NULL;
}

struct watch_row *watch_sort(const struct watch_view *view,
			     const struct ktstr_ctprof_movers *movers, double seconds,
			     size_t *ret_nr)
{
	struct watch_row *rows = calloc(movers->nr_rows + 1, sizeof(*rows));
	size_t nr = 0;

	for (size_t i = 0; rows && i < movers->nr_rows; i++) {
		const struct ktstr_ctprof_mover *mover = &movers->rows[i];
		const struct ktstr_ctprof_mover_cell *cell = &mover->cells[view->sort];

		if (!passes(view, mover))
			continue;
		rows[nr].mover = mover;
		rows[nr].present = cell->threads > 0;
		rows[nr++].key =
			cell->threads ? shown(view->metrics[view->sort], cell, seconds) : 0;
	}
	ascending_order = view->ascending;
	if (rows)
		qsort(rows, nr, sizeof(*rows), compare_rows);
	*ret_nr = nr;
	return rows;
}

/* Columns that fit beside @used characters and a name. */
static size_t columns_in(const struct watch_view *view, size_t used, size_t width)
{
	size_t room = width > used + NAME_MIN ? (width - used - NAME_MIN) / COLUMN : 0;

	return room < view->nr_metrics ? room : view->nr_metrics;
}

static bool has_ids(const struct watch_view *view)
{
	return view->by == KTSTR_CTPROF_MOVERS_BY_PROCESS ||
	       view->by == KTSTR_CTPROF_MOVERS_BY_THREAD;
}

static size_t width_of_ids(const struct watch_view *view)
{
	return view->by == KTSTR_CTPROF_MOVERS_BY_THREAD ? 20 : has_ids(view) ? 20 : 14;
}

static size_t add_cell(char *buf, size_t len, const char *mark, const char *text)
{
	char cell[2 * WATCH_CELL];

	snprintf(cell, sizeof(cell), "%s%s", mark, text);
	return (size_t)snprintf(buf + len, WATCH_LINE - len, "%*s", COLUMN, cell);
}

const char *watch_heading(const struct watch_view *view, size_t width, char *buf)
{
	size_t nr = columns_in(view, width_of_ids(view), width), len = 0;
	char label[WATCH_CELL];

	if (has_ids(view))
		len += (size_t)snprintf(buf, WATCH_LINE, "%7s", "PID");
	if (view->by == KTSTR_CTPROF_MOVERS_BY_THREAD)
		len += (size_t)snprintf(buf + len, WATCH_LINE - len, " %7s     ", "TID");
	else
		len += (size_t)snprintf(buf + len, WATCH_LINE - len, "%6s %6s", "THR", "+NEW-");
	for (size_t i = 0; i < nr; i++)
		len += add_cell(buf, len,
				i != view->sort	  ? ""
				: view->ascending ? "<"
						  : ">",
				watch_label(view->metrics[i], label));
	snprintf(buf + len, WATCH_LINE - len, " %s",
		 view->by == KTSTR_CTPROF_MOVERS_BY_CGROUP ? "CGROUP" : "NAME");
	buf[width < WATCH_WIDTH ? width : WATCH_WIDTH] = '\0';
	return buf;
}

/* "+12-3" of a group; a thread, or all of a group, is "new" or "gone". */
static const char *births(const struct ktstr_ctprof_mover *m, char *buf)
{
	size_t len = 0;

	buf[0] = '\0';
	if (!m->threads)
		snprintf(buf, WATCH_CELL, "gone");
	else if (m->threads_new == m->threads)
		snprintf(buf, WATCH_CELL, "new");
	else if (m->threads_new)
		len = (size_t)snprintf(buf, WATCH_CELL, "+%" PRIu32, m->threads_new);
	if (m->threads && m->threads_new != m->threads && m->threads_gone)
		snprintf(buf + len, WATCH_CELL - len, "-%" PRIu32, m->threads_gone);
	if (strlen(buf) > 6)
		memcpy(buf + 5, ">", 2);
	return buf;
}

/* The end of a path says more than its beginning. */
static void add_name(const struct watch_view *view, const char *name, size_t width, char *buf)
{
	size_t len = strlen(buf), room = width > len + 1 ? width - len - 1 : 0;
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	const char *text;

	if (!room)
		return;
	ctprof_add_name(&shown, name);
	text = strbuf_str(&shown);
	if (display_width(text) <= room)
		snprintf(buf + len, WATCH_LINE - len, " %s", text);
	else if (view->by == KTSTR_CTPROF_MOVERS_BY_CGROUP && room > 3)
		snprintf(buf + len, WATCH_LINE - len, " <%s", display_back(text, room - 1));
	else
		snprintf(buf + len, WATCH_LINE - len, " %.*s>", (int)display_front(text, room - 1),
			 text);
}

const char *watch_line(const struct watch_view *view, const struct ktstr_ctprof_mover *mover,
		       double seconds, size_t width, char *buf)
{
	size_t nr = columns_in(view, width_of_ids(view), width), len = 0;
	char text[WATCH_CELL];

	if (has_ids(view))
		len += (size_t)snprintf(buf, WATCH_LINE, "%7" PRIu32, mover->tgid);
	if (view->by == KTSTR_CTPROF_MOVERS_BY_THREAD)
		len += (size_t)snprintf(buf + len, WATCH_LINE - len, " %7" PRIu32 " %4s",
					mover->tid, births(mover, text));
	else
		len += (size_t)snprintf(buf + len, WATCH_LINE - len, "%6" PRIu32 " %6s",
					mover->threads, births(mover, text));
	for (size_t i = 0; i < nr; i++) {
		const struct ktstr_ctprof_mover_cell *cell = &mover->cells[i];

		len += add_cell(buf, len,
				cell->threads && cell->threads < mover->threads ? "~" : "",
				watch_cell(view->metrics[i], cell, seconds, text));
	}
	width = width < WATCH_WIDTH ? width : WATCH_WIDTH;
	if (len > width)
		buf[width] = '\0';
	else
		add_name(view, mover->name, width, buf);
	return buf;
}

json_t *watch_row_json(const struct watch_view *view, const struct ktstr_ctprof_mover *mover,
		       double seconds)
{
	json_t *row = json_object(), *values = json_object();

	if (mover->tgid)
		json_object_set_new(row, "tgid", json_integer(mover->tgid));
	if (mover->tid)
		json_object_set_new(row, "tid", json_integer(mover->tid));
	if (mover->name)
		json_object_set_new(row, "name", ctprof_text_json(mover->name));
	json_object_set_new(row, "threads", json_integer(mover->threads));
	json_object_set_new(row, "new", json_integer(mover->threads_new));
	json_object_set_new(row, "gone", json_integer(mover->threads_gone));
	for (size_t i = 0; i < view->nr_metrics; i++) {
		const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(view->metrics[i]);
		const struct ktstr_ctprof_mover_cell *cell = &mover->cells[i];
		json_t *value = json_pack("{s:i}", "threads", (int)cell->threads);

		if (!cell->threads)
			json_decref(value);
		else if (info->type == KTSTR_TYPE_COUNTER)
			json_object_set_new(value, "per_second",
					    json_real((double)cell->value / seconds));
		else
			json_object_set_new(value, "value", json_integer(cell->value));
		if (cell->threads)
			json_object_set_new(values, info->name, value);
	}
	json_object_set_new(row, "values", values);
	return row;
}
