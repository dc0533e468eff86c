// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/folder.h"
#include "run/merge_tally.h"
#include "run/report.h"
#include "run/settings.h"
#include <ktstr/merge.h>

struct seen {
	dev_t dev;
	ino_t ino;
};

/* Return: which of the first @nr it is, or @nr. */
static size_t find_seen(const struct seen *seen, size_t nr, const struct stat *st)
{
	size_t i = 0;

	while (i < nr && (seen[i].dev != st->st_dev || seen[i].ino != st->st_ino))
		i++;
	return i;
}

static int add_dir(struct merge *merge, const char *const *dirs, size_t index, struct seen *seen,
		   struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/results.jsonl", dirs[index]);
	struct stat st;
	size_t twin;

	if (!path)
		return ktstr_error_nomem(err);
	if (stat(path, &st) == 0) {
		seen[index] = (struct seen){ st.st_dev, st.st_ino };
		twin = find_seen(seen, index, &st);
		if (twin < index) {
			merge_notice(merge, MERGE_NOTE, "'%s' is '%s' once more: it is read once",
				     dirs[index], dirs[twin]);
			return 0;
		}
	}
	return merge_add(merge, dirs[index], path, err);
}

static int read_dirs(struct merge *merge, const struct ktstr_merge_opts *opts,
		     struct ktstr_error *err)
{
	_cleanup_free_ struct seen *seen = calloc(opts->nr_dirs + 1, sizeof(*seen));
	int r = seen ? 0 : ktstr_error_nomem(err);

	if (r == 0 && opts->nr_dirs > MERGE_FILES_MAX)
		r = ktstr_error_set(err, -E2BIG, "more than %d folders", MERGE_FILES_MAX);
	for (size_t i = 0; r == 0 && i < opts->nr_dirs; i++)
		r = add_dir(merge, opts->dirs, i, seen, err);
	if (r == 0 && !merge->nr_programs)
		r = ktstr_error_set(err, -ENODATA, "nothing to merge: %s",
				    merge->nr_notices ? merge->notices[0].text
						      : "no folder was given");
	if (r < 0)
		return r;
	merge_conclude(merge);
	return merge->out_of_memory ? ktstr_error_nomem(err) : 0;
}

static int load_one(const struct merge *merge, const struct merge_program *program, uint32_t index,
		    struct merge_course *course, struct result *ret_result)
{
	int r = merge_load(merge, program, index, ret_result);

	return r < 0 ? r : merge_course_check(course, ret_result);
}

/* What is said at the end. */
struct ending {
	struct totals totals;
	struct strbuf tally;
	json_t *tests;
};

static int report_results(const struct merge *merge, const struct merge_program *program,
			  struct merge_tally *tally, struct report *report, struct totals *totals)
{
	struct merge_course course = { 0 };
	int r = 0;

	for (uint32_t i = 0; i < program->nr && r == 0; i++) {
		struct result result = { 0 };

		r = load_one(merge, program, i, &course, &result);
		if (r == 0) {
			totals->duration_ns += result.duration_ns;
			totals_add(totals, &result);
			merge_tally_add(tally, i, &result);
			report_result(report, &result);
		}
		result_deinit(&result);
	}
	merge_course_deinit(&course);
	return r;
}

static int report_one_program(const struct merge *merge, const struct merge_program *program,
			      struct report *report, struct ending *end)
{
	struct merge_tally tally;
	int r = merge_tally_init(&tally, program);

	if (r < 0)
		return r;
	report_program(report, program->name, merge->nr_programs > 1);
	report_run(report, merge_run_line(program));
	r = report_results(merge, program, &tally, report, &end->totals);
	if (merge->nr_programs > 1 && merge_is_matrix(program))
		strbuf_addf(&end->tally, "%s:\n", program->name);
	merge_tally_end(&tally, &end->tally, end->tests);
	merge_tally_deinit(&tally);
	return r;
}

