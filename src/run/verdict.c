// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/verdict.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/folder.h"

static const char *const verdict_names[] = {
	[KTSTR_PASS] = "PASS", [KTSTR_SKIP] = "SKIP",	[KTSTR_UNDECIDED] = "UNDECIDED",
	[KTSTR_FAIL] = "FAIL", [KTSTR_ERROR] = "ERROR",
};

const char *ktstr_verdict_name(enum ktstr_verdict verdict)
{
	return (size_t)verdict < ARRAY_SIZE(verdict_names) ? verdict_names[verdict] : "?";
}

void verdict_deinit(struct verdict *verdict)
{
	strbuf_deinit(&verdict->reasons);
}

/* One row: does it apply, and if so, with which verdict and reasons? */
struct row {
	const char *end;
	enum ktstr_verdict verdict;
	bool console_matters, output_matters;
	bool (*applies)(const struct evidence *e);
	void (*explain)(const struct evidence *e, struct strbuf *out);
};

static void add_text(struct strbuf *out, const char *text)
{
	if (text)
		text_add_clean(out, text, strlen(text), TEXT_LONG_MAX);
}

static void add_indented(struct strbuf *out, const char *text)
{
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;

	add_text(&clean, text);
	text_add_lines(out, "  ", strbuf_str(&clean));
}

static void add_signal(struct strbuf *out, int sig)
{
	const char *name = sigabbrev_np(sig);

	strbuf_addf(out, "signal %d", sig);
	if (name)
		strbuf_addf(out, " (SIG%s, %s)", name, sigdescr_np(sig));
}

static void add_memory(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out,
		    "  the guest had %" PRIu64 " MiB: give the test more .memory_bytes, or the "
		    "run --memory\n",
		    e->memory_bytes >> 20);
}

static bool not_started(const struct evidence *e)
{
	return e->end == END_NOT_STARTED;
}

static void explain_not_started(const struct evidence *e, struct strbuf *out)
{
	add_text(out, e->end_text ? e->end_text : "the set-up failed");
}

static bool interrupted(const struct evidence *e)
{
	return e->end == END_INTERRUPTED;
}

static void explain_interrupted(const struct evidence *e, struct strbuf *out)
{
	(void)e;
	strbuf_addstr(out, "interrupted by the user");
}

static bool run_time_over(const struct evidence *e)
{
	return e->end == END_RUN_TIME_OVER;
}

static void explain_run_time_over(const struct evidence *e, struct strbuf *out)
{
	(void)e;
	strbuf_addstr(out, "the time limit of the whole run was reached (--timeout)");
}

static bool disk_full(const struct evidence *e)
{
	return e->end == END_DISK_FULL;
}

static void explain_disk_full(const struct evidence *e, struct strbuf *out)
{
	(void)e;
	strbuf_addstr(out, "the disk of the run folder is full, so what the guest said is not "
			   "complete; " FOLDER_REMEDY);
}

static bool broken_emulation(const struct evidence *e)
{
	return e->emulated && e->console.int3;
}

static void explain_broken_emulation(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the emulator lost a patch of kernel text (Oops: int3 under TCG): this "
			   "says nothing about the kernel; run the test again\n");
	add_indented(out, e->console.splat);
}

static bool wrong_shape(const struct evidence *e)
{
	return e->shape_wrong;
}

static void explain_wrong_shape(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the guest has not the topology that was asked for");
	if (e->shape_why)
		strbuf_addstr(out, ": ");
	add_text(out, e->shape_why);
	strbuf_addstr(out, "\n  wanted ");
	add_text(out, e->shape_wanted);
	strbuf_addstr(out, "\n  seen   ");
	add_text(out, e->shape_seen);
}

static bool out_of_memory(const struct evidence *e)
{
	const char *panic = e->console.panic;

	return e->console.oom ||
	       (panic && (strstr(panic, "deadlocked on memory") || strstr(panic, "ut of memory")));
}

static void explain_out_of_memory(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the guest ran out of memory: ");
	add_text(out, e->console.oom ? e->console.oom : e->console.panic);
	strbuf_addch(out, '\n');
	add_memory(e, out);
}

static bool boot_panic(const struct evidence *e)
{
	return e->console.panic && !e->started;
}

