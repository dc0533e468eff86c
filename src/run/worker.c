// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "run/folder.h"
#include "run/guestbody.h"
#include "run/hostbody.h"
#include "run/needs.h"
#include "run/rerun.h"
#include "run/scenario.h"
#include "run/symbol.h"
#include <ktstr/log.h>

enum { STATUS_ERROR = 1 };

struct worker {
	const struct worker_opts *opts;
	const struct plan_item *item;
	int out_fd;
};

/* Takes @object. */
static int put_line(const struct worker *w, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = text ? io_write_all(w->out_fd, text, strlen(text)) : -ENOMEM;

	json_decref(object);
	free(text);
	return r < 0 ? r : io_write_all(w->out_fd, "\n", 1);
}

static void tell_status(void *arg, const struct session_status *status)
{
	const struct worker *w = arg;

	/* If nobody listens, the result will find that out. */
	if (put_line(w, json_pack("{s:s, s:b, s:I, s:I}", "type", "status", "exact", status->exact,
				  "virtual_ns", (json_int_t)status->virtual_ns, "wall_ns",
				  (json_int_t)status->wall_ns)) < 0)
		return;
}

/* Lines "in X", "called by Y"; what called the body is ours and is left out. */
static void symbolize(const char *program, struct evidence *e)
{
	struct symbols *symbols = e->nr_crash_offsets ? symbols_open(program) : NULL;
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

static uint64_t timeout_of(const struct worker *w)
{
	const struct ktstr_test *test = w->item->entry->test;
	uint64_t ns = w->opts->settings->test_timeout_ns;

	if (!ns)
		ns = test->timeout_ns;
	/* What takes too long within a scenario is told by its engine, which knows what it is. */
	if (!ns)
		ns = clock_add_ns(SECS(WORKER_TIMEOUT_S), scenario_time_ns(test));
	/* What a job can say: 292 years. */
	return ns < INT64_MAX ? ns : INT64_MAX;
}

static void run_on_host(const struct worker *w, const char *dir, struct evidence *e)
{
	hostbody_run(&(struct hostbody_opts){ .program = w->opts->program,
					      .entry = w->item->entry,
					      .seed = w->item->seed,
					      .perturb = w->opts->settings->perturb,
					      .dir = dir,
					      .timeout_ns = timeout_of(w),
					      .deadline_ns = w->opts->deadline_ns },
		     e);
}

static void add_words(struct strbuf *to, const char *words)
{
	if (words && *words)
		strbuf_addf(to, "%s%s", to->len ? " " : "", words);
}

static void run_in_guest(const struct worker *w, const char *dir, struct evidence *e)
{
	const struct settings *settings = w->opts->settings;
	const struct ktstr_test *test = w->item->entry->test;
	_cleanup_strbuf_ struct strbuf kernel_args = STRBUF_INIT;

	add_words(&kernel_args, test->kernel_args);
	add_words(&kernel_args, settings->kernel_args);
	guestbody_run(
		&(struct guestbody_opts){
			.program = w->opts->program,
			.entry = w->item->entry,
			.machine = w->opts->machine,
			.topology = settings->has_topology ? settings->topology : test->topology,
			.memory_bytes = settings->memory_bytes ? settings->memory_bytes
							       : test->memory_bytes,
			.kernel_args = strbuf_str(&kernel_args),
			.seed = w->item->seed,
			.perturb = settings->perturb,
			.cold = settings->no_template,
			.console = settings->console,
			.wall_limit_ns = settings->wall_limit_ns,
			.dir = dir,
			.objects_dir = w->opts->objects_dir,
			.timeout_ns = timeout_of(w),
			.deadline_ns = w->opts->deadline_ns,
			.status = tell_status,
			.status_arg = (void *)w },
		e);
}

static int run_body(const struct worker *w, struct result *ret_result, struct ktstr_error *err)
{
	_cleanup_evidence_ struct evidence e = { 0 };
	_cleanup_free_ char *dir = NULL;
	int r = folder_create_test(w->opts->run_dir, w->item->id, &dir, err);

	if (r < 0)
		return r;
	if (evidence_init(&e) < 0)
		return ktstr_error_nomem(err);
	if (w->item->entry->test->host_only)
		run_on_host(w, dir, &e);
	else
		run_in_guest(w, dir, &e);
	symbolize(w->opts->program, &e);
	r = result_from_evidence(&e, w->item->entry, ret_result);
	if (r < 0)
		return ktstr_error_nomem(err);
	ret_result->folder = take_ptr(dir);
	return 0;
}

/* Needs, machine, body: whichever ends it first gives the result. */
static int run_checked(const struct worker *w, struct result *ret_result, struct ktstr_error *err)
{
	const struct ktstr_entry *entry = w->item->entry;
	_cleanup_strbuf_ struct strbuf need = STRBUF_INIT;
	struct ktstr_kernel kernel;
	int r = registry_check(entry, err);

	if (r < 0)
		return r;
	if (entry->test->host_only) {
		needs_host_kernel(&kernel);
	} else if (!w->opts->machine) {
		*err = *w->opts->machine_error;
		return err->code;
	} else {
		kernel = w->opts->machine->kernel;
	}
	if (!needs_are_met(entry->test, &kernel, &need) ||
	    (!entry->test->host_only &&
	     !needs_accel_is_met(entry->test, w->opts->machine->accel, &need)))
		return result_without_run(entry, KTSTR_SKIP, strbuf_str(&need), ret_result);
	return run_body(w, ret_result, err);
}

static const char *mode_of(const struct worker_opts *opts, const struct ktstr_entry *entry)
{
	if (entry->test_size != sizeof(struct ktstr_test))
		return "";
	if (entry->test->host_only)
		return "host";
	if (!opts->machine)
		return "";
	return opts->machine->exact ? "exact" : "live";
}

static char *again(const struct worker_opts *opts, const struct plan_item *item, const char *mode)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	_cleanup_free_ char *folder = NULL;

	if (!opts->scenarios)
		return rerun_line(&(struct rerun_opts){ .command = opts->command,
							.settings = opts->settings,
							.item = item,
							.mode = mode });
	folder = path_format("%s/%s", opts->run_dir, item->id);
	strbuf_addstr(&line, "ktstr replay ");
	strbuf_add_quoted(&line, folder ? folder : item->id);
	return strbuf_take(&line);
}

