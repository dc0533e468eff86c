/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * state.h - what the kernel says of sched_ext: the files below /sys/kernel/sched_ext.
 *
 * Source: kernel/sched/ext of Linux 6.12 to 7.3.  Files that a kernel does not have are not known,
 * and never zero.
 */
#ifndef KTSTR_SCHED_STATE_H
#define KTSTR_SCHED_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <ktstr/error.h>

enum {
	SCHED_STATE_BYTES = 16,	 /* "bypassing" and the like */
	SCHED_OPS_BYTES = 128,	 /* SCX_OPS_NAME_LEN */
	SCHED_FILE_BYTES = 8192, /* more in one file is not believed */
	SCHED_EVENTS = 64,
	SCHED_EVENT_BYTES = 48
};

struct sched_number {
	bool known;
	uint64_t value;
};

struct sched_state {
	char state
		[SCHED_STATE_BYTES]; /* "enabled", "disabled", ...; "": the kernel has no sched_ext */
	char ops[SCHED_OPS_BYTES];   /* of the attached scheduler; "": none */
	struct sched_number switch_all, nr_rejected, enable_seq, hotplug_seq;
};

/* Counters of root/events, by the kernel's names ("SCX_EV_DISPATCH_KEEP_LAST"). */
struct sched_events {
	bool known; /* false: nothing is attached, or the kernel has none */
	size_t nr;
	size_t more; /* that did not fit */
	struct {
		char name[SCHED_EVENT_BYTES];
		int64_t value;
	} items[SCHED_EVENTS];
};

/* Two of the files, kept open: reading them again costs a tenth of opening them. */
struct sched_quick {
	int state_fd, seq_fd;
};

void sched_quick_open(struct sched_quick *quick, const char *sysfs);
void sched_quick_close(struct sched_quick *quick);
/* Return: whether a scheduler is enabled, by the same attachment as when @state was read; false as well
 * if that cannot be told so quickly. */
bool sched_quick_is_same(const struct sched_quick *quick, const struct sched_state *state);

/* Return: whether this kernel has sched_ext at all.  @sysfs: "/sys". */
bool sched_is_supported(const char *sysfs);
/* What cannot be read is not known. */
void sched_read_state(const char *sysfs, struct sched_state *ret_state);
/* Of the attached scheduler. */
void sched_read_events(const char *sysfs, struct sched_events *ret_events);

/* "0\n", of one file.  Return: 0, -EINVAL, -ERANGE. */
int sched_parse_number(const char *text, struct sched_number *ret_number) KTSTR_MUST_CHECK;
/* "NAME VALUE" lines.  Return: 0, -EBADMSG (a line is something else; nothing is written). */
int sched_parse_events(const char *text, struct sched_events *ret_events) KTSTR_MUST_CHECK;

/* {"SCX_EV_x": increase}; counters that are missing before or after are left out; a counter that went
 * down was begun anew by another attachment, and counts from 0.  @before NULL: all from 0.
 * Return: a new object, NULL if one of the two is not known or for lack of memory. */
json_t *sched_events_increase(const struct sched_events *before, const struct sched_events *after);

#endif
