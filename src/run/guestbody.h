/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* guestbody.h - run the body of a test in a VM of its own. */
#ifndef KTSTR_RUN_GUESTBODY_H
#define KTSTR_RUN_GUESTBODY_H

#include "run/evidence.h"
#include "run/machine.h"
#include "run/protocol.h"
#include <ktstr/test.h>

struct guestbody_opts {
	const char *program;
	const struct ktstr_entry *entry;
	const struct machine *machine;
	struct ktstr_topology topology;
	uint64_t memory_bytes; /* 0: enough */
	uint64_t seed;
	enum perturb perturb;
	bool cold;		/* boot, whatever templates there are */
	uint64_t wall_limit_ns; /* of an exact run's body on the host's clock; 0: the default */
	const char *dir;
	const char *objects_dir; /* of the run: files shared by its tests, named by SHA-256 */
	uint64_t timeout_ns;
	uint64_t deadline_ns;
};

/* Whatever happens becomes evidence. */
void guestbody_run(const struct guestbody_opts *opts, struct evidence *e);

#endif
