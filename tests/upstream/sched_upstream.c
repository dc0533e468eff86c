// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The kernel's own schedulers are attached, run a load, and go when told to (tools/check-upstream.sh). */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/test.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sched/attach.h"

enum { WORKERS = 6 };

struct worker {
	pthread_t thread;
	uint64_t rounds;
};

static atomic_bool stop;

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&stop)) {
		/* Half of them sleep now and then. */
		if (w->rounds++ % 2)
			poll(NULL, 0, 1);
		for (int i = 0; i < 100000; i++)
			__asm__ volatile("");
	}
	return NULL;
}

static void destroy(struct scheduler **s)
{
	scheduler_destroy(*s);
}

static void tell(struct ktstr *t, const struct scheduler *s)
{
	const struct story *story = scheduler_story(s);

	ktstr_note(t, "%s: %s", story_word_name(story->word), story->text);
	if (story->words)
		ktstr_note(t, "it wrote: %s", story->words);
}

/* Virtual or real: what counts is that they run all the time. */
static void load(struct scheduler *s, struct worker *workers)
{
	uint64_t end = clock_mono_ns() + SECS(2);
	struct pollfd p = { .fd = scheduler_fd(s), .events = POLLIN };

	atomic_store(&stop, false);
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			workers[i].thread = 0;
	while (scheduler_poll(s) == 1 && clock_mono_ns() < end)
		poll(&p, 1, 50);
	atomic_store(&stop, true);
	for (int i = 0; i < WORKERS; i++)
		if (workers[i].thread)
			pthread_join(workers[i].thread, NULL);
}

static void attach_and_go(struct ktstr *t, const struct ktstr_scheduler *scheduler)
{
	const struct scheduler_opts opts = { .scheduler = scheduler,
					     .sysfs = "/sys",
					     .kmsg = "/dev/kmsg",
					     .sysrq = "/proc/sysrq-trigger" };
	__attribute__((cleanup(destroy))) struct scheduler *s = NULL;
	struct worker workers[WORKERS] = { 0 };
	struct ktstr_error err = { 0 };
	uint64_t begin = clock_mono_ns();
	int r = scheduler_start(&opts, &s, &err);

	if (r < 0)
		KTSTR_FAIL_NOW(t, "%s", err.text);
	if (r == 0) {
		tell(t, s);
		KTSTR_FAIL_NOW(t, "%s", scheduler_story(s)->text);
	}
	ktstr_measured(t, "attach_ms", (double)(clock_mono_ns() - begin) / 1e6, "ms");
	ktstr_note(t, "%s", scheduler_story(s)->text);
	load(s, workers);
	for (int i = 0; i < WORKERS; i++)
		EXPECT_GT(t, workers[i].rounds, 1);
	EXPECT_EQ(t, scheduler_poll(s), 1);
	ASSERT_OK(t, scheduler_stop(s, &err));
	tell(t, s);
	EXPECT_STREQ(t, story_word_name(scheduler_story(s)->word), "detached");
}

#define UPSTREAM(name_)                                                                            \
	static const struct ktstr_payload payload_##name_ = {                                      \
		.name = "scx_" #name_,                                                             \
		.binary = UPSTREAM_DIR "/scx_" #name_,                                             \
	};                                                                                         \
	static void run_##name_(struct ktstr *t)                                                   \
	{                                                                                          \
		attach_and_go(t, &(const struct ktstr_scheduler){ .name = "scx_" #name_,           \
								  .binary = "/bin/scx_" #name_ }); \
	}                                                                                          \
	KTSTR_TEST(upstream_##name_) = {                                                           \
		.about = "the kernel's scx_" #name_ " runs a load, and goes when told to",         \
		.topology = { .cores_per_llc = 4 },                                                \
		.needs = { .sched_ext = true },                                                    \
		.payloads = { &payload_##name_ },                                                  \
		.run = run_##name_,                                                                \
	}

UPSTREAM(simple);
UPSTREAM(qmap);
UPSTREAM(central);
UPSTREAM(flatcg);
UPSTREAM(pair);
UPSTREAM(userland);
UPSTREAM(cpu0);

KTSTR_MAIN
