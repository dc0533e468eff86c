// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/filesum.h"
#include <ktstr/log.h>

enum { NOTE_MAX = 1024 };

bool filesum_is_hex(const char *text)
{
	return strlen(text) == SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == SHA256_HEX - 1;
}

/* All that changes when the content may have. */
static void identify(const struct stat *st, struct strbuf *out)
{
	strbuf_addf(out, "%ju %ju %ju %ju.%09ld %ju.%09ld ", (uintmax_t)st->st_dev,
		    (uintmax_t)st->st_ino, (uintmax_t)st->st_size, (uintmax_t)st->st_mtim.tv_sec,
		    st->st_mtim.tv_nsec, (uintmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* sums/SHA-256-OF-THE-PATH */
static char *note_path(const char *path, char **ret_dir)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_free_ char *cache = path_cache_dir(NULL);
	char name[SHA256_HEX];
	struct sha256 hash;

	*ret_dir = cache ? path_format("%s/sums", cache) : NULL;
	if (!real || !*ret_dir)
		return NULL;
	sha256_init(&hash);
	sha256_update(&hash, real, strlen(real));
	sha256_final_hex(&hash, name);
	return path_format("%s/%s", *ret_dir, name);
}

static bool recall(const char *note, const struct strbuf *identity, char hex[SHA256_HEX])
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(NOTE_MAX);
	const char *sum;

	if (!note || io_read_file(note, &text, NULL) < 0 || text.len < identity->len)
		return false;
	sum = text.data + identity->len;
	if (memcmp(text.data, identity->data, identity->len) != 0 || !filesum_is_hex(sum))
		return false;
	memcpy(hex, sum, SHA256_HEX);
	return true;
}

/* So many different paths means that they are made up: start again. */
static void make_room(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	unsigned int nr = 0;

	while (d && readdir(d))
		nr++;
	if (nr > FILESUM_REMEMBERED && path_remove_tree(dir, NULL) < 0)
		ktstr_log(KTSTR_LOG_DEBUG, "'%s' could not be cleared", dir);
}

static void remember(const char *dir, const char *note, struct strbuf *identity, const char *hex)
{
	struct ktstr_error err;

	if (!note)
		return;
	make_room(dir);
	strbuf_addstr(identity, hex);
	if (identity->error || path_mkdir_all(dir, &err) < 0 ||
	    io_write_file(note, identity->data, identity->len, 0644, &err) < 0)
		ktstr_log(KTSTR_LOG_DEBUG, "checksum is not kept: %s", err.text);
}

int filesum_sha256(const char *path, char hex[SHA256_HEX], struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf identity = STRBUF_INIT_LIMIT(NOTE_MAX);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *note = note_path(path, &dir);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", path, strerror(errno));
	identify(&st, &identity);
	if (recall(note, &identity, hex))
		return 0;
	r = sha256_fd_hex(fd, hex);
	if (r < 0)
		return ktstr_error_set(err, r, "read '%s': %s", path, strerror(-r));
	remember(dir, note, &identity, hex);
	return 0;
}
