// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/capacity.h"
#include "run/check_round.h"
#include "run/interrupt.h"
#include "run/runner.h"
#include "run/scenario.h"
#include "run/settings.h"
#include "run/terminal.h"
#include <ktstr/kernel.h>

enum { RUN_OPTIONS = 32, COLUMNS_MIN = 80 };
#define CHECK_BUDGET_NS SECS(180)

struct check {
	struct check_round *round;
	struct ktstr_check_opts opts;
	struct ktstr_scheduler scheduler;
	char *path; /* of its loader */
	struct check_matrix matrix;
	struct settings settings;
	char *run_dir;	  /* of this round, if there are several and one was asked for */
	bool on_terminal; /* stderr is */
};

/* Its place among all runs, those of a cell being next to each other. */
static json_int_t rank_of(const struct check *c, const struct check_cell *cell,
			  const struct result *result)
{
	const struct settings *s = &c->settings;
	uint64_t seeds = s->last_seed - s->first_seed + 1, seed = result->seed - s->first_seed;

	return (json_int_t)((cell->rank * seeds + seed) * s->repetitions + result->repetition - 1);
}

/* For programs: a result, and which cell it is of. */
static json_t *cell_result(const struct check *c, const struct check_cell *cell,
			   const struct result *result)
{
	json_t *object = result_to_json(result);

	if (object && c->round->variant)
		json_object_set_new(object, "variant", json_string(c->round->variant));
	if (object && cell) {
		json_object_set_new(object, "scenario", json_string(cell->scenario->name));
		json_object_set_new(object, "preset", json_string(cell->topology->name));
		if (c->opts.work_ns)
			json_object_set_new(object, "rank", json_integer(rank_of(c, cell, result)));
	}
	return object;
}

static void put_line(struct check *c, const json_t *object)
{
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);
	int r = text ? io_write_all(c->round->json_fd, text, strlen(text)) : -ENOMEM;

	if (r == 0)
		r = io_write_all(c->round->json_fd, "\n", 1);
	if (r < 0 && !c->round->lost)
		c->round->lost = r;
}

/* Where no progress is seen, what went wrong is a line at once. */
static void tell(const struct check *c, const struct result *result)
{
	_cleanup_free_ char *headline = NULL;
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	if (c->opts.quiet || c->on_terminal ||
	    (result->verdict != KTSTR_FAIL && result->verdict != KTSTR_ERROR))
		return;
	headline = result_headline(result);
	strbuf_addf(&line, "%s %s: %s\n", ktstr_verdict_name(result->verdict), result_label(result),
		    headline ? headline : "");
	if (io_write_all(STDERR_FILENO, strbuf_str(&line), line.len) < 0)
		return;
}

static bool take_result(void *arg, const struct result *result)
{
	struct check *c = arg;
	struct check_cell *cell = check_matrix_find(&c->matrix, result->name);
	json_t *object = cell_result(c, cell, result);
	bool go_on = true;

	tell(c, result);
	if (!object || check_matrix_add(&c->matrix, result) < 0)
		c->round->lost = c->round->lost ? c->round->lost : -ENOMEM;
	if (object && c->round->json_fd >= 0)
		put_line(c, object);
	if (object && c->opts.result)
		go_on = c->opts.result(c->opts.arg, object);
	json_decref(object);
	return go_on;
}

static void add_heading(const struct check *c, const struct totals *totals, struct strbuf *out)
{
	strbuf_addf(out, "%s== kernel %s", c->round->number > 1 ? "\n" : "",
		    totals->kernel     ? totals->kernel
		    : c->round->kernel ? c->round->kernel
				       : "of this machine");
	if (c->round->variant)
		strbuf_addf(out, ", flags %s", c->round->variant);
	strbuf_addstr(out, " ==\n");
}

