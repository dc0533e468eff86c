// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Every way in which a scheduler under test can end, provoked, and told apart from the others. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <ktstr/test.h>

#include "base/clock.h"
#include "base/io.h"
#include "sched/attach.h"

#define ODD "/bin/odd-sched"

static const struct ktstr_payload odd = { .name = "odd-sched", .binary = "odd-sched" };

/* --- a load, so that there is something to schedule ------------------------------------------ */
static atomic_bool stop_load;

static void *spin(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop_load))
		sched_yield();
	return NULL;
}

static void start_load(struct ktstr *t, pthread_t *threads, size_t nr)
{
	atomic_store(&stop_load, false);
	for (size_t i = 0; i < nr; i++)
		ASSERT_EQ(t, pthread_create(&threads[i], NULL, spin, NULL), 0);
}

static void join_load(pthread_t *threads, size_t nr)
{
	atomic_store(&stop_load, true);
	for (size_t i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

/* --- one scheduler's life -------------------------------------------------------------------- */

/* Return: as scheduler_start(). */
static int start(struct ktstr *t, const struct ktstr_scheduler *scheduler,
		 struct scheduler **ret_scheduler)
{
	const struct scheduler_opts opts = {
		.scheduler = scheduler,
		.sysfs = "/sys",
		.kmsg = "/dev/kmsg",
		.sysrq = "/proc/sysrq-trigger",
	};
	struct ktstr_error err;
	uint64_t begin = clock_mono_ns();
	int r = scheduler_start(&opts, ret_scheduler, &err);

	if (r < 0)
		ktstr_fail_at(t, KTSTR_SITE("scheduler_start", ""), "%s", err.text);
	ktstr_note(t, "%s: %d after %llu us", scheduler->args[0], r,
		   (unsigned long long)(clock_mono_ns() - begin) / 1000);
	return r;
}

/* The scheduler's own thread wants the CPU; without this pause exact time would stand still for others. */
static bool is_there(struct scheduler *s)
{
	struct pollfd p = { .fd = scheduler_fd(s), .events = POLLIN };

	poll(&p, 1, 10);
	return scheduler_poll(s) == 1;
}

struct scheduler_guard {
	struct scheduler *s;
};

static void release(struct scheduler_guard *guard)
{
	scheduler_destroy(guard->s);
}

static bool nothing_is_attached(void)
{
	struct sched_state state;

	sched_read_state("/sys", &state);
	return !strcmp(state.state, "disabled");
}

static const struct story *expect_story(struct ktstr *t, const struct scheduler *s,
					enum story_word word)
{
	const struct story *story = scheduler_story(s);

	ktstr_note(t, "%s: %s", story_word_name(story->word), story->text);
	EXPECT_STREQ(t, story_word_name(story->word), story_word_name(word));
	EXPECT_TRUE(t, nothing_is_attached());
	EXPECT_NOT_NULL(t, strstr(story->text, "odd"));
	EXPECT_EQ(t, scheduler_pid(s), 0);
	return story;
}

/* It does not get as far as to be attached. */
static void fails(struct ktstr *t, const char *mode, enum story_word word, const char *text)
{
	const struct ktstr_scheduler scheduler = {
		.name = "odd",
		.binary = ODD,
		.args = { mode },
		.attach_timeout_ns = SECS(5),
	};
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	const struct story *story;

	ASSERT_EQ(t, start(t, &scheduler, &guard.s), 0);
	story = expect_story(t, guard.s, word);
	EXPECT_FALSE(t, story->was_attached);
	if (!strstr(story->text, text))
		KTSTR_FAIL_NOW(t, "'%s' is not in '%s'; it wrote: %s", text, story->text,
			       story->words);
}

static struct ktstr_scheduler of_mode(const char *mode)
{
	return (struct ktstr_scheduler){ .name = "odd", .binary = ODD, .args = { mode } };
}

/* Idle time costs an exact guest nothing, so there is a load only where something must be scheduled. */
static bool needs_load(enum story_word word)
{
	return word == STORY_error || word == STORY_stall;
}

/* It is attached, and then not any more. */
static void goes(struct ktstr *t, const char *mode, enum story_word word, const char *text)
{
	const struct ktstr_scheduler scheduler = of_mode(mode);
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	const struct story *story;
	pthread_t threads[3];

	/* One that ends at once is not always seen attached. */
	ASSERT_GE(t, start(t, &scheduler, &guard.s), 0);
	if (needs_load(word))
		start_load(t, threads, 3);
	while (is_there(guard.s))
		;
	if (needs_load(word))
		join_load(threads, 3);
	story = expect_story(t, guard.s, word);
	EXPECT_TRUE(t, story->was_attached);
	EXPECT_STREQ(t, story->ops, "odd");
	if (!strstr(story->text, text))
		KTSTR_FAIL_NOW(t, "'%s' is not in '%s'; it wrote: %s", text, story->text,
			       story->words);
}

/* It stays until it is told to go. */
static void stays(struct ktstr *t, const char *mode, const char *text)
{
	const struct ktstr_scheduler scheduler = of_mode(mode);
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	struct ktstr_error err = { 0 };
	const struct story *story;

	ASSERT_EQ(t, start(t, &scheduler, &guard.s), 1);
	EXPECT_EQ(t, scheduler_poll(guard.s), 1);
	EXPECT_STREQ(t, scheduler_story(guard.s)->ops, "odd");
	EXPECT_GT(t, scheduler_pid(guard.s), 0);
	EXPECT_EQ(t, getpriority(PRIO_PROCESS, (id_t)scheduler_pid(guard.s)), 0);
	ASSERT_OK(t, scheduler_stop(guard.s, &err));
	story = expect_story(t, guard.s, STORY_detached);
	EXPECT_TRUE(t, story->was_attached);
	EXPECT_EQ(t, story->exit_kind, 64);
	EXPECT_NOT_NULL(t, strstr(story->text, text));
}

/* --- tests ----------------------------------------------------------------------------------- */
#define IN_GUEST \
	.topology = { .cores_per_llc = 2 }, .needs = { .sched_ext = true }, .payloads = { &odd }

static void told_to_go(struct ktstr *t)
{
	stays(t, "well", "told to go, and went");
	stays(t, "deaf", "told to go, and went");
	stays(t, "deafer", "took no notice of SIGTERM and SIGINT and was killed");
	stays(t, "child", "left processes behind, which were killed: ");
}

KTSTR_TEST(sched_goes_when_told_to) = {
	.about = "a scheduler is attached and detached, also if its loader does not listen",
	IN_GUEST,
	.run = told_to_go,
};

static void not_attached(struct ktstr *t)
{
	fails(t, "no-such-mode", STORY_arguments, "unknown option 'no-such-mode'");
	fails(t, "access", STORY_load, "invalid mem access");
	fails(t, "kfunc", STORY_load, "this kernel does not offer a function it calls");
	fails(t, "init", STORY_refused, "init");
	fails(t, "hang", STORY_attach, "not attached within 5 s");
	fails(t, "crash-early", STORY_crash, "signal 11");
	fails(t, "quit-early", STORY_exit,
	      "exit status 3 before it was attached: odd-sched: cannot go on");
	fails(t, "daemon-early", STORY_forked, "(odd-sched)");
}

KTSTR_TEST(sched_says_why_it_is_not_attached) = {
	.about = "arguments, load, refusal, time, crash, exit and background are told apart",
	IN_GUEST,
	.run = not_attached,
};

static void gone(struct ktstr *t)
{
	goes(t, "error", STORY_error, "scx_bpf_error: odd scheduler: queued 200");
	goes(t, "calm", STORY_error, "scx_bpf_error: odd scheduler: queued 200");
	goes(t, "stall", STORY_stall, "runnable task stall: ");
	goes(t, "crash", STORY_crash, "signal 11");
	goes(t, "quit", STORY_exit, "exit status 3 while it was attached");
	goes(t, "daemon", STORY_forked, "(odd-sched)");
	goes(t, "left", STORY_left, "without any process");
}

KTSTR_TEST(sched_says_why_it_is_gone) = {
	.about = "error, stall, crash, exit, background and a forgotten scheduler are told apart",
	IN_GUEST,
	.run = gone,
};

/* A second one while the first is there. */
static void one_at_a_time(struct ktstr *t)
{
	const struct ktstr_scheduler scheduler = of_mode("well");
	__attribute__((cleanup(release))) struct scheduler_guard first = { NULL },
								 second = { NULL };
	const struct story *story;

	ASSERT_EQ(t, start(t, &scheduler, &first.s), 1);
	ASSERT_EQ(t, start(t, &scheduler, &second.s), 0);
	story = scheduler_story(second.s);
	EXPECT_STREQ(t, story_word_name(story->word), "refused");
	EXPECT_NOT_NULL(t, strstr(story->text, "another scheduler, 'odd', is attached"));
	EXPECT_FALSE(t, story->was_attached);
	EXPECT_EQ(t, scheduler_poll(first.s), 1);
}

KTSTR_TEST(sched_refuses_a_second_one) = {
	.about = "the kernel takes one scheduler, and the other one's story says which is there",
	IN_GUEST,
	.run = one_at_a_time,
};

static void all_is_kept(struct ktstr *t)
{
	static const struct ktstr_scheduler talkative = {
		.name = "ktstr-sched",
		.binary = "/bin/ktstr-sched",
		.args = { "--watchdog", "1000", "--fault", "drop-queued=20" },
	};
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	const struct story *story;
	json_t *record = json_object();
	pthread_t threads[3];

	ASSERT_EQ(t, start(t, &talkative, &guard.s), 1);
	start_load(t, threads, 3);
	while (is_there(guard.s))
		;
	join_load(threads, 3);
	story = scheduler_story(guard.s);
	EXPECT_STREQ(t, story_word_name(story->word), "stall");
	EXPECT_STREQ(t, story->reason, "runnable task stall");
	EXPECT_GT(t, strlen(story->message), 0);
	EXPECT_EQ(t, story->exit_kind, 1026);
	EXPECT_TRUE(t, story->exited);
	EXPECT_EQ(t, story->exit_code, 1);
	ASSERT_NOT_NULL(t, story->kernel);
	EXPECT_NOT_NULL(t, strstr(story->kernel, "sched_ext: BPF scheduler \"ktstr\" disabled ("));
	ASSERT_NOT_NULL(t, story->dump);
	EXPECT_NOT_NULL(t, strstr(story->dump, "CPU states"));
	EXPECT_NOT_NULL(t, strstr(story->dump, "CPU 0 "));
	ASSERT_NOT_NULL(t, story->words);
	EXPECT_NOT_NULL(t, strstr(story->words, "ktstr-sched: ejected by the kernel: "));
	ASSERT_NOT_NULL(t, record);
	EXPECT_OK(t, story_to_json(story, record));
	EXPECT_EQ(t, json_integer_value(json_object_get(record, "exit_kind")), 1026);
	EXPECT_STREQ(t, json_string_value(json_object_get(record, "story")), "stall");
	EXPECT_STREQ(t, json_string_value(json_object_get(record, "dump")), story->dump);
	json_decref(record);
}

KTSTR_TEST(sched_story_is_whole) = {
	.about = "kind, reason, message, dump, kernel lines and the loader's words are kept",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &(const struct ktstr_payload){ .name = "ktstr-sched",
						     .binary = "ktstr-sched" } },
	.run = all_is_kept,
};

static void output_is_bounded(struct ktstr *t)
{
	const struct ktstr_scheduler scheduler = of_mode("flood");
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	struct ktstr_error err;
	const struct story *story;

	ASSERT_EQ(t, start(t, &scheduler, &guard.s), 1);
	ASSERT_OK(t, scheduler_stop(guard.s, &err));
	story = scheduler_story(guard.s);
	EXPECT_STREQ(t, story_word_name(story->word), "detached");
	EXPECT_GE(t, story->stderr_bytes, MIB(16));
	ASSERT_NOT_NULL(t, story->words);
	EXPECT_LE(t, strlen(story->words), STORY_WORDS_BYTES);
	EXPECT_NOT_NULL(t, strstr(story->words, "bytes left out]"));
}

KTSTR_TEST(sched_loader_may_write_a_lot) = {
	.about = "a loader that floods its stderr is not blocked, and little of it is kept",
	IN_GUEST,
	.run = output_is_bounded,
};

static void loops_are_short(struct ktstr *t)
{
	const struct ktstr_scheduler scheduler = of_mode("loop");
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	const struct story *story;

	ASSERT_EQ(t, start(t, &scheduler, &guard.s), 0);
	story = scheduler_story(guard.s);
	ktstr_note(t, "%s (%llu bytes, %zu shown)", story->text,
		   (unsigned long long)story->stderr_bytes, strlen(story->words));
	ktstr_note(t, "%s", story->words);
	EXPECT_STREQ(t, story_word_name(story->word), "load");
	EXPECT_NOT_NULL(t, strstr(story->text, "outside of the allowed memory range"));
	EXPECT_NOT_NULL(t, strstr(story->words, " times; the last time:]"));
	EXPECT_LT(t, strlen(story->words), story->stderr_bytes / 4);
}

KTSTR_TEST(sched_verifier_log_is_readable) = {
	.about = "what the verifier says of a loop is shown once, and its complaint first",
	IN_GUEST,
	.run = loops_are_short,
};

static void set_online(struct ktstr *t, const char *value)
{
	EXPECT_OK(t, io_write_sysfs("/sys/devices/system/cpu/cpu1/online", value));
}

/* It has no operations for CPUs that come and go, so the kernel ends it. */
static void hotplug(struct ktstr *t)
{
	const struct ktstr_scheduler again = of_mode("again"), well = of_mode("well");
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL }, other = { NULL };
	struct ktstr_error err;

	ASSERT_EQ(t, start(t, &again, &guard.s), 1);
	set_online(t, "0");
	while (is_there(guard.s) && !scheduler_story(guard.s)->restarts)
		;
	EXPECT_EQ(t, scheduler_poll(guard.s), 1);
	EXPECT_EQ(t, scheduler_story(guard.s)->restarts, 1);
	set_online(t, "1");
	while (is_there(guard.s) && scheduler_story(guard.s)->restarts == 1)
		;
	EXPECT_EQ(t, scheduler_story(guard.s)->restarts, 2);
	ASSERT_OK(t, scheduler_stop(guard.s, &err));
	EXPECT_STREQ(t, story_word_name(scheduler_story(guard.s)->word), "detached");

	ASSERT_EQ(t, start(t, &well, &other.s), 1);
	set_online(t, "0");
	while (is_there(other.s))
		;
	set_online(t, "1");
	expect_story(t, other.s, STORY_gone);
	EXPECT_STREQ(t, scheduler_story(other.s)->reason, "unregistered from the main kernel");
}

