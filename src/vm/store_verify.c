// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/store_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/store.h"

enum { BLOCK = 4096, CHUNK = 256 * BLOCK, SEEN_MAX_BYTES = 1 << 17 };

/* A file system's clock may tick this coarsely: what changed so shortly before it was noted as seen
 * may have changed again since. */
static const uint64_t RACY_NS = 20 * NSEC_PER_MSEC;

static const char hex_digits[] = "0123456789abcdef";

int store_paths_init(struct store_paths *paths, const char *root, const char *key,
		     struct ktstr_error *err)
{
	size_t len = strlen(key);
	struct store_paths p = { .key = key };

	if (!len || len > STORE_KEY_MAX || strspn(key, hex_digits) != len)
		return ktstr_error_set(err, -EINVAL,
				       "'%.80s' is no key: 1 to %d lower-case hexadecimal digits",
				       key, STORE_KEY_MAX);
	p.root = path_format("%s", root);
	p.dir = path_format("%s/%s", root, key);
	p.temp = path_format("%s/%s.new", root, key);
	p.lock = path_format("%s/%s.lock", root, key);
	p.seen = path_format("%s/%s.seen", root, key);
	if (!p.root || !p.dir || !p.temp || !p.lock || !p.seen) {
		store_paths_deinit(&p);
		return ktstr_error_nomem(err);
	}
	*paths = p;
	return 0;
}

void store_paths_deinit(struct store_paths *paths)
{
	free(paths->root);
	free(paths->dir);
	free(paths->temp);
	free(paths->lock);
	free(paths->seen);
	*paths = (struct store_paths){ 0 };
}

/* What says nothing about the entry. */
static bool is_ours(int code)
{
	return code == -ENOMEM || code == -EMFILE || code == -ENFILE;
}

static int damaged(struct ktstr_error *err, const char *name, const char *what)
{
	return ktstr_error_set(err, -EUCLEAN, "'%s' %s", name, what);
}

static int check_stat(const struct stat *st, const char *name, struct ktstr_error *err)
{
	if (!S_ISREG(st->st_mode))
		return damaged(err, name, "is no regular file");
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return damaged(err, name, "belongs to another user");
	return 0;
}

static bool is_zero(const char *bytes, size_t len)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

static void hash_chunk(struct xxh128 *x, const char *bytes, size_t len, uint64_t offset)
{
	for (size_t at = 0; at < len; at += BLOCK) {
		size_t n = len - at < BLOCK ? len - at : BLOCK;
		uint64_t where = offset + at;
		unsigned char le[8];

		if (is_zero(bytes + at, n))
			continue;
		for (int i = 0; i < 8; i++)
			le[i] = (unsigned char)(where >> (8 * i));
		xxh128_update(x, le, sizeof(le));
		xxh128_update(x, bytes + at, n);
	}
}

static ssize_t read_at(int fd, char *bytes, size_t len, uint64_t offset)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(fd, bytes + have, len - have, (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* Moves *@offset over a hole.  Return: bytes to read there, 0 at the end. */
static size_t next_data(int fd, uint64_t *offset)
{
	off_t data = lseek(fd, (off_t)*offset, SEEK_DATA), hole;

	if (data < 0)
		return errno == ENXIO ? 0 : CHUNK;
	*offset = (uint64_t)data / BLOCK * BLOCK;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole <= data || (uint64_t)hole - *offset > CHUNK)
		return CHUNK;
	return ((uint64_t)hole - *offset + BLOCK - 1) / BLOCK * BLOCK;
}

static int hash_file(int fd, char hex[XXH128_HEX])
{
	_cleanup_free_ char *bytes = malloc(CHUNK);
	uint64_t offset = 0;
	struct xxh128 x;
	size_t len;

	if (!bytes)
		return -ENOMEM;
	xxh128_init(&x);
	while ((len = next_data(fd, &offset)) > 0) {
		ssize_t n = read_at(fd, bytes, len, offset);

		if (n < 0)
			return (int)n;
		hash_chunk(&x, bytes, (size_t)n, offset);
		if ((size_t)n < len)
			break;
		offset += len;
	}
	xxh128_final_hex(&x, hex);
	return 0;
}

/* Hashes @name and describes it; @ret_st is how it was before. */
static int read_file(int dir_fd, const char *name, struct manifest_file *ret_file,
		     struct stat *ret_st, struct ktstr_error *err)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct manifest_file file = { 0 };
	int r;

	if (fd < 0 && errno == ELOOP)
		return damaged(err, name, "is no regular file");
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return ktstr_error_set(err, is_ours(-errno) ? -errno : -EUCLEAN, "'%s': %s", name,
				       strerror(errno));
	r = check_stat(ret_st, name, err);
	if (r < 0)
		return r;
	if (strlen(name) >= sizeof(file.name))
		return damaged(err, name, "has too long a name");
	memcpy(file.name, name, strlen(name) + 1);
	file.bytes = (uint64_t)ret_st->st_size;
	file.allocated_bytes = (uint64_t)ret_st->st_blocks * 512;
	r = hash_file(fd, file.xxh128);
	if (r < 0)
		return ktstr_error_set(err, is_ours(r) ? r : -EUCLEAN, "read '%s': %s", name,
				       strerror(-r));
	*ret_file = file;
	return 0;
}

