// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/strbuf.h"
#include "run/scenario.h"
#include "scenario/engine.h"
#include "scenario/model.h"
#include "scenario/records.h"

DEFINE_CLEANUP(struct model_arena *, model_arena_destroy);

bool scenario_is_there(void)
{
	return access(PROTOCOL_SCENARIO_FILE, F_OK) == 0;
}

struct drive {
	struct ktstr *t;
	bool skipped;
};

static void send_record(void *arg, json_t *record)
{
	const struct drive *d = arg;

	body_send(d->t, RECORD_SCENARIO, record);
}

static void skip(void *arg, const char *text)
{
	struct drive *d = arg;

	d->skipped = true;
	ktstr_skip(d->t, "%s", text);
}

static int drive(struct drive *d, struct ktstr_error *err)
{
	_cleanup_(model_arena_destroyp) struct model_arena *arena = model_arena_create();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ struct scenario_job *job = calloc(1, sizeof(*job));
	int r;

	if (!arena || !job)
		return ktstr_error_nomem(err);
	r = io_read_file(PROTOCOL_SCENARIO_FILE, &text, err);
	if (r == 0)
		r = scenario_job_decode(strbuf_str(&text), text.len, arena, job, err);
	if (r < 0)
		return r;
	r = engine_run(&(struct engine_opts){ .job = job,
					      .seed = d->t->seed,
					      .cgroup_mount = "/sys/fs/cgroup",
					      .sysfs = "/sys",
					      .declared = d->t->entry->test->scenario,
					      .send = send_record,
					      .skip = skip,
					      .arg = d },
		       err);
	json_decref(job->ops_offsets);
	return r;
}

bool scenario_drive(struct ktstr *t)
{
	struct drive d = { .t = t };
	struct ktstr_error err = { 0 };

	if (body_on_host(t) || !t->entry->test->scenario)
		return true;
	if (drive(&d, &err) < 0) {
		body_send(t, RECORD_ERROR, json_pack("{s:s}", "text", err.text));
		return false;
	}
	return !d.skipped;
}