int worker_name_result(const struct worker_opts *opts, const struct plan_item *item,
		       struct result *result)
{
	const struct ktstr_entry *entry = item->entry;
	const struct settings *settings = opts->settings;
	bool in_guest = entry->test_size == sizeof(struct ktstr_test) && !entry->test->host_only;

	free(result->id);
	result->id = strdup(item->id);
	result->seed = item->seed;
	result->repetition = item->repetition;
	snprintf(result->mode, sizeof(result->mode), "%s", mode_of(opts, entry));
	if (in_guest)
		ktstr_topology_format(settings->has_topology ? &settings->topology
							     : &entry->test->topology,
				      result->topology, sizeof(result->topology));
	if (result->verdict != KTSTR_PASS && !result->rerun)
		result->rerun = again(opts, item, result->mode);
	return result->id ? 0 : -ENOMEM;
}

static void write_result(const struct result *result)
{
	_cleanup_free_ char *path = path_format("%s/result.json", result->folder);
	json_t *object = result_to_json(result);
	_cleanup_free_ char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
	struct ktstr_error err;

	json_decref(object);
	if (path && text && io_write_quickly(path, text, strlen(text), 0666, &err) < 0)
		ktstr_log(KTSTR_LOG_WARN, "%s; the result is in the report only", err.text);
}

static void tidy(const struct worker_opts *opts, const struct result *result)
{
	if (opts->settings->keep)
		return;
	folder_remove_file(result->folder, "files.cpio");
	if (result->verdict == KTSTR_PASS || result->verdict == KTSTR_SKIP)
		folder_trim(result->folder);
}

void worker_keep_result(const struct worker_opts *opts, const struct result *result)
{
	if (!result->folder)
		return;
	write_result(result);
	tidy(opts, result);
}

int worker_run(const struct worker_opts *opts, const struct plan_item *item, int out_fd)
{
	const struct worker w = { .opts = opts, .item = item, .out_fd = out_fd };
	uint64_t start_ns = clock_mono_ns();
	struct result result = { 0 };
	struct ktstr_error err = { 0 };
	int r;

	if (run_checked(&w, &result, &err) < 0) {
		folder_explain(&err);
		if (result_without_run(item->entry, KTSTR_ERROR, err.text, &result) < 0)
			return STATUS_ERROR;
	}
	result.duration_ns = clock_mono_ns() - start_ns;
	r = worker_name_result(opts, item, &result);
	if (r == 0) {
		worker_keep_result(opts, &result);
		r = put_line(&w, result_to_json(&result));
	}
	result_deinit(&result);
	return r < 0 ? STATUS_ERROR : 0;
}

static int read_status(const json_t *object, struct session_status *ret_status)
{
	json_int_t virtual_ns = json_integer_value(json_object_get(object, "virtual_ns"));
	json_int_t wall_ns = json_integer_value(json_object_get(object, "wall_ns"));

	*ret_status = (struct session_status){
		.exact = json_is_true(json_object_get(object, "exact")),
		.virtual_ns = virtual_ns > 0 ? (uint64_t)virtual_ns : 0,
		.wall_ns = wall_ns > 0 ? (uint64_t)wall_ns : 0,
	};
	return WORKER_STATUS;
}

int worker_read(const char *line, struct session_status *ret_status, struct result *ret_result,
		struct ktstr_error *err)
{
	json_t *object = json_loads(line, 0, NULL);
	const char *type = json_string_value(json_object_get(object, "type"));
	int r;

	if (!type)
		r = ktstr_error_set(err, -EBADMSG, "a worker said what is no JSON object");
	else if (!strcmp(type, "status"))
		r = read_status(object, ret_status);
	else if ((r = result_from_json(object, ret_result, err)) == 0)
		r = WORKER_RESULT;
	json_decref(object);
	return r;
}
