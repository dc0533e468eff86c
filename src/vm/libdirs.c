// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/closure.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/strbuf.h"

enum { CONF_MAX = 1 << 20, INCLUDE_DEPTH_MAX = 8 };

static const char include_word[] = "include";

static int read_conf(struct library_dirs *dirs, const char *conf, int depth);

static int add_dir(struct library_dirs *dirs, const char *dir, size_t len)
{
	for (unsigned int i = 0; i < dirs->nr; i++)
		if (strlen(dirs->dirs[i]) == len && !strncmp(dirs->dirs[i], dir, len))
			return 0;
	if (dirs->nr == CLOSURE_DIRS_MAX || dir[0] != '/')
		return 0;
	dirs->dirs[dirs->nr] = strndup(dir, len);
	return dirs->dirs[dirs->nr] ? (dirs->nr++, 0) : -ENOMEM;
}

/* A pattern without a leading slash is relative to the file that includes it. */
static int include(struct library_dirs *dirs, const char *conf, const char *pattern, int depth)
{
	_cleanup_free_ char *full =
		pattern[0] == '/'
			? strdup(pattern)
			: path_format("%.*s%s", (int)(path_base(conf) - conf), conf, pattern);
	glob_t found;
	int r = 0;

	if (!full)
		return -ENOMEM;
	if (glob(full, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = read_conf(dirs, found.gl_pathv[i], depth + 1);
	globfree(&found);
	return r;
}

static int read_line(struct library_dirs *dirs, const char *conf, char *line, int depth)
{
	size_t word = sizeof(include_word) - 1, len;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t");
	if (!strncmp(line, include_word, word) && isblank((unsigned char)line[word])) {
		char *pattern, *next = line + word;

		while (*(pattern = next + strspn(next, " \t\r"))) {
			int r;

			next = pattern + strcspn(pattern, " \t\r");
			if (*next)
				*next++ = '\0';
			r = include(dirs, conf, pattern, depth);
			if (r < 0)
				return r;
		}
		return 0;
	}
	/* What follows '=' names a library type of long ago. */
	len = strcspn(line, " \t\r=");
	return add_dir(dirs, line, len);
}

static int read_conf(struct library_dirs *dirs, const char *conf, int depth)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CONF_MAX);
	char *line, *end;
	int r = 0;

	if (depth > INCLUDE_DEPTH_MAX || io_read_file(conf, &text, NULL) < 0)
		return 0;
	for (line = text.data; line && r == 0; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		r = read_line(dirs, conf, line, depth);
	}
	return r;
}

int library_dirs_read(struct library_dirs *dirs, const char *conf, struct ktstr_error *err)
{
	int r = read_conf(dirs, conf, 0);

	return r < 0 ? ktstr_error_nomem(err) : 0;
}

void library_dirs_deinit(struct library_dirs *dirs)
{
	for (unsigned int i = 0; i < dirs->nr; i++)
		free(dirs->dirs[i]);
	dirs->nr = 0;
}
