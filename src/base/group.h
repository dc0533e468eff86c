/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* group.h - who is in a process group, from /proc. */
#ifndef KTSTR_BASE_GROUP_H
#define KTSTR_BASE_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/strbuf.h"

enum { GROUP_TEXT_BYTES = 512, GROUP_NAMED = 8 };

/* Appends "12 (sleep), 13 (cat) and 4 more", the live members; zombies do not count.  Nothing is
 * appended if there are none or /proc cannot be read. */
void group_describe(pid_t group, struct strbuf *out);

/* One line of /proc/PID/stat.  Return: 0, -EBADMSG. */
struct group_stat {
	char comm[64]; /* printable; cut */
	char state;
	pid_t group;
};
int group_parse_stat(const char *text, struct group_stat *ret_stat) KTSTR_MUST_CHECK;

#endif
