/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * runrecord.h - RUN/ITEM/run.json: all that is needed to repeat a run, and what came of it.
 *
 * docs/format/run-record.md describes it.  Beside it lie job.json (the job's description) and
 * records.bin (the events); RUN/objects/ has the guest image and the job's files by content.
 */
#ifndef KTSTR_RUN_RUNRECORD_H
#define KTSTR_RUN_RUNRECORD_H

#include <jansson.h>

#include "base/sha256.h"
#include "run/protocol.h"
#include <ktstr/test.h>
#include <ktstr/topology.h>
#include <ktstr/vm.h>

enum {
	RUNRECORD_VERSION = 1,
	/* What this program itself adds to a machine: QEMU's options, the preloaded library.  To be
	 * counted up whenever a change there makes other events of the same inputs. */
	RUNRECORD_ENGINE = 3,
	RUNRECORD_FILE_MAX = 64 << 10,
	RUNRECORD_NAME = 256, /* of programs, tests, items, kernels, QEMU's version */
	RUNRECORD_PATH = 4096
};

#define RUNRECORD_FILE	 "run.json"
#define RUNRECORD_JOB	 "job.json"
#define RUNRECORD_EVENTS "records.bin"

struct runrecord {
	char item[RUNRECORD_NAME]; /* its folder's name */
	char program[RUNRECORD_NAME], test[RUNRECORD_NAME];
	uint64_t seed;
	enum perturb perturb;
	uint64_t timeout_ns, wall_limit_ns;
	char kernel_path[RUNRECORD_PATH]; /* what QEMU was given, where it lay then */

	/* All that an exact run is a function of. */
	char qemu[RUNRECORD_NAME];   /* version */
	char kernel[RUNRECORD_NAME]; /* name */
	char kernel_sha256[SHA256_HEX], image_sha256[SHA256_HEX];
	char files_sha256[SHA256_HEX], job_sha256[SHA256_HEX];
	char topology[KTSTR_TOPOLOGY_TEXT];
	uint64_t memory_bytes;
	char kernel_args[KTSTR_KERNEL_ARGS_BYTES]; /* "": none but the runner's */
	bool exact;
	uint32_t engine;
	enum ktstr_accel accel;

	bool cloned;
	enum ktstr_verdict verdict;
	char end[32];
	uint64_t nr_events, virtual_ns;
	char events_sha256[SHA256_HEX]; /* "": the stream was not whole */
};

/* "inputs" of results and of the record; NULL for lack of memory. */
json_t *runrecord_inputs(const struct runrecord *record);

/* The whole record; NULL for lack of memory. */
json_t *runrecord_to_json(const struct runrecord *record);
/* Writes DIR/run.json.  Return: 0 or -errno. */
int runrecord_write(const char *dir, const struct runrecord *record,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;

/* @text need not be terminated.  Return: 0; -EPROTO (another version), -EINVAL (anything else that
 * is not as documented; @err names it). */
int runrecord_decode(const char *text, size_t length, struct runrecord *ret_record,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Reads DIR/run.json.  Return: as runrecord_decode(), -ENOENT, -E2BIG, -errno. */
int runrecord_read(const char *dir, struct runrecord *ret_record,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
