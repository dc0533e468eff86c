/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * env.h - what the environment says of the terminal.
 */
#ifndef KTSTR_BASE_ENV_H
#define KTSTR_BASE_ENV_H

#include <stdbool.h>

/* It moves no cursor and knows no color: TERM is "dumb", empty or not there. */
bool env_terminal_is_dumb(void);

/* Color may be shown on a terminal: it has some, and NO_COLOR is empty or not there (no-color.org). */
bool env_allows_color(void);

#endif
