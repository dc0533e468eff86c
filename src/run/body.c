// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/crash.h"
#include "run/payload.h"
#include "run/protocol_record.h"
#include "run/registry.h"
#include "run/scenario.h"

struct ktstr *body_create(const struct body_opts *opts)
{
	struct ktstr *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->entry = opts->entry;
	t->record_fd = opts->record_fd;
	t->seed = opts->seed;
	t->perturb = opts->perturb;
	prng_init(&t->workload, opts->seed, CHANCE_WORKLOAD);
	prng_init(&t->delays, opts->seed, CHANCE_BODY);
	return t;
}

void body_destroy(struct ktstr *t)
{
	free(t);
}

DEFINE_CLEANUP(struct ktstr *, body_destroy);

struct ktstr_error *body_error(struct ktstr *t)
{
	t->pending.code = 0;
	t->pending.text[0] = '\0';
	return &t->pending;
}

bool body_on_host(const struct ktstr *t)
{
	return t->entry->test->host_only;
}

/* Nobody is left to hear more: end here, visibly. */
static _Noreturn void lose_runner(int error)
{
	dprintf(STDERR_FILENO, "ktstr: the runner cannot be reached: %s\n", strerror(error));
	_exit(KTSTR_EXIT_HARNESS);
}

void body_send(struct ktstr *t, enum record_type type, json_t *payload)
{
	_cleanup_free_ char *text = NULL;
	int r = record_send_json(t->record_fd, type, payload);

	if (r == -E2BIG || r == -EINVAL) {
		text = path_format("a %s record was lost: %s", record_type_name(type),
				   strerror(-r));
		r = record_send_json(t->record_fd, RECORD_ERROR,
				     text ? json_pack("{s:s}", "text", text) : NULL);
	}
	if (r < 0)
		lose_runner(-r);
}

int body_run(const struct body_opts *opts)
{
	_cleanup_(body_destroyp) struct ktstr *t = body_create(opts);
	struct ktstr_error err;

	if (!t)
		lose_runner(ENOMEM);
	/* Else jansson asks the kernel for chance: 1 s in a guest that has no source of it. */
	json_object_seed(1);
	if (registry_check(opts->entry, &err) < 0 || crash_catch(opts->record_fd, &err) < 0) {
		body_send(t, RECORD_ERROR, json_pack("{s:s}", "text", err.text));
		return KTSTR_EXIT_HARNESS;
	}
	body_delay(t);
	if (scenario_drive(t) && opts->entry->test->run)
		opts->entry->test->run(t);
	payload_end_all(t);
	fflush(NULL);
	body_send(t, RECORD_DONE, json_pack("{s:I}", "checks", (json_int_t)t->nr_checks));
	return KTSTR_EXIT_PASS;
}
