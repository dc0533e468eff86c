// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/terminal.h"

struct report {
	struct report_opts opts;
	char *program, *run_dir, *junit_path;
	const char *part; /* the program whose results come, if it was said */
	bool label_it;
	unsigned int number;   /* of the result written last */
	int results_fd;	       /* -1: none are written */
	struct strbuf cases;   /* JUnit */
	struct strbuf details; /* summary, kept for the end */
	struct strbuf notices; /* likewise, and read even if there are too many details */
	bool stdout_lost, results_lost, junit_lost;
	bool progress_shown;
};

/* stderr is for people; if even that is gone, nobody can be told. */
static void say(const char *text, size_t len)
{
	if (io_write_all(STDERR_FILENO, text, len) < 0)
		return;
}

static void sayf(const char *fmt, ...) KTSTR_PRINTF(1, 2);
static void sayf(const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	say(strbuf_str(&text), text.len);
}

static void hide_progress(struct report *report)
{
	if (report->progress_shown)
		sayf("\r\033[K");
	report->progress_shown = false;
}

/* A line that the terminal wraps could not be taken back. */
static size_t fitting(const char *text)
{
	size_t len = strlen(text);
	uint32_t rows, columns;

	terminal_size(&rows, &columns);
	if (len < columns)
		return len;
	for (len = columns - 1; len && (text[len] & 0xc0) == 0x80;)
		len--;
	return len;
}

void report_progress(struct report *report, const char *text)
{
	if (!report->opts.progress)
		return;
	hide_progress(report);
	say(text, fitting(text));
	report->progress_shown = true;
}

static void lose_stdout(struct report *report, int r)
{
	if (report->stdout_lost)
		return;
	report->stdout_lost = true;
	hide_progress(report);
	if (report->run_dir)
		sayf("ktstr: write to standard output: %s; all results go to "
		     "'%s/results.jsonl'\n",
		     strerror(-r), report->run_dir);
	else
		sayf("ktstr: write to standard output: %s\n", strerror(-r));
}

static void to_stdout(struct report *report, const struct strbuf *text)
{
	int r;

	if (report->stdout_lost || report->opts.silent)
		return;
	r = text->error ? text->error : io_write_all(STDOUT_FILENO, text->data, text->len);
	if (r < 0)
		lose_stdout(report, r);
}

static void to_results(struct report *report, const char *line, size_t len)
{
	int r;

	if (report->results_lost || report->results_fd < 0)
		return;
	r = io_write_all(report->results_fd, line, len);
	if (r == 0)
		return;
	report->results_lost = true;
	hide_progress(report);
	sayf("ktstr: write '%s/results.jsonl': %s; free space there or choose another place with "
	     "--run-dir; results still go to standard output\n",
	     report->run_dir, strerror(-r));
}

/* Lists are the only parts that get this large; readers see what is not there by its key. */
static char *shorten(json_t *object, char *text, size_t max)
{
	static const char *const lists[] = { "payloads", "values", "notes", "failed" };
	json_t *cut = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(lists) && text && strlen(text) > max; i++) {
		if (json_object_del(object, lists[i]) < 0)
			continue;
		json_array_append_new(cut, json_string(lists[i]));
		json_object_set(object, "cut", cut);
		free(text);
		text = json_dumps(object, JSON_COMPACT);
	}
	json_decref(cut);
	return text;
}

/* One JSON line for both places that take it; takes @object. */
static void put_json(struct report *report, json_t *object, size_t max)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT_LIMIT(max + 1);
	_cleanup_free_ char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	text = shorten(object, text, max);
	json_decref(object);
	strbuf_addf(&line, "%s\n", text ? text : "{\"type\":\"lost\"}");
	if (line.error) {
		strbuf_clear(&line);
		strbuf_addstr(&line, "{\"type\":\"lost\"}\n");
	}
	to_results(report, strbuf_str(&line), line.len);
	if (report->opts.json)
		to_stdout(report, &line);
}

static int open_results(struct report *report, struct ktstr_error *err)
{
	_cleanup_free_ char *path = NULL;

	if (!report->run_dir)
		return 0;
	path = path_format("%s/results.jsonl", report->run_dir);
	if (!path)
		return ktstr_error_nomem(err);
	report->results_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
	if (report->results_fd < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno));
	/* As long as it is open nobody prunes the folder (ktstr/runs.h). */
	(void)!flock(report->results_fd, LOCK_SH | LOCK_NB);
	return 0;
}

DEFINE_CLEANUP(struct report *, report_destroy);

int report_create(const struct report_opts *opts, unsigned int planned, struct report **ret_report,
		  struct ktstr_error *err)
{
	_cleanup_(report_destroyp) struct report *report = calloc(1, sizeof(*report));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int r;

