// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "check/demands.h"
#include "kernel/ops_offsets.h"
#include "run/jobfile.h"
#include "run/project.h"
#include "run/scenario.h"
#include "scenario/model.h"
#include "scenario/records.h"
#include "sched/inspect.h"
#include "vm/closure.h"
#include "work/payload_find.h"

/* What an encoded job borrows: paths in the guest, and the project's demands. */
struct guest_paths {
	struct project project;
	char *paths[1 + KTSTR_SCENARIO_STAGED];
	size_t nr;
	struct ktstr_scheduler staged[KTSTR_SCENARIO_STAGED];
};

static void guest_paths_deinit(struct guest_paths *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free(p->paths[i]);
	project_deinit(&p->project);
}

static int need_library(void *arg, const char *name, const char *host_path, struct ktstr_error *err)
{
	(void)arg, (void)name, (void)host_path, (void)err;
	return 0;
}

static int check_libraries(const char *path, struct ktstr_error *err)
{
	struct library_dirs dirs = { 0 };
	int r = library_dirs_read(&dirs, "/etc/ld.so.conf", err);

	if (r == 0)
		r = closure_walk(&(struct closure_opts){ .program = path,
							 .dirs = &dirs,
							 .fn = need_library },
				 err);
	library_dirs_deinit(&dirs);
	return r;
}

/* What drives scenarios lies in the run folder; beside it there is nothing. */
static int find_binary(const char *binary, const char *program, char **ret_path,
		       struct ktstr_error *err)
{
	int r = payload_find_binary(binary, program, ret_path, err);

	return r == -ENOENT && program ? payload_find_binary(binary, NULL, ret_path, err) : r;
}

int scenario_find_scheduler(const struct ktstr_scheduler *scheduler, const char *program,
			    char **ret_path, struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;
	bool is_path = strchr(scheduler->binary, '/');
	struct ktstr_error why;
	int r = is_path ? scheduler_inspect(scheduler->binary, err) : 0;

	if (r < 0)
		return r;
	r = find_binary(scheduler->binary, program, &path, &why);
	if (r == -ENOENT && !is_path && access(scheduler->binary, F_OK) == 0)
		return ktstr_error_set(err, r,
				       "scheduler '%s' is not in PATH; if the file here is meant, "
				       "say './%s'",
				       scheduler->binary, scheduler->binary);
	if (r == -ENOENT)
		return ktstr_error_set(err, r,
				       "scheduler '%s' is neither in PATH nor beside the program "
				       "nor among the installed ones: build it, or give its path",
				       scheduler->binary);
	if (r < 0)
		return ktstr_error_set(err, r, "scheduler: %s", why.text);
	r = is_path ? 0 : scheduler_inspect(path, err);
	if (r == 0)
		r = check_libraries(path, err);
	if (r == 0)
		*ret_path = take_ptr(path);
	return r;
}

static int add_scheduler(struct pack *pack, const struct ktstr_scheduler *from, const char *program,
			 struct guest_paths *paths, struct ktstr_scheduler *ret_to,
			 struct ktstr_error *err)
{
	_cleanup_free_ char *host = NULL;
	char *guest;
	int r;

	*ret_to = *from;
	if (!from->binary)
		return 0;
	r = scenario_find_scheduler(from, program, &host, err);
	if (r < 0)
		return r;
	guest = path_format(PAYLOAD_GUEST_DIR "/%s", path_base(from->binary));
	if (!guest)
		return ktstr_error_nomem(err);
	paths->paths[paths->nr++] = guest;
	ret_to->binary = guest;
	r = pack_add(pack, host, guest, err);
	for (size_t i = 0; r == 0 && i < KTSTR_SCHEDULER_FILES && from->files[i]; i++)
		r = jobfile_add_file(pack, from->files[i], err);
	return r < 0 ? ktstr_error_wrap(err, r, "scheduler '%s'", from->name) : 0;
}

