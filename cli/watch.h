/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* watch.h - the state of `ktstr ctprof watch`. */
#ifndef KTSTR_CLI_WATCH_H
#define KTSTR_CLI_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/ctprof.h>
#include <ktstr/ctprof_movers.h>

#include "watch_rows.h"
#include "watch_screen.h"

/* A capture, the middle of it, and when it began as a thread's start time. */
struct watch_moment {
	struct ktstr_ctprof *snapshot;
	uint64_t mono_ns;
	int64_t boot_ticks;
};

struct watch {
	struct ktstr_ctprof_opts capture;
	struct watch_view view;
	uint64_t interval_ns;
	uint64_t count; /* 0: until it is ended */
	uint64_t limit; /* rows where there is no terminal; 0: all */
	struct watch_moment older, newer;
	struct ktstr_ctprof_movers *movers; /* NULL: nothing measured yet */
	double seconds;			    /* between the two */
	uint64_t intervals;		    /* measured so far */
	struct watch_screen screen;
	size_t top; /* first row shown */
	bool paused, help, typing;
	char before_typing[WATCH_FILTER];
};

/* Captures; what was newer becomes older.  Computes the movers once there are two. */
int watch_capture(struct watch *watch, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Forgets what was measured: the next capture is the first again. */
void watch_forget(struct watch *watch);
/* Computes the movers anew, after the view's grouping changed. */
int watch_recompute(struct watch *watch, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Draws the frame.  Return: 0 or -ENOMEM. */
int watch_draw(struct watch *watch) KTSTR_MUST_CHECK;
/* Acts on screen.key.  Return: 0; 1 to quit; -errno. */
int watch_press(struct watch *watch, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* One interval as lines, or as one JSON object.  Return: an exit code. */
int watch_print(struct watch *watch);
int watch_print_json(struct watch *watch);

#endif
