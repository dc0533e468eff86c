// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/attach.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "sched/dump.h"
#include "sched/family.h"
#include "sched/kmsg.h"
#include "sched/said.h"

enum { KEEP_BYTES = 512 << 10, ENV_MAX = 4096, LEFTOVER_BYTES = 1024, LOADING_NICE = -10 };

#define ATTACH_CPU_NS (60 * NSEC_PER_SEC)  /* CPUs of an exact guest share one, if all are busy */
#define TICK_NS	      (20 * NSEC_PER_MSEC) /* between two looks at sysfs */
#define LAST_WORDS_NS (2 * NSEC_PER_SEC)   /* for a loader whose scheduler is gone */
#define SIGNAL_NS     (3 * NSEC_PER_SEC)   /* for one that was told to go */
#define RELEASE_NS    NSEC_PER_SEC	   /* for the kernel, once the loader has ended */
#define LET_GO_NS     (10 * NSEC_PER_SEC)  /* for the kernel */
#define COME_BACK_NS  (10 * NSEC_PER_SEC)  /* for a loader that attaches it again */
#define EVENTS_NS     (250 * NSEC_PER_MSEC)

enum phase { PHASE_NONE, PHASE_STARTING, PHASE_ATTACHED, PHASE_BETWEEN, PHASE_ENDED };

struct scheduler {
	struct scheduler_opts opts;
	enum phase phase;
	struct child child;
	struct capture *capture;
	struct family family;
	struct kmsg kmsg;
	struct dump dump;
	int epoll;
	struct sched_quick quick;
	struct sched_state before, attached;
	struct sched_events events;
	uint64_t events_ns, come_back_ns;
	struct story story;
	struct story_facts facts;
	struct ktstr_error not_started;
};

static uint64_t timeout_of(const struct scheduler *s)
{
	uint64_t ns = s->opts.scheduler->attach_timeout_ns;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (ns)
		return ns;
	ns = ATTACH_CPU_NS * (cpus < 1 ? 1 : (uint64_t)cpus);
	return ns < SCHEDULER_ATTACH_MAX_NS ? ns : SCHEDULER_ATTACH_MAX_NS;
}

/* --- looking -------------------------------------------------------------------------------- */

/* Sleeps until something happened, or for a tick; not longer than until @deadline_ns. */
static void wait_for_news(struct scheduler *s, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = s->epoll, .events = POLLIN };
	uint64_t now = clock_mono_ns();
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

	if (left > TICK_NS)
		left = TICK_NS;
	poll(&p, 1, (int)(left / NSEC_PER_MSEC) + 1);
	kmsg_read(&s->kmsg);
}

static bool loader_has_ended(struct scheduler *s)
{
	return s->child.pid <= 0 || child_poll(&s->child) != 0;
}

static bool is_on(const struct sched_state *state)
{
	return !strcmp(state->state, "enabled");
}

/* Another attachment than that of @then. */
static bool is_newer(const struct sched_state *now, const struct sched_state *then)
{
	if (now->enable_seq.known && then->enable_seq.known)
		return now->enable_seq.value != then->enable_seq.value;
	return is_on(now) && !is_on(then);
}

static bool is_still_there(const struct scheduler *s)
{
	struct sched_state now;

	if (sched_quick_is_same(&s->quick, &s->attached))
		return true;
	sched_read_state(s->opts.sysfs, &now);
	return is_on(&now) && !is_newer(&now, &s->attached);
}

static bool any_is_attached(const struct scheduler *s)
{
	struct sched_state now;

	sched_read_state(s->opts.sysfs, &now);
	return now.state[0] && strcmp(now.state, "disabled") != 0;
}

static void look_at_events(struct scheduler *s, bool now)
{
	uint64_t ns = clock_mono_ns();
	struct sched_events events;

	if (!now && ns - s->events_ns < EVENTS_NS)
		return;
	s->events_ns = ns;
	sched_read_events(s->opts.sysfs, &events);
	if (events.known)
		s->events = events;
}

/* --- starting ------------------------------------------------------------------------------- */

/* The one that starts it may have any priority; what it starts is to be an ordinary program.  Beside a
 * crowd it would take a minute to load what takes three seconds alone, so until it is attached it has a
 * larger share, where that is allowed. */
