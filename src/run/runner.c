// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/capacity.h"
#include "run/folder.h"
#include "run/interrupt.h"
#include "run/machine.h"
#include "run/need.h"
#include "run/order.h"
#include "run/orphan.h"
#include "run/pool.h"
#include "run/progress.h"
#include "run/queue.h"
#include "run/report.h"
#include "run/rerun.h"
#include "run/run_line.h"
#include "run/scenario.h"
#include "run/tally.h"
#include "run/worker.h"
#include <ktstr/log.h>

#define TICK_NS MSECS(500)

struct runner {
	const struct runner_opts *opts;
	const struct settings *settings;
	char *program, *run_dir, *objects_dir;
	uint64_t start_ns, deadline_ns;
	struct plan plan;
	struct queue queue; /* of the plan's items, as the next one */
	struct session_status *statuses;
	struct pool pool;
	struct worker_opts worker;
	struct report *report;
	struct tally tally;
	struct order order;
	struct history history;
	struct totals totals;
	struct machine machine;
	struct ktstr_error machine_error;
	unsigned int signals; /* heeded so far */
	uint64_t signal_ns;   /* when the first one was seen */
	bool told, killed;    /* the workers, for lack of time or by the second signal */
};

/* --- results ----------------------------------------------------------------------------------*/

static void take_result(struct runner *r, size_t index, struct result *result)
{
	const struct plan_item *item = &r->plan.items[index];

	queue_end(&r->queue, index);
	if (tally_has_parted(&r->tally, item, result))
		worker_keep_result(&r->worker, result);
	tally_add(&r->tally, item, result);
	order_note(&r->order, &r->history, item, result);
	r->totals.interrupted |= !strcmp(result->end, "interrupted");
	r->totals.time_over |= !strcmp(result->end, "run-timeout");
	if (r->settings->fail_fast &&
	    (result->verdict == KTSTR_FAIL || result->verdict == KTSTR_ERROR))
		r->totals.failed_fast = true;
	totals_add(&r->totals, result);
	report_result(r->report, result);
	if (r->opts->sink && !r->opts->sink(r->opts->arg, result))
		r->totals.failed_fast = true;
}

/* For what no worker answered; takes what is in @result. */
static void take_own(struct runner *r, size_t index, struct result *result)
{
	const struct plan_item *item = &r->plan.items[index];
	_cleanup_free_ char *dir = path_format("%s/%s", r->run_dir, item->id);

	if (dir && path_is_dir(dir))
		result->folder = take_ptr(dir);
	if (worker_name_result(&r->worker, item, result) < 0)
		ktstr_log(KTSTR_LOG_WARN, "'%s': out of memory", item->id);
	worker_keep_result(&r->worker, result);
	take_result(r, index, result);
	result_deinit(result);
}

static void refuse(struct runner *r, size_t index, const char *reason, bool no_capacity)
{
	struct result result = { 0 };

	if (result_without_run(r->plan.items[index].entry, KTSTR_ERROR, reason, &result) < 0)
		result.reasons = NULL;
	result.no_capacity = no_capacity;
	take_own(r, index, &result);
}

static char *describe_death(const struct runner *r, const struct pool_end *end)
{
	if (r->killed)
		return strdup(r->signals ? "interrupted by the user, and killed"
					 : "the time limit of the run is over; killed");
	if (end->flooded)
		return path_format("the worker process of this test said more than %d MiB",
				   POOL_LINE_MAX >> 20);
	if (end->signal == SIGKILL)
		return strdup("the worker process of this test was killed by signal 9 (Killed); if "
			      "the machine ran out of memory, dmesg says so: run fewer at a time "
			      "with --jobs");
	if (end->signal)
		return path_format("the worker process of this test was killed by signal %d (%s)",
				   end->signal, strsignal(end->signal));
	return path_format("the worker process of this test ended with status %d and no result",
			   end->exit_code);
}

static void take_death(struct runner *r, size_t index, const struct pool_end *end)
{
	_cleanup_free_ char *text = describe_death(r, end);
	enum ktstr_verdict verdict = r->killed ? KTSTR_UNDECIDED : KTSTR_ERROR;
	struct result result = { 0 };

	if (result_without_run(r->plan.items[index].entry, verdict, text ? text : "", &result) < 0)
		result.reasons = NULL;
	result_set_end(&result, !r->killed   ? "worker-died"
				: r->signals ? "interrupted"
					     : "run-timeout");
	take_own(r, index, &result);
}

/* A worker that had to be told of the end took it for the user's wish. */
static void correct_end(const struct runner *r, struct result *result)
{
	char *reasons;

	if (r->signals || !r->told || strcmp(result->end, "interrupted") != 0)
		return;
	reasons = strdup("the time limit of the run is over");
	if (!reasons)
		return;
	free(result->reasons);
	result->reasons = reasons;
	result_set_end(result, "run-timeout");
}