static void take_totals(void *arg, const struct totals *totals, const char *run_dir)
{
	const struct check *c = arg;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool on_screen = isatty(STDOUT_FILENO);
	struct check_style style = { .color = c->opts.color || (c->settings.color && on_screen) };
	uint32_t rows;
	int r;

	terminal_size(&rows, &style.columns);
	if (!on_screen || style.columns < COLUMNS_MIN)
		style.columns = COLUMNS_MIN;
	if (c->opts.quiet || (c->opts.json_path && !strcmp(c->opts.json_path, "-")))
		return;
	if (c->round->number)
		add_heading(c, totals, &text);
	check_table(&c->matrix, totals, &style, &text);
	strbuf_addf(&text, "files: %s\n", run_dir);
	r = io_write_all(STDOUT_FILENO, strbuf_str(&text), text.len);
	if (r < 0 && !c->round->lost)
		c->round->lost = r;
}

static int read_settings(struct check *c, struct ktstr_error *err)
{
	char *argv[RUN_OPTIONS + 2] = { (char *)"ktstr check" };
	int argc = 1, r;

	for (const char *const *o = c->opts.run_options; o && *o; o++) {
		if (argc > RUN_OPTIONS)
			return ktstr_error_set(err, -E2BIG, "more than %d options", RUN_OPTIONS);
		argv[argc++] = (char *)*o;
	}
	r = settings_parse(argc, argv, &c->settings, err);
	if (r == 0 && c->round->kernel)
		c->settings.kernel_spec = c->round->kernel;
	if (r < 0 || !c->round->number)
		return r;
	if (c->settings.junit_path)
		return ktstr_error_set(err, -EINVAL,
				       "--junit: one file is of one kernel and one variant");
	if (!c->settings.run_dir)
		return 0;
	c->run_dir = path_format("%s/%u", c->settings.run_dir, c->round->number);
	c->settings.run_dir = c->run_dir;
	return c->run_dir ? 0 : ktstr_error_nomem(err);
}

static uint64_t rank_entry(void *arg, const struct ktstr_entry *entry)
{
	struct check *c = arg;
	const struct check_cell *cell = check_matrix_find(&c->matrix, entry->name);

	return cell ? cell->rank : 0;
}

static int load_registry(const struct check *c, struct registry *ret_registry,
			 struct ktstr_error *err)
{
	_cleanup_free_ const struct ktstr_entry **entries =
		calloc(c->matrix.nr_cells + 1, sizeof(*entries));

	if (!entries)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < c->matrix.nr_cells; i++)
		entries[i] = &c->matrix.cells[i].entry;
	return registry_load(entries, entries + c->matrix.nr_cells, ret_registry, err);
}

static int run(struct check *c, struct ktstr_error *err)
{
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;
	int r = load_registry(c, &registry, err);

	if (r < 0)
		return KTSTR_EXIT_USAGE;
	if (interrupt_catch(err) < 0)
		return KTSTR_EXIT_HARNESS;
	r = runner_run(&(struct runner_opts){ .command = "ktstr check",
					      .settings = &c->settings,
					      .registry = &registry,
					      .scenarios = true,
					      .rank = c->opts.work_ns ? rank_entry : NULL,
					      .sink = take_result,
					      .total = take_totals,
					      .arg = c,
					      .quiet = c->opts.quiet },
		       err);
	interrupt_release();
	return r;
}

/* Without a word on what to run, it is what a few minutes can show. */
static uint64_t budget_of(const struct ktstr_check_opts *opts)
{
	if (opts->budget_ns)
		return opts->budget_ns;
	return opts->all || opts->patterns || opts->files || opts->topologies ? 0 : CHECK_BUDGET_NS;
}

static int fit(struct check *c, uint64_t work_ns, struct ktstr_error *err)
{
	const struct settings *s = &c->settings;
	uint64_t runs = (s->last_seed - s->first_seed + 1) * s->repetitions;

	if (!runs || check_matrix_fit(&c->matrix, work_ns / runs) < 0)
		return ktstr_error_nomem(err);
	return c->matrix.nr_cells
		       ? 0
		       : ktstr_error_set(err, -ERANGE, "nothing can be run in so short a time");
}