static int become_ordinary(void *arg)
{
	const struct sched_param param = { .sched_priority = 0 };
	cpu_set_t all;

	(void)arg;
	if (sched_setscheduler(0, SCHED_OTHER, &param) < 0)
		return -errno;
	if (setpriority(PRIO_PROCESS, 0, LOADING_NICE) < 0 && setpriority(PRIO_PROCESS, 0, 0) < 0)
		return -errno;
	memset(&all, 0xff, sizeof(all));
	return sched_setaffinity(0, sizeof(all), &all) < 0 ? -errno : 0;
}

static const char **make_argv(const struct ktstr_scheduler *scheduler)
{
	const char **argv = calloc(KTSTR_SCHEDULER_ARGS + 2, sizeof(*argv));

	if (!argv)
		return NULL;
	argv[0] = path_base(scheduler->binary);
	for (size_t i = 0; i < KTSTR_SCHEDULER_ARGS && scheduler->args[i]; i++)
		argv[i + 1] = scheduler->args[i];
	return argv;
}

/* The mark first, where it is found even in a large environment. */
static const char **make_env(const struct scheduler *s)
{
	const char *const *old = s->opts.env ? s->opts.env : (const char *const *)environ;
	const char **env;
	size_t nr = 0;

	while (old[nr] && nr < ENV_MAX)
		nr++;
	env = calloc(nr + 2, sizeof(*env));
	if (!env)
		return NULL;
	env[0] = s->family.mark;
	memcpy(env + 1, old, nr * sizeof(*env));
	return env;
}

static int execute(struct scheduler *s, struct ktstr_error *err)
{
	_cleanup_free_ const char **argv = make_argv(s->opts.scheduler), **env = make_env(s);
	struct epoll_event event = { .events = EPOLLIN };
	int r;

	if (!argv || !env)
		return ktstr_error_nomem(err);
	r = capture_create(KEEP_BYTES, &s->capture, err);
	if (r < 0)
		return r;
	r = child_start(
		&(struct child_opts){
			.file = s->opts.scheduler->binary,
			.argv = argv,
			.env = env,
			.stdin_fd = -1,
			.stdout_fd = capture_write_fd(s->capture, CAPTURE_STDOUT),
			.stderr_fd = capture_write_fd(s->capture, CAPTURE_STDERR),
			.prepare = become_ordinary,
		},
		&s->child, err);
	if (r < 0)
		return r;
	s->family.group = s->child.group;
	if (s->child.pidfd >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->child.pidfd, &event);
	return capture_start(s->capture, s->child.pidfd, err);
}

static bool is_fault_of_file(int code)
{
	static const int codes[] = { -ENOENT, -EACCES, -ENOEXEC, -EISDIR,  -ENOTDIR,
				     -ELOOP,  -EPERM,  -ELIBBAD, -ETXTBSY, -ENAMETOOLONG };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static void explain_exec(struct scheduler *s, int code)
{
	const char *file = s->opts.scheduler->binary;

	if (code == -ENOENT && access(file, F_OK) == 0)
		ktstr_error_set(&s->not_started, code,
				"its interpreter or dynamic linker is not there");
	else if (code == -ENOEXEC)
		ktstr_error_set(&s->not_started, code,
				"it is no program for this machine, or a script without '#!'");
	s->facts.not_started = s->not_started.text;
}

/* --- the end -------------------------------------------------------------------------------- */

static void describe_leftovers(struct scheduler *s)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(LEFTOVER_BYTES);
	struct family_members members;

	family_find(&s->family, &members);
	family_describe(&members, &text);
	if (text.len)
		s->story.leftovers = strbuf_take(&text);
}

/* Signals in turn, each with time to act.  Return: whether it ended. */
static bool end_loader(struct scheduler *s, const int *signals, size_t nr)
{
	for (size_t i = 0; i < nr && !loader_has_ended(s); i++) {
		uint64_t deadline = clock_mono_ns() + SIGNAL_NS;

		/* A scheduler that runs nobody would not run its own loader either. */
		if (i > 0)
			family_rescue(&s->family);
		child_kill(&s->child, signals[i]);
		while (!loader_has_ended(s) && clock_mono_ns() < deadline)
			wait_for_news(s, deadline);
	}
	return loader_has_ended(s);
}

