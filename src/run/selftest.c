// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/selftest.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "run/settings.h"
#include "work/payload_find.h"
#include <ktstr/catalogue.h>
#include <ktstr/check.h>
#include <ktstr/test.h>

enum { WATCHDOG_MS = 2000, GROUPS = 64, GROUP_PATTERN = 64, TOPOLOGIES = 32 };
#define LIST_FAULTS_NS SECS(20)
/* Of one CPU: for the scenarios meant for a fault, and again for all others. */
#define PASS_WORK_NS SECS(180)

/* Two of most kinds, as many faults need more than one LLC, node or thread. */
static const char *const default_topologies[] = { "1n1l2c1t", "1n2l2c1t", "1n1l2c2t", "2n2l2c1t",
						  "1n3l1c1t", "1n1l4c1t", NULL };

struct selftest {
	const struct ktstr_selftest_opts *opts;
	struct mutant mutants[MUTANTS_MAX];
	size_t nr;
	struct mutant *now; /* that is run */
	char groups[GROUPS][GROUP_PATTERN];
	size_t nr_groups;
	char *binary;
	int json_fd, lost;
};

static void put_line(struct selftest *s, json_t *object)
{
	_cleanup_free_ char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = text ? io_write_all(s->json_fd, text, strlen(text)) : -ENOMEM;

	json_decref(object);
	if (r == 0)
		r = io_write_all(s->json_fd, "\n", 1);
	if (r < 0 && !s->lost)
		s->lost = r;
}

static bool take_result(void *arg, const void *json_object)
{
	struct selftest *s = arg;
	json_t *copy;

	if (s->json_fd >= 0) {
		copy = json_copy((json_t *)json_object);
		json_object_set_new(copy, "fault", json_string(s->now->name));
		put_line(s, copy);
	}
	return !mutant_take(s->now, json_object);
}

static bool fits(const struct mutant *m, const struct ktstr_topology *t)
{
	uint32_t nodes = t->nodes ? t->nodes : 1, llcs = t->llcs ? t->llcs : 1;
	uint32_t threads = t->threads_per_core ? t->threads_per_core : 1;

	return ktstr_topology_nr_cpus(t) >= m->cpus && llcs >= m->llcs && nodes >= m->nodes &&
	       threads >= m->threads;
}

static int choose_topologies(const struct selftest *s, const char *names[TOPOLOGIES + 1],
			     struct ktstr_error *err)
{
	const char *const *all = s->opts->topologies ? s->opts->topologies : default_topologies;
	size_t nr = 0;

	for (; *all; all++) {
		struct ktstr_topology topology;
		int r = ktstr_preset_find(*all, &topology, err);

		if (r < 0)
			return r;
		if (fits(s->now, &topology) && nr < TOPOLOGIES)
			names[nr++] = *all;
	}
	names[nr] = NULL;
	return (int)nr;
}

static int run_groups(struct selftest *s, bool meant, struct ktstr_error *err)
{
	const char *patterns[GROUPS + 1] = { NULL }, *topologies[TOPOLOGIES + 1];
	char watchdog[16];
	const struct ktstr_scheduler scheduler = {
		.name = "ktstr-sched",
		.binary = s->binary,
		.args = { "--fault", s->now->name, "--watchdog", watchdog },
	};
	size_t nr = 0;
	int r = choose_topologies(s, topologies, err);

	if (r <= 0)
		return r < 0 ? KTSTR_EXIT_USAGE : KTSTR_EXIT_PASS;
	snprintf(watchdog, sizeof(watchdog), "%u",
		 s->opts->watchdog_ms ? s->opts->watchdog_ms : WATCHDOG_MS);
	for (size_t g = 0; g < s->nr_groups; g++) {
		char name[GROUP_PATTERN];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(s->groups[g], ":"), s->groups[g]);
		if (mutant_word_is_in(s->now->groups, name) == meant)
			patterns[nr++] = s->groups[g];
	}
	if (!nr)
		return KTSTR_EXIT_PASS;
	return ktstr_check(&(struct ktstr_check_opts){ .run_options = s->opts->run_options,
						       .patterns = patterns,
						       .topologies = topologies,
						       .scheduler = &scheduler,
						       .work_ns = PASS_WORK_NS,
						       .result = take_result,
						       .arg = s,
						       .quiet = true },
			   err);
}

static void tell(const struct mutant *m)
{
	fprintf(stderr, "%-11s %-24s %6.1f s  %s%s%s\n", mutant_fate_word(m->fate), m->name,
		(double)m->took_ns / 1e9, m->scenario, m->check[0] ? " by " : "", m->check);
}

/* Return: an exit code that ends all, or -1. */
static int run_mutant(struct selftest *s, struct ktstr_error *err)
{
	uint64_t start_ns = clock_mono_ns();
	int r = run_groups(s, true, err);

	s->now->before = s->now->runs;
	if (r != KTSTR_EXIT_INTERRUPTED && r != KTSTR_EXIT_USAGE && s->now->fate != MUTANT_CAUGHT)
		r = run_groups(s, false, err);
	s->now->took_ns = clock_mono_ns() - start_ns;
	if (r == KTSTR_EXIT_INTERRUPTED || r == KTSTR_EXIT_USAGE)
		return r;
	if (err && err->text[0])
		return KTSTR_EXIT_HARNESS;
	if (s->json_fd >= 0)
		put_line(s, mutant_to_json(s->now));
	tell(s->now);
	return -1;
}

