// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { CHUNK = 64 << 10, SHOWN = 160 };

/* One stream and the record it stands at. */
struct reader {
	int fd;
	struct frame_parser parser;
	struct record record; /* valid if there */
	bool there, over;
	bool has_bye;
	char *damage; /* the stream breaks here; NULL: it does not */
};

static void reader_close(struct reader *reader)
{
	closep(&reader->fd);
	frame_parser_deinit(&reader->parser);
	free(reader->damage);
}
#define _cleanup_reader_ _cleanup_(reader_close)

static int reader_open(struct reader *reader, const char *path, struct ktstr_error *err)
{
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (reader->fd < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	frame_parser_init(&reader->parser);
	return 0;
}

static int feed(struct reader *reader)
{
	char chunk[CHUNK];
	ssize_t n;

	do
		n = read(reader->fd, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0) {
		reader->over = true;
		if (frame_parser_pending(&reader->parser))
			reader->damage = strdup("the record is cut off");
		return 0;
	}
	return frame_parser_feed(&reader->parser, chunk, (size_t)n);
}

/* Steps to the next record; .there says if there was one. */
static int step(struct reader *reader, struct ktstr_error *err)
{
	struct ktstr_error why = { 0 };
	int r = 0;

	reader->there = false;
	while (!reader->over && !reader->has_bye && !reader->damage) {
		r = frame_parser_next(&reader->parser, &reader->record, &why);
		if (r == 1) {
			reader->there = true;
			reader->has_bye = reader->record.type == RECORD_BYE;
			return 0;
		}
		if (r == -EBADMSG) {
			reader->damage = strdup(why.text);
			return reader->damage ? 0 : ktstr_error_nomem(err);
		}
		if (r == 0)
			r = feed(reader);
		if (r < 0)
			return ktstr_error_set(err, r, "read records: %s", strerror(-r));
	}
	return 0;
}

static bool same(const struct record *a, const struct record *b)
{
	return a->type == b->type && a->time_ns == b->time_ns && a->length == b->length &&
	       memcmp(a->payload, b->payload, a->length) == 0;
}

static uint64_t after(uint64_t ns, uint64_t base)
{
	return ns > base ? ns - base : 0;
}

static char *describe(const struct reader *reader, uint64_t base_ns)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT, clean = STRBUF_INIT;
	const struct record *record = &reader->record;
	uint64_t ns;

	if (!reader->there) {
		strbuf_addstr(&out, reader->damage ? reader->damage : "the stream had ended");
		return strbuf_take(&out);
	}
	ns = after(record->time_ns, base_ns);
	strbuf_addf(&out, "%s at %" PRIu64 ".%09" PRIu64 " s ", record_type_name(record->type),
		    ns / (uint64_t)NSEC_PER_SEC, ns % (uint64_t)NSEC_PER_SEC);
	text_add_clean(&clean, record->payload, record->length, SHOWN);
	text_add_flat(&out, strbuf_str(&clean));
	return strbuf_take(&out);
}

static int part(const struct reader *then, const struct reader *now, uint64_t base_ns,
		struct events_diff *diff)
{
	const struct record *record = then->there ? &then->record : &now->record;

	diff->parted = true;
	if (then->there || now->there) {
		diff->type = record->type;
		diff->virtual_ns = after(record->time_ns, base_ns);
	}
	diff->then = describe(then, base_ns);
	diff->now = describe(now, base_ns);
	return diff->then && diff->now ? 0 : -ENOMEM;
}

/* Return: 1 to go on, 0 when all is known. */
static int compare_next(struct reader *then, struct reader *now, struct events_diff *diff,
			uint64_t *base_ns)
{
	if (then->there && now->there && same(&then->record, &now->record)) {
		if (then->record.type == RECORD_HELLO)
			*base_ns = then->record.time_ns;
		diff->nr_same++;
		return 1;
	}
	if (!then->there && !now->there && !then->damage && !now->damage) {
		diff->ended = !then->has_bye;
		return 0;
	}
	/* A stream without BYE was cut by the host at a moment of its own. */
	if (then->there != now->there && !then->damage && !now->damage) {
		diff->ended = !(then->there ? now : then)->has_bye;
		if (diff->ended)
			return 0;
	}
	return part(then, now, *base_ns, diff);
}

int events_compare(const char *then_path, const char *now_path, struct events_diff *ret_diff,
		   struct ktstr_error *err)
{
	_cleanup_reader_ struct reader then = { .fd = -1 }, now = { .fd = -1 };
	struct events_diff diff = { 0 };
	uint64_t base_ns = 0;
	int r = reader_open(&then, then_path, err);

	if (r == 0)
		r = reader_open(&now, now_path, err);
	if (r < 0)
		return r;
	do {
		r = step(&then, err);
		if (r == 0)
			r = step(&now, err);
		if (r == 0)
			r = compare_next(&then, &now, &diff, &base_ns);
	} while (r > 0);
	if (r < 0) {
		events_diff_deinit(&diff);
		return r == -ENOMEM ? ktstr_error_nomem(err) : r;
	}
	*ret_diff = diff;
	return 0;
}

void events_diff_deinit(struct events_diff *diff)
{
	free(diff->then);
	free(diff->now);
	*diff = (struct events_diff){ 0 };
}

enum blame { BLAME_NONE, BLAME_STEP, BLAME_EVENT };

static enum blame blame_scenario(const json_t *object)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	const char *event = json_string_value(json_object_get(object, "event"));

	if (kind && event && !strcmp(kind, "scheduler"))
		return !strcmp(event, "ejected") || !strcmp(event, "failed") ? BLAME_EVENT
									     : BLAME_NONE;
	return kind && !strcmp(kind, "step_end") ? BLAME_STEP : BLAME_NONE;
}

static enum blame blame(const struct record *record)
{
	json_t *object;
	enum blame found;

	if (record->type == RECORD_CRASH || record->type == RECORD_TIMEOUT ||
	    record->type == RECORD_ERROR)
		return BLAME_EVENT;
	if (record->type != RECORD_CHECK && record->type != RECORD_SCENARIO)
		return BLAME_NONE;
	object = json_loadb(record->payload, record->length, JSON_REJECT_DUPLICATES, NULL);
	if (record->type == RECORD_SCENARIO)
		found = blame_scenario(object);
	else
		found = json_is_false(json_object_get(object, "ok")) ? BLAME_EVENT : BLAME_NONE;
	json_decref(object);
	return found;
}

int events_find_failure(const char *path, uint64_t *ret_seq, enum record_type *ret_type,
			struct ktstr_error *err)
{
	_cleanup_reader_ struct reader reader = { .fd = -1 };
	enum blame found = BLAME_NONE;
	int r = reader_open(&reader, path, err);

	while (r == 0 && found != BLAME_EVENT) {
		enum blame here;

		r = step(&reader, err);
		if (r < 0 || !reader.there)
			break;
		here = blame(&reader.record);
		if (here == BLAME_NONE)
			continue;
		found = here;
		*ret_seq = reader.record.seq;
		*ret_type = reader.record.type;
	}
	if (r == 0 && found == BLAME_NONE)
		return ktstr_error_set(err, -ENOENT, "'%s': no event made the run fail", path);
	return r;
}