static void kill_loader(struct scheduler *s)
{
	if (loader_has_ended(s))
		return;
	s->facts.killed_here = true;
	family_rescue(&s->family);
	child_kill(&s->child, SIGKILL);
	(void)!child_wait(&s->child, LET_GO_NS);
}

/* Return: whether nothing is attached any more. */
static bool wait_until_free(struct scheduler *s, uint64_t timeout_ns)
{
	uint64_t deadline = clock_mono_ns() + timeout_ns;

	while (any_is_attached(s)) {
		if (clock_mono_ns() >= deadline)
			return false;
		wait_for_news(s, deadline);
	}
	kmsg_read(&s->kmsg);
	return true;
}

/* The one that was there before, if there was one, is not ours to end. */
static int make_kernel_let_go(struct scheduler *s)
{
	/* Nobody is left whose end it could wait for. */
	uint64_t patience_ns = s->facts.still_enabled ? RELEASE_NS : LET_GO_NS;

	if (is_on(&s->before) || wait_until_free(s, patience_ns))
		return 0;
	if (!s->opts.sysrq || io_write_sysfs(s->opts.sysrq, "S") < 0)
		return -ETIMEDOUT;
	s->facts.forced = true;
	return wait_until_free(s, LET_GO_NS) ? 0 : -ETIMEDOUT;
}

static char *take_text(struct strbuf *text)
{
	return text->len ? strbuf_take(text) : NULL;
}

static const char *collect_output(struct scheduler *s)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT_LIMIT(4 * KEEP_BYTES);
	_cleanup_strbuf_ struct strbuf last = STRBUF_INIT_LIMIT(2 * STORY_WORDS_BYTES);
	struct capture_text text;

	if (!s->capture)
		return "";
	capture_finish(s->capture);
	text = capture_text(s->capture, CAPTURE_STDERR);
	s->story.stderr_bytes = text.written;
	if (!text.length)
		text = capture_text(s->capture, CAPTURE_STDOUT);
	said_collapse(text.text, text.length, &whole);
	said_last_lines(strbuf_str(&whole), whole.len, STORY_WORDS_BYTES, &last);
	s->story.words = take_text(&last);
	return text.text;
}

static void collect_kernel(struct scheduler *s)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(2 * STORY_KERNEL);
	_cleanup_strbuf_ struct strbuf dump = STRBUF_INIT_LIMIT(STORY_DUMP);

	kmsg_read(&s->kmsg);
	kmsg_text(&s->kmsg, &text);
	s->story.kernel = take_text(&text);
	dump_read(&s->dump, STORY_DUMP - 1, &dump);
	s->story.dump = take_text(&dump);
	if (!s->kmsg.ended)
		return;
	if (!s->story.ops[0])
		snprintf(s->story.ops, sizeof(s->story.ops), "%s", s->kmsg.ops);
	snprintf(s->story.reason, sizeof(s->story.reason), "%s", s->kmsg.reason);
	snprintf(s->story.message, sizeof(s->story.message), "%s", s->kmsg.message);
}

/* Ends what is left, collects all there is to know, concludes.  Return: 0, -ETIMEDOUT. */
static int finish(struct scheduler *s)
{
	struct epoll_event event = { 0 };
	int r;

	kill_loader(s);
	if (s->child.collected && !s->facts.killed_here)
		describe_leftovers(s);
	/* The kernel notices the end of a loader soon, not at once. */
	s->facts.still_enabled = !is_on(&s->before) && !wait_until_free(s, RELEASE_NS);
	family_kill(&s->family);
	r = make_kernel_let_go(s);
	s->story.exited = s->child.collected && !s->child.signal;
	s->story.exit_code = s->child.exit_code;
	s->story.signal = s->child.collected ? s->child.signal : 0;
	s->facts.output = collect_output(s);
	collect_kernel(s);
	story_conclude(&s->story, &s->facts);
	s->facts.output = "";
	capture_destroy(take_ptr(s->capture));
	if (s->child.pidfd >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->child.pidfd, &event);
	child_deinit(&s->child);
	s->phase = PHASE_ENDED;
	return r;
}