static void on_line(void *arg, size_t index, const char *line)
{
	struct runner *r = arg;
	struct result result = { 0 };
	struct ktstr_error err;
	int says = worker_read(line, &r->statuses[index], &result, &err);

	if (says < 0)
		ktstr_log(KTSTR_LOG_WARN, "'%s': %s", r->plan.items[index].id, err.text);
	if (says != WORKER_RESULT)
		return;
	correct_end(r, &result);
	if (r->queue.items[index].state == QUEUE_RUNS)
		take_result(r, index, &result);
	result_deinit(&result);
}

static void on_end(void *arg, size_t index, const struct pool_end *end)
{
	struct runner *r = arg;

	if (r->queue.items[index].state == QUEUE_RUNS)
		take_death(r, index, end);
}

static int on_start(void *arg, size_t index, int out_fd)
{
	const struct runner *r = arg;

	return worker_run(&r->worker, &r->plan.items[index], out_fd);
}

/* --- starting ---------------------------------------------------------------------------------*/

/* Return: false if it has to wait after all. */
static bool start_item(struct runner *r, size_t index)
{
	struct ktstr_error err = { 0 };
	int e;

	if (registry_check(r->plan.items[index].entry, &err) < 0) {
		refuse(r, index, err.text, false);
		return true;
	}
	e = pool_start(&r->pool, index, &err);
	if (e < 0 && r->pool.nr)
		return false;
	if (e < 0)
		refuse(r, index, err.text, e == -EAGAIN || e == -ENOMEM);
	else
		queue_start(&r->queue, index);
	return true;
}

static void look_around(struct runner *r)
{
	struct capacity capacity;
	struct ktstr_error err;

	if (capacity_read("", &capacity, &err) == 0)
		r->queue.room.available_bytes = capacity.available_bytes;
}

/* Return: false if nothing more can be started now. */
static bool start_one(struct runner *r)
{
	struct ktstr_error text;
	size_t index = 0;

	if (r->pool.nr == r->pool.size)
		return false;
	look_around(r);
	switch (queue_next(&r->queue, &index)) {
	case QUEUE_START:
		return start_item(r, index);
	case QUEUE_REFUSE:
		need_explain(&r->queue.items[index].need, &r->queue.room, &text);
		refuse(r, index, text.text, true);
		return true;
	case QUEUE_LATER:
	case QUEUE_EMPTY:
		break;
	}
	return false;
}

static bool is_halted(const struct runner *r)
{
	return r->signals || r->totals.time_over || r->totals.failed_fast;
}

/* --- the end of the run -----------------------------------------------------------------------*/

static void heed_signals(struct runner *r)
{
	unsigned int signals = interrupt_take();
	uint64_t now = clock_mono_ns();

	if (signals == r->signals)
		return;
	if (!r->signals) {
		r->signal_ns = now;
		/* SIGINT is ignored in what shells start in the background. */
		pool_signal(&r->pool, SIGTERM);
	} else if (now >= r->signal_ns + RUNNER_INSIST_NS) {
		r->killed = true;
		pool_signal(&r->pool, SIGKILL);
	}
	r->signals = signals;
}

static void heed_clock(struct runner *r)
{
	uint64_t now = clock_mono_ns();

	if (now < r->deadline_ns || totals_ran(&r->totals) == r->totals.planned)
		return;
	r->totals.time_over = true;
	if (!r->told && now >= clock_add_ns(r->deadline_ns, RUNNER_TELL_NS)) {
		r->told = true;
		pool_signal(&r->pool, SIGTERM);
	}
	if (!r->killed && now >= clock_add_ns(r->deadline_ns, RUNNER_KILL_NS)) {
		r->killed = true;
		pool_signal(&r->pool, SIGKILL);
	}
}

static void show_progress(struct runner *r)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	struct progress progress = { .totals = &r->totals,
				     .elapsed_ns = clock_mono_ns() - r->start_ns,
				     .stopping = is_halted(r) };

	for (size_t i = 0; i < r->pool.nr && i < ARRAY_SIZE(progress.running); i++) {
		size_t index = r->pool.workers[i].item;

		progress.running[i] = (struct progress_item){ .id = r->plan.items[index].id,
							      .status = r->statuses[index] };
	}
	progress.nr_running = r->pool.nr;
	progress_line(&progress, &line);
	report_progress(r->report, strbuf_str(&line));
}

