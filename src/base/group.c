// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/group.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"

enum { STAT_BYTES = 4096 };

static void copy_printable(const char *text, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (; n < len && n + 1 < size; n++)
		buf[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	buf[n] = '\0';
}

/* "PID (COMM) STATE PPID PGRP ...": the name may itself hold parentheses and blanks. */
int group_parse_stat(const char *text, struct group_stat *ret_stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	const char *field, *end;
	char number[16] = "";
	int64_t group;

	if (!open || !close || close < open || close[1] != ' ' || !close[2] || close[3] != ' ')
		return -EBADMSG;
	field = strchr(close + 4, ' ');
	if (!field)
		return -EBADMSG;
	field++;
	end = strchrnul(field, ' ');
	if ((size_t)(end - field) >= sizeof(number))
		return -EBADMSG;
	memcpy(number, field, (size_t)(end - field));
	if (parse_i64(number, &group) < 0 || group < INT_MIN || group > INT_MAX)
		return -EBADMSG;
	copy_printable(open + 1, (size_t)(close - open - 1), ret_stat->comm,
		       sizeof(ret_stat->comm));
	ret_stat->state = close[2];
	ret_stat->group = (pid_t)group;
	return 0;
}

static bool read_member(int proc_fd, const char *name, struct group_stat *ret_stat)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(STAT_BYTES);
	char path[64];
	uint32_t pid;

	if (parse_u32(name, &pid) < 0)
		return false;
	snprintf(path, sizeof(path), "%u/stat", pid);
	if (io_read_file_at(proc_fd, path, &text) < 0)
		return false;
	return group_parse_stat(strbuf_str(&text), ret_stat) == 0;
}

void group_describe(pid_t group, struct strbuf *out)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	unsigned int nr = 0;
	struct dirent *de;

	if (!dir)
		return;
	while ((de = readdir(dir))) {
		struct group_stat st;

		if (!read_member(dirfd(dir), de->d_name, &st) || st.group != group ||
		    st.state == 'Z' || st.state == 'X')
			continue;
		if (nr++ < GROUP_NAMED)
			strbuf_addf(out, "%s%s (%s)", nr > 1 ? ", " : "", de->d_name, st.comm);
	}
	if (nr > GROUP_NAMED)
		strbuf_addf(out, " and %u more", nr - GROUP_NAMED);
}