static int fit_budget(struct check *c, struct ktstr_error *err)
{
	const struct settings *s = &c->settings;
	uint64_t budget_ns = budget_of(&c->opts);
	struct capacity capacity;
	uint32_t jobs = s->jobs;
	int r;

	if (c->opts.work_ns)
		return fit(c, c->opts.work_ns, err);
	if (!budget_ns)
		return 0;
	r = capacity_read("", &capacity, err);
	if (r < 0)
		return r;
	if (!jobs || jobs > capacity.cpus)
		jobs = capacity.cpus;
	/* Nobody has 100 years. */
	if (budget_ns > SECS(UINT32_MAX))
		budget_ns = SECS(UINT32_MAX);
	return fit(c, budget_ns * jobs, err);
}

/* A name in PATH is looked up once, from here; in guests only its last part counts. */
static int find_scheduler(struct check *c, struct ktstr_error *err)
{
	const struct ktstr_scheduler *scheduler = c->opts.scheduler;
	int r;

	if (!scheduler || !scheduler->binary)
		return 0;
	r = scenario_find_scheduler(scheduler, NULL, &c->path, err);
	if (r < 0)
		return r;
	c->scheduler = *scheduler;
	if (!strchr(scheduler->binary, '/'))
		c->scheduler.binary = c->path;
	c->opts.scheduler = &c->scheduler;
	return 0;
}

static int prepare(struct check *c, struct ktstr_catalogue **ret_catalogue, struct ktstr_error *err)
{
	int r = read_settings(c, err);

	if (r == 0)
		r = ktstr_catalogue_load(c->opts.files, ret_catalogue, err);
	if (r == 0)
		r = find_scheduler(c, err);
	if (r == 0)
		r = check_matrix_make(&c->opts, *ret_catalogue, &c->matrix, err);
	if (r == 0)
		r = fit_budget(c, err);
	return r < 0 ? r : check_ready(&c->matrix, err);
}

static int dump(const struct check *c, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct ktstr_scenario *seen = NULL;
	int r;

	for (size_t i = 0; i < c->matrix.nr_cells; i++) {
		const struct check_cell *cell = &c->matrix.cells[i];

		if (cell->scenario != seen && scenario_dump(&cell->entry, &text, err) < 0)
			return KTSTR_EXIT_USAGE;
		seen = cell->scenario;
	}
	r = io_write_all(STDOUT_FILENO, strbuf_str(&text), text.len);
	if (r == 0)
		return KTSTR_EXIT_PASS;
	ktstr_error_set(err, r, "write to standard output: %s", strerror(-r));
	return KTSTR_EXIT_HARNESS;
}

/* Without one every run would say so. */
static int find_kernel(const struct check *c, struct ktstr_error *err)
{
	const char *spec = c->settings.kernel_spec;
	struct ktstr_kernel kernel;
	struct ktstr_error why;

	/* On its way to the right one it may have said what another place does not have. */
	if (ktstr_kernel_resolve(spec, &kernel, &why) == 0)
		return KTSTR_EXIT_PASS;
	ktstr_error_set(err, why.code, "%s", why.text);
	return spec ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS;
}

static int start(struct check *c, struct ktstr_error *err)
{
	int r;

	if (c->opts.dump)
		return c->round->look ? KTSTR_EXIT_PASS : dump(c, err);
	r = find_kernel(c, err);
	return r != KTSTR_EXIT_PASS || c->round->look ? r : run(c, err);
}

int check_round(struct check_round *round, struct ktstr_error *err)
{
	struct check c = { .round = round,
			   .opts = round->opts,
			   .on_terminal = isatty(STDERR_FILENO) };
	struct ktstr_catalogue *catalogue = NULL;
	int exit_code = KTSTR_EXIT_USAGE;

	if (prepare(&c, &catalogue, err) == 0)
		exit_code = start(&c, err);
	check_matrix_deinit(&c.matrix);
	ktstr_catalogue_destroy(catalogue);
	free(c.path);
	free(c.run_dir);
	return exit_code;
}