static int add_programs(struct pack *pack, const struct ktstr_scenario *scenario,
			const char *program, struct ktstr_error *err)
{
	for (size_t s = 0; s < KTSTR_SCENARIO_STEPS; s++) {
		for (size_t w = 0; w < KTSTR_STEP_WORKS; w++) {
			const char *name = scenario->steps[s].works[w].program;
			_cleanup_free_ char *host = NULL, *guest = NULL;
			int r;

			if (!name)
				continue;
			r = find_binary(name, program, &host, err);
			if (r < 0)
				return ktstr_error_wrap(err, r, "work '%s'",
							scenario->steps[s].works[w].name);
			guest = path_format(PAYLOAD_GUEST_DIR "/%s", path_base(name));
			r = guest ? pack_add(pack, host, guest, err) : ktstr_error_nomem(err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int merge(const struct ktstr_test *test, const struct project *project,
		 struct scenario_job *job, struct ktstr_error *err)
{
	const struct ktstr_scheduler *scheduler = test->scheduler;
	const struct demand_layer layers[] = {
		{ "ktstr", demands_built_in, SIZE_MAX },
		{ "project", project->rows, project->nr },
		{ "scheduler", scheduler ? scheduler->checks : NULL,
		  scheduler ? KTSTR_SCHEDULER_CHECKS : 0 },
		{ "test", test->scenario->checks, KTSTR_SCENARIO_CHECKS },
	};

	return demands_merge(layers, ARRAY_SIZE(layers), job->demands, &job->nr_demands, err);
}

static int fill(struct pack *pack, const struct ktstr_test *test, const char *program,
		struct guest_paths *paths, struct scenario_job *job, struct ktstr_error *err)
{
	int r = project_read(&paths->project, err);

	job->scenario = *test->scenario;
	if (r == 0 && test->scheduler)
		r = add_scheduler(pack, test->scheduler, program, paths, &job->scheduler, err);
	for (size_t i = 0; r == 0 && i < KTSTR_SCENARIO_STAGED && job->scenario.staged[i]; i++) {
		r = add_scheduler(pack, job->scenario.staged[i], program, paths, &paths->staged[i],
				  err);
		job->scenario.staged[i] = &paths->staged[i];
	}
	if (r == 0)
		r = add_programs(pack, test->scenario, program, err);
	return r < 0 ? r : merge(test, &paths->project, job, err);
}

/* A kernel without them is none that a scheduler attaches to; the guest says so better. */
static int add_ops_offsets(struct scenario_job *job, const char *vmlinux, struct ktstr_error *err)
{
	int r;

	if (!job->scheduler.binary || !job->scenario.needs_ops[0])
		return 0;
	r = ops_offsets_read(vmlinux, &job->ops_offsets, err);
	return r == -ENOTSUP ? 0 : r;
}

int scenario_pack(struct pack *pack, const struct scenario_pack_opts *opts, char **ret_text,
		  struct ktstr_error *err)
{
	_cleanup_(guest_paths_deinit) struct guest_paths paths = { 0 };
	_cleanup_free_ struct scenario_job *job = NULL;
	int r;

	*ret_text = NULL;
	if (!opts->test->scenario)
		return 0;
	job = calloc(1, sizeof(*job));
	if (!job)
		return ktstr_error_nomem(err);
	r = fill(pack, opts->test, opts->program, &paths, job, err);
	if (r == 0)
		r = add_ops_offsets(job, opts->vmlinux, err);
	if (r == 0)
		r = scenario_job_encode(job, ret_text, err);
	json_decref(job->ops_offsets);
	return r;
}

int scenario_demands(const struct ktstr_test *test, struct strbuf *out, struct ktstr_error *err)
{
	_cleanup_project_ struct project project = { 0 };
	_cleanup_free_ struct scenario_job *job = calloc(1, sizeof(*job));
	_cleanup_free_ char *text = NULL;
	int r = job ? project_read(&project, err) : ktstr_error_nomem(err);

	if (r == 0)
		r = merge(test, &project, job, err);
	if (r < 0 || !out)
		return r;
	if (demands_print(job->demands, job->nr_demands, &text) < 0)
		return ktstr_error_nomem(err);
	text_add_lines(out, "  ", text);
	return 0;
}

int scenario_dump(const struct ktstr_entry *entry, struct strbuf *out, struct ktstr_error *err)
{
	const struct ktstr_test *test = entry->test;
	char topology[KTSTR_TOPOLOGY_TEXT];

	strbuf_addf(out, "%s (%s, %s)\n", entry->name,
		    ktstr_topology_format(&test->topology, topology, sizeof(topology)),
		    test->scheduler && test->scheduler->name ? test->scheduler->name
							     : "the kernel's own scheduler");
	if (test->scenario)
		return scenario_demands(test, out, err);
	strbuf_addstr(out, "  its body's checks\n");
	return 0;
}
