// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/restore.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "vm/template.h"
#include "vm/vm_private.h"

#define RESTORE_LIMIT_NS (60 * NSEC_PER_SEC)
#define PASS_LIMIT_NS	 (10 * NSEC_PER_SEC)

#define _cleanup_json_ _cleanup_(json_decrefp)

static json_t *capabilities(void)
{
	return json_pack("{s:[{s:s, s:b}, {s:s, s:b}]}", "capabilities", "capability",
			 "x-ignore-shared", "state", 1, "capability", "events", "state", 1);
}

/* Before 8.2 a shell does what QEMU cannot. */
static json_t *uri_of(const struct vm_opts *opts, const char *path, bool save)
{
	bool by_itself =
		opts->qemu->major > 8 || (opts->qemu->major == 8 && opts->qemu->minor >= 2);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, by_itself ? "file:" : save ? "exec:cat >" : "exec:cat ");
	if (by_itself)
		strbuf_addstr(&text, path);
	else
		strbuf_add_quoted(&text, path);
	return text.error ? NULL : json_pack("{s:s}", "uri", strbuf_str(&text));
}

/* What QEMU printed counts more than how its socket ended. */
static int explain(int r, const struct vm_opts *opts, struct ktstr_error *err)
{
	char line[256];

	if (r != -EPIPE && r != -EREMOTEIO)
		return r;
	vm_last_words(opts->dir, line, sizeof(line));
	return line[0] ? ktstr_error_set(err, r, "QEMU says: %s", line) : r;
}

static int wait_until_done(struct vm *vm, struct ktstr_error *err)
{
	for (;;) {
		_cleanup_json_ json_t *data = NULL, *info = NULL;
		const char *status, *why;
		int r = qmp_wait_event(&vm->qmp, "MIGRATION", &data, err);

		if (r < 0)
			return r;
		status = json_string_value(json_object_get(data, "status"));
		if (status && !strcmp(status, "completed"))
			return 0;
		if (!status || (strcmp(status, "failed") != 0 && strcmp(status, "cancelled") != 0))
			continue;
		r = qmp_command(&vm->qmp, "query-migrate", NULL, &info, err);
		if (r < 0)
			return r;
		why = json_string_value(json_object_get(info, "error-desc"));
		return ktstr_error_set(err, -EREMOTEIO, "QEMU says: %s",
				       why ? why : "migration failed");
	}
}

/* All at once: each answer that is waited for is a round trip through QEMU's main loop. */
static int begin(struct vm *vm, const struct vm_opts *opts, const char *path,
		 struct ktstr_error *err)
{
	struct qmp *q = &vm->qmp;
	/* QEMU announces a restored guest to its network from timers of the host's clock, and each
	 * of them disturbs the order in which CPUs take turns. */
	json_t *arguments[] = { capabilities(), json_pack("{s:i}", "announce-rounds", 0),
				uri_of(opts, path, false) };
	static const char *const names[] = { "migrate-set-capabilities", "migrate-set-parameters",
					     "migrate-incoming" };
	int64_t ids[ARRAY_SIZE(names)] = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!arguments[i])
			r = ktstr_error_nomem(err);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (r < 0)
			json_decref(arguments[i]);
		else
			ids[i] = qmp_send(q, names[i], arguments[i], err);
		r = ids[i] < 0 ? (int)ids[i] : r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		r = qmp_answer(q, ids[i], NULL, err);
	return r;
}

int restore_run(struct vm *vm, const struct vm_opts *opts, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/" TEMPLATE_STATE, opts->template->dir);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	vm->qmp.deadline_ns = clock_add_ns(clock_mono_ns(), RESTORE_LIMIT_NS);
	r = qmp_greet(&vm->qmp, err);
	if (r == 0)
		r = begin(vm, opts, path, err);
	if (r == 0)
		r = wait_until_done(vm, err);
	if (r == 0 && !opts->hold)
		r = qmp_command(&vm->qmp, "cont", NULL, NULL, err);
	if (r < 0)
		return ktstr_error_wrap(err, explain(r, opts, err), "restore template '%s'",
					opts->template->dir);
	return 0;
}

int restore_save(struct vm *vm, const struct vm_opts *opts, const char *path,
		 struct ktstr_error *err)
{
	json_t *uri = uri_of(opts, path, true);
	int r;

	if (!uri)
		return ktstr_error_nomem(err);
	r = qmp_command(&vm->qmp, "migrate-set-capabilities", capabilities(), NULL, err);
	if (r < 0)
		json_decref(uri);
	else
		r = qmp_command(&vm->qmp, "migrate", uri, NULL, err);
	if (r == 0)
		r = wait_until_done(vm, err);
	if (r < 0)
		return ktstr_error_wrap(err, explain(r, opts, err), "save a template");
	return 0;
}

int restore_begin(struct vm *vm, const struct vm_opts *opts, struct ktstr_error *err)
{
	int r;

	vm->qmp.deadline_ns = clock_add_ns(clock_mono_ns(), RESTORE_LIMIT_NS);
	r = qmp_greet(&vm->qmp, err);
	if (r == 0 && !opts->hold)
		r = qmp_command(&vm->qmp, "cont", NULL, NULL, err);
	return r < 0 ? explain(r, opts, err) : 0;
}

/* Between the two, QEMU's main loop moves the clock to the next timer. */
int restore_wait_stop(struct qmp *q, struct ktstr_error *err)
{
	int r = qmp_wait_event(q, "GUEST_PANICKED", NULL, err);

	return r == 0 ? qmp_wait_event(q, "STOP", NULL, err) : r;
}

int restore_pass_stop(struct vm *vm)
{
	struct qmp *q = &vm->qmp;
	int r = 0;

	/* Only what is there already. */
	q->deadline_ns = clock_mono_ns();
	if (!vm->rang)
		r = qmp_wait_event(q, "GUEST_PANICKED", NULL, NULL);
	if (r == 0) {
		vm->rang = true;
		r = qmp_wait_event(q, "STOP", NULL, NULL);
	}
	if (r == -ETIMEDOUT)
		return 0;
	q->deadline_ns = clock_add_ns(clock_mono_ns(), PASS_LIMIT_NS);
	if (r == 0 && !vm->pause_at_stop)
		r = qmp_command(q, "set-action", json_pack("{s:s}", "panic", "none"), NULL, NULL);
	if (r == 0)
		r = qmp_command(q, "cont", NULL, NULL, NULL);
	return r < 0 ? r : 1;
}