static bool is_selected(const struct selftest *s, const struct mutant *m)
{
	const char *const *f = s->opts->faults;

	if (!f || !*f)
		return true;
	for (; *f; f++)
		if (fnmatch(*f, m->name, 0) == 0)
			return true;
	return false;
}

static int list_faults(struct selftest *s, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT, errors = STRBUF_INIT;
	const char *argv[] = { NULL, "--list-faults", "--json", NULL };
	size_t kept = 0;
	int r = payload_find_binary(s->opts->binary ? s->opts->binary : "ktstr-sched", NULL,
				    &s->binary, err);

	if (r < 0)
		return r;
	argv[0] = s->binary;
	r = child_run(argv, LIST_FAULTS_NS, &out, &errors, err);
	if (r < 0)
		return r;
	if (r > 0)
		return ktstr_error_set(err, -EINVAL, "'%s --list-faults --json' failed: %s",
				       s->binary, strbuf_str(&errors));
	r = mutants_parse(strbuf_str(&out), s->mutants, err);
	if (r < 0)
		return ktstr_error_wrap(err, r,
					"'%s' is no scheduler with faults: its --list-faults "
					"--json",
					s->binary);
	for (int i = 0; i < r; i++)
		if (is_selected(s, &s->mutants[i]))
			s->mutants[kept++] = s->mutants[i];
	s->nr = kept;
	return kept ? 0
		    : ktstr_error_set(err, -ENOENT,
				      "no fault of '%s' is selected; "
				      "'%s --list-faults' shows all",
				      s->binary, s->binary);
}

static void add_group(struct selftest *s, const char *group)
{
	char pattern[GROUP_PATTERN];

	snprintf(pattern, sizeof(pattern), "%.*s:*", GROUP_PATTERN - 3, group);
	for (size_t i = 0; i < s->nr_groups; i++)
		if (!strcmp(s->groups[i], pattern))
			return;
	if (s->nr_groups < GROUPS)
		memcpy(s->groups[s->nr_groups++], pattern, sizeof(pattern));
}

static int list_groups(struct selftest *s, struct ktstr_error *err)
{
	struct ktstr_catalogue *catalogue = NULL;
	int r = ktstr_catalogue_load(NULL, &catalogue, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ktstr_catalogue_nr(catalogue); i++)
		add_group(s, ktstr_catalogue_scenario(catalogue, i)->group);
	ktstr_catalogue_destroy(catalogue);
	return 0;
}

/* Return: an exit code, or -1 to go on. */
static int open_outputs(struct selftest *s, struct ktstr_error *err)
{
	int r = 0;

	if (s->opts->json_path)
		r = io_open_output(s->opts->json_path, &s->json_fd, err);
	if (r == 0 && s->opts->markdown_path)
		r = io_check_target(s->opts->markdown_path, err);
	if (r == 0)
		return -1;
	return io_path_is_wrong(r) ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS;
}

static int write_tables(struct selftest *s, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf table = STRBUF_INIT, markdown = STRBUF_INIT;
	bool color = false;
	int r = 0;

	if (settings_decide_color(NULL, &color, err) < 0)
		return -EINVAL;
	mutants_table(s->mutants, s->nr, s->opts->color || (color && isatty(STDOUT_FILENO)),
		      &table);
	if (s->json_fd != STDOUT_FILENO)
		r = io_write_all(STDOUT_FILENO, strbuf_str(&table), table.len);
	if (r < 0)
		return ktstr_error_set(err, r, "write to standard output: %s", strerror(-r));
	if (!s->opts->markdown_path)
		return 0;
	mutants_markdown(s->mutants, s->nr, &markdown);
	return io_write_file(s->opts->markdown_path, strbuf_str(&markdown), markdown.len, 0666,
			     err);
}

static int run_all(struct selftest *s, struct ktstr_error *err)
{
	bool all = true;
	int r = -1;

	for (size_t i = 0; r < 0 && i < s->nr; i++) {
		s->now = &s->mutants[i];
		r = run_mutant(s, err);
		all &= s->now->fate == MUTANT_CAUGHT;
		if (r == KTSTR_EXIT_INTERRUPTED)
			ktstr_error_set(err, -EINTR, "interrupted: %zu of %zu faults were judged",
					i, s->nr);
	}
	if (r >= 0)
		return r;
	if (write_tables(s, err) < 0)
		return KTSTR_EXIT_HARNESS;
	if (s->lost) {
		ktstr_error_set(err, s->lost, "results were lost: %s", strerror(-s->lost));
		return KTSTR_EXIT_HARNESS;
	}
	return all ? KTSTR_EXIT_PASS : KTSTR_EXIT_FAIL;
}

int ktstr_selftest_mutants(const struct ktstr_selftest_opts *opts, struct ktstr_error *err)
{
	_cleanup_free_ struct selftest *s = calloc(1, sizeof(*s));
	struct ktstr_error own = { 0 };
	int r = KTSTR_EXIT_USAGE;

	err = err ? err : &own;
	if (!s) {
		ktstr_error_nomem(err);
		return KTSTR_EXIT_HARNESS;
	}
	s->opts = opts;
	s->json_fd = -1;
	if (list_groups(s, err) == 0 && list_faults(s, err) == 0) {
		r = open_outputs(s, err);
		r = r < 0 ? run_all(s, err) : r;
	}
	if (s->json_fd > STDERR_FILENO)
		close(s->json_fd);
	free(s->binary);
	return r;
}
