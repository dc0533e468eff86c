/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * protocol.h - what a guest says to its host, and the job the host gives a guest.
 *
 * Records.  The agent writes frames to the virtio-serial port "ktstr.records"; QEMU appends them
 * to the file records.bin, which the host only reads.  Inside the guest a test body sends the same
 * frames to the agent over a SOCK_SEQPACKET socket, one frame per message; the agent sets seq and
 * crc and passes them on.  A frame is a 32-byte little-endian header and the payload:
 *
 *	u32 magic "KTR1", u16 type, u16 flags (0), u32 length, u32 crc of the payload,
 *	u64 seq (from 1, no gaps), u64 time_ns (CLOCK_MONOTONIC of the sender)
 *
 * Payloads are one JSON object, except RECORD_OUTPUT (one byte 1 or 2 for stdout or stderr, then
 * raw bytes).  A body may send CHECK, NOTE, VALUE, SKIP, UNDECIDED, PAYLOAD, CRASH, DONE, ERROR and SCENARIO;
 * the agent replaces anything else it gets from it by an ERROR.  Keys, all required unless marked "?":
 *
 *	HELLO	  agent (version), kernel (uname -r), nr_cpus, init_ns (when the agent was started)
 *	SHAPE	  ok (bool), seen (text), wanted (text), why? (first difference)
 *	STARTED	  pid								(body runs)
 *	HEARTBEAT {}
 *	CHECK	  ok, file, line, text (as written), actual?, bound?, why?, error? (bool: ERROR)
 *	NOTE	  text
 *	VALUE	  name, value, unit
 *	SKIP	  text
 *	UNDECIDED text
 *	PAYLOAD	  name, pid, exit? or signal?, wall_ns, killed (bool), left_running (bool),
 *		  metrics (object name -> number), stdout_bytes, stderr_bytes, cut (bool),
 *		  words? (last line of stderr)
 *	CRASH	  signal, address (text, hex), ip_offset? (from the program's load base; left out for
 *		  an instruction elsewhere), frames (array of such offsets, callers outward), sent
 *		  by the body's signal handler
 *	DONE	  checks? (how many were made, also those not sent)	the body function returned;
 *		  without it exit() or _exit() was called
 *	BODY_END  exit? or signal?			how the body's process ended
 *	TIMEOUT	  limit_ns, tasks (text: what was running)	the agent ended the body
 *	ERROR	  text		the agent could not do its work
 *	SCENARIO  kind, and what scenario/records.h says
 *	BYE	  exit (int: exec mode's exit status; else 0)	the last record; power off follows
 *
 * Job.  Two files through fw_cfg.  "opt/ktstr/files" is a cpio archive (newc) that is unpacked at the
 * guest's root before the body starts; runs of one test share it.  "opt/ktstr/job" is the description,
 * one JSON object with the keys version (PROTOCOL_VERSION), mode ("test", "exec", "shell"), argv, env
 * (arrays of text), topology (text; empty: any), timeout_ns, heartbeat_ns, rows, columns (whole
 * numbers), and
 *
 *	seed	    text, 16 hex digits: all chance in the guest comes from it
 *	perturb	    text, "off", "light" or "heavy": what else the seed moves (guest/perturb.h)
 *	exact	    bool: settle before HELLO and before the body, so that all CPUs idle at a known time;
 *		    the kernel's command line says the same (guest/settle.h)
 *	realtime_ns whole number: CLOCK_REALTIME of the host when QEMU was started, which the guest
 *		    takes unless its own has run on since; 0: leave it
 *	stop_seq    text, 20 digits: stop the machine when the record of this seq has been sent (at
 *		    once if it was before the job was read); 0: never
 *	files_bytes whole number: size of the archive
 *	files_xxh64 text, 16 hex digits: XXH64 of the archive, seed 0
 *
 * In mode "test" argv is PROGRAM, PROTOCOL_BODY_OPTION, the test's name, the seed, the perturbation;
 * the agent appends the descriptor of the body's record socket.  A program without '/' is looked up
 * in the PATH of env, then among busybox's; mode "shell" without argv is busybox's sh.
 *
 * Stop.  When all is set up that no job decides, and before HELLO, the agent writes 1 to the I/O port
 * PROTOCOL_STOP_PORT (QEMU's pvpanic): a template is taken there, any other machine runs on.  What it
 * takes for both to be the same in exact mode stands in guest/settle.h, stop.h and rouse.h.
 *
 * Shell.  The port "ktstr.shell" carries the terminal's bytes both ways.  A window change is
 * written by the host as in RFC 1282: ff ff 73 73, then rows, columns, x and y pixels as u16
 * big-endian.  The byte ff never occurs in UTF-8, so nobody types it.
 */
#ifndef KTSTR_RUN_PROTOCOL_H
#define KTSTR_RUN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

#define PROTOCOL_RECORDS_PORT "ktstr.records"
#define PROTOCOL_SHELL_PORT   "ktstr.shell"
#define PROTOCOL_JOB_FILE     "opt/ktstr/job"
#define PROTOCOL_FILES_FILE   "opt/ktstr/files"
/* Where the agent puts the job's scenario (scenario/model.h), for the body's process. */
#define PROTOCOL_SCENARIO_FILE "/ktstr/scenario.json"
#define PROTOCOL_BODY_OPTION   "--guest-body" /* PROGRAM --guest-body TEST SEED PERTURB RECORD_FD */

enum {
	PROTOCOL_VERSION = 2,
	PROTOCOL_MAGIC = 0x3152544b, /* "KTR1" */
	PROTOCOL_HEADER_BYTES = 32,
	PROTOCOL_PAYLOAD_MAX = 60 << 10,      /* a frame fits into one SEQPACKET message */
	PROTOCOL_BODY_RECORDS_MAX = 64 << 20, /* bytes of records that a body may send */
	PROTOCOL_ARGS_MAX = 256,
	PROTOCOL_JOB_JSON_MAX = 1 << 20,
	PROTOCOL_STOP_PORT = 0x505,
	/* What the agent writes to isa-debug-exit; QEMU's exit status is twice that and 1. */
	PROTOCOL_END_FINISHED = 0x10, /* after BYE */
	PROTOCOL_END_GAVE_UP = 0x11   /* it could not report; the console says why */
};

enum record_type {
	RECORD_HELLO = 1,
	RECORD_SHAPE,
	RECORD_STARTED,
	RECORD_HEARTBEAT,
	RECORD_OUTPUT,
	RECORD_CHECK,
	RECORD_NOTE,
	RECORD_VALUE,
	RECORD_SKIP,
	RECORD_UNDECIDED,
	RECORD_PAYLOAD,
	RECORD_CRASH,
	RECORD_DONE,
	RECORD_BODY_END,
	RECORD_TIMEOUT,
	RECORD_ERROR,
	RECORD_BYE,
	RECORD_SCENARIO,
	RECORD_TYPES
};

struct record {
	enum record_type type;
	uint64_t seq;
	uint64_t time_ns;
	const char *payload; /* NUL-terminated; borrowed from the parser until its next call */
	size_t length;
};

/* May a body send it?  All other types are for its agent or runner alone. */
bool record_from_body(enum record_type type);

/* "CHECK", or "?" */
const char *record_type_name(enum record_type type);

struct frame {
	enum record_type type;
	uint64_t seq;
	uint64_t time_ns;
	const void *payload;
	size_t length;
};

/* Writes the header of @frame; async-signal-safe, so that a crash handler can use it.  The
 * caller keeps frame->length within PROTOCOL_PAYLOAD_MAX. */
void frame_put_header(uint8_t out[PROTOCOL_HEADER_BYTES], const struct frame *frame);

/* Encodes one frame into @out (replaced).  Return: 0, -EINVAL (no such type), -E2BIG, -ENOMEM. */
int frame_encode(const struct frame *frame, struct strbuf *out) KTSTR_MUST_CHECK;

/* Sets seq and crc of an encoded frame in place, whatever they were.  Return: 0, or -EBADMSG if
 * magic, type, flags or length are not those of one frame of @size bytes. */
int frame_renumber(void *bytes, size_t size, uint64_t seq) KTSTR_MUST_CHECK;

/* The type in an encoded frame that frame_renumber() accepted. */
enum record_type frame_type(const void *bytes);

/* A stream of frames, fed in pieces of any size. */
struct frame_parser {
	struct strbuf pending;
	struct strbuf payload; /* of the record handed out last */
	size_t used;	       /* bytes at the front that the caller has been given */
	uint64_t offset;       /* of the front in the whole stream */
	uint64_t next_seq;
};

void frame_parser_init(struct frame_parser *p);
void frame_parser_deinit(struct frame_parser *p);
/* Return: 0, -ENOMEM, -E2BIG (more than STRBUF_LIMIT bytes not yet asked for by _next()). */
int frame_parser_feed(struct frame_parser *p, const void *bytes, size_t len) KTSTR_MUST_CHECK;
/* Bytes that are fed but not yet handed out: at the end of the stream, those of a cut frame. */
size_t frame_parser_pending(const struct frame_parser *p);
/* Return: 1 (a record), 0 (feed more), -ENOMEM, -EBADMSG (damaged: magic, length, type, flags,
 * crc or a gap in seq; @err says which, at which record and byte; the parser stays there). */
int frame_parser_next(struct frame_parser *p, struct record *ret_record,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;

enum job_mode { JOB_TEST, JOB_EXEC, JOB_SHELL };

/* How much the seed disturbs the guest: nothing but its random numbers, also start offsets, timer
 * phases and order of CPUs, also work that preempts the workload. */
enum perturb { PERTURB_OFF, PERTURB_LIGHT, PERTURB_HEAVY };

/* Streams of the seed's numbers (base/prng.h), one for each who draws. */
enum chance_stream { CHANCE_WORKLOAD = 1, CHANCE_BODY, CHANCE_AGENT, CHANCE_DISTURBER };

struct job {
	enum job_mode mode;
	char *argv[PROTOCOL_ARGS_MAX +
		   1]; /* TEST: program and body option; EXEC: command; NULL-terminated */
	unsigned int argc;
	char *env[PROTOCOL_ARGS_MAX + 1]; /* whole environment, "NAME=value"; NULL-terminated */
	unsigned int nr_env;
	char *topology;		/* wanted, "1n1l1c1t" */
	uint64_t timeout_ns;	/* of the body; 0: none */
	uint64_t heartbeat_ns;	/* interval */
	uint32_t rows, columns; /* SHELL */
	uint64_t seed;
	enum perturb perturb;
	bool exact;
	uint64_t realtime_ns;
	uint64_t stop_seq;
	uint64_t files_bytes, files_xxh64;
	/* Text for PROTOCOL_SCENARIO_FILE; NULL: no scenario.  It is no file of the archive, so that
	 * all scenarios with one scheduler share that. */
	char *scenario;
};

enum { PROTOCOL_SEED_TEXT = 17 };

/* 16 hex digits, as a seed is written everywhere in a job. */
const char *seed_format(uint64_t seed, char text[PROTOCOL_SEED_TEXT]);
/* Takes exactly what seed_format() gives.  Return: 0 or -EINVAL. */
int seed_parse(const char *text, uint64_t *ret_seed) KTSTR_MUST_CHECK;

/* "off", "light" or "heavy". */
const char *perturb_name(enum perturb perturb);
/* Return: 0 or -EINVAL. */
int perturb_parse(const char *text, enum perturb *ret_perturb) KTSTR_MUST_CHECK;

/* malloc'ed JSON text.  Return: 0, -ENOMEM, -E2BIG, -EINVAL (a string is not UTF-8, a number is
 * over INT64_MAX, no argv in TEST or EXEC mode; @err names it). */
int job_encode(const struct job *job, char **ret_text, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* @text need not be terminated.  Strings in @ret_job are owned by it: job_deinit().  Every key but
 * "scenario" is required and no other is allowed.  Return: 0, -ENOMEM, -E2BIG, -EPROTO (other version),
 * -EINVAL (anything else; @err names the key). */
int job_decode(const char *text, size_t length, struct job *ret_job,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
void job_deinit(struct job *job);

#endif
