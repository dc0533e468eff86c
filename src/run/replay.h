/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * replay.h - the parts of repeating a recorded run (include/ktstr/replay.h).
 */
#ifndef KTSTR_RUN_REPLAY_PARTS_H
#define KTSTR_RUN_REPLAY_PARTS_H

#include "run/evidence.h"
#include "run/machine.h"
#include "run/runrecord.h"
#include <ktstr/replay.h>

enum { REPLAY_ITEMS_MAX = 1000000 };

/* Where records lie (replay_source.c). */
struct replay_source {
	char *run_dir;
	char **items; /* names of folders in it, sorted */
	size_t nr;
	unsigned int nr_passed; /* that were left out */
	bool is_parcel;
};

/* @work_dir receives what a parcel holds.  Return: 0, -ENOENT, as parcel_unpack(), -errno. */
int replay_source_open(const struct ktstr_replay_opts *opts, const char *work_dir,
		       struct replay_source *ret_source, struct ktstr_error *err) KTSTR_MUST_CHECK;
void replay_source_close(struct replay_source *source);

/* One recorded run, checked (replay_item.c). */
struct replay_item {
	char *dir, *objects_dir;
	struct runrecord record;
	struct ktstr_topology topology;
	struct machine machine;
	char *files_path;
	char *job_text;
};

/* Everything the record names is there and has the content it had.  Return: 0, -ENOENT, -EBADMSG (it
 * has been changed), -EPROTO (another QEMU), -errno. */
int replay_item_load(const struct ktstr_replay_opts *opts, const struct replay_source *source,
		     const char *name, struct replay_item *ret_item,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
void replay_item_deinit(struct replay_item *item);

/* The kernel with the content that @record names: from @run_dir, where the user says, where it was,
 * or any in the cache (replay_kernel.c).  -ENOENT: the text says which, and how to get it. */
int replay_find_kernel(const struct ktstr_replay_opts *opts, const char *run_dir,
		       const struct runrecord *record, struct ktstr_kernel *ret_kernel,
		       struct ktstr_error *err) KTSTR_MUST_CHECK;

/* One repetition (replay_run.c). */
struct replay_run {
	const struct ktstr_replay_opts *opts;
	const struct replay_item *item;
	const char *dir;   /* for its files */
	const char *label; /* led by it, progress is told */
	uint64_t stop_seq; /* for the debugger; 0: none */
	enum record_type stop_type;
	bool told_stop;
	int log_fd;
	struct evidence *e;
};

/* Whatever happens to the guest becomes evidence.  Return: 0, -EINTR, -errno (it did not start). */
int replay_run_once(struct replay_run *run, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* printf for opts->say. */
void replay_say(const struct ktstr_replay_opts *opts, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* Each line of @text, indented. */
void replay_say_lines(const struct ktstr_replay_opts *opts, const char *text);

#endif
