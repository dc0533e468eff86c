// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/said.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { MIN_PERIOD = 2, MIN_REPETITIONS = 3 };

struct row {
	const char *text;
	size_t len;
	uint64_t hash; /* of what does not change from one repetition to the next */
};

/* --- lines ---------------------------------------------------------------------------------- */

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\0')
			return false;
	return true;
}

static void add_printable(struct strbuf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c != '\r')
			strbuf_addch(out,
				     (c >= ' ' && c <= '~') || c == '\t' || c == '\n' ? c : '?');
	}
}

static void copy_line(const char *line, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++)
		if (n > 0 || (line[i] != ' ' && line[i] != '\t'))
			buf[n++] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
	while (n > 0 && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
}

/* The last line before @end that is not blank; NULL if there is none. */
static const char *last_line(const char *text, const char *end, size_t *ret_len)
{
	while (end > text) {
		const char *newline = memrchr(text, '\n', (size_t)(end - text));
		const char *start = newline ? newline + 1 : text;

		if (!is_blank(start, (size_t)(end - start))) {
			*ret_len = (size_t)(end - start);
			return start;
		}
		end = newline ? newline : text;
	}
	return NULL;
}

/* The line around @at. */
static const char *line_around(const char *text, const char *at, size_t *ret_len)
{
	const char *newline = memrchr(text, '\n', (size_t)(at - text));
	const char *start = newline ? newline + 1 : text;

	*ret_len = strcspn(start, "\n");
	return start;
}

/* --- what it is about ----------------------------------------------------------------------- */

static const char *find_any(const char *text, const char *const *needles)
{
	const char *first = NULL;

	for (; *needles; needles++) {
		const char *at = strcasestr(text, *needles);

		if (at && (!first || at < first))
			first = at;
	}
	return first;
}

static const char *const load_failures[] = {
	"BEGIN PROG LOAD LOG",	       "BPF program load failed", "failed to load object",
	"failed to load BPF skeleton", "load bpf program failed", "Failed to load skel",
	"libbpf: failed to find",      "error relocating",	  NULL
};

static const char *const unknown_options[] = { "unrecognized option",	"invalid option",
					       "unknown option",	"unexpected argument",
					       "unrecognized argument", "unknown argument",
					       "requires an argument",	"invalid argument '",
					       "invalid value",		NULL };

static const char *const attach_failures[] = { "failed to attach", "error attaching",
					       "cannot attach",	   "could not attach",
					       "attach: ",	   NULL };

static const char *const library_failures[] = { "error while loading shared libraries",
						"symbol lookup error", "version `", NULL };

bool said_load_failure(const char *text)
{
	return find_any(text, load_failures) != NULL;
}

bool said_usage(const char *text)
{
	return find_any(text, unknown_options) || strcasestr(text, "usage:");
}

bool said_attach_failure(const char *text)
{
	return find_any(text, attach_failures) != NULL;
}

bool said_missing_function(const char *text)
{
	const char *at = strstr(text, "extern (func ksym) '");

	return strstr(text, "invalid kernel function call not eliminated") ||
	       (at && memmem(at, strcspn(at, "\n"), "': not found", 12));
}

bool said_missing_library(const char *text)
{
	return find_any(text, library_failures) != NULL;
}

/* The verifier's summary comes right below its complaint; since Linux 7.3 a report comes between. */
static const char *verifier_complaint(const char *text, size_t *ret_len)
{
	const char *at = strstr(text, "\nVerification failed: "), *found = NULL;

	if (at)
		return last_line(text, at, ret_len);
	at = text;

	while ((at = strstr(at, "processed "))) {
		const char *line = line_around(text, at, ret_len);

		if (line == at && strstr(at, " insns") && strstr(at, " insns") < at + 32)
			found = at;
		at++;
	}
	found = found ? last_line(text, found, ret_len) : NULL;
	return found && !memmem(found, *ret_len, "BEGIN PROG LOAD LOG", 19) ? found : NULL;
}

/* "libbpf: failed to load object 'x'" only sums up the line before. */
static const char *before_summary(const char *text, const char *at, size_t *ret_len)
{
	static const char by[] = "libbpf: ";
	const char *line = line_around(text, at, ret_len), *before;
	size_t len;

	before = strncmp(at, "failed to load ", 15) ? NULL : last_line(text, line, &len);
	if (!before || len < sizeof(by) || memcmp(before, by, sizeof(by) - 1) != 0)
		return line;
	*ret_len = len;
	return before;
}

void said_find_reason(const char *text, char *buf, size_t size)
{
	size_t len = 0;
	const char *line = verifier_complaint(text, &len), *at;

	if (!line && (at = find_any(text, library_failures)))
		line = line_around(text, at, &len);
	if (!line && (at = find_any(text, load_failures)))
		line = before_summary(text, at, &len);
	if (!line && (at = find_any(text, unknown_options)))
		line = line_around(text, at, &len);
	if (!line && (at = find_any(text, attach_failures)))
		line = line_around(text, at, &len);
	if (!line)
		line = last_line(text, text + strlen(text), &len);
	copy_line(line ? line : "", line ? len : 0, buf, size);
}

