// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/payload_record.h"

#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/text.h"
#include "run/body.h"
#include "work/payload_check.h"

static void set_text(json_t *object, const char *key, const char *value)
{
	_cleanup_free_ char *clean = text_clean(value, TEXT_MAX);

	json_object_set_new(object, key, json_string(clean ? clean : ""));
}

static json_t *metrics_object(const struct metrics *metrics)
{
	json_t *object = json_object();

	for (unsigned int i = 0; metrics && i < metrics->nr; i++)
		json_object_set_new(object, metrics->values[i].name,
				    json_real(metrics->values[i].value));
	return object;
}

static void send_payload(struct ktstr *t, const struct payload_run *run)
{
	const struct ktstr_proc_result *r = run->result;
	json_t *object =
		json_pack("{s:i, s:I, s:b, s:b, s:o, s:I, s:I, s:b}", "pid", (int)run->pid,
			  "wall_ns", (json_int_t)r->wall_ns, "killed", (int)r->killed,
			  "left_running", (int)run->left_running, "metrics",
			  metrics_object(run->metrics), "stdout_bytes", (json_int_t)r->stdout_bytes,
			  "stderr_bytes", (json_int_t)r->stderr_bytes, "cut", (int)r->output_cut);

	set_text(object, "name", run->payload->name);
	if (r->exited)
		json_object_set_new(object, "exit", json_integer(r->exit_code));
	else if (r->signal)
		json_object_set_new(object, "signal", json_integer(r->signal));
	if (run->words[0])
		set_text(object, "words", run->words);
	body_send(t, RECORD_PAYLOAD, object);
}

static void send_values(struct ktstr *t, const struct payload_run *run)
{
	for (int i = 0; i < KTSTR_PAYLOAD_METRICS; i++) {
		const struct ktstr_metric_hint *h = &run->payload->metrics[i];
		_cleanup_free_ char *name = NULL;
		double value;

		if (!h->name || !run->metrics || metrics_get(run->metrics, h->name, &value) < 0 ||
		    !payload_value_is_sane(run->payload, h->name, value))
			continue;
		name = path_format("%s.%s", run->payload->name, h->name);
		ktstr_measured(t, name ? name : h->name, value, h->unit);
	}
}

static void send_check(struct ktstr *t, const struct payload_finding *f)
{
	bool ok = f->verdict == KTSTR_PASS;
	json_t *object = json_pack("{s:b, s:i}", "ok", ok, "line", (int)t->entry->line);

	t->nr_checks++;
	t->nr_failed += !ok;
	set_text(object, "file", t->entry->file);
	set_text(object, "text", f->text);
	if (f->actual[0])
		set_text(object, "actual", f->actual);
	if (f->bound[0])
		set_text(object, "bound", f->bound);
	if (f->why[0])
		set_text(object, "why", f->why);
	if (f->verdict == KTSTR_ERROR)
		json_object_set_new(object, "error", json_true());
	body_send(t, RECORD_CHECK, object);
}

static void send_findings(struct ktstr *t, const struct payload_run *run)
{
	const struct payload_end end = {
		.result = run->result,
		.metrics = run->metrics,
		.metrics_error = run->metrics_failed ? run->metrics_error.text : NULL,
		.nothing_said = run->metrics_failed == -ENODATA,
	};
	struct payload_finding findings[PAYLOAD_FINDINGS];
	unsigned int nr = payload_judge(run->payload, &end, findings);

	for (unsigned int i = 0; i < nr; i++) {
		if (findings[i].verdict == KTSTR_UNDECIDED)
			ktstr_undecided(t, "%s: %s", findings[i].text, findings[i].why);
		else
			send_check(t, &findings[i]);
	}
}

static void send_notes(struct ktstr *t, const struct payload_run *run)
{
	const char *name = run->payload->name;

	if (run->leftovers)
		ktstr_note(t,
			   "payload '%s' (pid %d) left processes of its group behind; killed: %s",
			   name, (int)run->pid, run->leftovers);
	if (run->metrics_failed)
		ktstr_note(t, "payload '%s': no metrics: %s", name, run->metrics_error.text);
	if (run->metrics && run->metrics->dropped)
		ktstr_note(t,
			   "payload '%s': %u metrics were dropped: over the limit of %d, too deep "
			   "or too long a name",
			   name, run->metrics->dropped, KTSTR_PAYLOAD_VALUES);
}

static unsigned int count_checks(const struct ktstr_payload *payload)
{
	unsigned int nr = 0;

	for (int i = 0; i < KTSTR_PAYLOAD_CHECKS; i++)
		nr += payload->checks[i].kind != KTSTR_CHECK_NONE;
	return nr;
}

void payload_record(struct ktstr *t, const struct payload_run *run)
{
	unsigned int nr_checks = count_checks(run->payload);

	send_payload(t, run);
	if (!run->left_running) {
		send_values(t, run);
		send_findings(t, run);
	} else if (nr_checks > 0) {
		ktstr_undecided(t,
				"payload '%s' was still running when its scope ended, so its "
				"declared checks (%u) were not judged: wait for it, or kill it "
				"when it is done",
				run->payload->name, nr_checks);
	}
	send_notes(t, run);
}
