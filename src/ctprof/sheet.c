// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/display.h"

enum { CUT_BYTES = 2 }; /* ".." */

void sheet_init(struct sheet *s)
{
	*s = (struct sheet){ .name_min = SHEET_NAME_MIN, .text = STRBUF_INIT_LIMIT(256 << 20) };
}

void sheet_deinit(struct sheet *s)
{
	strbuf_deinit(&s->text);
	free(s->cells);
	s->cells = NULL;
}

void sheet_add(struct sheet *s, enum sheet_tone tone, const char *text)
{
	if (s->nr_cells == s->cells_size) {
		size_t size = s->cells_size ? s->cells_size * 2 : 256;
		struct sheet_cell *cells = reallocarray(s->cells, size, sizeof(*cells));

		if (!cells) {
			s->text.error = -ENOMEM;
			return;
		}
		s->cells = cells;
		s->cells_size = size;
	}
	s->cells[s->nr_cells++] = (struct sheet_cell){ s->text.len, tone };
	strbuf_add(&s->text, text, strlen(text) + 1);
}

void sheet_fit(const char *text, size_t width, struct strbuf *out)
{
	size_t back;

	if (!width || width <= CUT_BYTES || display_width(text) <= width) {
		strbuf_addstr(out, text);
		return;
	}
	/* Both ends tell: what it is, and which one. */
	back = (width - CUT_BYTES) / 2;
	strbuf_add(out, text, display_front(text, width - CUT_BYTES - back));
	strbuf_addstr(out, "..");
	strbuf_addstr(out, display_back(text, back));
}

void sheet_tone(const struct sheet *s, enum sheet_tone tone, const char *text, struct strbuf *out)
{
	static const char *const codes[SHEET_NR_TONES] = { "", "\033[1m", "\033[2m", "\033[33m" };
	bool coloured = s->colour && tone != SHEET_PLAIN && *text;

	if (coloured)
		strbuf_addstr(out, codes[tone]);
	strbuf_addstr(out, text);
	if (coloured)
		strbuf_addstr(out, "\033[0m");
}

static const char *text_at(const struct sheet *s, size_t cell)
{
	return s->text.data + s->cells[cell].at;
}

/* Return: how many columns are shown. */
static size_t fit_columns(const struct sheet *s, size_t *widths)
{
	size_t nr = s->nr_columns, all = 0;

	for (size_t i = 0; i < s->nr_cells; i++) {
		size_t width = display_width(text_at(s, i)), column = i % s->nr_columns;

		if (width > widths[column])
			widths[column] = width;
	}
	for (size_t i = 0; i < nr; i++)
		all += widths[i] + (i ? 1 : 0);
	while (s->width && all > s->width) {
		size_t over = all - s->width;
		size_t spare = widths[s->name] > s->name_min ? widths[s->name] - s->name_min : 0;

		if (spare >= over || nr <= 2) {
			widths[s->name] -= spare < over ? spare : over;
			break;
		}
		all -= widths[--nr] + 1;
	}
	return nr;
}

static void print_cell(const struct sheet *s, size_t cell, size_t width, bool last,
		       struct strbuf *out)
{
	struct strbuf fitted = STRBUF_INIT;
	bool left = s->left[cell % s->nr_columns];
	size_t pad;

	sheet_fit(text_at(s, cell), width, &fitted);
	pad = display_width(strbuf_str(&fitted));
	pad = width > pad ? width - pad : 0;
	for (size_t i = 0; !left && i < pad; i++)
		strbuf_addch(out, ' ');
	sheet_tone(s, s->cells[cell].tone, strbuf_str(&fitted), out);
	for (size_t i = 0; left && !last && i < pad; i++)
		strbuf_addch(out, ' ');
	strbuf_deinit(&fitted);
}

int sheet_print(struct sheet *s, struct strbuf *out)
{
	size_t widths[SHEET_COLUMNS] = { 0 };
	size_t shown;

	if (s->text.error)
		return s->text.error;
	shown = fit_columns(s, widths);
	s->nr_dropped = s->nr_columns - shown;
	for (size_t row = 0; row + s->nr_columns <= s->nr_cells; row += s->nr_columns) {
		for (size_t i = 0; i < shown; i++) {
			if (i)
				strbuf_addch(out, ' ');
			print_cell(s, row + i, widths[i], i + 1 == shown, out);
		}
		while (out->len && out->data[out->len - 1] == ' ')
			out->data[--out->len] = '\0';
		strbuf_addch(out, '\n');
	}
	return out->error;
}
