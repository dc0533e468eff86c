/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * replay.h - repeat recorded runs, and pack them for another machine.
 *
 * A run folder holds one record for each guest test (docs/format/run-record.md).  In exact mode the
 * same record gives the same events, bit for bit; a live one starts with the same seed and may end
 * differently.
 */
#ifndef KTSTR_REPLAY_H
#define KTSTR_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>

/* Hold the guest for a debugger. */
enum ktstr_replay_gdb {
	KTSTR_REPLAY_NO_GDB,
	KTSTR_REPLAY_GDB_START, /* before its first instruction */
	KTSTR_REPLAY_GDB_FAIL,	/* when it has sent the event that made the run fail */
};

struct ktstr_replay_opts {
	const char *path; /* a run folder, one item's folder in it, or an exported file */
	bool all;	  /* items that passed or were skipped too */
	bool cold;	  /* boot instead of restoring templates */
	bool any_qemu;	  /* accept another version than was recorded, with a warning */
	bool console;	  /* show the guest's console on stderr */
	uint32_t repeat;  /* how often; 0: once */
	enum ktstr_replay_gdb gdb;
	const char *qemu_path;	 /* NULL: find */
	const char *kernel_path; /* look here first for a kernel of the recorded content; NULL */
	const char *run_dir;	 /* keep the new runs' files here; NULL: only of runs that parted */
	/* One line of results; required. */
	void (*say)(void *arg, const char *line);
	/* What is going on, twice a second at most; NULL: nobody asks. */
	void (*progress)(void *arg, const char *line);
	void *arg;
};

/**
 * ktstr_replay() - repeat recorded runs and compare.
 * @opts:	what and how
 * @err:	filled on failure; may be NULL
 *
 * An item whose record, objects, kernel or QEMU is missing or was changed is said to be so, and the
 * others are still repeated.  With a debugger only one item can be repeated, once, and there is no
 * verdict.
 *
 * Return: enum ktstr_exit: that of the verdicts if all exact runs were identical,
 * KTSTR_EXIT_HARNESS if one parted from its record or could not be repeated, KTSTR_EXIT_SKIP if
 * there was nothing to repeat, KTSTR_EXIT_INTERRUPTED.  Or -ENOENT (no record at the path), -EINVAL
 * (a parcel that is damaged, options that do not fit), -errno.
 */
KTSTR_API int ktstr_replay(const struct ktstr_replay_opts *opts,
			   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_replay_export() - pack recorded runs, with all they need but QEMU, into one file.
 * @opts:	path, all and kernel_path count; say is called once
 * @file:	to write; replaced when the new one is whole
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -ENOENT (nothing to pack, or the kernel is not to be found), -EBADMSG (an object was
 * changed), -errno.
 */
KTSTR_API int ktstr_replay_export(const struct ktstr_replay_opts *opts, const char *file,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
