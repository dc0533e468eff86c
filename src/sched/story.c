// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/story.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sched/said.h"

enum { REASON_BYTES = 400 };
enum { KIND_UNREG = 64, KIND_UNREG_KERNEL = 66, KIND_ERROR = 1024, KIND_STALL = 1026 };

const char *story_word_name(enum story_word word)
{
	static const char *const names[] = {
#define STORY_WORD(name) #name,
		STORY_WORDS(STORY_WORD)
#undef STORY_WORD
	};

	return (size_t)word < ARRAY_SIZE(names) ? names[word] : "unknown";
}

/* enum scx_exit_kind, by what scx_exit_reason() says. */
static const struct {
	const char *reason;
	uint32_t kind;
} kinds[] = {
	{ "unregistered from user space", KIND_UNREG },
	{ "unregistered from BPF", 65 },
	{ "unregistered from the main kernel", KIND_UNREG_KERNEL },
	{ "disabled by sysrq-S", 67 },
	{ "parent exiting", 68 },
	{ "killed by parent scheduler", 69 },
	{ "runtime error", KIND_ERROR },
	{ "scx_bpf_error", 1025 },
	{ "runnable task stall", KIND_STALL },
	{ "reenqueue limit", 1027 },
	{ "rescue bandwidth overload", 1028 },
};

bool story_kind_of(const char *reason, uint32_t *ret_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].reason, reason) != 0)
			continue;
		*ret_kind = kinds[i].kind;
		return true;
	}
	return false;
}

bool story_asks_for_restart(const char *reason)
{
	uint32_t kind;

	return story_kind_of(reason, &kind) && kind == KIND_UNREG_KERNEL;
}

/* --- what happened -------------------------------------------------------------------------- */

static bool is_stall(const struct story *s)
{
	/* Lockup detectors eject as well, as an error of no kind of its own. */
	return s->exit_kind == KIND_STALL || strcasestr(s->message, " lockup") ||
	       strcasestr(s->message, "RCU CPU stall") ||
	       strcasestr(s->message, "watchdog failed to check in");
}

/* Many loaders do not catch the signals that tell them to go. */
static bool has_crashed(const struct story *s, const struct story_facts *f)
{
	bool is_told = f->told_to_go && (s->signal == SIGTERM || s->signal == SIGINT);

	return s->signal && !f->killed_here && !is_told;
}

static enum story_word after_attachment(const struct story *s, const struct story_facts *f)
{
	if (s->has_exit_kind && s->exit_kind >= KIND_ERROR)
		return is_stall(s) ? STORY_stall : STORY_error;
	if (has_crashed(s, f))
		return STORY_crash;
	if (f->told_to_go)
		return STORY_detached;
	if (!s->exited)
		return STORY_gone;
	if (s->leftovers && s->leftovers[0] && f->still_enabled)
		return STORY_forked;
	if (f->still_enabled)
		return STORY_left;
	/* The kernel ended it first, and its loader followed. */
	if (s->has_exit_kind && s->exit_kind != KIND_UNREG)
		return STORY_gone;
	return STORY_exit;
}

static enum story_word before_attachment(const struct story *s, const struct story_facts *f)
{
	if (f->not_started)
		return STORY_missing;
	if (f->told_to_go)
		return STORY_detached;
	if (f->timed_out)
		return STORY_attach;
	if (s->reason[0])
		return STORY_refused;
	if (s->signal)
		return STORY_crash;
	if (s->exit_code == 0 && s->leftovers && s->leftovers[0])
		return STORY_forked;
	if (s->exit_code == 127 && said_missing_library(f->output))
		return STORY_missing;
	if (said_load_failure(f->output))
		return STORY_load;
	if (said_attach_failure(f->output) || (f->other[0] && strcasestr(f->output, "busy")))
		return STORY_refused;
	if (said_usage(f->output))
		return STORY_arguments;
	/* What else libbpf has to complain of comes before anything is attached. */
	return strstr(f->output, "libbpf: ") ? STORY_load : STORY_exit;
}

/* --- and how to say it ---------------------------------------------------------------------- */

KTSTR_PRINTF(2, 3) static void say(struct story *s, const char *fmt, ...)
{
	size_t len = strlen(s->text);
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(s->text + len, sizeof(s->text) - len, fmt, ap) >=
	    (int)(sizeof(s->text) - len))
		memcpy(s->text + sizeof(s->text) - 4, "...", 4);
	va_end(ap);
}

static void say_end(struct story *s)
{
	if (s->signal)
		say(s, "was killed by signal %d (%s)", s->signal,
		    sigdescr_np(s->signal) ? sigdescr_np(s->signal) : "unknown");
	else
		say(s, "ended by itself with exit status %d", s->exit_code);
}

static void say_reason(struct story *s, const char *reason)
{
	if (reason[0])
		say(s, ": %s", reason);
}

static void say_kernel(struct story *s)
{
	say_reason(s, s->reason);
	say_reason(s, s->message);
}

static void say_stop(struct story *s, const struct story_facts *f)
{
	say(s, "'%s' was told to go, and went", f->name);
	if (f->killed_here)
		say(s, ", but its loader took no notice of SIGTERM and SIGINT and was killed");
	if (f->forced)
		say(s, "; the kernel let go of it only when SysRq-S told it to");
	if (s->leftovers && s->leftovers[0])
		say(s, "; its loader left processes behind, which were killed: %s", s->leftovers);
}