static void explain_panic(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out, "the guest's kernel panicked%s: ",
		    e->started ? "" : " before the body was started");
	add_text(out, e->console.panic);
	strbuf_addch(out, '\n');
	add_indented(out, e->console.splat);
}

static bool panicked(const struct evidence *e)
{
	return e->console.panic;
}

static bool qemu_died(const struct evidence *e)
{
	return e->end == END_QEMU_DIED;
}

static void explain_qemu_died(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "QEMU ");
	add_text(out, e->end_text ? e->end_text : "died");
}

static bool flooded(const struct evidence *e)
{
	return e->end == END_FLOODED;
}

static void explain_flooded(const struct evidence *e, struct strbuf *out)
{
	add_text(out, e->end_text ? e->end_text : "the guest wrote more than is kept");
}

static bool splatted(const struct evidence *e)
{
	return e->console.nr_splats;
}

static void explain_splat(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out, "kernel splat (%s", e->console.splat_kind);
	if (e->console.nr_splats > 1)
		strbuf_addf(out, ", the first of %u", e->console.nr_splats);
	strbuf_addstr(out, "):\n");
	add_indented(out, e->console.splat);
}

static bool damaged(const struct evidence *e)
{
	return e->damage;
}

static void explain_damage(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out, "the %s's records cannot be trusted: ", e->on_host ? "body" : "guest");
	add_text(out, e->damage);
}

static bool agent_failed(const struct evidence *e)
{
	return json_array_size(e->errors);
}

static void explain_agent(const struct evidence *e, struct strbuf *out)
{
	json_t *text;
	size_t i;

	json_array_foreach(e->errors, i, text)
	{
		add_text(out, json_string_value(text));
		strbuf_addch(out, '\n');
	}
}

static bool starved(const struct evidence *e)
{
	return e->end == END_STARVED;
}

static void add_silence(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "no sign of life for ");
	text_add_duration(out, e->silence_ns);
	if (e->end_text)
		strbuf_addstr(out, "; ");
	add_text(out, e->end_text);
}

static void explain_starved(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the host starved the guest: ");
	add_silence(e, out);
}

static bool hung_in_boot(const struct evidence *e)
{
	return e->end == END_HUNG && !e->started;
}

static bool hung(const struct evidence *e)
{
	return e->end == END_HUNG;
}

static void explain_hung(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out, "the guest hung%s: ", e->started ? "" : " before the body was started");
	add_silence(e, out);
}

static bool timed_out(const struct evidence *e)
{
	return e->timed_out || e->end == END_OVERDUE;
}

static bool timed_out_frozen(const struct evidence *e)
{
	return !e->exact && timed_out(e) && e->frozen_ns &&
	       e->frozen_ns >= e->timeout_limit_ns / 10;
}

static void explain_timed_out_frozen(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the body did not finish within its limit, but the host did not let "
			   "QEMU run for ");
	text_add_duration(out, e->frozen_ns);
	strbuf_addstr(out, " of it");
}

static void explain_timeout(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the body did not finish within its limit");
	if (e->timeout_limit_ns) {
		strbuf_addstr(out, " of ");
		text_add_duration(out, e->timeout_limit_ns);
	}
	if (e->end == END_OVERDUE)
		strbuf_addstr(out, ", and the guest's agent could not end it");
	if (!e->timeout_tasks || !*e->timeout_tasks)
		return;
	strbuf_addstr(out, "; what was running:\n");
	add_indented(out, e->timeout_tasks);
}

static bool wall_limit(const struct evidence *e)
{
	return e->end == END_WALL_LIMIT;
}

static void explain_wall_limit(const struct evidence *e, struct strbuf *out)
{
	strbuf_addstr(out, "the guest reached ");
	text_add_duration(out, evidence_virtual_ns(e));
	strbuf_addstr(out, " of virtual time in the ");
	text_add_duration(out, e->wall_limit_ns);
	strbuf_addstr(out, " of the host's that it is given (--wall-limit gives more)");
}

static bool went_down_early(const struct evidence *e)
{
	return e->end == END_WENT_DOWN && !e->started;
}

static bool went_down(const struct evidence *e)
{
	return e->end == END_WENT_DOWN;
}

static void explain_went_down(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out, "the guest powered off or rebooted %s",
		    e->started ? "while the body ran" : "before the body was started");
}

