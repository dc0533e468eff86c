// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/filememo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/sha256.h"

enum { TEXT_MAX = 16384 };

#define YOUNG_NS (2 * NSEC_PER_SEC)

static uint64_t to_ns(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static char *place_of(const char *cache_dir, const char *folder, const char *path)
{
	char key[SHA256_HEX];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, path, strlen(path));
	sha256_final_hex(&s, key);
	return path_format("%s/%s/%.16s", cache_dir, folder, key);
}

int filememo_init(struct filememo *memo, const char *cache_dir, const char *folder,
		  const char *kind, const char *path, const struct stat *st)
{
	*memo = (struct filememo){ .st = *st };
	memo->subject =
		path_format("ktstr %s 1\n%llu %llu %llu %llu %llu %s\n", kind,
			    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
			    (unsigned long long)st->st_size, (unsigned long long)to_ns(st->st_mtim),
			    (unsigned long long)to_ns(st->st_ctim), path);
	memo->place = cache_dir ? place_of(cache_dir, folder, path) : NULL;
	if (memo->subject && (memo->place || !cache_dir))
		return 0;
	filememo_deinit(memo);
	return -ENOMEM;
}

void filememo_deinit(struct filememo *memo)
{
	free(memo->subject);
	free(memo->place);
	*memo = (struct filememo){ 0 };
}

char *filememo_recall(const struct filememo *memo)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(TEXT_MAX);
	size_t length = strlen(memo->subject), line;
	const char *rest;

	if (!memo->place || io_read_file(memo->place, &text, NULL) < 0 ||
	    strncmp(strbuf_str(&text), memo->subject, length) != 0)
		return NULL;
	rest = strbuf_str(&text) + length;
	line = strcspn(rest, "\n");
	return line && !strcmp(rest + line, "\n") ? strndup(rest, line) : NULL;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       to_ns(a->st_mtim) == to_ns(b->st_mtim) && to_ns(a->st_ctim) == to_ns(b->st_ctim);
}

static bool is_young(const struct stat *st)
{
	uint64_t now = clock_real_ns(), mtime = to_ns(st->st_mtim), ctime = to_ns(st->st_ctim);
	uint64_t changed = mtime > ctime ? mtime : ctime;

	return changed + YOUNG_NS > now;
}

void filememo_remember(const struct filememo *memo, const struct stat *st, const char *line)
{
	_cleanup_free_ char *dir = NULL, *text = NULL;

	if (!memo->place || !is_same(&memo->st, st) || is_young(st))
		return;
	dir = strndup(memo->place, (size_t)(path_base(memo->place) - memo->place) - 1);
	text = path_format("%s%s\n", memo->subject, line);
	if (dir && text && strlen(text) <= TEXT_MAX && path_mkdir_all(dir, NULL) == 0 &&
	    io_write_quickly(memo->place, text, strlen(text), 0644, NULL) < 0)
		return;
}
