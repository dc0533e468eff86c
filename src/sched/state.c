// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/strbuf.h"

enum { PATH_BYTES = 512 };

/* Return: false if there is no such file, or it is no text of sane size. */
static bool read_text(const char *sysfs, const char *name, struct strbuf *out)
{
	char path[PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/kernel/sched_ext/%s", sysfs, name);

	return n > 0 && (size_t)n < sizeof(path) && io_read_file(path, out, NULL) == 0 &&
	       strlen(strbuf_str(out)) == out->len;
}

static void read_word(const char *sysfs, const char *name, char *buf, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(SCHED_FILE_BYTES);
	size_t len;

	buf[0] = '\0';
	if (!read_text(sysfs, name, &text))
		return;
	len = strcspn(strbuf_str(&text), "\n");
	if (len >= size)
		len = size - 1;
	for (size_t i = 0; i < len; i++)
		buf[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?';
	buf[len] = '\0';
}

int sched_parse_number(const char *text, struct sched_number *ret_number)
{
	char digits[24];
	size_t len = strcspn(text, "\n");
	uint64_t value;
	int r;

	if (len >= sizeof(digits) || (text[len] && text[len + 1]))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	r = parse_u64(digits, &value);
	if (r == 0)
		*ret_number = (struct sched_number){ .known = true, .value = value };
	return r;
}

static void read_number(const char *sysfs, const char *name, struct sched_number *ret_number)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(SCHED_FILE_BYTES);

	if (!read_text(sysfs, name, &text) || sched_parse_number(strbuf_str(&text), ret_number) < 0)
		*ret_number = (struct sched_number){ 0 };
}

bool sched_is_supported(const char *sysfs)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/kernel/sched_ext/state", sysfs);
	return access(path, R_OK) == 0;
}

void sched_read_state(const char *sysfs, struct sched_state *ret_state)
{
	read_word(sysfs, "state", ret_state->state, sizeof(ret_state->state));
	read_word(sysfs, "root/ops", ret_state->ops, sizeof(ret_state->ops));
	read_number(sysfs, "switch_all", &ret_state->switch_all);
	read_number(sysfs, "nr_rejected", &ret_state->nr_rejected);
	read_number(sysfs, "enable_seq", &ret_state->enable_seq);
	read_number(sysfs, "hotplug_seq", &ret_state->hotplug_seq);
}

static int open_file(const char *sysfs, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/kernel/sched_ext/%s", sysfs, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

void sched_quick_open(struct sched_quick *quick, const char *sysfs)
{
	quick->state_fd = open_file(sysfs, "state");
	quick->seq_fd = open_file(sysfs, "enable_seq");
}

void sched_quick_close(struct sched_quick *quick)
{
	if (quick->state_fd >= 0)
		close(take_fd(&quick->state_fd));
	if (quick->seq_fd >= 0)
		close(take_fd(&quick->seq_fd));
}

bool sched_quick_is_same(const struct sched_quick *quick, const struct sched_state *state)
{
	static const char enabled[] = "enabled\n";
	struct sched_number seq;
	char text[32];
	ssize_t n = pread(quick->state_fd, text, sizeof(text), 0);

	if (n != sizeof(enabled) - 1 || memcmp(text, enabled, sizeof(enabled) - 1) != 0)
		return false;
	n = pread(quick->seq_fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return false;
	text[n] = '\0';
	return sched_parse_number(text, &seq) == 0 && state->enable_seq.known &&
	       seq.value == state->enable_seq.value;
}

/* "NAME VALUE", @len bytes. */
static int parse_event(const char *line, size_t len, struct sched_events *events)
{
	const char *blank = memchr(line, ' ', len);
	size_t name_len = blank ? (size_t)(blank - line) : 0;
	char number[24];
	size_t number_len = blank ? len - name_len - 1 : 0;
	int64_t value;

	if (name_len == 0 || name_len >= SCHED_EVENT_BYTES || number_len >= sizeof(number))
		return -EBADMSG;
	for (size_t i = 0; i < name_len; i++)
		if (line[i] <= ' ' || line[i] > '~')
			return -EBADMSG;
	memcpy(number, blank + 1, number_len);
	number[number_len] = '\0';
	if (parse_i64(number, &value) < 0)
		return -EBADMSG;
	if (events->nr == SCHED_EVENTS) {
		events->more++;
		return 0;
	}
	memcpy(events->items[events->nr].name, line, name_len);
	events->items[events->nr].name[name_len] = '\0';
	events->items[events->nr++].value = value;
	return 0;
}

int sched_parse_events(const char *text, struct sched_events *ret_events)
{
	struct sched_events events = { .known = true };

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (parse_event(text, len, &events) < 0)
			return -EBADMSG;
		text += len + (text[len] == '\n');
	}
	*ret_events = events;
	return 0;
}

void sched_read_events(const char *sysfs, struct sched_events *ret_events)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(SCHED_FILE_BYTES);

	if (!read_text(sysfs, "root/events", &text) ||
	    sched_parse_events(strbuf_str(&text), ret_events) < 0)
		*ret_events = (struct sched_events){ 0 };
}

/* Return: false if it is not there. */
static bool find_event(const struct sched_events *events, const char *name, int64_t *ret_value)
{
	for (size_t i = 0; i < events->nr; i++) {
		if (strcmp(events->items[i].name, name) != 0)
			continue;
		*ret_value = events->items[i].value;
		return true;
	}
	return false;
}

json_t *sched_events_increase(const struct sched_events *before, const struct sched_events *after)
{
	json_t *object = after->known && (!before || before->known) ? json_object() : NULL;

	for (size_t i = 0; object && i < after->nr; i++) {
		int64_t old = 0, now = after->items[i].value, change;

		if (before && !find_event(before, after->items[i].name, &old))
			continue;
		/* Another attachment began anew. */
		change = now < old ? now : (int64_t)((uint64_t)now - (uint64_t)old);
		if (json_object_set_new(object, after->items[i].name, json_integer(change)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
