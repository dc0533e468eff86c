/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* guestbody.h - run the body of a test in a VM of its own. */
#ifndef KTSTR_RUN_GUESTBODY_H
#define KTSTR_RUN_GUESTBODY_H

#include "run/evidence.h"
#include "run/machine.h"
#include "run/protocol.h"
#include "run/session.h"
#include <ktstr/test.h>

struct guestbody_opts {
	const char *program;
	const struct ktstr_entry *entry;
	const struct machine *machine;
	struct ktstr_topology topology;
	uint64_t memory_bytes;	 /* 0: enough */
	const char *kernel_args; /* as in struct vm_opts; "" is none too */
	uint64_t seed;
	enum perturb perturb;
	bool cold;		 /* boot, whatever templates there are */
	uint64_t wall_limit_ns;	 /* of an exact run's body on the host's clock; 0: the default */
	const char *dir;	 /* of the test; its last part names the run's item */
	const char *objects_dir; /* of the run: files shared by its tests, named by SHA-256 */
	uint64_t timeout_ns;
	uint64_t deadline_ns;
	bool console; /* show the guest's console on stderr */
	/* Called twice a second at most; NULL: nobody asks. */
	void (*status)(void *arg, const struct session_status *status);
	void *status_arg;
	/* What the guest waits for before it starts; NULL: goes to the log. */
	void (*progress)(void *arg, const char *text);
	void *progress_arg;
};

/* Whatever happens becomes evidence.  What can be repeated leaves run.json in its folder, and its
 * image and files in objects_dir; without objects_dir or checksums of the machine it cannot. */
void guestbody_run(const struct guestbody_opts *opts, struct evidence *e);

#endif