static void note_attached(struct scheduler *s, const struct sched_state *now)
{
	s->attached = *now;
	s->phase = PHASE_ATTACHED;
	s->story.gone_ns = 0;
	s->story.was_attached = true;
	s->story.word = STORY_attached;
	snprintf(s->story.ops, sizeof(s->story.ops), "%s", now->ops);
	snprintf(s->story.text, sizeof(s->story.text), "'%s' is attached as '%s'", s->facts.name,
		 now->ops);
	look_at_events(s, true);
}

/* The loader of a scheduler that is gone may be about to say why. */
static void hear_last_words(struct scheduler *s)
{
	uint64_t deadline = clock_mono_ns() + LAST_WORDS_NS;

	while (!loader_has_ended(s) && clock_mono_ns() < deadline)
		wait_for_news(s, deadline);
}

/* The state changes before the kernel says why. */
static void hear_kernel(struct scheduler *s)
{
	uint64_t deadline = clock_mono_ns() + RELEASE_NS;

	while (s->kmsg.fd >= 0 && !s->kmsg.ended && clock_mono_ns() < deadline)
		wait_for_news(s, deadline);
}

/* Return: 1 attached, 0 ended. */
static int wait_attached(struct scheduler *s)
{
	uint64_t start = clock_mono_ns(), deadline = clock_add_ns(start, timeout_of(s));

	for (;;) {
		/* In this order: what attaches and ends at once was attached. */
		bool ended = loader_has_ended(s);
		struct sched_state now;

		sched_read_state(s->opts.sysfs, &now);
		if (is_newer(&now, &s->before)) {
			family_renice(&s->family, LOADING_NICE, 0);
			note_attached(s, &now);
			if (!ended && is_on(&now))
				return 1;
			hear_last_words(s);
			break;
		}
		if (ended)
			break;
		/* A failed init() is no error to the loader: it would stay for ever. */
		if (s->kmsg.ended && !is_on(&now)) {
			hear_last_words(s);
			break;
		}
		if (clock_mono_ns() >= deadline) {
			s->facts.timed_out = true;
			break;
		}
		wait_for_news(s, deadline);
	}
	return 0;
}

static void begin_story(struct scheduler *s)
{
	static unsigned int count;

	story_deinit(&s->story);
	kmsg_read(&s->kmsg);
	kmsg_clear(&s->kmsg);
	s->child = (struct child)CHILD_INIT;
	s->events = (struct sched_events){ 0 };
	s->facts = (struct story_facts){
		.name = s->opts.scheduler->name,
		.output = "",
		.timeout_ns = timeout_of(s),
	};
	if (!s->facts.name)
		s->facts.name = path_base(s->opts.scheduler->binary);
	snprintf(s->family.mark, sizeof(s->family.mark), "KTSTR_LOADER=%d-%u", (int)getpid(),
		 ++count);
	s->family.group = 0;
	sched_read_state(s->opts.sysfs, &s->before);
	s->facts.other = s->before.ops;
}

static int start(struct scheduler *s, struct ktstr_error *err)
{
	int r;

	if (s->phase != PHASE_NONE)
		dump_clear(&s->dump);
	begin_story(s);
	s->phase = PHASE_STARTING;
	r = execute(s, &s->not_started);
	if (r < 0 && s->child.pid <= 0 && is_fault_of_file(r)) {
		explain_exec(s, r);
		(void)!finish(s);
		return 0;
	}
	if (r < 0) {
		kill_loader(s);
		return ktstr_error_set(err, r, "%s", s->not_started.text);
	}
	if (wait_attached(s) == 1)
		return 1;
	r = finish(s);
	return r < 0 ? ktstr_error_set(err, r, "the kernel does not let go of scheduler '%s'",
				       s->facts.name)
		     : 0;
}

