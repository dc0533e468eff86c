// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/filehash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"

enum { ANSWER_MAX = 16384 };

#define YOUNG_NS (2 * NSEC_PER_SEC)

static uint64_t to_ns(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static char *subject_of(const char *path, const struct stat *st)
{
	return path_format("ktstr hash 1\n%llu %llu %llu %llu %llu %s\n",
			   (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
			   (unsigned long long)st->st_size, (unsigned long long)to_ns(st->st_mtim),
			   (unsigned long long)to_ns(st->st_ctim), path);
}

static char *answer_path(const char *cache_dir, const char *path)
{
	char key[SHA256_HEX];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, path, strlen(path));
	sha256_final_hex(&s, key);
	return path_format("%s/hashes/%.16s", cache_dir, key);
}

static bool recall(const char *answer, const char *subject, char hex[SHA256_HEX])
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(ANSWER_MAX);
	size_t length = strlen(subject);
	const char *rest;

	if (io_read_file(answer, &text, NULL) < 0 ||
	    strncmp(strbuf_str(&text), subject, length) != 0)
		return false;
	rest = strbuf_str(&text) + length;
	if (strspn(rest, "0123456789abcdef") != SHA256_HEX - 1 ||
	    strcmp(rest + SHA256_HEX - 1, "\n"))
		return false;
	memcpy(hex, rest, SHA256_HEX - 1);
	hex[SHA256_HEX - 1] = '\0';
	return true;
}

/* What cannot be kept is found out again next time. */
static void remember(const char *answer, const char *subject, const char *hex)
{
	_cleanup_free_ char *dir = strndup(answer, (size_t)(path_base(answer) - answer) - 1);
	_cleanup_free_ char *text = path_format("%s%s\n", subject, hex);

	if (dir && text && strlen(text) <= ANSWER_MAX && path_mkdir_all(dir, NULL) == 0 &&
	    io_write_file(answer, text, strlen(text), 0644, NULL) < 0)
		return;
}

static bool is_young(const struct stat *st)
{
	uint64_t now = clock_real_ns(), mtime = to_ns(st->st_mtim), ctime = to_ns(st->st_ctim);
	uint64_t changed = mtime > ctime ? mtime : ctime;

	return changed + YOUNG_NS > now;
}

int filehash_sha256(const char *path, const char *cache_dir, char hex[SHA256_HEX],
		    struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *subject = NULL, *after = NULL, *answer = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	subject = subject_of(path, &st);
	answer = cache_dir ? answer_path(cache_dir, path) : NULL;
	if (!subject || (cache_dir && !answer))
		return ktstr_error_nomem(err);
	if (answer && recall(answer, subject, hex))
		return 0;
	r = sha256_fd_hex(fd, hex);
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", path, strerror(-r));
	after = subject_of(path, &st);
	if (answer && after && !strcmp(subject, after) && !is_young(&st))
		remember(answer, subject, hex);
	return 0;
}
