// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "run/events.h"
#include "run/folder.h"
#include "run/interrupt.h"
#include "run/result.h"
#include "run/verdict.h"

/* All items of one call. */
struct replay {
	const struct ktstr_replay_opts *opts;
	char *work_dir;
	struct replay_source source;
	struct totals totals;
	bool parted, broken;
};

/* One repetition of one item, seen against its record. */
struct comparison {
	const struct replay_item *item;
	const struct evidence *e;
	struct verdict verdict;
	struct events_diff diff;
	uint64_t wall_ns;
	bool then_kept; /* the recorded events are there */
	bool identical;
};

static bool same_verdict(const struct comparison *c)
{
	const struct runrecord *record = &c->item->record;

	return record->verdict == c->verdict.verdict && !strcmp(record->end, c->verdict.end);
}

static int compare(struct comparison *c, const char *dir, struct ktstr_error *err)
{
	const struct runrecord *record = &c->item->record;
	_cleanup_free_ char *then = path_format("%s/" RUNRECORD_EVENTS, c->item->dir);
	_cleanup_free_ char *now = path_format("%s/" RUNRECORD_EVENTS, dir);
	bool same_hash =
		!record->events_sha256[0] || !strcmp(record->events_sha256, c->e->events_sha256);
	int r = 0;

	if (!then || !now)
		return ktstr_error_nomem(err);
	c->then_kept = access(then, F_OK) == 0;
	if (c->then_kept)
		r = events_compare(then, now, &c->diff, err);
	if (!c->then_kept && !record->events_sha256[0])
		return ktstr_error_set(err, -ENOENT,
				       "neither its events nor their hash were recorded");
	c->identical = !c->diff.parted && same_hash &&
		       (verdict_is_of_host(record->end) || same_verdict(c));
	return r;
}

static void add_time(struct strbuf *out, uint64_t ns)
{
	strbuf_addf(out, "%" PRIu64 ".%09" PRIu64 " s", ns / (uint64_t)NSEC_PER_SEC,
		    ns % (uint64_t)NSEC_PER_SEC);
}

static void add_parting(const struct comparison *c, struct strbuf *out)
{
	const struct events_diff *diff = &c->diff;

	if (diff->parted) {
		strbuf_addf(out, "parted at event %" PRIu64, diff->nr_same + 1);
		if (diff->type) {
			strbuf_addf(out, " (%s at ", record_type_name(diff->type));
			add_time(out, diff->virtual_ns);
			strbuf_addch(out, ')');
		}
		strbuf_addf(out, ": then %s, now %s", diff->then, diff->now);
	} else if (!c->then_kept) {
		strbuf_addstr(out, "parted: the events have another hash; where is not known, as "
				   "they were not kept");
	} else if (!same_verdict(c)) {
		strbuf_addf(out, "parted: equal events, but it was %s (%s)",
			    ktstr_verdict_name(c->item->record.verdict), c->item->record.end);
	} else {
		strbuf_addstr(out,
			      "parted: the recorded events are not those of the recorded hash");
	}
}

static void add_identity(const struct comparison *c, struct strbuf *out)
{
	uint64_t nr = c->then_kept ? c->diff.nr_same : c->e->nr_events;

	strbuf_addf(out, "identical: %" PRIu64 " events, ", nr);
	text_add_duration(out, evidence_virtual_ns(c->e));
	strbuf_addstr(out, " of guest time, in ");
	text_add_duration(out, c->wall_ns);
	if (verdict_is_of_host(c->item->record.end))
		strbuf_addf(out, "; the recorded run was cut short (%s)", c->item->record.end);
}

static void add_live(const struct comparison *c, struct strbuf *out)
{
	const struct runrecord *record = &c->item->record;

	if (same_verdict(c))
		strbuf_addstr(out, "as it was");
	else
		strbuf_addf(out, "it was %s (%s)", ktstr_verdict_name(record->verdict),
			    record->end);
	strbuf_addstr(out, "; live runs do not repeat exactly");
}

static void tell(struct replay *replay, const struct comparison *c, const char *dir, bool first)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s: %s (%s): ", c->item->record.item,
		    ktstr_verdict_name(c->verdict.verdict), c->verdict.end);
	if (!c->item->record.exact)
		add_live(c, &line);
	else if (c->identical)
		add_identity(c, &line);
	else
		add_parting(c, &line);
	replay_say(replay->opts, "%s", strbuf_str(&line));
	if (first || !c->identical)
		replay_say_lines(replay->opts, strbuf_str(&c->verdict.reasons));
	if (!c->identical && c->item->record.exact)
		replay_say(replay->opts, "  files: %s", dir);
}

/* What is identical need not be kept. */
static void tidy(const struct replay *replay, const struct comparison *c, const char *dir)
{
	if (!replay->opts->run_dir && (c->identical || !c->item->record.exact))
		(void)!path_remove_tree(dir, NULL);
}

static int judge(struct replay *replay, struct comparison *c, const char *dir, bool first,
		 struct ktstr_error *err)
{
	int r = 0;

	verdict_judge(c->e, &c->verdict);
	if (c->item->record.exact)
		r = compare(c, dir, err);
	if (r < 0)
		return r;
	replay->totals.counts[c->verdict.verdict]++;
	replay->parted |= c->item->record.exact && !c->identical;
	tell(replay, c, dir, first);
	tidy(replay, c, dir);
	return c->identical;
}