	if (!report)
		return ktstr_error_nomem(err);
	report->opts = *opts;
	report->results_fd = -1;
	report->cases = (struct strbuf)STRBUF_INIT_LIMIT(REPORT_JUNIT_MAX);
	report->details = (struct strbuf)STRBUF_INIT;
	report->notices = (struct strbuf)STRBUF_INIT;
	report->program = strdup(opts->program);
	report->run_dir = opts->run_dir ? strdup(opts->run_dir) : NULL;
	report->junit_path = opts->junit_path ? strdup(opts->junit_path) : NULL;
	if (!report->program || (opts->run_dir && !report->run_dir) ||
	    (opts->junit_path && !report->junit_path))
		return ktstr_error_nomem(err);
	r = open_results(report, err);
	if (r < 0)
		return r;
	ktap_begin(&text, planned);
	if (!opts->json)
		to_stdout(report, &text);
	*ret_report = take_ptr(report);
	return 0;
}

void report_destroy(struct report *report)
{
	if (!report)
		return;
	if (report->results_fd >= 0)
		close(report->results_fd);
	strbuf_deinit(&report->cases);
	strbuf_deinit(&report->details);
	strbuf_deinit(&report->notices);
	free(report->program);
	free(report->run_dir);
	free(report->junit_path);
	free(report);
}

void report_run(struct report *report, json_t *run)
{
	put_json(report, run, REPORT_RUN_LINE_MAX);
}

void report_program(struct report *report, const char *program, bool label_it)
{
	report->part = program;
	report->label_it = label_it;
}

void report_notice(struct report *report, const char *kind, const char *text)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	put_json(report,
		 json_pack("{s:s, s:i, s:s, s:s}", "type", "notice", "version", RESULT_VERSION,
			   "kind", kind, "text", text),
		 REPORT_LINE_MAX);
	strbuf_addf(&line, "# %s: %s\n", kind, text);
	if (!report->opts.json)
		to_stdout(report, &line);
	strbuf_addf(&report->notices, "%s: %s\n", kind, text);
}

static void put_texts(struct report *report, const struct result *result)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!report->opts.json) {
		ktap_result(&text, report->number, result);
		to_stdout(report, &text);
	}
	if (report->junit_path)
		junit_case(&report->cases, report->part ? report->part : report->program, result);
	summary_result(&report->details, result,
		       &(struct summary_style){ .color = report->opts.color,
						.brief = report->opts.brief,
						.details = !report->opts.one_screen ||
							   report->opts.json });
}

void report_result(struct report *report, const struct result *result)
{
	_cleanup_free_ char *label = NULL;
	struct result labelled = *result;

	hide_progress(report);
	report->number++;
	put_json(report, result_to_json(result), REPORT_LINE_MAX);
	if (report->label_it)
		label = path_format("%s:%s", report->part, result_label(result));
	if (label)
		labelled.id = label;
	put_texts(report, &labelled);
}

static void write_junit(struct report *report, const struct totals *totals)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(REPORT_JUNIT_MAX + KIB(64));
	struct ktstr_error err;

	if (!report->junit_path)
		return;
	junit_document(&text, report->program, totals, strbuf_str(&report->cases));
	if (!text.error && !report->cases.error &&
	    io_write_file(report->junit_path, text.data, text.len, 0666, &err) == 0)
		return;
	report->junit_lost = true;
	if (text.error || report->cases.error)
		ktstr_error_set(&err, -E2BIG, "JUnit file '%s': too large", report->junit_path);
	if (report->run_dir)
		sayf("ktstr: %s; all results are in '%s/results.jsonl'\n", err.text,
		     report->run_dir);
	else
		sayf("ktstr: %s\n", err.text);
}

void report_end(struct report *report, struct totals *totals)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	hide_progress(report);
	ktap_end(&text, totals);
	if (text.len && !report->opts.json)
		to_stdout(report, &text);
	write_junit(report, totals);
	totals->output_lost = report->stdout_lost || report->results_lost || report->junit_lost;
	put_json(report, totals_to_json(totals), REPORT_LINE_MAX);
	totals->output_lost = report->stdout_lost || report->results_lost || report->junit_lost;
	if (report->opts.silent)
		return;
	say(strbuf_str(&report->details), report->details.len);
	if (report->details.error)
		sayf("(more results than are shown here)\n");
	say(strbuf_str(&report->notices), report->notices.len);
	strbuf_clear(&text);
	summary_totals(&text, totals, report->run_dir, report->opts.color);
	say(strbuf_str(&text), text.len);
}
