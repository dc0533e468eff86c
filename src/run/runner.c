// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/guestbody.h"
#include "run/hostbody.h"
#include "run/interrupt.h"
#include "run/machine.h"
#include "run/needs.h"
#include "run/report.h"
#include "run/symbol.h"
#include <ktstr/log.h>

struct runner {
	const struct runner_opts *opts;
	const struct settings *settings;
	char *program; /* own file */
	char *run_dir;
	uint64_t start_ns, deadline_ns;
	struct report *report;
	struct totals totals;
	bool machine_tried;
	int machine_result;
	struct machine machine;
	struct ktstr_error machine_error;
};

static void add_option(struct strbuf *out, const char *option, const char *value)
{
	if (!value)
		return;
	strbuf_addf(out, " %s ", option);
	strbuf_add_quoted(out, value);
}

char *runner_again(const char *command, const char *test, const struct settings *settings)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	strbuf_add_quoted(&out, command);
	add_option(&out, "-t", test);
	add_option(&out, "--topology", settings->topology_text);
	add_option(&out, "--kernel", settings->kernel_spec);
	add_option(&out, "--qemu", settings->qemu_path);
	if (settings->memory_bytes)
		strbuf_addf(&out, " --memory %llu", (unsigned long long)settings->memory_bytes);
	if (settings->test_timeout_ns)
		strbuf_addf(&out, " --test-timeout %lluns",
			    (unsigned long long)settings->test_timeout_ns);
	return strbuf_take(&out);
}

/* Once per run, when the first test needs it. */
static int prepare_machine(struct runner *runner)
{
	struct machine_opts opts = {
		.qemu_path = runner->settings->qemu_path,
		.kernel_spec = runner->settings->kernel_spec,
		.mode = runner->settings->mode,
		.dir = runner->run_dir,
	};

	if (!runner->machine_tried)
		runner->machine_result =
			machine_prepare(&opts, &runner->machine, &runner->machine_error);
	runner->machine_tried = true;
	return runner->machine_result;
}

/* Lines "in X", "called by Y"; what called the body is ours and is left out. */
static void symbolize(const struct runner *runner, struct evidence *e)
{
	struct symbols *symbols = e->nr_crash_offsets ? symbols_open(runner->program) : NULL;
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT, line = STRBUF_INIT;
	unsigned int repeated = 0;

	for (size_t i = 0; i < e->nr_crash_offsets; i++) {
		/* A return address stands behind its call. */
		bool is_ip = i == 0 && e->crash_ip_known;
		uint64_t offset = e->crash_offsets[i];

		strbuf_clear(&line);
		symbols_add(symbols, is_ip || !offset ? offset : offset - 1, &line);
		if (!strncmp(strbuf_str(&line), "body_run at ", 12))
			break;
		if (before.len && !strcmp(strbuf_str(&line), strbuf_str(&before))) {
			repeated++;
			continue;
		}
		if (repeated)
			strbuf_addf(&e->crash_where, "(%u times more)\n", repeated);
		repeated = 0;
		strbuf_addf(&e->crash_where, "%s%s\n", i ? "called by " : "in ", strbuf_str(&line));
		strbuf_clear(&before);
		strbuf_add(&before, line.data, line.len);
	}
	if (repeated)
		strbuf_addf(&e->crash_where, "(%u times more, at least)\n", repeated);
	symbols_close(symbols);
}

static uint64_t timeout_of(const struct runner *runner, const struct ktstr_test *test)
{
	uint64_t ns = runner->settings->test_timeout_ns;

	if (!ns)
		ns = test->timeout_ns ? test->timeout_ns : SECS(RUNNER_TIMEOUT_S);
	/* What a job can say: 292 years. */
	return ns < INT64_MAX ? ns : INT64_MAX;
}

static void run_in_guest(struct runner *runner, const struct ktstr_entry *entry, const char *dir,
			 struct evidence *e)
{
	const struct settings *settings = runner->settings;
	const struct ktstr_test *test = entry->test;

	guestbody_run(
		&(struct guestbody_opts){
			.program = runner->program,
			.entry = entry,
			.machine = &runner->machine,
			.topology = settings->has_topology ? settings->topology : test->topology,
			.memory_bytes = settings->memory_bytes ? settings->memory_bytes
							       : test->memory_bytes,
			.seed = settings->first_seed,
			.perturb = settings->perturb,
			.cold = settings->no_template,
			.wall_limit_ns = settings->wall_limit_ns,
			.dir = dir,
			.timeout_ns = timeout_of(runner, test),
			.deadline_ns = runner->deadline_ns },
		e);
}

static int run_body(struct runner *runner, const struct ktstr_entry *entry,
		    struct result *ret_result, struct ktstr_error *err)
{
	_cleanup_evidence_ struct evidence e = { 0 };
	_cleanup_free_ char *dir = NULL;
	int r = folder_create_test(runner->run_dir, entry->name, &dir, err);

	if (r < 0)
		return r;
	if (evidence_init(&e) < 0)
		return ktstr_error_nomem(err);
	if (entry->test->host_only)
		hostbody_run(&(struct hostbody_opts){ .program = runner->program,
						      .entry = entry,
						      .dir = dir,
						      .timeout_ns = timeout_of(runner, entry->test),
						      .deadline_ns = runner->deadline_ns },
			     &e);
	else
		run_in_guest(runner, entry, dir, &e);
	symbolize(runner, &e);
	r = result_from_evidence(&e, entry, ret_result);
	if (r < 0)
		return ktstr_error_nomem(err);
	runner->totals.time_over |= e.end == END_RUN_TIME_OVER;
	runner->totals.interrupted |= e.end == END_INTERRUPTED;
	ret_result->folder = take_ptr(dir);
	return 0;
}

