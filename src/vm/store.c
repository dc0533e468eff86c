// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "vm/store_lock.h"
#include "vm/store_verify.h"

/* Pauses before somebody is told about them, and before a damaged entry that others keep using is
 * given up: a few milliseconds, a few seconds. */
enum { QUIET_TURNS = 3, PATIENT_TURNS = 40 };

struct store_entry {
	struct store_paths paths;
	char *key;
	int fd;
	bool making;
};

/* What one store_acquire() learnt while it went round. */
struct search {
	const struct store_opts *opts;
	unsigned int turn;
	bool told;
	bool damaged;
	struct ktstr_error why; /* if damaged */
};

static void entry_free(struct store_entry *e)
{
	store_lock_drop(&e->fd);
	store_paths_deinit(&e->paths);
	free(e->key);
	free(e);
}

DEFINE_CLEANUP(struct store_entry *, entry_free);

static int entry_alloc(const struct store_opts *opts, struct store_entry **ret,
		       struct ktstr_error *err)
{
	_cleanup_(entry_freep) struct store_entry *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return ktstr_error_nomem(err);
	e->fd = -1;
	e->key = strdup(opts->key);
	if (!e->key)
		return ktstr_error_nomem(err);
	r = store_paths_init(&e->paths, opts->root, e->key, err);
	if (r < 0)
		return r;
	*ret = take_ptr(e);
	return 0;
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Somebody else has the lock.  Return: -EAGAIN after a while; -EINTR, -EBUSY. */
static int wait_turn(struct store_entry *e, struct search *s, struct ktstr_error *err)
{
	if (s->damaged) {
		int fd = store_lock_try(e->paths.lock, LOCK_SH, false);

		/* A maker will mend it; users keep it from being mended. */
		s->damaged = fd >= 0;
		store_lock_drop(&fd);
		if (s->damaged && s->turn >= PATIENT_TURNS)
			return ktstr_error_set(err, -EBUSY,
					       "'%s' is damaged and in use by others: %s",
					       e->paths.dir, s->why.text);
	}
	if (!s->damaged && !s->told && s->turn >= QUIET_TURNS) {
		s->told = true;
		if (s->opts->progress)
			s->opts->progress(s->opts->arg, "waiting for another process to make it");
	}
	if (store_lock_pause(s->opts->cancel_fd, &s->turn) < 0)
		return ktstr_error_set(err, -EINTR, "interrupted while waiting for '%s'",
				       e->paths.lock);
	return -EAGAIN;
}

/* Holds the exclusive lock.  Return: 0 or -errno. */
static int begin_making(struct store_entry *e, const struct search *s, struct ktstr_error *err)
{
	int r;

	if (s->damaged)
		ktstr_log(KTSTR_LOG_WARN, "'%s' is damaged and will be made anew: %s", e->paths.dir,
			  s->why.text);
	r = store_wipe(&e->paths, err);
	if (r == 0 && mkdir(e->paths.temp, 0777) < 0)
		r = ktstr_error_set(err, -errno, "create folder '%s': %s", e->paths.temp,
				    strerror(errno));
	if (r < 0 && !is_there(e->paths.dir))
		unlink(e->paths.lock);
	e->making = r == 0;
	return r;
}

/* Return: 1 it is there, 0 it is to be made, -EAGAIN go round, -errno. */
static int try_once(struct store_entry *e, struct search *s, struct ktstr_error *err)
{
	bool exclusive = s->damaged || !is_there(e->paths.dir);
	int r;

	e->fd = store_lock_try(e->paths.lock, exclusive ? LOCK_EX : LOCK_SH, true);
	if (e->fd == -EBUSY)
		return wait_turn(e, s, err);
	if (e->fd < 0)
		return ktstr_error_set(err, e->fd, "lock '%s': %s", e->paths.lock,
				       strerror(-e->fd));
	r = store_verify(&e->paths, NULL, &s->why);
	if (r < 0 && r != -EUCLEAN) {
		if (err)
			*err = s->why;
		return r;
	}
	s->damaged = r == -EUCLEAN;
	if (exclusive && r != 1)
		return begin_making(e, s, err);
	if (exclusive || r != 1)
		return -EAGAIN;
	futimens(e->fd, NULL);
	return 1;
}

int store_acquire(const struct store_opts *opts, struct store_entry **ret_entry,
		  struct ktstr_error *err)
{
	_cleanup_(entry_freep) struct store_entry *e = NULL;
	struct search s = { .opts = opts };
	int r = entry_alloc(opts, &e, err);

	if (r == 0)
		r = path_mkdir_all(opts->root, err);
	if (r < 0)
		return r;
	do {
		store_lock_drop(&e->fd);
		r = try_once(e, &s, err);
	} while (r == -EAGAIN);
	if (r >= 0)
		*ret_entry = take_ptr(e);
	return r;
}

const char *store_entry_dir(const struct store_entry *entry)
{
	return entry->making ? entry->paths.temp : entry->paths.dir;
}

bool store_entry_writable(const struct store_entry *entry)
{
	return entry->making;
}

/* Between the two locks another process may come and remove the entry. */
static int share_lock(struct store_entry *e, struct ktstr_error *err)
{
	if (flock(e->fd, LOCK_SH | LOCK_NB) == 0 && store_lock_is_at(e->fd, e->paths.lock) &&
	    is_there(e->paths.dir))
		return 0;
	return ktstr_error_set(err, -EAGAIN, "'%s' was removed as soon as it was made",
			       e->paths.dir);
}

static int publish(struct store_entry *e, json_t *about, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT;
	int r = store_describe(&e->paths, about, &seen, err);

	if (r < 0)
		return r;
	if (rename(e->paths.temp, e->paths.dir) < 0)
		return ktstr_error_set(err, -errno, "rename '%s' to '%s': %s", e->paths.temp,
				       e->paths.dir, strerror(errno));
	e->making = false;
	store_note_seen(&e->paths, &seen);
	futimens(e->fd, NULL);
	return share_lock(e, err);
}

int store_commit(struct store_entry *entry, json_t *about, uint64_t max_bytes,
		 struct ktstr_error *err)
{
	_cleanup_(json_decrefp) json_t *taken = about;
	struct ktstr_error why;
	int r;

	if (!entry->making)
		r = ktstr_error_set(err, -EINVAL, "'%s' is not being made", entry->paths.dir);
	else
		r = publish(entry, taken, err);
	if (r < 0) {
		store_release(entry);
		return r;
	}
	if (store_prune(entry->paths.root, max_bytes, &why) < 0)
		ktstr_log(KTSTR_LOG_WARN, "make room: %s", why.text);
	return 0;
}

void store_release(struct store_entry *entry)
{
	struct ktstr_error why;

	if (!entry)
		return;
	if (entry->making) {
		if (store_wipe(&entry->paths, &why) < 0)
			ktstr_log(KTSTR_LOG_WARN, "%s, leaving it", why.text);
		else
			unlink(entry->paths.lock);
	}
	entry_free(entry);
}