static int run_all(struct runner *r, struct ktstr_error *err)
{
	int e = 0;

	for (;;) {
		uint64_t left_ns, now;

		heed_signals(r);
		heed_clock(r);
		while (!is_halted(r) && start_one(r))
			continue;
		if (!r->pool.nr)
			break;
		show_progress(r);
		now = clock_mono_ns();
		left_ns = r->deadline_ns > now ? r->deadline_ns - now : TICK_NS;
		e = pool_wait(&r->pool, interrupt_fd(), left_ns < TICK_NS ? left_ns : TICK_NS);
		if (e < 0)
			break;
	}
	/* A signal that came when everything was done interrupted nothing. */
	r->totals.interrupted |= r->signals && totals_ran(&r->totals) < r->totals.planned;
	return e < 0 ? ktstr_error_set(err, e, "wait for workers: %s", strerror(-e)) : 0;
}

/* --- preparing --------------------------------------------------------------------------------*/

static bool needs_machine(const struct plan *plan)
{
	struct ktstr_error ignored;

	for (size_t i = 0; i < plan->nr; i++)
		if (registry_check(plan->items[i].entry, &ignored) == 0 &&
		    !plan->items[i].entry->test->host_only)
			return true;
	return false;
}

static void prepare_machine(struct runner *r)
{
	struct machine_opts opts = {
		.qemu_path = r->settings->qemu_path,
		.kernel_spec = r->settings->kernel_spec,
		.mode = r->settings->mode,
		.dir = r->run_dir,
	};

	if (!needs_machine(&r->plan))
		return;
	report_progress(r->report, "preparing the guests' machine ...");
	if (machine_prepare(&opts, &r->machine, &r->machine_error) == 0)
		r->worker.machine = &r->machine;
	r->order.exact = r->machine.exact;
}

static void fill_room(struct runner *r, const struct capacity *c)
{
	uint32_t jobs = r->settings->jobs;

	r->queue.room = (struct admission_room){
		.jobs = jobs ? jobs : c->cpus,
		/* Who asks for more than there are CPUs knows what that means. */
		.cpus = jobs > c->cpus ? UINT32_MAX : c->cpus,
		.memory_bytes = c->available_bytes,
		.address_bytes = c->total_bytes,
		.available_bytes = c->available_bytes,
	};
}

static void fill_needs(struct runner *r, uint32_t host_cpus)
{
	struct need_opts opts = { .settings = r->settings,
				  .machine = r->worker.machine,
				  .host_cpus = host_cpus };
	struct ktstr_error ignored;
	struct stat st;

	if (stat(r->program, &st) == 0)
		opts.program_bytes = (uint64_t)st.st_size;
	for (size_t i = 0; i < r->plan.nr; i++)
		if (registry_check(r->plan.items[i].entry, &ignored) == 0)
			r->queue.items[i].need = need_of(&opts, r->plan.items[i].entry);
}

static void rank_plan(struct runner *r)
{
	for (size_t i = 0; i < r->plan.nr; i++)
		r->plan.items[i].rank = r->opts->rank(r->opts->arg, r->plan.items[i].entry);
	plan_sort(&r->plan);
	r->queue.in_order = true;
}

static int open_pool(struct runner *r, struct ktstr_error *err)
{
	const struct pool_ops ops = {
		.work = on_start, .line = on_line, .ended = on_end, .arg = r
	};
	struct capacity capacity;
	int e = capacity_read("", &capacity, err);

	if (e < 0)
		return e;
	orphan_adopt();
	r->statuses = calloc(r->plan.nr + 1, sizeof(*r->statuses));
	if (!r->statuses || queue_init(&r->queue, r->plan.nr) < 0)
		return ktstr_error_nomem(err);
	fill_room(r, &capacity);
	/* With one at a time nothing is gained by another order than that of the names. */
	if (r->opts->rank)
		rank_plan(r);
	else if (r->queue.room.jobs > 1)
		order_plan(&r->order, &r->history, &r->plan);
	fill_needs(r, capacity.cpus);
	return pool_init(&r->pool, r->queue.room.jobs, &ops) < 0 ? ktstr_error_nomem(err) : 0;
}

static int open_report(struct runner *r, struct ktstr_error *err)
{
	bool terminal = isatty(STDERR_FILENO);
	int e = report_create(
		&(struct report_opts){ .program = path_base(r->opts->command),
				       .run_dir = r->run_dir,
				       .junit_path = r->settings->junit_path,
				       .json = r->settings->json,
				       .color = r->settings->color,
				       .brief = tally_is_matrix(&r->tally),
				       .silent = r->opts->sink,
				       .progress =
					       terminal && !r->settings->console && !r->opts->quiet,
				       .one_screen = terminal && isatty(STDOUT_FILENO) },
		r->totals.planned, &r->report, err);

	if (e == 0)
		report_run(r->report, run_line(r->settings, &r->plan, path_base(r->opts->command)));
	return e;
}

static int find_program(struct runner *r, struct ktstr_error *err)
{
	struct scenario_program program = { 0 };

	if (!r->opts->scenarios) {
		r->program = path_self(err);
		return r->program ? 0 : -ENOENT;
	}
	program = scenario_program();
	r->program = path_format("%s/" SCENARIO_PROGRAM, r->run_dir);
	if (!r->program)
		return ktstr_error_nomem(err);
	return io_write_quickly(r->program, program.bytes, program.length, 0755, err);
}

