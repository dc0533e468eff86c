/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * load.h - saved snapshots, once their bytes are in memory.
 *
 * A file is a sequence of zstd frames, each of which holds one snapshot.  The last one may be cut
 * short if a whole one is before it.
 */
#ifndef KTSTR_CTPROF_LOAD_H
#define KTSTR_CTPROF_LOAD_H

#include <ktstr/ctprof.h>

/* Where the snapshots of a file lie. */
struct ctprof_frames {
	size_t nr;
	size_t last, end; /* of the last whole one */
	bool cut_short;	  /* behind @end begins another one */
};

/* @name is for messages.  Return: 0 (none whole, if it is cut short), -EBADMSG, -E2BIG. */
int ctprof_find_frames(const void *bytes, size_t len, const char *name,
		       struct ctprof_frames *ret_frames, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The last whole snapshot of @bytes, which are as in a file. */
int ctprof_load_packed(const void *bytes, size_t len, const char *name,
		       struct ktstr_ctprof **ret_snapshot,
		       struct ktstr_error *err) KTSTR_MUST_CHECK;
/* All whole snapshots. */
int ctprof_load_packed_series(const void *bytes, size_t len, const char *name,
			      struct ktstr_ctprof_series **ret_series,
			      struct ktstr_error *err) KTSTR_MUST_CHECK;
/* @text is the JSON of one. @warning: said in the snapshot; NULL: nothing. */
int ctprof_load_text(const char *text, size_t len, const char *name, const char *warning,
		     struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
