/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * payload_find.h - where a payload's binary is, on the host and in the guest.
 *
 * On the host, in this order: a name with a '/' is a path; else the folder of the test program,
 * its payloads, ../payloads and ../../payloads, the folders of PATH, and the installed payloads
 * (KTSTR_LIBEXEC_DIR).  The runner packs what is found there to /bin/NAME, so in the guest it is
 * always /bin and the last part of the name.
 */
#ifndef KTSTR_WORK_PAYLOAD_FIND_H
#define KTSTR_WORK_PAYLOAD_FIND_H

#include <ktstr/error.h>

#define PAYLOAD_GUEST_DIR "/bin"

/*
 * @binary: as in struct ktstr_payload; @program: path of the test program, NULL: the running one.
 * Return: 0 and a malloc'ed path; -EINVAL (no name), -ENOENT, -EACCES (there, but not executable),
 * -EISDIR, -ENOMEM.
 */
int payload_find_binary(const char *binary, const char *program, char **ret_path,
			struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The same inside a guest. */
int payload_find_in_guest(const char *binary, char **ret_path,
			  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
