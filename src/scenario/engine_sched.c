// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "scenario/engine_private.h"
#include "sched/implemented.h"

/* Of a record's payload, with room for the frame and what the sender adds. */
enum { RECORD_BYTES = 48 << 10 };

/* Cuts the longest texts until the record can be sent. */
static void fit(json_t *record)
{
	static const char *const keys[] = { "dump", "kernel", "words" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		while (json_dumpb(record, NULL, 0, JSON_COMPACT) > RECORD_BYTES) {
			const char *text = json_string_value(json_object_get(record, keys[i]));
			size_t len = text ? strlen(text) / 2 : 0;

			/* Not within a character of several bytes. */
			while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
				len--;
			if (!len) {
				json_object_del(record, keys[i]);
				break;
			}
			json_object_set_new(record, keys[i], json_stringn(text, len));
		}
	}
}

static void tell(struct engine *e, const char *event)
{
	const struct story *story = scheduler_story(e->scheduler);
	/* What it did after it was gone, such as to tell why, took time too. */
	uint64_t at_ns = story->gone_ns ? story->gone_ns : clock_mono_ns();
	json_t *record = json_pack("{s:s, s:s, s:I}", "kind", "scheduler", "event", event, "at_ns",
				   (json_int_t)at_ns);

	if (record && story_to_json(story, record) < 0) {
		json_decref(record);
		record = NULL;
	}
	if (record)
		fit(record);
	engine_send(e, record);
}

static void lose(struct engine *e)
{
	scheduler_destroy(e->scheduler);
	e->scheduler = NULL;
	e->attached = false;
}

int engine_attach(struct engine *e, const struct ktstr_scheduler *scheduler,
		  struct ktstr_error *err)
{
	const struct scheduler_opts opts = { .scheduler = scheduler,
					     .sysfs = e->opts->sysfs,
					     .kmsg = "/dev/kmsg",
					     .sysrq = "/proc/sysrq-trigger" };
	int r;

	if (e->attached)
		return ktstr_error_set(
			err, -EINVAL,
			"attach '%s': a scheduler is attached already; detach it first",
			scheduler->name);
	engine_watch_close(e);
	r = scheduler_start(&opts, &e->scheduler, err);
	if (r < 0)
		return r;
	e->attached = r > 0;
	tell(e, r > 0 ? "attached" : "failed");
	if (!e->attached)
		lose(e);
	return r;
}

int engine_detach(struct engine *e, struct ktstr_error *err)
{
	int r;

	if (!e->scheduler)
		return 0;
	engine_watch_close(e);
	r = scheduler_stop(e->scheduler, err);
	if (e->attached)
		tell(e, scheduler_story(e->scheduler)->word == STORY_detached ? "detached"
									      : "ejected");
	lose(e);
	return r;
}

bool engine_scheduler_seems_fine(struct engine *e)
{
	static const char enabled[] = "enabled";
	struct pollfd fd = { .events = POLLIN };
	char state[sizeof(enabled)] = "";

	if (!e->attached)
		return true;
	fd.fd = scheduler_fd(e->scheduler);
	if (e->state_fd >= 0 && poll(&fd, 1, 0) == 0 &&
	    pread(e->state_fd, state, sizeof(state) - 1, 0) == (ssize_t)sizeof(state) - 1 &&
	    !strcmp(state, enabled))
		return true;
	return engine_scheduler_is_fine(e);
}

bool engine_scheduler_is_fine(struct engine *e)
{
	if (!e->attached || scheduler_poll(e->scheduler) > 0)
		return true;
	tell(e, "ejected");
	lose(e);
	return false;
}

static bool has_name(const json_t *names, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(names, i, item)
	{
		if (!strcmp(json_string_value(item), name))
			return true;
	}
	return false;
}

/* What cannot be known must not be held against it. */
void engine_check_ops(struct engine *e)
{
	const char *const *needs = e->scenario->needs_ops;
	const struct story *story;
	struct ktstr_error err = { .text = "the kernel's BTF was not there to be read" };
	json_t *names = NULL;

	if (!needs[0] || !e->attached)
		return;
	story = scheduler_story(e->scheduler);
	if (!e->opts->job->ops_offsets ||
	    implemented_ops(e->opts->job->ops_offsets, story->ops, &names, &err) < 0) {
		snprintf(e->skip, sizeof(e->skip),
			 "it is not known whether '%s' has '%s', without which it promises nothing "
			 "here: %.512s",
			 story->ops, needs[0], err.text);
		return;
	}
	for (size_t i = 0; i < KTSTR_SCENARIO_NEEDS_OPS && needs[i] && !*e->skip; i++)
		if (!has_name(names, needs[i]))
			snprintf(e->skip, sizeof(e->skip),
				 "'%s' has no '%s', without which it promises nothing here",
				 story->ops, needs[i]);
	json_decref(names);
}