/* Return: 1 identical, 0 not, -EINTR, -errno. */
static int repeat_once(struct replay *replay, const struct replay_item *item, uint32_t number,
		       struct ktstr_error *err)
{
	_cleanup_evidence_ struct evidence e = { 0 };
	_cleanup_free_ char *name = number == 1 ? strdup(item->record.item)
						: path_format("%s.%u", item->record.item, number);
	_cleanup_free_ char *dir = NULL;
	struct comparison c = { .item = item, .e = &e, .verdict = VERDICT_INIT };
	struct replay_run run = { .opts = replay->opts,
				  .item = item,
				  .label = item->record.item,
				  .log_fd = -1,
				  .e = &e };
	uint64_t start_ns = clock_mono_ns();
	int r = name ? evidence_init(&e) : -ENOMEM;

	if (r < 0)
		return ktstr_error_nomem(err);
	r = folder_create_test(replay->work_dir, name, &dir, err);
	run.dir = dir;
	if (r == 0)
		r = replay_run_once(&run, err);
	if (r == 0 && e.end == END_INTERRUPTED)
		r = -EINTR;
	c.wall_ns = clock_mono_ns() - start_ns;
	if (r == 0)
		r = judge(replay, &c, dir, number == 1, err);
	events_diff_deinit(&c.diff);
	verdict_deinit(&c.verdict);
	return r;
}

static int repeat(struct replay *replay, const struct replay_item *item, struct ktstr_error *err)
{
	uint32_t times = replay->opts->repeat ? replay->opts->repeat : 1, nr_identical = 0;

	for (uint32_t i = 1; i <= times; i++) {
		int r = repeat_once(replay, item, i, err);

		if (r < 0)
			return r;
		nr_identical += (uint32_t)r;
	}
	if (times > 1 && item->record.exact)
		replay_say(replay->opts, "%s: %u of %u identical", item->record.item, nr_identical,
			   times);
	return 0;
}

static int debug(struct replay *replay, const struct replay_item *item, struct ktstr_error *err)
{
	_cleanup_free_ char *events = path_format("%s/" RUNRECORD_EVENTS, item->dir);
	_cleanup_evidence_ struct evidence e = { 0 };
	struct replay_run run = { .opts = replay->opts,
				  .item = item,
				  .dir = replay->work_dir,
				  .label = item->record.item,
				  .log_fd = -1,
				  .e = &e };
	int r = events ? evidence_init(&e) : -ENOMEM;

	if (r < 0)
		return ktstr_error_nomem(err);
	if (replay->opts->gdb == KTSTR_REPLAY_GDB_FAIL && item->record.verdict == KTSTR_PASS)
		return ktstr_error_set(err, -ENOENT,
				       "it passed, so no event made the run fail; '--gdb start' "
				       "holds it at its start");
	if (replay->opts->gdb == KTSTR_REPLAY_GDB_FAIL)
		r = events_find_failure(events, &run.stop_seq, &run.stop_type, err);
	if (r == 0)
		r = replay_run_once(&run, err);
	if (r < 0)
		return r;
	replay->totals.counts[KTSTR_PASS]++;
	replay_say(replay->opts, "the guest has ended");
	return e.end == END_INTERRUPTED ? -EINTR : 0;
}

/* Return: 0, also when this one could not be repeated; -EINTR. */
static int replay_one(struct replay *replay, const char *name)
{
	struct replay_item item = { 0 };
	struct ktstr_error err = { 0 };
	int r = replay_item_load(replay->opts, &replay->source, name, &item, &err);

	if (r == 0)
		r = replay->opts->gdb ? debug(replay, &item, &err) : repeat(replay, &item, &err);
	if (r < 0 && r != -EINTR) {
		replay->broken = true;
		replay_say(replay->opts, "%s: cannot be repeated: %s", name, err.text);
	}
	replay_item_deinit(&item);
	return r == -EINTR ? r : 0;
}

static int replay_all(struct replay *replay, struct ktstr_error *err)
{
	const struct replay_source *source = &replay->source;

	if (replay->opts->gdb && source->nr != 1)
		return ktstr_error_set(err, -EINVAL,
				       "a debugger takes one run, and '%s' has %zu to repeat: name "
				       "one as RUN/ITEM",
				       replay->opts->path, source->nr);
	if (!source->nr)
		replay_say(replay->opts,
			   "nothing to repeat: all %u recorded runs passed or were skipped (--all "
			   "repeats them)",
			   source->nr_passed);
	for (size_t i = 0; i < source->nr; i++)
		if (replay_one(replay, source->items[i]) < 0) {
			replay_say(replay->opts, "%s: interrupted", source->items[i]);
			return KTSTR_EXIT_INTERRUPTED;
		}
	if (replay->parted || replay->broken)
		return KTSTR_EXIT_HARNESS;
	return totals_exit(&replay->totals);
}

static int replay_in(struct replay *replay, struct ktstr_error *err)
{
	int r = interrupt_catch(err);

	if (r == 0)
		r = replay_source_open(replay->opts, replay->work_dir, &replay->source, err);
	if (r == 0)
		r = replay_all(replay, err);
	interrupt_release();
	return r;
}

/* Everything but what parted, or what was asked for. */
static void clear_work(const struct replay *replay)
{
	_cleanup_free_ char *parcel = path_format("%s/parcel", replay->work_dir);

	if (parcel)
		(void)!path_remove_tree(parcel, NULL);
	if (replay->opts->run_dir)
		return;
	if (!replay->parted)
		(void)!path_remove_tree(replay->work_dir, NULL);
}

int ktstr_replay(const struct ktstr_replay_opts *opts, struct ktstr_error *err)
{
	struct replay replay = { .opts = opts };
	int r;

	if (opts->gdb && opts->repeat > 1)
		return ktstr_error_set(err, -EINVAL,
				       "a debugger and repetitions do not go together");
	r = folder_create_run(opts->run_dir, &replay.work_dir, err);
	if (r < 0)
		return r;
	r = replay_in(&replay, err);
	replay_source_close(&replay.source);
	clear_work(&replay);
	free(replay.work_dir);
	return r;
}
