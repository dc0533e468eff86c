// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

enum { FILE_BYTES = DUMP_PATH_BYTES + 64 };

static const char event_name[] = "sched_ext_dump: ";

static void file_of(const struct dump *dump, const char *name, char path[FILE_BYTES])
{
	snprintf(path, FILE_BYTES, "%s/%s", dump->dir, name);
}

static int set(const struct dump *dump, const char *name, const char *text)
{
	char path[FILE_BYTES];

	file_of(dump, name, path);
	return io_write_sysfs(path, text);
}

void dump_open(struct dump *dump, const char *sysfs)
{
	char size[16];
	int n = snprintf(dump->dir, sizeof(dump->dir), "%s/kernel/tracing/instances/ktstr-dump",
			 sysfs);

	if (n < 0 || (size_t)n >= sizeof(dump->dir) ||
	    (mkdir(dump->dir, 0700) < 0 && errno != EEXIST)) {
		dump->dir[0] = '\0';
		return;
	}
	snprintf(size, sizeof(size), "%d", DUMP_BUFFER_KIB);
	(void)!set(dump, "buffer_size_kb", size);
	/* What comes first says most: the reason, the CPUs. */
	(void)!set(dump, "options/overwrite", "0");
	if (set(dump, "events/sched_ext/sched_ext_dump/enable", "1") < 0)
		dump_close(dump);
}

void dump_close(struct dump *dump)
{
	if (!dump->dir[0])
		return;
	(void)!set(dump, "events/sched_ext/sched_ext_dump/enable", "0");
	rmdir(dump->dir);
	dump->dir[0] = '\0';
}

void dump_clear(const struct dump *dump)
{
	char path[FILE_BYTES];
	int fd;

	if (!dump->dir[0])
		return;
	file_of(dump, "trace", path);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

void dump_extract(const char *trace, size_t length, size_t limit, struct strbuf *out)
{
	const char *end = trace + length;
	size_t before = out->len;

	while (trace < end) {
		const char *newline = memchr(trace, '\n', (size_t)(end - trace));
		const char *stop = newline ? newline : end;
		const char *text =
			memmem(trace, (size_t)(stop - trace), event_name, sizeof(event_name) - 1);

		text = text && trace[0] != '#' ? text + sizeof(event_name) - 1 : NULL;
		if (text && out->len - before + (size_t)(stop - text) + 1 > limit)
			return;
		for (; text && text < stop; text++)
			strbuf_addch(out,
				     (*text >= ' ' && *text <= '~') || *text == '\t' ? *text : '?');
		if (text)
			strbuf_addch(out, '\n');
		trace = stop + 1;
	}
}

void dump_read(const struct dump *dump, size_t limit, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf trace = STRBUF_INIT_LIMIT(DUMP_TRACE_BYTES);
	char path[FILE_BYTES];

	if (!dump->dir[0])
		return;
	file_of(dump, "trace", path);
	/* Of a file over the limit the beginning is there. */
	(void)!io_read_file_at(AT_FDCWD, path, &trace);
	if (trace.len)
		dump_extract(trace.data, trace.len, limit, out);
}
