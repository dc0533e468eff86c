/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * filememo.h - a line of text about a file, remembered as long as the file stays as it is.
 *
 * CACHE/FOLDER/KEY (KEY: hash of the path) is text:
 *
 *	ktstr KIND 1
 *	DEVICE INODE SIZE MTIME_NS CTIME_NS PATH
 *	LINE
 *
 * It counts if the second line fits the file as it is now.  About a file that was changed less than
 * two seconds ago nothing is remembered: it could change again and look the same.
 */
#ifndef KTSTR_VM_FILEMEMO_H
#define KTSTR_VM_FILEMEMO_H

#include <sys/stat.h>

struct filememo {
	char *subject; /* the first two lines */
	char *place;   /* NULL: nowhere to remember */
	struct stat st;
};

/* @st is what fstat() says about @path; @cache_dir may be NULL.  Return: 0 or -ENOMEM. */
int filememo_init(struct filememo *memo, const char *cache_dir, const char *folder,
		  const char *kind, const char *path, const struct stat *st);
void filememo_deinit(struct filememo *memo);

/* Return: malloc'ed line without its newline, NULL if none is known. */
char *filememo_recall(const struct filememo *memo);

/* @st is what fstat() said after @line was found out: remembered only if the file was the same all
 * the time.  What cannot be kept is found out again next time. */
void filememo_remember(const struct filememo *memo, const struct stat *st, const char *line);

#endif
