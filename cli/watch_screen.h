/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * watch_screen.h - a whole terminal as lines, of which only the changed ones are written.
 *
 * The terminal is the program's from open to close: keys come one by one and unseen, the other
 * screen is shown, the cursor hidden.  Signals that end, stop or resize arrive at
 * watch_screen_wait() only, so that close always runs.  ECMA-48 sequences that xterm, the Linux
 * console, screen and tmux know; nothing else is asked of the terminal.
 */
#ifndef KTSTR_CLI_WATCH_SCREEN_H
#define KTSTR_CLI_WATCH_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include <ktstr/error.h>

enum watch_style { WATCH_PLAIN, WATCH_BOLD, WATCH_DIM, WATCH_HEADING };

enum watch_event {
	WATCH_TIME_OUT,
	WATCH_KEY,
	WATCH_RESIZED,
	WATCH_RESUMED, /* was stopped meanwhile: a Ctrl-Z */
	WATCH_ENDED    /* a signal, or the terminal is gone */
};

/* Keys that are no character. */
enum {
	WATCH_KEY_UP = 256,
	WATCH_KEY_DOWN,
	WATCH_KEY_LEFT,
	WATCH_KEY_RIGHT,
	WATCH_KEY_PAGE_UP,
	WATCH_KEY_PAGE_DOWN,
	WATCH_KEY_HOME,
	WATCH_KEY_END,
	WATCH_KEY_ESCAPE
};

enum { WATCH_ROWS_MAX = 512, WATCH_COLUMNS_MAX = 500 };

struct watch_screen {
	bool interactive; /* false: no terminal; only signals and time */
	int signals;	  /* descriptor */
	struct termios before;
	size_t rows, columns;
	char *next, *seen; /* rows of WATCH_COLUMNS_MAX columns of UTF-8 each */
	unsigned char next_style[WATCH_ROWS_MAX], seen_style[WATCH_ROWS_MAX];
	bool everything; /* nothing on the screen is known */
	int key;
	unsigned char input[64];
	size_t nr_input;
};

/* True if stdin and stdout are a terminal that can be written to by place. */
bool watch_screen_possible(void);

/* Blocks the signals that watch_screen_wait() tells of, and takes the terminal if @interactive.
 * Return: 0, -errno with the terminal as it was. */
int watch_screen_open(struct watch_screen *screen, bool interactive,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Gives the terminal back.  Harmless if it was never opened. */
void watch_screen_close(struct watch_screen *screen);

/* Waits until @until_ns of CLOCK_MONOTONIC; screen->key holds the key. */
enum watch_event watch_screen_wait(struct watch_screen *screen, uint64_t until_ns);

/* Empties the frame to come; the sizes are those of the terminal. */
void watch_screen_begin(struct watch_screen *screen);
/* @text is cut at the right edge; control characters must not be in it. */
void watch_screen_put(struct watch_screen *screen, size_t row, enum watch_style style,
		      const char *text);
/* Shows the frame. */
void watch_screen_show(struct watch_screen *screen);

#endif
