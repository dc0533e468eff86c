// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "scenario/engine_private.h"

static void send_mark(struct engine *e, const char *kind)
{
	json_t *record = engine_record(e, kind);

	engine_set_u64(record, "begin_ns", clock_mono_ns());
	engine_send(e, record);
}

/* --- what changes ------------------------------------------------------------------------------ */

static int change(struct engine *e, const struct ktstr_step *step, struct ktstr_error *err)
{
	int r = 0;

	for (size_t i = 0; i < KTSTR_STEP_CGROUPS && step->cgroups[i].name && r == 0; i++)
		r = engine_group_make(e, &step->cgroups[i], err);
	for (size_t i = 0; i < KTSTR_STEP_WORKS && step->works[i].name && r == 0; i++)
		r = engine_row_start(e, &step->works[i], err);
	if (r < 0)
		return r;
	if (step->ops[0].kind)
		engine_rows_allow_all(e);
	for (size_t i = 0; i < KTSTR_STEP_OPS && step->ops[i].kind && r == 0; i++)
		r = engine_op(e, &step->ops[i], err);
	return r;
}

/* --- time -------------------------------------------------------------------------------------- */

/* Until @until_ns, or something happens to the scheduler. */
static void wait_until(const struct engine *e, uint64_t until_ns)
{
	struct pollfd fd = { .fd = e->attached ? scheduler_fd(e->scheduler) : -1,
			     .events = POLLIN };
	uint64_t now_ns = clock_mono_ns();
	struct timespec ts;

	if (until_ns <= now_ns)
		return;
	if (fd.fd < 0) {
		ts = (struct timespec){ .tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
					.tv_nsec = (long)(until_ns % NSEC_PER_SEC) };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
		return;
	}
	until_ns -= now_ns;
	ts = (struct timespec){ .tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
				.tv_nsec = (long)(until_ns % NSEC_PER_SEC) };
	ppoll(&fd, 1, &ts, NULL);
}

static int check_event(struct engine *e, const struct event_words *event, struct ktstr_error *err)
{
	if (event->kind == EVENT_SCHEDULER_GONE || engine_row(e, event->work))
		return 0;
	return ktstr_error_set(err, -EINVAL, "there are no workers '%s' in this step", event->work);
}

static bool has_iterated(const struct engine *e, const struct engine_row *row, uint64_t iterations)
{
	for (uint32_t i = 0; i < row->count; i++) {
		struct work_reading reading;

		if (work_row_read(row->row, i, e->step, 0, &reading) < 0 ||
		    reading.iterations < iterations)
			return false;
	}
	return true;
}

static bool happened(struct engine *e, const struct event_words *event)
{
	const struct engine_row *row = engine_row(e, event->work);

	switch (event->kind) {
	case EVENT_DONE:
		return row && work_row_is_done(row->row);
	case EVENT_ITERATIONS:
		return row && has_iterated(e, row, event->iterations);
	default:
		return !e->attached;
	}
}

static enum engine_ended hold(struct engine *e, const struct ktstr_step *step,
			      const struct event_words *event)
{
	uint64_t until_ns = clock_add_ns(e->begin_ns, step->hold_ns), tick_ns = e->begin_ns;
	bool gone_is_fine = event && event->kind == EVENT_SCHEDULER_GONE;

	for (uint32_t tick = 0;; tick++) {
		bool fine = tick % ENGINE_TICKS_PER_POLL ? engine_scheduler_seems_fine(e)
							 : engine_scheduler_is_fine(e);

		if (!fine && !gone_is_fine)
			return ENDED_BROKEN;
		if (event && happened(e, event))
			return ENDED_EVENT;
		engine_watch_relieve(e);
		if (clock_mono_ns() >= until_ns)
			return event ? ENDED_LIMIT : ENDED_TIME;
		do {
			tick_ns += ENGINE_TICK_NS;
		} while (tick_ns <= clock_mono_ns());
		wait_until(e, tick_ns < until_ns ? tick_ns : until_ns);
	}
}

/* --- a step ------------------------------------------------------------------------------------ */

static void begin(struct engine *e)
{
	e->step_events = (struct sched_events){ 0 };
	if (e->attached)
		scheduler_events(e->scheduler, &e->step_events);
	engine_cpus_begin(e);
	engine_tree_begin(e);
	e->begin_ns = clock_mono_ns();
	engine_watch_begin(e);
	engine_rows_begin(e);
}

static void tell_end(struct engine *e, uint64_t begin_ns, uint64_t end_ns, enum engine_ended ended)
{
	static const char *const words[] = { "time", "event", "limit", "broken", "broken" };
	const char *until = e->scenario->steps[e->step].until;
	json_t *record = engine_record(e, "step_end");

	engine_set_u64(record, "begin_ns", begin_ns);
	engine_set_u64(record, "end_ns", end_ns);
	engine_set_text(record, "ended", words[ended]);
	if (until)
		engine_set_text(record, "event", until);
	engine_send(e, record);
}

static void end(struct engine *e, enum engine_ended ended)
{
	uint64_t end_ns = clock_mono_ns();

	engine_tell_step(e);
	engine_tell_counters(e, &e->step_events, true);
	tell_end(e, e->begin_ns, end_ns, ended);
}

/* What does not get done may be the scheduler's fault; then the kernel ejects it before long. */
static bool is_fault_of_scheduler(struct engine *e, int result)
{
	uint64_t now_ns = clock_mono_ns(), until_ns = now_ns + ENGINE_WATCHDOG_NS;

	if (!e->attached || (result != -ETIMEDOUT && result != -EBUSY))
		return false;
	while (engine_scheduler_is_fine(e)) {
		now_ns = clock_mono_ns();
		if (now_ns >= until_ns)
			return false;
		wait_until(e, now_ns + ENGINE_PATIENCE_NS);
	}
	return true;
}

int engine_step(struct engine *e, enum engine_ended *ret_ended, struct ktstr_error *err)
{
	const struct ktstr_step *step = &e->scenario->steps[e->step];
	struct event_words event;
	enum engine_ended ended;
	char name[16];
	int r = step->until ? words_event(step->until, &event, err) : 0;

	if (r == 0) {
		send_mark(e, "step_begin");
		r = change(e, step, err);
	}
	if (r == 0)
		r = engine_tree_refresh(e, err);
	if (r == 0 && step->until)
		r = check_event(e, &event, err);
	if (r < 0 && is_fault_of_scheduler(e, r)) {
		uint64_t now_ns = clock_mono_ns();

		*ret_ended = ENDED_NEVER;
		tell_end(e, now_ns, now_ns, ENDED_NEVER);
		return 0;
	}
	if (r < 0)
		return ktstr_error_wrap(err, r, "step '%s'",
					engine_step_name(e, e->step, name, sizeof(name)));
	engine_watch_open(e);
	engine_rows_allow(e, step->ops[0].kind ? RECORDS_GRACE_NS : 0);
	begin(e);
	ended = e->broken ? ENDED_BROKEN : hold(e, step, step->until ? &event : NULL);
	end(e, ended);
	*ret_ended = ended;
	return 0;
}
