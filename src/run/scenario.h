/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * scenario.h - a test's scenario on its way: into the guest's archive, through the body's process, and
 * as records to its judge.
 *
 * The scheduler's binary, and those staged for "replace", go to /bin in the guest with their
 * libraries.  Demands are merged on the host (check/demands.h) and travel with the scenario; the
 * engine repeats them in its first record, so records alone can be judged again.
 */
#ifndef KTSTR_RUN_SCENARIO_H
#define KTSTR_RUN_SCENARIO_H

#include <stdbool.h>

#include "check/judge.h"
#include "run/body.h"
#include "run/evidence.h"
#include "vm/vm.h"
#include <ktstr/test.h>

struct scenario_pack_opts {
	const struct ktstr_test *test;
	const char *program; /* path of the test program */
	const char *vmlinux; /* of the guest's kernel */
};

/* Adds the files a test's scenario needs, and says what is to be done with them: @ret_text is malloc'ed,
 * for struct job; NULL if the test has no scenario.  Where the kernel keeps a scheduler's
 * operations goes along if the scenario asks for some; not if that kernel has no BTF that says it.
 * Return: 0, -ENOENT, -EACCES, -EISDIR, -ENOEXEC (the scheduler's binary), -EINVAL (demands), -EBADMSG
 * (the kernel's BTF), -ENOMEM. */
int scenario_pack(struct pack *pack, const struct scenario_pack_opts *opts, char **ret_text,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Where a scheduler's loader is on this machine, if it can be one in a guest: there, executable, for
 * x86-64, with its interpreter and libraries.  @program: as payload_find_binary().
 * Return: 0 and a malloc'ed path, or as scheduler_inspect() and closure_walk(). */
int scenario_find_scheduler(const struct ktstr_scheduler *scheduler, const char *program,
			    char **ret_path, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* What is demanded of a test with a scenario, all layers merged, a line each; @out NULL: only whether
 * that can be.  Return: 0, or as project_read() and demands_merge(). */
int scenario_demands(const struct ktstr_test *test, struct strbuf *out,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

/* What is demanded of @test, a line each with bound, place and layer, after its name and topology.
 * Return: 0, or as demands_merge(). */
int scenario_dump(const struct ktstr_entry *entry, struct strbuf *out,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The longest its steps, and what attaches in them, may take by their own limits; 0: no scenario. */
uint64_t scenario_time_ns(const struct ktstr_test *test);

/* Drives the scenario that came with the job, if one did.  What goes wrong is sent as ERROR, a need that
 * is not met as SKIP.  Return: true if the test's own function is to be run then. */
bool scenario_drive(struct ktstr *t);

/* Did the job bring a scenario? */
bool scenario_is_there(void);

/* Judges the records in @e, once, when no more will come: findings become checks of the evidence. */
void scenario_conclude(struct evidence *e, const struct judge_host *host);

/* The program that drives scenarios in guests, where there is no test program; embedded. */
struct scenario_program {
	const void *bytes;
	size_t length;
};
struct scenario_program scenario_program(void);
#define SCENARIO_PROGRAM "ktstr-scenario"

#endif