static bool crashed(const struct evidence *e)
{
	return e->crash_signal || (e->body_ended && e->body_signal);
}

static void explain_crash(const struct evidence *e, struct strbuf *out)
{
	int sig = e->crash_signal ? e->crash_signal : e->body_signal;

	strbuf_addstr(out, e->crash_signal ? "the body crashed: " : "the body was killed: ");
	add_signal(out, sig);
	if (e->crash_address && (sig == SIGSEGV || sig == SIGBUS)) {
		strbuf_addstr(out, " at address ");
		add_text(out, e->crash_address);
	}
	strbuf_addch(out, '\n');
	add_indented(out, strbuf_str(&e->crash_where));
	if (e->console.memcg_oom)
		add_indented(out, e->console.memcg_oom);
}

static bool check_error(const struct evidence *e)
{
	return e->check_error;
}

static bool check_failed(const struct evidence *e)
{
	return e->nr_failed;
}

static void explain_checks(const struct evidence *e, struct strbuf *out)
{
	uint64_t shown = 0;
	json_t *check;
	size_t i;

	json_array_foreach(e->failed, i, check)
	{
		if (shown == VERDICT_FAILED_SHOWN)
			break;
		verdict_add_check(out, check);
		shown++;
	}
	if (e->nr_failed > shown)
		strbuf_addf(out, "and %" PRIu64 " more failed checks\n", e->nr_failed - shown);
}

static bool left_early(const struct evidence *e)
{
	return e->body_ended && (!e->done || e->body_exit);
}

static void explain_left_early(const struct evidence *e, struct strbuf *out)
{
	strbuf_addf(out, "the body %s: exit status %d",
		    e->done ? "returned, but its process failed after that"
			    : "ended its process instead of returning",
		    e->body_exit);
}

static bool incomplete(const struct evidence *e)
{
	bool agent_is_whole = e->hello && e->shape_known && e->bye;

	return !e->started || !e->done || !e->body_ended || !(agent_is_whole || e->on_host);
}

static void explain_incomplete(const struct evidence *e, struct strbuf *out)
{
	const char *missing = e->on_host	? "how the body ended"
			      : !e->hello	? "the agent's hello"
			      : !e->shape_known ? "the topology that was seen"
			      : !e->started	? "the start of the body"
			      : !e->body_ended	? "how the body ended"
			      : !e->done	? "that the body returned"
						: "the agent's farewell";

	strbuf_addf(out, "the records end too soon; missing: %s", missing);
}

static bool undecided(const struct evidence *e)
{
	return e->undecided_text;
}

static void explain_undecided(const struct evidence *e, struct strbuf *out)
{
	add_text(out, e->undecided_text);
}

static bool skipped(const struct evidence *e)
{
	return e->skip_text;
}

static void explain_skipped(const struct evidence *e, struct strbuf *out)
{
	add_text(out, e->skip_text);
}

static bool checked_nothing(const struct evidence *e)
{
	return !e->nr_checks;
}

static void explain_nothing(const struct evidence *e, struct strbuf *out)
{
	(void)e;
	strbuf_addstr(out, "the body made no check, so there is nothing to judge");
}