KTSTR_TEST(sched_may_come_back_after_hotplug) = {
	.about = "a loader that attaches again after CPU hotplug goes on, another one is gone",
	IN_GUEST,
	.run = hotplug,
};

static void twice(struct ktstr *t)
{
	const struct ktstr_scheduler scheduler = of_mode("well");
	__attribute__((cleanup(release))) struct scheduler_guard guard = { NULL };
	struct sched_events before, after;
	struct sched_state state;
	struct ktstr_error err;
	json_t *increase;

	ASSERT_EQ(t, start(t, &scheduler, &guard.s), 1);
	sched_read_state("/sys", &state);
	EXPECT_STREQ(t, state.ops, "odd");
	EXPECT_TRUE(t, state.enable_seq.known);
	EXPECT_EQ(t, state.switch_all.value, 1);
	EXPECT_TRUE(t, state.nr_rejected.known);
	EXPECT_TRUE(t, state.hotplug_seq.known);
	scheduler_events(guard.s, &before);
	EXPECT_TRUE(t, before.known);
	EXPECT_GT(t, before.nr, 3);
	ASSERT_EQ(t, scheduler_restart(guard.s, &err), 1);
	scheduler_events(guard.s, &after);
	increase = sched_events_increase(&before, &after);
	EXPECT_EQ(t, json_object_size(increase), before.nr);
	json_decref(increase);
	ASSERT_OK(t, scheduler_stop(guard.s, &err));
	ASSERT_OK(t, scheduler_stop(guard.s, &err));
	scheduler_events(guard.s, &after);
	EXPECT_TRUE(t, after.known);
	EXPECT_TRUE(t, nothing_is_attached());
}

KTSTR_TEST(sched_restarts_and_counts) = {
	.about = "a scheduler is restarted, and its event counters are read",
	IN_GUEST,
	.run = twice,
};

KTSTR_MAIN