bool said_find_exit(const char *text, char *message, size_t size)
{
	const char *at = NULL, *next = text, *open, *close;
	size_t len;

	while ((next = strstr(next, "EXIT: "))) {
		if (next == text || next[-1] == '\n')
			at = next;
		next++;
	}
	if (!at)
		return false;
	len = strcspn(at, "\n");
	open = memmem(at, len, " (", 2);
	close = memrchr(at, ')', len);
	if (open && close && close > open)
		copy_line(open + 2, (size_t)(close - open - 2), message, size);
	else
		message[0] = '\0';
	return true;
}

/* --- repetitions ---------------------------------------------------------------------------- */

/* A verifier's line is "12: (b7) r1 = 0 ; R1_w=0 refs=2": what stands behind the semicolon, and the
 * register states of "from 5 to 9: R0=..." lines, differ from one pass to the next. */
static size_t steady_length(const char *text, size_t len)
{
	const char *semicolon = memmem(text, len, " ; R", 4);
	const char *states;

	if (!semicolon)
		semicolon = memmem(text, len, "; R", 3);
	if (semicolon)
		return (size_t)(semicolon - text);
	states = len > 5 && !memcmp(text, "from ", 5) ? memmem(text, len, ": ", 2) : NULL;
	return states ? (size_t)(states - text) : len;
}

static uint64_t hash_bytes(const char *text, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return hash;
}

/* The last @max lines, as the reason comes at the end. */
static const char *skip_lines(const char *text, size_t length, size_t max)
{
	const char *end = text + length;

	for (size_t nr = 0; end > text; nr++) {
		const char *newline = memrchr(text, '\n', (size_t)(end - text) - (nr == 0));

		if (!newline)
			return text;
		if (nr + 1 == max)
			return newline + 1;
		end = newline;
	}
	return text;
}

static size_t split(const char *text, size_t length, struct row *rows, size_t max)
{
	const char *start = skip_lines(text, length, max);
	size_t nr = 0;

	length -= (size_t)(start - text);
	text = start;
	while (length > 0 && nr < max) {
		const char *newline = memchr(text, '\n', length);
		size_t len = newline ? (size_t)(newline - text) : length;

		rows[nr++] = (struct row){ text, len, hash_bytes(text, steady_length(text, len)) };
		length -= len + (newline ? 1 : 0);
		text += len + (newline ? 1 : 0);
	}
	return nr;
}

static size_t repetitions(const struct row *rows, size_t nr, size_t period)
{
	size_t same = 0;

	while (period + same < nr && rows[same].hash == rows[period + same].hash)
		same++;
	return 1 + same / period;
}

/* The period that covers most of the lines from here on; 0: none. */
static size_t find_period(const struct row *rows, size_t nr, size_t *ret_times)
{
	size_t best = 0, covered = 0;

	for (size_t period = MIN_PERIOD; period <= SAID_PERIOD && period * 2 < nr; period++) {
		size_t times;

		if (rows[0].hash != rows[period].hash)
			continue;
		times = repetitions(rows, nr, period);
		if (times >= MIN_REPETITIONS && times * period > covered) {
			best = period;
			covered = times * period;
			*ret_times = times;
		}
	}
	return best;
}

static void add_rows(struct strbuf *out, const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		bool cut = rows[i].len > SAID_LINE_BYTES;

		add_printable(out, rows[i].text, cut ? SAID_LINE_BYTES : rows[i].len);
		strbuf_addstr(out, cut ? "...\n" : "\n");
	}
}

void said_collapse(const char *text, size_t length, struct strbuf *out)
{
	_cleanup_free_ struct row *rows = calloc(SAID_LINES, sizeof(*rows));
	size_t nr, times = 0;

	if (!rows)
		return;
	nr = split(text, length, rows, SAID_LINES);
	for (size_t i = 0; i < nr;) {
		size_t period = find_period(rows + i, nr - i, &times);

		if (!period) {
			add_rows(out, rows + i++, 1);
			continue;
		}
		add_rows(out, rows + i, period);
		strbuf_addf(out, "[the %zu lines above came %zu times; the last time:]\n", period,
			    times);
		i += period * (times - 1);
		add_rows(out, rows + i, period);
		i += period;
	}
}

void said_last_lines(const char *text, size_t length, size_t limit, struct strbuf *out)
{
	const char *start = text;

	if (length > limit) {
		const char *newline = memchr(text + length - limit, '\n', limit);

		start = newline ? newline + 1 : text + length - limit;
	}
	add_printable(out, start, length - (size_t)(start - text));
}
