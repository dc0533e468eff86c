/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * story.h - how a scheduler under test ended, from all who know something of it.
 *
 * Evidence is weighed in this order: what the kernel says of its ejection (its log: reason and
 * message), how the loader ended, what the loader wrote.  An exit status of 0 proves nothing: loaders
 * of ejected schedulers end with it.
 *
 *	word	   when
 *	attached   it is there
 *	detached   it was told to go, and went
 *	missing	   its file is not there or cannot be executed
 *	arguments  its loader did not like its arguments: it said how it is used
 *	load	   libbpf or the verifier did not take it
 *	refused	   the kernel did not let it attach
 *	attach	   it was not attached in time
 *	exit	   its loader ended by itself
 *	crash	   its loader was killed by a signal that is not from here
 *	forked	   its loader ended and left processes behind: it went into the background
 *	left	   its loader ended and left it attached without any process
 *	stall	   the kernel's watchdog ejected it: a task or a CPU waited too long
 *	error	   the kernel ejected it for an error of its own
 *	gone	   it is not attached any more, for another reason or for none that is known
 */
#ifndef KTSTR_SCHED_STORY_H
#define KTSTR_SCHED_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "sched/state.h"

#define STORY_WORDS(X) \
	X(attached)    \
	X(detached)    \
	X(missing)     \
	X(arguments)   \
	X(load)        \
	X(refused)     \
	X(attach)      \
	X(exit)        \
	X(crash)       \
	X(forked)      \
	X(left)        \
	X(stall)       \
	X(error)       \
	X(gone)

enum story_word {
#define STORY_WORD(name) STORY_##name,
	STORY_WORDS(STORY_WORD)
#undef STORY_WORD
};

enum {
	STORY_TEXT = 768, /* bytes of the sentence for people */
	STORY_REASON = 64,
	STORY_MESSAGE = 1024,	  /* SCX_EXIT_MSG_LEN */
	STORY_WORDS_BYTES = 8192, /* of the loader's last words */
	STORY_DUMP = 32768,
	STORY_KERNEL = 16384,
	STORY_JSON = 56 << 10 /* bytes of a story in a record, so that it fits into one */
};

/* Strings are "" where nothing is known; bytes that are no text are shown as '?'. */
struct story {
	enum story_word word;
	bool was_attached;	   /* at any time since it was started */
	char text[STORY_TEXT];	   /* one sentence */
	char ops[SCHED_OPS_BYTES]; /* as the kernel names it */
	bool has_exit_kind;
	uint32_t exit_kind; /* enum scx_exit_kind: 1024 error, 1025 scx_bpf_error, 1026 stall */
	char reason[STORY_REASON];   /* "runnable task stall" */
	char message[STORY_MESSAGE]; /* "a[7] failed to run for 30.1s" */
	bool exited;		     /* the loader, by itself or told to */
	int exit_code;		     /* if exited and signal is 0 */
	int signal;		     /* that ended the loader; 0: none */
	uint64_t stderr_bytes;	     /* that the loader wrote, kept or not */
	uint64_t gone_ns;  /* CLOCK_MONOTONIC when it was first seen gone; 0: not, or told to go */
	uint32_t restarts; /* the loader attached it again by itself (CPU hotplug) */
	char *words;	   /* last lines of stderr, or of stdout if that is empty */
	char *dump;	   /* the kernel's debug dump */
	char *kernel;	   /* lines of the kernel's log about sched_ext, and splats */
	char *leftovers;   /* processes that its loader left behind */
};

/* What is known besides what is in the story. */
struct story_facts {
	const char *name;	 /* of the scheduler */
	const char *output;	 /* of its loader: stderr, or stdout if that is empty; never NULL */
	const char *other;	 /* that was attached before it was started; "": none */
	const char *not_started; /* why it could not be executed; NULL: it was */
	uint64_t timeout_ns;
	bool timed_out;	    /* not attached within timeout_ns */
	bool told_to_go;    /* it was attached until it was told to go, or not yet */
	bool killed_here;   /* the loader took no notice */
	bool forced;	    /* the kernel let go only after SysRq-S */
	bool still_enabled; /* when the loader had ended */
};

/* From evidence to word and text: sets exit_kind, word, text, and message if only the loader knew it. */
void story_conclude(struct story *story, const struct story_facts *facts);
/* Whether a word for the reason is known, and its number. */
bool story_kind_of(const char *reason, uint32_t *ret_kind);
/* After CPU hotplug the kernel ends a scheduler that does not handle it, and its loader may attach it
 * again. */
bool story_asks_for_restart(const char *reason);
void story_deinit(struct story *story);

const char *story_word_name(enum story_word word);
/* Adds to @record: story, text, and what is known of ops, exit_kind, reason, message, dump, words, exit
 * or signal, kernel, restarts, leftovers; less of the dump and the log where it would be more than
 * STORY_JSON bytes.  Return: 0, -ENOMEM. */
int story_to_json(const struct story *story, json_t *record) KTSTR_MUST_CHECK;

#endif