static void report_notices(const struct merge *merge, struct report *report)
{
	for (uint32_t i = 0; i < merge->nr_notices; i++)
		report_notice(report, merge_notice_word(merge->notices[i].kind),
			      merge->notices[i].text);
	for (enum merge_notice_kind kind = 0; kind < MERGE_KINDS; kind++) {
		_cleanup_free_ char *text = NULL;

		if (merge->nr_kind[kind] <= MERGE_NOTICES_MAX)
			continue;
		text = path_format("%llu more of this kind",
				   (unsigned long long)merge->nr_kind[kind] - MERGE_NOTICES_MAX);
		if (text)
			report_notice(report, merge_notice_word(kind), text);
	}
}

static void name_seeds(const struct merge *merge, struct totals *totals)
{
	char seeds[sizeof(totals->seeds)];

	for (uint32_t i = 0; i < merge->nr_programs; i++) {
		merge_seeds(&merge->programs[i], i ? seeds : totals->seeds);
		if (i && strcmp(seeds, totals->seeds) != 0) {
			totals->seeds[0] = '\0';
			return;
		}
	}
}

static int report_all(const struct merge *merge, struct report *report, struct ending *end)
{
	struct totals *totals = &end->totals;

	for (uint32_t i = 0; i < merge->nr_programs; i++)
		if (report_one_program(merge, &merge->programs[i], report, end) < 0)
			return -ENOMEM;
	report_notices(merge, report);
	name_seeds(merge, totals);
	totals->tally = end->tally.len ? strbuf_str(&end->tally) : NULL;
	totals->tests = json_array_size(end->tests) ? end->tests : NULL;
	if (merge->machines_differ || !merge->kernel || !merge->qemu || !merge->accelerator)
		return 0;
	totals->kernel = merge->kernel;
	totals->qemu = merge->qemu;
	totals->accelerator = merge->accelerator;
	return 0;
}

static bool is_brief(const struct merge *merge)
{
	for (uint32_t i = 0; i < merge->nr_programs; i++)
		if (merge_is_matrix(&merge->programs[i]))
			return true;
	return false;
}

static int open_report(const struct merge *merge, const struct ktstr_merge_opts *opts,
		       struct report **ret_report, struct ktstr_error *err)
{
	bool people = isatty(STDERR_FILENO);
	_cleanup_free_ char *run_dir = NULL;
	bool color = false;
	int r = settings_decide_color(opts->color, &color, err);

	if (r == 0 && opts->junit_path)
		r = io_check_target(opts->junit_path, err);
	if (r == 0 && opts->run_dir)
		r = folder_create_run(opts->run_dir, &run_dir, err);
	if (r < 0)
		return io_path_is_wrong(r) ? -EINVAL : r;
	return report_create(&(struct report_opts){ .program = merge->nr_programs == 1
								       ? merge->programs[0].name
								       : "merge",
						    .run_dir = run_dir,
						    .junit_path = opts->junit_path,
						    .json = opts->json,
						    .color = color,
						    .brief = is_brief(merge),
						    .one_screen = people && isatty(STDOUT_FILENO) },
			     (unsigned int)merge->nr_ids, ret_report, err);
}

int ktstr_merge(const struct ktstr_merge_opts *opts, struct ktstr_error *err)
{
	_cleanup_merge_ struct merge merge = { 0 };
	struct ending end = { .tally = STRBUF_INIT, .tests = json_array() };
	struct report *report = NULL;
	int r = read_dirs(&merge, opts, err);

	if (r == 0)
		r = open_report(&merge, opts, &report, err);
	if (r == 0) {
		end.totals.planned = (unsigned int)merge.nr_ids;
		end.totals.input_damaged = merge.nr_kind[MERGE_DAMAGE] || merge.events_parted;
		if (report_all(&merge, report, &end) < 0)
			end.totals.input_damaged = true;
		report_end(report, &end.totals);
		report_destroy(report);
		if (err)
			*err = (struct ktstr_error){ 0 };
		r = totals_exit(&end.totals);
	} else {
		r = r == -EINVAL || r == -EEXIST ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS;
	}
	strbuf_deinit(&end.tally);
	json_decref(end.tests);
	return r;
}
