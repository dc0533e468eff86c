// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/text.h"

struct pattern {
	const char *kind;
	const char *start;
	const char *part; /* must also be in the line; NULL: nothing more */
};

static const struct pattern splats[] = {
	{ "BUG", "BUG: ", NULL },
	{ "BUG", "kernel BUG at ", NULL },
	{ "Oops", "Oops: ", NULL },
	{ "Oops", "general protection fault", " [#" },
	{ "Oops", "int3: ", " [#" },
	{ "Oops", "invalid opcode: ", " [#" },
	{ "Oops", "divide error: ", " [#" },
	{ "Oops", "stack segment: ", " [#" },
	{ "Oops", "double fault: ", " [#" },
	{ "Oops", "traps: PANIC: ", NULL },
	{ "lockup", "watchdog: BUG: ", NULL },
	{ "lockup", "watchdog: ", "hard LOCKUP" },
	{ "lockup", "NMI watchdog: ", "hard LOCKUP" },
	{ "lockup", "Watchdog detected hard LOCKUP", NULL },
	{ "RCU stall", "rcu: INFO: rcu_", "detected" },
	{ "RCU stall", "INFO: rcu_", "detected" },
	{ "hung task", "INFO: task ", "blocked for more than" },
	{ "lockdep", "[ BUG: ", NULL },
	{ "lockdep", "INFO: trying to register non-static key", NULL },
	{ "lockdep", "WARNING: possible ", NULL },
	{ "lockdep", "WARNING: suspicious RCU usage", NULL },
	{ "lockdep", "WARNING: inconsistent lock state", NULL },
	{ "lockdep", "WARNING: bad unlock balance", NULL },
	{ "lockdep", "WARNING: held lock freed", NULL },
	{ "lockdep", "WARNING: lock held when returning", NULL },
	{ "lockdep", "WARNING: Nested lock was not taken", NULL },
	{ "lockdep", "WARNING: ", "lock order" },
	{ "lockdep", "WARNING: ", "still has locks held" },
	{ "WARN", "WARNING: ", " at " },
	{ "UBSAN", "UBSAN: ", NULL },
};

struct line {
	const char *start; /* of the whole line */
	const char *text;  /* behind the prefix */
	const char *end;
};

static const char *skip_bracket(const char *p, const char *end)
{
	const char *close = memchr(p, ']', (size_t)(end - p));

	if (p >= end || *p != '[' || !close || close - p > 24)
		return p;
	for (const char *c = p + 1; c < close; c++)
		if (!strchr(" .0123456789TC@", *c) || !*c)
			return p;
	if (close + 1 < end && close[1] == '[')
		return close + 1;
	return close + 1 < end && close[1] == ' ' ? close + 2 : p;
}

/* The next line of [*cursor, end); carriage returns are left out. */
static bool next_line(const char **cursor, const char *end, struct line *ret_line)
{
	const char *start = *cursor, *newline;

	if (start >= end)
		return false;
	newline = memchr(start, '\n', (size_t)(end - start));
	*cursor = newline ? newline + 1 : end;
	if (!newline)
		newline = end;
	while (newline > start && newline[-1] == '\r')
		newline--;
	*ret_line = (struct line){ .start = start, .text = start, .end = newline };
	ret_line->text = skip_bracket(ret_line->text, newline);
	ret_line->text = skip_bracket(ret_line->text, newline);
	return true;
}

static bool starts(const struct line *line, const char *start)
{
	size_t len = strlen(start);

	return (size_t)(line->end - line->text) >= len && !memcmp(line->text, start, len);
}

static bool contains(const struct line *line, const char *part)
{
	return memmem(line->text, (size_t)(line->end - line->text), part, strlen(part));
}

static const struct pattern *find_splat(const struct line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(splats); i++)
		if (starts(line, splats[i].start) &&
		    (!splats[i].part || contains(line, splats[i].part)))
			return &splats[i];
	return NULL;
}

static void add_line(struct strbuf *out, const struct line *line)
{
	text_add_clean(out, line->text, (size_t)(line->end - line->text), CONSOLE_LINE_MAX);
	strbuf_addch(out, '\n');
}

