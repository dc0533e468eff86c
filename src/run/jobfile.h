/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * jobfile.h - put together what one guest gets: the files it needs, and what to do with them.
 *
 * The files depend on the test only, so that one archive serves runs with any number of seeds.
 */
#ifndef KTSTR_RUN_JOBFILE_H
#define KTSTR_RUN_JOBFILE_H

#include "run/protocol.h"
#include "vm/vm.h"
#include <ktstr/test.h>
#include <ktstr/topology.h>

/* An archive to write, for a guest that has what is in @image. */
struct jobfile_archive {
	const char *path;
	const struct vm_image *image;
	const char *vmlinux; /* of the guest's kernel; only scenarios of a test need it */
};

struct jobfile_packed {
	struct pack_sums sums;
	char *scenario; /* for struct jobfile_opts, malloc'ed; NULL: the test has none */
};

/* Writes the files of a test: the program without symbols and every payload's binary in /bin,
 * and all declared files.  Seed, limits and the like are no part of it.
 * -ENOENT, -EACCES: a payload, file or library is missing; the text names it. */
int jobfile_pack_test(const struct jobfile_archive *archive, const struct ktstr_entry *entry,
		      const char *program, struct jobfile_packed *ret_packed,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The same for a command or a shell: busybox with a link for every applet, and @includes as in
 * struct ktstr_guest_opts. */
int jobfile_pack_guest(const struct jobfile_archive *archive, const char *const *includes,
		       struct pack_sums *ret_sums, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* What a description says, whatever is run; fields as in struct job. */
struct jobfile_opts {
	const char *path; /* description to write */
	const struct pack_sums *files;
	const struct ktstr_topology *topology;
	uint64_t timeout_ns;
	uint64_t seed;
	enum perturb perturb;
	bool exact;
	uint64_t realtime_ns;
	uint64_t stop_seq;
	const char *scenario; /* NULL: none */
};

int jobfile_describe_test(const struct jobfile_opts *opts, const char *program, const char *test,
			  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* For a command (@argv) or a shell (NULL). */
struct jobfile_guest {
	const char *const *argv;
	uint32_t rows, columns;
};
int jobfile_describe_guest(const struct jobfile_opts *opts, const struct jobfile_guest *guest,
			   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Adds a file that is named so.  Return: as jobfile_split() and pack_add(). */
int jobfile_add_file(struct pack *pack, const char *spec, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Where "HOST" or "HOST:/guest/path" goes: the host part, malloc'ed, and the guest part.
 * Return: 0, -EINVAL (guest path not absolute, or with ".."), -ENOMEM. */
int jobfile_split(const char *spec, char **ret_host, char **ret_guest,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
