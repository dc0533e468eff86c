/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * parcel.h - recorded runs in one file: a cpio archive, compressed with zstd.
 *
 * It holds the name "ktstr-parcel" with its version, ITEM/{run.json,job.json,records.bin,result.json}
 * for each item, objects/SHA256, and kernels/SHA256: what a run folder has, and the kernels.
 */
#ifndef KTSTR_RUN_PARCEL_H
#define KTSTR_RUN_PARCEL_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>

#define PARCEL_KERNELS	 "kernels"
#define PARCEL_OBJECTS	 "objects"
#define PARCEL_BYTES_MAX (8ull << 30) /* unpacked */

/* --- writing ------------------------------------------------------------------------------------ */

struct parcel;

/* Begins a parcel at @path; nothing appears there or beside it before parcel_finish(), which goes on
 * beside it.  After a signal (interrupt.h) adding and finishing end with -EINTR. */
int parcel_create(const char *path, struct parcel **ret_parcel,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
/* A folder of the archive; before what is in it. */
int parcel_add_folder(struct parcel *parcel, const char *name,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Adds @path as @name unless that is in it already. */
int parcel_add(struct parcel *parcel, const char *path, const char *name,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
int parcel_finish(struct parcel *parcel, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Frees, and removes what was not finished.  NULL is fine. */
void parcel_destroy(struct parcel *parcel);

/* --- reading ------------------------------------------------------------------------------------ */

/* May a parcel hold a file (or @folder) of this name?  Pure. */
bool parcel_name_ok(const char *name, bool folder);

/* Unpacks into @dir, an empty folder, and nowhere else.  The file is not trusted.
 * Return: 0; -EINVAL (no parcel, damaged, a name or type it must not hold), -EPROTO (another version),
 * -E2BIG (a limit), -errno. */
int parcel_unpack(const char *path, const char *dir, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