static int keep_line(char **slot, const struct line *line)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (*slot)
		return 0;
	text_add_clean(&text, line->text, (size_t)(line->end - line->text), CONSOLE_LINE_MAX);
	*slot = strbuf_take(&text);
	return *slot ? 0 : -ENOMEM;
}

/* State of one scan: the first splat is still being copied while lines_left is not 0. */
struct scan {
	struct console *console;
	struct strbuf splat;
	unsigned int lines_left;
};

static int scan_line(struct scan *scan, const struct line *line)
{
	struct console *console = scan->console;
	const struct pattern *splat = find_splat(line);

	if (splat && !console->nr_splats++) {
		console->splat_kind = splat->kind;
		strbuf_clear(&scan->splat);
		scan->lines_left = CONSOLE_SPLAT_LINES;
	}
	if (scan->lines_left) {
		scan->lines_left--;
		add_line(&scan->splat, line);
	}
	if (starts(line, "int3: ") || starts(line, "Oops: int3"))
		console->int3 = true;
	if (starts(line, "Kernel panic - ")) {
		if (!console->panic && !scan->splat.len)
			scan->lines_left = CONSOLE_SPLAT_LINES;
		return keep_line(&console->panic, line);
	}
	if (starts(line, "Out of memory: Killed process ") ||
	    starts(line, "Out of memory (oom_kill_allocating_task): Killed process "))
		return keep_line(&console->oom, line);
	if (starts(line, "Memory cgroup out of memory: Killed process "))
		return keep_line(&console->memcg_oom, line);
	return 0;
}

static int keep_tail(const char *text, size_t len, char **ret_tail)
{
	_cleanup_strbuf_ struct strbuf tail = STRBUF_INIT;
	const char *end = text + len, *cursor = end;
	unsigned int lines = 0;
	struct line line;

	while (cursor > text && lines < CONSOLE_TAIL_LINES)
		if (*--cursor == '\n' && cursor + 1 < end)
			lines++;
	if (lines == CONSOLE_TAIL_LINES)
		cursor++;
	while (next_line(&cursor, end, &line))
		add_line(&tail, &line);
	if (!tail.len)
		return 0;
	*ret_tail = strbuf_take(&tail);
	return *ret_tail ? 0 : -ENOMEM;
}

int console_scan(const char *text, size_t len, struct console *ret_console)
{
	struct console console = CONSOLE_INIT;
	struct scan scan = { .console = &console, .splat = STRBUF_INIT };
	const char *cursor = text;
	struct line line;
	int r = 0;

	while (r == 0 && next_line(&cursor, text + len, &line))
		r = scan_line(&scan, &line);
	if (r == 0)
		r = keep_tail(text, len, &console.tail);
	if (r == 0 && scan.splat.len) {
		console.splat = strbuf_take(&scan.splat);
		r = console.splat ? 0 : -ENOMEM;
	}
	strbuf_deinit(&scan.splat);
	if (r < 0) {
		console_deinit(&console);
		return r;
	}
	*ret_console = console;
	return 0;
}

int console_scan_file(const char *path, struct console *ret_console, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t size;
	void *text;
	int r;

	if (fd < 0 && errno == ENOENT)
		return console_scan("", 0, ret_console);
	if (fd < 0 || fstat(fd, &st) < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	size = st.st_size < CONSOLE_FILE_MAX ? (size_t)st.st_size : CONSOLE_FILE_MAX;
	if (!size)
		return console_scan("", 0, ret_console);
	text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return ktstr_error_set(err, -errno, "map '%s': %s", path, strerror(errno));
	r = console_scan(text, size, ret_console);
	munmap(text, size);
	return r < 0 ? ktstr_error_nomem(err) : 0;
}

void console_deinit(struct console *console)
{
	free(console->panic);
	free(console->splat);
	free(console->oom);
	free(console->memcg_oom);
	free(console->tail);
	*console = (struct console)CONSOLE_INIT;
}