static void say_unattached(struct story *s, const struct story_facts *f, const char *reason)
{
	if (s->word == STORY_missing) {
		say(s, "'%s' cannot be started", f->name);
		say_reason(s, f->not_started ? f->not_started : reason);
	} else if (s->word == STORY_arguments) {
		say(s, "'%s' does not take its arguments (exit status %d)", f->name, s->exit_code);
		say_reason(s, reason);
	} else if (s->word == STORY_load) {
		say(s, "'%s' was not loaded (exit status %d)", f->name, s->exit_code);
		if (said_missing_function(f->output))
			say(s, ", as this kernel does not offer a function it calls");
		say_reason(s, reason);
	} else if (s->word == STORY_attach) {
		say(s, "'%s' was not attached within %.10g s, and its loader still ran", f->name,
		    (double)f->timeout_ns / 1e9);
		say_reason(s, reason);
	} else {
		say(s, "the kernel did not let '%s' attach", f->name);
		say_kernel(s);
		if (!s->reason[0] && f->other[0])
			say(s, ": another scheduler, '%s', is attached", f->other);
		else if (!s->reason[0])
			say_reason(s, reason);
	}
}

static void say_text(struct story *s, const struct story_facts *f, const char *reason)
{
	s->text[0] = '\0';
	if (s->word == STORY_stall || s->word == STORY_error) {
		say(s, "the kernel ejected '%s'", f->name);
		say_kernel(s);
	} else if (s->word == STORY_gone) {
		say(s, "the kernel let go of '%s'", f->name);
		say_kernel(s);
	} else if (s->word == STORY_detached) {
		say_stop(s, f);
	} else if (s->word == STORY_exit || s->word == STORY_crash) {
		say(s, "the loader of '%s' ", f->name);
		say_end(s);
		say(s, s->was_attached ? " while it was attached" : " before it was attached");
		say_reason(s, reason);
	} else if (s->word == STORY_forked) {
		say(s,
		    "the loader of '%s' went into the background and left %s: "
		    "give it the option that keeps it in the foreground",
		    f->name, s->leftovers);
	} else if (s->word == STORY_left) {
		say(s,
		    "the loader of '%s' ended with exit status %d and left it attached without "
		    "any process: it must stay as long as its scheduler",
		    f->name, s->exit_code);
	} else {
		say_unattached(s, f, reason);
	}
}

void story_conclude(struct story *story, const struct story_facts *facts)
{
	char reason[REASON_BYTES];

	story->has_exit_kind = story_kind_of(story->reason, &story->exit_kind);
	if (!story->message[0])
		said_find_exit(facts->output, story->message, sizeof(story->message));
	said_find_reason(facts->output, reason, sizeof(reason));
	story->word = story->was_attached ? after_attachment(story, facts)
					  : before_attachment(story, facts);
	say_text(story, facts, reason);
	/* The name is whatever somebody called it. */
	for (char *c = story->text; *c; c++)
		*c = *c >= ' ' && *c <= '~' ? *c : '?';
}

void story_deinit(struct story *story)
{
	free(story->words);
	free(story->dump);
	free(story->kernel);
	free(story->leftovers);
	*story = (struct story){ 0 };
}

/* --- as JSON -------------------------------------------------------------------------------- */

struct budget {
	size_t left;
};

/* Bytes that a character of printable text, tabs and newlines takes in JSON. */
static size_t cost_of(char c)
{
	return c == '\n' || c == '\t' || c == '"' || c == '\\' ? 2 : 1;
}

/* What there is room for, from the beginning. */
static int put_text(json_t *record, const char *key, const char *text, struct budget *budget)
{
	size_t len = 0;

	if (!text || !text[0])
		return 0;
	for (; text[len] && cost_of(text[len]) <= budget->left; len++)
		budget->left -= cost_of(text[len]);
	return json_object_set_new(record, key, json_stringn(text, len));
}

static int put_number(json_t *record, const char *key, json_int_t value)
{
	return json_object_set_new(record, key, json_integer(value));
}

int story_to_json(const struct story *story, json_t *record)
{
	/* Keys and numbers take the rest. */
	struct budget budget = { STORY_JSON - 1024 };
	int r = json_object_set_new(record, "story", json_string(story_word_name(story->word)));

	/* The dearest first. */
	r |= put_text(record, "text", story->text, &budget);
	r |= put_text(record, "ops", story->ops, &budget);
	r |= put_text(record, "reason", story->reason, &budget);
	r |= put_text(record, "message", story->message, &budget);
	r |= put_text(record, "leftovers", story->leftovers, &budget);
	r |= put_text(record, "words", story->words, &budget);
	r |= put_text(record, "kernel", story->kernel, &budget);
	r |= put_text(record, "dump", story->dump, &budget);
	if (story->has_exit_kind)
		r |= put_number(record, "exit_kind", story->exit_kind);
	if (story->signal)
		r |= put_number(record, "signal", story->signal);
	else if (story->exited)
		r |= put_number(record, "exit", story->exit_code);
	if (story->restarts)
		r |= put_number(record, "restarts", story->restarts);
	return r ? -ENOMEM : 0;
}