/* Needs, machine, body: whichever ends it first gives the result. */
static int run_checked(struct runner *runner, const struct ktstr_entry *entry,
		       struct result *ret_result, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf need = STRBUF_INIT;
	struct ktstr_kernel kernel;
	int r = registry_check(entry, err);

	if (r < 0)
		return r;
	if (entry->test->host_only) {
		needs_host_kernel(&kernel);
	} else {
		r = prepare_machine(runner);
		if (r < 0) {
			*err = runner->machine_error;
			return r;
		}
		kernel = runner->machine.kernel;
	}
	if (!needs_are_met(entry->test, &kernel, &need))
		return result_without_run(entry, KTSTR_SKIP, strbuf_str(&need), ret_result);
	return run_body(runner, entry, ret_result, err);
}

static void write_result(const struct result *result)
{
	_cleanup_free_ char *path = path_format("%s/result.json", result->folder);
	json_t *object = result_to_json(result);
	_cleanup_free_ char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
	struct ktstr_error err;

	json_decref(object);
	if (path && text && io_write_file(path, text, strlen(text), 0666, &err) < 0)
		ktstr_log(KTSTR_LOG_WARN, "%s; the result is in the report only", err.text);
}

static void tidy(struct runner *runner, const struct result *result)
{
	if (runner->settings->keep)
		return;
	folder_remove_file(result->folder, "files.cpio");
	folder_remove_file(result->folder, "job.json");
	if (result->verdict == KTSTR_PASS || result->verdict == KTSTR_SKIP)
		folder_trim(result->folder);
}

static void run_test(struct runner *runner, const struct ktstr_entry *entry)
{
	uint64_t start_ns = clock_mono_ns();
	struct result result = { 0 };
	struct ktstr_error err = { 0 };

	if (run_checked(runner, entry, &result, &err) < 0) {
		folder_explain(&err);
		if (result_without_run(entry, KTSTR_ERROR, err.text, &result) < 0)
			result.reasons = NULL;
	}
	result.duration_ns = clock_mono_ns() - start_ns;
	if (entry->test_size == sizeof(struct ktstr_test) && !entry->test->host_only)
		ktstr_topology_format(runner->settings->has_topology ? &runner->settings->topology
								     : &entry->test->topology,
				      result.topology, sizeof(result.topology));
	if (result.verdict != KTSTR_PASS)
		result.rerun = runner_again(runner->opts->command, entry->name, runner->settings);
	if (result.folder) {
		write_result(&result);
		tidy(runner, &result);
	}
	totals_add(&runner->totals, &result);
	report_result(runner->report, &result);
	result_deinit(&result);
}

static void show_progress(struct runner *runner, unsigned int number, const char *name)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "[%u/%u] %s ...", number, runner->totals.planned, name);
	report_progress(runner->report, strbuf_str(&line));
}

static void run_all(struct runner *runner)
{
	const struct registry *registry = runner->opts->registry;
	unsigned int number = 0;

	for (size_t i = 0; i < registry->nr; i++) {
		if (!registry->selected[i])
			continue;
		if (clock_mono_ns() >= runner->deadline_ns)
			runner->totals.time_over = true;
		if (interrupt_seen() || runner->totals.time_over)
			break;
		show_progress(runner, ++number, registry->entries[i]->name);
		run_test(runner, registry->entries[i]);
	}
	/* A signal that came when everything was done interrupted nothing. */
	runner->totals.interrupted |= interrupt_seen() && number < runner->totals.planned;
}

static int open_run(struct runner *runner, struct ktstr_error *err)
{
	const struct settings *settings = runner->settings;
	int r;

	runner->program = path_self(err);
	if (!runner->program)
		return -ENOENT;
	r = folder_create_run(settings->run_dir, &runner->run_dir, err);
	if (r < 0)
		return r;
	return report_create(&(struct report_opts){ .program = path_base(runner->opts->command),
						    .run_dir = runner->run_dir,
						    .junit_path = settings->junit_path,
						    .json = settings->json,
						    .color = settings->color,
						    .progress = isatty(STDERR_FILENO),
						    .one_screen = isatty(STDERR_FILENO) &&
								  isatty(STDOUT_FILENO) },
			     runner->totals.planned, &runner->report, err);
}

static void close_run(struct runner *runner)
{
	machine_release(&runner->machine, !runner->settings->keep);
	report_destroy(runner->report);
	free(runner->run_dir);
	free(runner->program);
}

static void name_machine(struct runner *runner)
{
	if (!runner->machine.image_path)
		return;
	runner->totals.kernel = runner->machine.kernel.name;
	runner->totals.qemu = runner->machine.qemu.version;
	runner->totals.accelerator = runner->machine.accel == KTSTR_ACCEL_KVM ? "KVM" : "TCG";
}

int runner_run(const struct runner_opts *opts, struct ktstr_error *err)
{
	struct runner runner = {
		.opts = opts,
		.settings = opts->settings,
		.start_ns = clock_mono_ns(),
		.deadline_ns = UINT64_MAX,
	};
	int r;

	if (opts->settings->run_timeout_ns)
		runner.deadline_ns = clock_add_ns(runner.start_ns, opts->settings->run_timeout_ns);
	for (size_t i = 0; i < opts->registry->nr; i++)
		runner.totals.planned += opts->registry->selected[i];
	r = open_run(&runner, err);
	if (r == 0) {
		run_all(&runner);
		runner.totals.duration_ns = clock_mono_ns() - runner.start_ns;
		name_machine(&runner);
		report_end(runner.report, &runner.totals);
		r = totals_exit(&runner.totals);
	} else {
		r = r == -EEXIST ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS;
	}
	close_run(&runner);
	return r;
}