static const struct row rows[] = {
	{ "not-started", KTSTR_ERROR, false, false, not_started, explain_not_started },
	{ "interrupted", KTSTR_UNDECIDED, false, false, interrupted, explain_interrupted },
	{ "run-timeout", KTSTR_UNDECIDED, false, false, run_time_over, explain_run_time_over },
	{ "disk-full", KTSTR_ERROR, false, false, disk_full, explain_disk_full },
	{ "emulator", KTSTR_ERROR, true, false, broken_emulation, explain_broken_emulation },
	{ "topology", KTSTR_ERROR, false, false, wrong_shape, explain_wrong_shape },
	{ "memory", KTSTR_ERROR, true, false, out_of_memory, explain_out_of_memory },
	{ "panic", KTSTR_ERROR, true, true, boot_panic, explain_panic },
	{ "panic", KTSTR_FAIL, true, true, panicked, explain_panic },
	{ "qemu-died", KTSTR_ERROR, true, false, qemu_died, explain_qemu_died },
	{ "flood", KTSTR_ERROR, true, false, flooded, explain_flooded },
	{ "splat", KTSTR_FAIL, true, true, splatted, explain_splat },
	{ "starved", KTSTR_UNDECIDED, true, false, starved, explain_starved },
	{ "wall-limit", KTSTR_UNDECIDED, true, true, wall_limit, explain_wall_limit },
	{ "hung", KTSTR_ERROR, true, true, hung_in_boot, explain_hung },
	{ "hung", KTSTR_FAIL, true, true, hung, explain_hung },
	{ "damaged", KTSTR_ERROR, false, true, damaged, explain_damage },
	{ "agent", KTSTR_ERROR, false, true, agent_failed, explain_agent },
	{ "went-down", KTSTR_ERROR, true, true, went_down_early, explain_went_down },
	{ "went-down", KTSTR_FAIL, true, true, went_down, explain_went_down },
	{ "checks", KTSTR_ERROR, false, true, check_error, explain_checks },
	{ "starved", KTSTR_UNDECIDED, false, true, timed_out_frozen, explain_timed_out_frozen },
	{ "timeout", KTSTR_FAIL, false, true, timed_out, explain_timeout },
	{ "crashed", KTSTR_FAIL, false, true, crashed, explain_crash },
	{ "checks", KTSTR_FAIL, false, true, check_failed, explain_checks },
	{ "exited", KTSTR_FAIL, false, true, left_early, explain_left_early },
	{ "incomplete", KTSTR_ERROR, true, true, incomplete, explain_incomplete },
	{ "undecided", KTSTR_UNDECIDED, false, false, undecided, explain_undecided },
	{ "skipped", KTSTR_SKIP, false, false, skipped, explain_skipped },
	{ "no-checks", KTSTR_UNDECIDED, false, true, checked_nothing, explain_nothing },
};

/* Failed checks are worth seeing whatever else happened after them. */
static void add_failed_besides(const struct evidence *e, const struct row *row,
			       struct strbuf *reasons)
{
	if (!e->nr_failed || row->explain == explain_checks || row->verdict == KTSTR_PASS)
		return;
	if (reasons->len && reasons->data[reasons->len - 1] != '\n')
		strbuf_addch(reasons, '\n');
	explain_checks(e, reasons);
}

void verdict_judge(const struct evidence *e, struct verdict *ret_verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].applies(e))
			continue;
		ret_verdict->verdict = rows[i].verdict;
		ret_verdict->end = rows[i].end;
		ret_verdict->console_matters = rows[i].console_matters;
		ret_verdict->output_matters = rows[i].output_matters;
		rows[i].explain(e, &ret_verdict->reasons);
		add_failed_besides(e, &rows[i], &ret_verdict->reasons);
		return;
	}
	ret_verdict->verdict = KTSTR_PASS;
	ret_verdict->end = "finished";
}

bool verdict_is_of_host(const char *end)
{
	static const char *const ends[] = { "interrupted", "run-timeout", "wall-limit", "starved",
					    "disk-full",   "qemu-died",	  "worker-died" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (!strcmp(end, ends[i]))
			return true;
	return false;
}

static const char *text_of(const json_t *check, const char *key)
{
	return json_string_value(json_object_get(check, key));
}

void verdict_add_check(struct strbuf *out, const json_t *check)
{
	const char *text = text_of(check, "text"), *actual = text_of(check, "actual");
	const char *bound = text_of(check, "bound"), *why = text_of(check, "why");

	const char *file = text_of(check, "file");

	/* A scenario's finding is a sentence of its own. */
	if (json_object_get(check, "check") && why) {
		add_text(out, why);
		strbuf_addch(out, '\n');
		return;
	}
	add_text(out, file);
	strbuf_addf(out, ":%lld: ", (long long)json_integer_value(json_object_get(check, "line")));
	if (text && *text) {
		strbuf_addstr(out, "expected ");
		add_text(out, text);
		strbuf_addch(out, '\n');
	}
	if (actual) {
		strbuf_addstr(out, "  seen ");
		add_text(out, actual);
		strbuf_addstr(out, bound ? "; wanted " : "");
		add_text(out, bound);
		strbuf_addch(out, '\n');
	}
	if (why && text && *text)
		add_indented(out, why);
	else if (why) {
		add_text(out, why);
		strbuf_addch(out, '\n');
	}
}