/* Everything in the folder but the manifest. */
static int next_name(DIR *dir, const char **ret_name)
{
	struct dirent *de;

	do {
		errno = 0;
		de = readdir(dir);
		if (!de)
			return -errno;
	} while (!strcmp(de->d_name, ".") || !strcmp(de->d_name, "..") ||
		 !strcmp(de->d_name, MANIFEST_NAME));
	*ret_name = de->d_name;
	return 1;
}

static int check_nothing_else(int dir_fd, const struct manifest *m, struct ktstr_error *err)
{
	_cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const char *name = "";
	int r;

	if (!dir)
		return ktstr_error_set(err, is_ours(-errno) ? -errno : -EUCLEAN,
				       "list its files: %s", strerror(errno));
	take_fd(&fd);
	while ((r = next_name(dir, &name)) > 0) {
		size_t i = 0;

		while (i < m->nr_files && strcmp(m->files[i].name, name) != 0)
			i++;
		if (i == m->nr_files)
			return damaged(err, name, "is not in its manifest");
	}
	return r < 0 ? damaged(err, ".", "cannot be listed") : 0;
}

static void add_identity(struct strbuf *seen, const char *name, const struct stat *st)
{
	strbuf_addf(seen, "%s %llx:%llu %u %o %lld %lld.%09ld %lld.%09ld\n", name,
		    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino, st->st_uid,
		    st->st_mode, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
		    st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static uint64_t timespec_ns(const struct timespec *ts)
{
	return ts->tv_sec < 0 ? 0 : (uint64_t)ts->tv_sec * NSEC_PER_SEC + (uint64_t)ts->tv_nsec;
}

/* Begins the text that KEY.seen has if the entry may be trusted; -errno where boots of the host
 * cannot be told apart, so nothing is to be kept. */
static int begin_seen(const struct store_paths *paths, const struct manifest *m,
		      struct strbuf *seen)
{
	_cleanup_strbuf_ struct strbuf boot = STRBUF_INIT_LIMIT(256);
	int r = io_read_file("/proc/sys/kernel/random/boot_id", &boot, NULL);

	if (r < 0)
		return r;
	strbuf_addf(seen, "seen 1\nkey %s\nmanifest %s\nboot %s", paths->key, m->xxh128, boot.data);
	return seen->error;
}

static void write_seen(const struct store_paths *paths, const struct strbuf *seen)
{
	_cleanup_close_ int fd =
		open(paths->seen, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);

	/* In place and at once: whoever sees a torn one verifies anew. */
	if (seen->error || fd < 0 || io_write_all(fd, seen->data, seen->len) < 0 ||
	    ftruncate(fd, (off_t)seen->len) < 0)
		return;
	futimens(fd, NULL);
}

/* Are the files the ones that were last verified? */
static bool was_seen(const struct store_paths *paths, int dir_fd, const struct manifest *m)
{
	_cleanup_strbuf_ struct strbuf now = STRBUF_INIT_LIMIT(SEEN_MAX_BYTES);
	_cleanup_strbuf_ struct strbuf then = STRBUF_INIT_LIMIT(SEEN_MAX_BYTES);
	uint64_t last_ns = 0;
	struct stat st;

	if (begin_seen(paths, m, &now) < 0)
		return false;
	for (size_t i = 0; i < m->nr_files; i++) {
		const char *name = m->files[i].name;

		if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    check_stat(&st, name, NULL) < 0)
			return false;
		add_identity(&now, name, &st);
		if (timespec_ns(&st.st_ctim) > last_ns)
			last_ns = timespec_ns(&st.st_ctim);
	}
	if (now.error || lstat(paths->seen, &st) < 0 || check_stat(&st, paths->seen, NULL) < 0 ||
	    timespec_ns(&st.st_mtim) < last_ns + RACY_NS ||
	    io_read_file(paths->seen, &then, NULL) < 0)
		return false;
	return now.len == then.len && !memcmp(now.data, then.data, now.len);
}

static int verify_files(const struct store_paths *paths, int dir_fd, const struct manifest *m,
			struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT_LIMIT(SEEN_MAX_BYTES);
	bool can_note = begin_seen(paths, m, &seen) == 0;

	for (size_t i = 0; i < m->nr_files; i++) {
		const struct manifest_file *wanted = &m->files[i];
		struct manifest_file file;
		struct stat st;
		int r;

		if (fstatat(dir_fd, wanted->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return damaged(err, wanted->name, "is missing");
		if ((uint64_t)st.st_size != wanted->bytes)
			return damaged(err, wanted->name, "has another size than when made");
		r = read_file(dir_fd, wanted->name, &file, &st, err);
		if (r < 0)
			return r;
		if (file.bytes != wanted->bytes || strcmp(file.xxh128, wanted->xxh128) != 0)
			return damaged(err, wanted->name, "has another content than when made");
		add_identity(&seen, wanted->name, &st);
	}
	if (can_note)
		write_seen(paths, &seen);
	return 0;
}

static int load_manifest(const struct store_paths *paths, int dir_fd, struct manifest *ret,
			 struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(MANIFEST_MAX_BYTES);
	_cleanup_close_ int fd =
		openat(dir_fd, MANIFEST_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	if (r == -ENOENT)
		return damaged(err, MANIFEST_NAME, "is missing");
	if (r == -ELOOP)
		return damaged(err, MANIFEST_NAME, "is no regular file");
	if (r == 0) {
		r = check_stat(&st, MANIFEST_NAME, err);
		if (r < 0)
			return r;
		r = io_read_to_end(fd, &text);
	}
	if (r < 0)
		return ktstr_error_set(err, is_ours(r) ? r : -EUCLEAN, "read '%s': %s",
				       MANIFEST_NAME, strerror(-r));
	r = manifest_parse(strbuf_str(&text), text.len, paths->key, ret, err);
	return r == -EINVAL ? ktstr_error_wrap(err, -EUCLEAN, "read") : r;
}

int store_verify(const struct store_paths *paths, struct manifest *ret_manifest,
		 struct ktstr_error *err)
{
	_cleanup_manifest_ struct manifest m = { 0 };
	_cleanup_close_ int dir_fd = -1;
	struct stat st;
	int r;

	dir_fd = open(paths->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0 && errno == ENOENT)
		return 0;
	if (dir_fd < 0)
		return ktstr_error_set(err, is_ours(-errno) ? -errno : -EUCLEAN, "open it: %s",
				       strerror(errno));
	if (fstat(dir_fd, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0))
		return damaged(err, paths->dir, "belongs to another user");
	r = load_manifest(paths, dir_fd, &m, err);
	if (r == 0)
		r = check_nothing_else(dir_fd, &m, err);
	if (r == 0 && !was_seen(paths, dir_fd, &m))
		r = verify_files(paths, dir_fd, &m, err);
	if (r < 0)
		return r;
	if (ret_manifest) {
		*ret_manifest = m;
		m = (struct manifest){ 0 };
	}
	return 1;
}

static int write_manifest(const struct store_paths *paths, struct manifest *m,
			  struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(MANIFEST_MAX_BYTES);
	_cleanup_free_ char *path = path_format("%s/" MANIFEST_NAME, paths->temp);
	_cleanup_close_ int fd = -1;
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = manifest_format(m, paths->key, &text, err);
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	r = fd < 0 ? -errno : io_write_all(fd, text.data, text.len);
	return r < 0 ? ktstr_error_set(err, r, "write '%s': %s", path, strerror(-r)) : 0;
}

static int describe_files(const struct store_paths *paths, struct manifest *m,
			  struct strbuf *identities, struct ktstr_error *err)
{
	_cleanup_closedir_ DIR *dir = opendir(paths->temp);
	const char *name = NULL;
	int r;

	if (!dir)
		return ktstr_error_set(err, -errno, "open folder '%s': %s", paths->temp,
				       strerror(errno));
	while ((r = next_name(dir, &name)) > 0) {
		struct manifest_file file;
		struct stat st;

		r = read_file(dirfd(dir), name, &file, &st, err);
		if (r == 0)
			r = manifest_add(m, &file, err);
		if (r < 0)
			return ktstr_error_wrap(err, r == -EUCLEAN ? -EINVAL : r,
						"keep the files in '%s'", paths->temp);
		add_identity(identities, name, &st);
	}
	return r < 0 ? ktstr_error_set(err, r, "list '%s': %s", paths->temp, strerror(-r)) : 0;
}

int store_describe(const struct store_paths *paths, json_t *about, struct strbuf *ret_seen,
		   struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf identities = STRBUF_INIT_LIMIT(SEEN_MAX_BYTES);
	_cleanup_manifest_ struct manifest m = { .about = json_incref(about) };
	int r = describe_files(paths, &m, &identities, err);

	if (r == 0)
		r = write_manifest(paths, &m, err);
	if (r < 0)
		return r;
	strbuf_clear(ret_seen);
	if (!identities.error && begin_seen(paths, &m, ret_seen) == 0)
		strbuf_add(ret_seen, identities.data, identities.len);
	else
		strbuf_clear(ret_seen);
	return 0;
}

void store_note_seen(const struct store_paths *paths, const struct strbuf *seen)
{
	if (seen->len)
		write_seen(paths, seen);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int store_wipe(const struct store_paths *paths, struct ktstr_error *err)
{
	int r = path_remove_tree(paths->temp, err);

	if (r < 0)
		return r;
	/* By its other name first: an entry is never seen half removed.  What is not there is not
	 * touched, or a store that cannot be written to would complain about that. */
	if (is_there(paths->dir) && rename(paths->dir, paths->temp) < 0)
		return ktstr_error_set(err, -errno, "remove '%s': %s", paths->dir, strerror(errno));
	if (is_there(paths->seen) && unlink(paths->seen) < 0)
		return ktstr_error_set(err, -errno, "remove '%s': %s", paths->seen,
				       strerror(errno));
	return path_remove_tree(paths->temp, err);
}