static int open_run(struct runner *r, struct ktstr_error *err)
{
	const struct settings *s = r->settings;
	const struct plan_opts opts = { .registry = r->opts->registry,
					.first_seed = s->first_seed,
					.last_seed = s->last_seed,
					.repetitions = s->repetitions,
					.shard = s->shard };
	int e = plan_make(&opts, &r->plan, err);

	if (e < 0)
		return e;
	if (tally_init(&r->tally, &opts, &r->plan) < 0)
		return ktstr_error_nomem(err);
	history_load(&r->history);
	r->order = (struct order){ .program = path_base(r->opts->command), .settings = s };
	r->totals.planned = (unsigned int)r->plan.nr;
	r->totals.empty_shard = s->shard.partition != PLAN_WHOLE && !r->plan.nr;
	e = folder_create_run(s->run_dir, &r->run_dir, err);
	if (e < 0)
		return e;
	r->objects_dir = path_format("%s/objects", r->run_dir);
	if (!r->objects_dir)
		return ktstr_error_nomem(err);
	e = find_program(r, err);
	if (e < 0)
		return e;
	r->worker = (struct worker_opts){ .command = r->opts->command,
					  .program = r->program,
					  .run_dir = r->run_dir,
					  .objects_dir = r->objects_dir,
					  .settings = s,
					  .scenarios = r->opts->scenarios,
					  .machine_error = &r->machine_error,
					  .deadline_ns = r->deadline_ns };
	return open_report(r, err);
}

static void close_run(struct runner *r)
{
	pool_deinit(&r->pool);
	machine_release(&r->machine, !r->settings->keep);
	report_destroy(r->report);
	queue_deinit(&r->queue);
	tally_deinit(&r->tally);
	history_deinit(&r->history);
	plan_deinit(&r->plan);
	free(r->statuses);
	free(r->objects_dir);
	free(r->run_dir);
	free(r->program);
}

static void name_machine(struct runner *r)
{
	if (!r->worker.machine)
		return;
	r->totals.kernel = r->machine.kernel.name;
	r->totals.qemu = r->machine.qemu.version;
	r->totals.accelerator = r->machine.accel == KTSTR_ACCEL_KVM ? "KVM" : "TCG";
}

static char *again(void *arg, const struct plan_item *item, const char *mode)
{
	const struct runner *r = arg;

	return rerun_line(&(struct rerun_opts){
		.command = r->opts->command, .settings = r->settings, .item = item, .mode = mode });
}

static void end_report(struct runner *r)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *tests = NULL;

	run_line_seeds(r->settings, r->totals.seeds);
	if (tally_is_matrix(&r->tally)) {
		tally_text(&r->tally, &(struct tally_style){ .again = again, .arg = r }, &text);
		tests = tally_json(&r->tally);
	}
	r->totals.tally = text.len ? strbuf_str(&text) : NULL;
	r->totals.tests = tests;
	report_end(r->report, &r->totals);
	if (r->opts->total)
		r->opts->total(r->opts->arg, &r->totals, r->run_dir);
	json_decref(tests);
}

static int run(struct runner *r, struct ktstr_error *err)
{
	int e;

	prepare_machine(r);
	e = open_pool(r, err);
	if (e == 0)
		e = run_all(r, err);
	r->totals.duration_ns = clock_mono_ns() - r->start_ns;
	name_machine(r);
	end_report(r);
	history_save(&r->history);
	return e < 0 ? KTSTR_EXIT_HARNESS : (int)totals_exit(&r->totals);
}

/* Return: the exit code of a run that could not be opened. */
static int why_not(const struct runner *r, int e)
{
	bool folder_is_wrong = r->settings->run_dir && !r->run_dir && io_path_is_wrong(e);

	return e == -EEXIST || e == -E2BIG || folder_is_wrong ? KTSTR_EXIT_USAGE
							      : KTSTR_EXIT_HARNESS;
}

int runner_run(const struct runner_opts *opts, struct ktstr_error *err)
{
	struct runner r = {
		.opts = opts,
		.settings = opts->settings,
		.start_ns = clock_mono_ns(),
		.deadline_ns = UINT64_MAX,
	};
	int e = 0;

	if (opts->settings->junit_path)
		e = io_check_target(opts->settings->junit_path, err);
	if (e < 0)
		return io_path_is_wrong(e) ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS;
	if (opts->settings->run_timeout_ns)
		r.deadline_ns = clock_add_ns(r.start_ns, opts->settings->run_timeout_ns);
	e = open_run(&r, err);
	if (e == 0)
		e = run(&r, err);
	else
		e = why_not(&r, e);
	close_run(&r);
	return e;
}
