// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "check/demands.h"
#include "run/jobfile.h"
#include "run/scenario.h"
#include "scenario/model.h"
#include "scenario/records.h"
#include "work/payload_find.h"

/* Paths in the guest, which the encoded schedulers borrow. */
struct guest_paths {
	char *paths[1 + KTSTR_SCENARIO_STAGED];
	size_t nr;
	struct ktstr_scheduler staged[KTSTR_SCENARIO_STAGED];
};

static void guest_paths_deinit(struct guest_paths *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free(p->paths[i]);
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
	r = payload_find_binary(from->binary, program, &host, err);
	if (r < 0)
		return ktstr_error_wrap(err, r, "scheduler");
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
			r = payload_find_binary(name, program, &host, err);
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

static int merge(const struct ktstr_test *test, struct scenario_job *job, struct ktstr_error *err)
{
	const struct ktstr_scheduler *scheduler = test->scheduler;
	const struct demand_layer layers[] = {
		{ "ktstr", demands_built_in, SIZE_MAX },
		{ "scheduler", scheduler ? scheduler->checks : NULL,
		  scheduler ? KTSTR_SCHEDULER_CHECKS : 0 },
		{ "test", test->scenario->checks, KTSTR_SCENARIO_CHECKS },
	};

	return demands_merge(layers, ARRAY_SIZE(layers), job->demands, &job->nr_demands, err);
}

static int fill(struct pack *pack, const struct ktstr_test *test, const char *program,
		struct guest_paths *paths, struct scenario_job *job, struct ktstr_error *err)
{
	int r = 0;

	job->scenario = *test->scenario;
	if (test->scheduler)
		r = add_scheduler(pack, test->scheduler, program, paths, &job->scheduler, err);
	for (size_t i = 0; r == 0 && i < KTSTR_SCENARIO_STAGED && job->scenario.staged[i]; i++) {
		r = add_scheduler(pack, job->scenario.staged[i], program, paths, &paths->staged[i],
				  err);
		job->scenario.staged[i] = &paths->staged[i];
	}
	if (r == 0)
		r = add_programs(pack, test->scenario, program, err);
	return r < 0 ? r : merge(test, job, err);
}

int scenario_pack(struct pack *pack, const struct ktstr_test *test, const char *program,
		  const char *text_path, struct ktstr_error *err)
{
	_cleanup_(guest_paths_deinit) struct guest_paths paths = { 0 };
	_cleanup_free_ struct scenario_job *job = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	if (!test->scenario)
		return 0;
	job = calloc(1, sizeof(*job));
	if (!job)
		return ktstr_error_nomem(err);
	r = fill(pack, test, program, &paths, job, err);
	if (r == 0)
		r = scenario_job_encode(job, &text, err);
	if (r == 0)
		r = io_write_file(text_path, text, strlen(text), 0644, err);
	return r < 0 ? r : pack_add(pack, text_path, SCENARIO_GUEST_FILE, err);
}

int scenario_dump(const struct ktstr_entry *entry, struct strbuf *out, struct ktstr_error *err)
{
	const struct ktstr_test *test = entry->test;
	_cleanup_free_ struct scenario_job *job = calloc(1, sizeof(*job));
	_cleanup_free_ char *text = NULL;
	char topology[KTSTR_TOPOLOGY_TEXT];
	int r;

	if (!job)
		return ktstr_error_nomem(err);
	strbuf_addf(out, "%s (%s, %s)\n", entry->name,
		    ktstr_topology_format(&test->topology, topology, sizeof(topology)),
		    test->scheduler && test->scheduler->name ? test->scheduler->name
							     : "the kernel's own scheduler");
	if (!test->scenario) {
		strbuf_addstr(out, "  its body's checks\n");
		return 0;
	}
	r = merge(test, job, err);
	if (r < 0)
		return r;
	if (demands_print(job->demands, job->nr_demands, &text) < 0)
		return ktstr_error_nomem(err);
	text_add_lines(out, "  ", text);
	return 0;
}
