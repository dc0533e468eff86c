// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char prefix[] = "sched_ext: ";

static void copy_text(char *buf, size_t size, const char *text, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(buf, text, len);
	buf[len] = '\0';
}

/* 'BPF scheduler "NAME" disabled (REASON)'; sub-schedulers come and go with it. */
static bool note_end(struct kmsg *kmsg, const char *text)
{
	static const char before[] = "BPF scheduler \"", between[] = "\" disabled (";
	const char *name = text + sizeof(before) - 1, *reason, *end;

	if (strncmp(text, before, sizeof(before) - 1) != 0)
		return false;
	reason = strstr(name, between);
	end = strrchr(text, ')');
	if (!reason || !end || end < reason + sizeof(between) - 1)
		return false;
	copy_text(kmsg->ops, sizeof(kmsg->ops), name, (size_t)(reason - name));
	reason += sizeof(between) - 1;
	copy_text(kmsg->reason, sizeof(kmsg->reason), reason, (size_t)(end - reason));
	kmsg->message[0] = '\0';
	kmsg->ended = true;
	return true;
}

/* "NAME: MESSAGE" */
static void note_message(struct kmsg *kmsg, const char *text)
{
	size_t len = strlen(kmsg->ops);

	if (!strncmp(text, kmsg->ops, len) && text[len] == ':' && text[len + 1] == ' ')
		copy_text(kmsg->message, sizeof(kmsg->message), text + len + 2,
			  strlen(text + len + 2));
}

static void keep(struct kmsg *kmsg, const char *line, size_t len)
{
	const size_t half = KMSG_KEEP_BYTES / 2;

	if (!kmsg->tail.len && !kmsg->cut && kmsg->head.len + len + 1 <= half) {
		strbuf_add(&kmsg->head, line, len);
		strbuf_addch(&kmsg->head, '\n');
		return;
	}
	strbuf_add(&kmsg->tail, line, len);
	strbuf_addch(&kmsg->tail, '\n');
	while (kmsg->tail.len > half) {
		const char *end = memchr(kmsg->tail.data, '\n', kmsg->tail.len);

		strbuf_consume(&kmsg->tail, (size_t)(end - kmsg->tail.data) + 1);
		kmsg->cut = true;
	}
}

void kmsg_add(struct kmsg *kmsg, const char *record, size_t length)
{
	const char *text = memchr(record, ';', length);
	char line[KMSG_RECORD_BYTES];
	size_t n = 0;

	if (!text)
		return;
	for (text++; text < record + length && *text != '\n' && n + 1 < sizeof(line); text++)
		line[n++] = (*text >= ' ' && *text <= '~') || *text == '\t' ? *text : '?';
	line[n] = '\0';
	keep(kmsg, line, n);
	if (strncmp(line, prefix, sizeof(prefix) - 1) != 0) {
		kmsg->expects_message = false;
		return;
	}
	if (note_end(kmsg, line + sizeof(prefix) - 1))
		kmsg->expects_message = true;
	else if (kmsg->expects_message)
		note_message(kmsg, line + sizeof(prefix) - 1);
}

void kmsg_open(struct kmsg *kmsg, const char *path)
{
	*kmsg = (struct kmsg){
		.fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1,
		.head = STRBUF_INIT_LIMIT(KMSG_KEEP_BYTES),
		/* A line more, before the oldest ones go. */
		.tail = STRBUF_INIT_LIMIT(KMSG_KEEP_BYTES + KMSG_RECORD_BYTES),
	};
	if (kmsg->fd >= 0)
		lseek(kmsg->fd, 0, SEEK_END);
}

void kmsg_close(struct kmsg *kmsg)
{
	if (kmsg->fd >= 0)
		close(take_fd(&kmsg->fd));
	strbuf_deinit(&kmsg->head);
	strbuf_deinit(&kmsg->tail);
}

void kmsg_read(struct kmsg *kmsg)
{
	char record[KMSG_RECORD_BYTES];

	for (int i = 0; kmsg->fd >= 0 && i < KMSG_READ_AT_ONCE; i++) {
		ssize_t n = read(kmsg->fd, record, sizeof(record));

		/* EPIPE: records were overwritten before they were read; the next ones are there. */
		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue;
		if (n <= 0)
			return;
		kmsg_add(kmsg, record, (size_t)n);
	}
}

void kmsg_clear(struct kmsg *kmsg)
{
	strbuf_clear(&kmsg->head);
	strbuf_clear(&kmsg->tail);
	kmsg->cut = kmsg->ended = kmsg->expects_message = false;
	kmsg->ops[0] = kmsg->reason[0] = kmsg->message[0] = '\0';
}

void kmsg_text(const struct kmsg *kmsg, struct strbuf *out)
{
	strbuf_add(out, strbuf_str(&kmsg->head), kmsg->head.len);
	if (kmsg->cut)
		strbuf_addstr(out, "[lines left out]\n");
	strbuf_add(out, strbuf_str(&kmsg->tail), kmsg->tail.len);
}