int scheduler_start(const struct scheduler_opts *opts, struct scheduler **ret_scheduler,
		    struct ktstr_error *err)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct scheduler *s;
	int r;

	if (!sched_is_supported(opts->sysfs))
		return ktstr_error_set(err, -ENOTSUP,
				       "this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT)");
	s = calloc(1, sizeof(*s));
	if (!s)
		return ktstr_error_nomem(err);
	s->opts = *opts;
	s->child = (struct child)CHILD_INIT;
	kmsg_open(&s->kmsg, opts->kmsg);
	dump_open(&s->dump, opts->sysfs);
	sched_quick_open(&s->quick, opts->sysfs);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = s->epoll < 0 ? ktstr_error_set(err, -errno, "epoll: %s", strerror(errno)) : 0;
	if (r == 0 && s->kmsg.fd >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->kmsg.fd, &event);
	if (r == 0)
		r = start(s, err);
	if (r < 0)
		scheduler_destroy(s);
	else
		*ret_scheduler = s;
	return r;
}

/* --- while it is there ---------------------------------------------------------------------- */

int scheduler_fd(const struct scheduler *scheduler)
{
	return scheduler->epoll;
}

/* Return: whether the loader is still expected to attach it again. */
static bool may_come_back(struct scheduler *s, const struct sched_state *now)
{
	if (s->phase == PHASE_ATTACHED) {
		if (!story_asks_for_restart(s->kmsg.reason))
			return false;
		s->phase = PHASE_BETWEEN;
		s->come_back_ns = clock_mono_ns() + COME_BACK_NS;
	}
	if (is_on(now) && is_newer(now, &s->attached)) {
		kmsg_clear(&s->kmsg);
		note_attached(s, now);
		s->story.restarts++;
		return true;
	}
	return clock_mono_ns() < s->come_back_ns;
}

int scheduler_poll(struct scheduler *scheduler)
{
	struct scheduler *s = scheduler;
	struct sched_state now;
	bool ended;

	if (s->phase != PHASE_ATTACHED && s->phase != PHASE_BETWEEN)
		return 0;
	kmsg_read(&s->kmsg);
	ended = loader_has_ended(s);
	if (!ended && s->phase == PHASE_ATTACHED && is_still_there(s)) {
		look_at_events(s, false);
		return 1;
	}
	s->story.gone_ns = s->story.gone_ns ? s->story.gone_ns : clock_mono_ns();
	sched_read_state(s->opts.sysfs, &now);
	if (!ended && s->phase == PHASE_ATTACHED)
		hear_kernel(s);
	if (!ended && may_come_back(s, &now))
		return 1;
	hear_last_words(s);
	(void)!finish(s);
	return 0;
}

void scheduler_events(struct scheduler *scheduler, struct sched_events *ret_events)
{
	if (scheduler->phase == PHASE_ATTACHED)
		look_at_events(scheduler, true);
	*ret_events = scheduler->events;
}

pid_t scheduler_pid(const struct scheduler *scheduler)
{
	return scheduler->child.pid;
}

const struct story *scheduler_story(const struct scheduler *scheduler)
{
	return &scheduler->story;
}

/* --- and its end ---------------------------------------------------------------------------- */

int scheduler_stop(struct scheduler *scheduler, struct ktstr_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct scheduler *s = scheduler;
	int r;

	if (scheduler_poll(s) == 0)
		return any_is_attached(s) && !is_on(&s->before)
			       ? ktstr_error_set(err, -ETIMEDOUT,
						 "the kernel does not let go of scheduler '%s'",
						 s->facts.name)
			       : 0;
	look_at_events(s, true);
	s->facts.told_to_go = true;
	end_loader(s, signals, ARRAY_SIZE(signals));
	r = finish(s);
	return r < 0 ? ktstr_error_set(err, r, "the kernel does not let go of scheduler '%s'",
				       s->facts.name)
		     : 0;
}

int scheduler_restart(struct scheduler *scheduler, struct ktstr_error *err)
{
	int r = scheduler_stop(scheduler, err);

	return r < 0 ? r : start(scheduler, err);
}

void scheduler_destroy(struct scheduler *scheduler)
{
	struct ktstr_error ignored;

	if (!scheduler)
		return;
	(void)!scheduler_stop(scheduler, &ignored);
	child_deinit(&scheduler->child);
	capture_destroy(scheduler->capture);
	story_deinit(&scheduler->story);
	dump_close(&scheduler->dump);
	sched_quick_close(&scheduler->quick);
	kmsg_close(&scheduler->kmsg);
	if (scheduler->epoll >= 0)
		close(scheduler->epoll);
	free(scheduler);
}
