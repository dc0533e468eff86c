/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * jobfile.h - put together what one guest gets: the job and the files it needs.
 */
#ifndef KTSTR_RUN_JOBFILE_H
#define KTSTR_RUN_JOBFILE_H

#include <ktstr/test.h>
#include <ktstr/topology.h>

struct jobfile_opts {
	const char *path; /* archive to write */
	const struct ktstr_topology *topology;
	uint64_t timeout_ns;
};

/* For a test: the program and every payload's binary in /bin, and all declared files.
 * -ENOENT, -EACCES: a payload, file or library is missing; the text names it. */
int jobfile_for_test(const struct jobfile_opts *opts, const struct ktstr_entry *entry,
		     const char *program, uint64_t *ret_bytes,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

/* For a command (@argv) or a shell (NULL): busybox with a link for every applet, and @includes as
 * in struct ktstr_guest_opts. */
struct jobfile_guest {
	const char *const *argv;
	const char *const *includes;
	uint32_t rows, columns;
};
int jobfile_for_guest(const struct jobfile_opts *opts, const struct jobfile_guest *guest,
		      uint64_t *ret_bytes, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Where "HOST" or "HOST:/guest/path" goes: the host part, malloc'ed, and the guest part.
 * Return: 0, -EINVAL (guest path not absolute, or with ".."), -ENOMEM. */
int jobfile_split(const char *spec, char **ret_host, char **ret_guest,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
