// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static char *clean_or_null(const char *text)
{
	return text ? text_clean(text, TEXT_LONG_MAX) : NULL;
}

static char *dup_or_null(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The last lines of what the body wrote. */
static char *last_lines(const struct strbuf *output)
{
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;
	const char *start = strbuf_str(output), *p = start + output->len;
	unsigned int lines = 0;

	while (p > start && lines < RESULT_OUTPUT_LINES)
		if (*--p == '\n' && p[1])
			lines++;
	if (lines == RESULT_OUTPUT_LINES)
		p++;
	if (!*p)
		return NULL;
	text_add_clean(&clean, p, strlen(p), TEXT_LONG_MAX);
	return strbuf_take(&clean);
}

static uint64_t between(uint64_t from, uint64_t to)
{
	return from && to > from ? to - from : 0;
}

static int take_reasons(struct strbuf *reasons, struct result *result)
{
	while (reasons->len && reasons->data[reasons->len - 1] == '\n')
		reasons->data[--reasons->len] = '\0';
	result->reasons = strbuf_take(reasons);
	return result->reasons ? 0 : -ENOMEM;
}

void result_set_end(struct result *result, const char *word)
{
	snprintf(result->end, sizeof(result->end), "%s", word);
}

int result_from_evidence(struct evidence *e, const struct ktstr_entry *entry,
			 struct result *ret_result)
{
	_cleanup_verdict_ struct verdict verdict = VERDICT_INIT;

	verdict_judge(e, &verdict);
	*ret_result = (struct result){
		.name = strdup(entry->name),
		.about = dup_or_null(entry->test->about),
		.verdict = verdict.verdict,
		.failed = json_incref(e->failed),
		.notes = json_incref(e->notes),
		.values = json_incref(e->values),
		.payloads = json_incref(e->payloads),
		.findings = json_incref(e->findings),
		.nr_checks = e->nr_checks,
		.nr_failed = e->nr_failed,
		.nr_notes = e->nr_notes,
		.nr_values = e->nr_values,
		.hello_ns = between(e->start_ns, e->hello_ns),
		.body_ns = between(e->started_ns, e->ended_ns),
		.inputs = json_incref(e->inputs),
		.nr_events = e->nr_events,
		.virtual_ns = evidence_virtual_ns(e),
		.cloned = e->cloned,
		.kernel = clean_or_null(e->kernel_release),
		.no_capacity = e->end == END_NOT_STARTED && e->no_capacity,
	};
	result_set_end(ret_result, verdict.end);
	memcpy(ret_result->events_sha256, e->events_sha256, sizeof(e->events_sha256));
	if (verdict.console_matters)
		ret_result->console_tail = clean_or_null(e->console.tail);
	if (verdict.output_matters)
		ret_result->output_tail = last_lines(&e->output_tail);
	return take_reasons(&verdict.reasons, ret_result);
}

int result_without_run(const struct ktstr_entry *entry, enum ktstr_verdict verdict,
		       const char *reason, struct result *ret_result)
{
	*ret_result = (struct result){
		.name = strdup(entry->name),
		/* Built against other headers, nothing but the name may be looked at. */
		.about = entry->test_size == sizeof(struct ktstr_test)
				 ? dup_or_null(entry->test->about)
				 : NULL,
		.verdict = verdict,
		.reasons = text_clean(reason, TEXT_LONG_MAX),
	};
	result_set_end(ret_result, verdict == KTSTR_SKIP ? "skipped" : "not-started");
	return ret_result->reasons ? 0 : -ENOMEM;
}

void result_deinit(struct result *result)
{
	free(result->name);
	free(result->about);
	free(result->id);
	json_decref(result->inputs);
	free(result->reasons);
	json_decref(result->failed);
	json_decref(result->notes);
	json_decref(result->values);
	json_decref(result->payloads);
	json_decref(result->findings);
	free(result->kernel);
	free(result->console_tail);
	free(result->output_tail);
	free(result->folder);
	free(result->rerun);
	*result = (struct result){ 0 };
}

const char *result_label(const struct result *result)
{
	return result->id ? result->id : result->name;
}

char *result_headline(const struct result *result)
{
	const char *reasons = result->reasons ? result->reasons : "";

	return strndup(reasons, strcspn(reasons, "\n"));
}

const char *result_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

void totals_add(struct totals *totals, const struct result *result)
{
	totals->counts[result->verdict]++;
	totals->nr_no_capacity += result->no_capacity;
}

unsigned int totals_ran(const struct totals *totals)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(totals->counts); i++)
		nr += totals->counts[i];
	return nr;
}

json_t *totals_to_json(const struct totals *totals)
{
	const unsigned int *counts = totals->counts;
	json_t *object;

	object = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:b, s:i}", "type",
			   "summary", "version", RESULT_VERSION, "planned", (int)totals->planned,
			   "not_run", (int)(totals->planned - totals_ran(totals)), "passed",
			   (int)counts[KTSTR_PASS], "failed", (int)counts[KTSTR_FAIL], "errors",
			   (int)counts[KTSTR_ERROR], "skipped", (int)counts[KTSTR_SKIP],
			   "undecided", (int)counts[KTSTR_UNDECIDED], "duration_ns",
			   (json_int_t)totals->duration_ns, "interrupted", totals->interrupted,
			   "exit", (int)totals_exit(totals));
	if (!object)
		return NULL;
	if (totals->tests)
		json_object_set(object, "tests", totals->tests);
	set_text(object, "seeds", totals->seeds);
	set_text(object, "kernel", totals->kernel);
	set_text(object, "qemu", totals->qemu);
	set_text(object, "accelerator", totals->accelerator);
	return object;
}

const struct totals_part totals_parts[TOTALS_PARTS] = {
	{ KTSTR_PASS, "passed" },  { KTSTR_FAIL, "failed" },	     { KTSTR_ERROR, "errors" },
	{ KTSTR_SKIP, "skipped" }, { KTSTR_UNDECIDED, "undecided" },
};

enum ktstr_exit totals_exit(const struct totals *totals)
{
	const unsigned int *counts = totals->counts;

	if (totals->interrupted)
		return KTSTR_EXIT_INTERRUPTED;
	if (totals->time_over)
		return KTSTR_EXIT_TIMEOUT;
	if (totals->output_lost || totals->input_damaged)
		return KTSTR_EXIT_HARNESS;
	if (counts[KTSTR_FAIL])
		return KTSTR_EXIT_FAIL;
	if (counts[KTSTR_ERROR])
		return counts[KTSTR_ERROR] == totals->nr_no_capacity ? KTSTR_EXIT_CAPACITY
								     : KTSTR_EXIT_HARNESS;
	if (counts[KTSTR_UNDECIDED])
		return KTSTR_EXIT_UNDECIDED;
	if (!counts[KTSTR_PASS] && !totals->empty_shard)
		return KTSTR_EXIT_SKIP;
	return KTSTR_EXIT_PASS;
}
