// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"

int evidence_init(struct evidence *e)
{
	*e = (struct evidence){
		.failed = json_array(),
		.notes = json_array(),
		.values = json_array(),
		.payloads = json_array(),
		.scenario = json_array(),
		.findings = json_array(),
		.errors = json_array(),
		.crash_where = STRBUF_INIT,
		.output_tail = STRBUF_INIT,
	};
	if (e->failed && e->notes && e->values && e->payloads && e->errors && e->scenario &&
	    e->findings)
		return 0;
	evidence_deinit(e);
	return -ENOMEM;
}

void evidence_deinit(struct evidence *e)
{
	json_decref(e->failed);
	json_decref(e->notes);
	json_decref(e->values);
	json_decref(e->payloads);
	json_decref(e->scenario);
	json_decref(e->findings);
	json_decref(e->errors);
	json_decref(e->inputs);
	free(e->kernel_release);
	free(e->shape_seen);
	free(e->shape_wanted);
	free(e->shape_why);
	free(e->skip_text);
	free(e->undecided_text);
	free(e->crash_address);
	free(e->timeout_tasks);
	free(e->end_text);
	free(e->damage);
	console_deinit(&e->console);
	strbuf_deinit(&e->crash_where);
	strbuf_deinit(&e->output_tail);
	*e = (struct evidence){ 0 };
}

void evidence_end(struct evidence *e, enum evidence_end end, const char *text)
{
	if (e->end != END_CLEAN)
		return;
	e->end = end;
	if (text && !e->end_text)
		e->end_text = strdup(text);
}

/* A copy of a required text; false if it is missing. */
static bool copy_text(const json_t *object, const char *key, char **slot)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return false;
	if (!*slot)
		*slot = strdup(text);
	return true;
}

static bool keep(json_t *list, size_t limit, json_t *object)
{
	return json_array_size(list) >= limit || json_array_append(list, object) == 0;
}

static bool on_hello(struct evidence *e, json_t *object)
{
	e->hello = true;
	e->hello_ns = clock_mono_ns();
	return copy_text(object, "kernel", &e->kernel_release);
}

static bool on_shape(struct evidence *e, json_t *object)
{
	const json_t *ok = json_object_get(object, "ok");

	e->shape_known = true;
	e->shape_wrong |= !json_is_true(ok);
	copy_text(object, "why", &e->shape_why);
	return json_is_boolean(ok) && copy_text(object, "seen", &e->shape_seen) &&
	       copy_text(object, "wanted", &e->shape_wanted);
}

static bool on_started(struct evidence *e, json_t *object)
{
	(void)object;
	e->started = true;
	e->started_ns = clock_mono_ns();
	return true;
}

static bool on_heartbeat(struct evidence *e, json_t *object)
{
	(void)e;
	(void)object;
	return true;
}

static bool on_check(struct evidence *e, json_t *object)
{
	const json_t *ok = json_object_get(object, "ok");

	if (!json_is_boolean(ok))
		return false;
	e->nr_checks++;
	if (json_is_true(ok))
		return true;
	e->nr_failed++;
	if (json_is_true(json_object_get(object, "error")))
		e->check_error = true;
	return keep(e->failed, EVIDENCE_FAILED, object);
}

static bool on_note(struct evidence *e, json_t *object)
{
	e->nr_notes++;
	return json_is_string(json_object_get(object, "text")) &&
	       keep(e->notes, EVIDENCE_NOTES, json_object_get(object, "text"));
}

static bool on_value(struct evidence *e, json_t *object)
{
	e->nr_values++;
	return json_is_string(json_object_get(object, "name")) &&
	       json_is_number(json_object_get(object, "value")) &&
	       keep(e->values, EVIDENCE_VALUES, object);
}

static bool on_skip(struct evidence *e, json_t *object)
{
	return copy_text(object, "text", &e->skip_text);
}

static bool on_undecided(struct evidence *e, json_t *object)
{
	return copy_text(object, "text", &e->undecided_text);
}

static bool on_payload(struct evidence *e, json_t *object)
{
	e->nr_payloads++;
	return json_is_string(json_object_get(object, "name")) &&
	       keep(e->payloads, EVIDENCE_PAYLOADS, object);
}

static void add_offset(struct evidence *e, const json_t *offset)
{
	if (json_is_integer(offset) && e->nr_crash_offsets < EVIDENCE_FRAMES)
		e->crash_offsets[e->nr_crash_offsets++] = (uint64_t)json_integer_value(offset);
}

static bool on_crash(struct evidence *e, json_t *object)
{
	const json_t *ip = json_object_get(object, "ip_offset");
	json_t *frames = json_object_get(object, "frames");
	json_int_t sig = json_integer_value(json_object_get(object, "signal"));
	json_t *frame;
	size_t i;

	if (sig < 1 || sig > 64)
		return false;
	e->crash_signal = (int)sig;
	e->nr_crash_offsets = 0;
	e->crash_ip_known = json_is_integer(ip);
	add_offset(e, ip);
	json_array_foreach(frames, i, frame) add_offset(e, frame);
	return copy_text(object, "address", &e->crash_address);
}

static bool on_done(struct evidence *e, json_t *object)
{
	const json_t *checks = json_object_get(object, "checks");

	e->done = true;
	if (json_is_integer(checks) && (uint64_t)json_integer_value(checks) > e->nr_checks)
		e->nr_checks = (uint64_t)json_integer_value(checks);
	return true;
}

static bool on_body_end(struct evidence *e, json_t *object)
{
	const json_t *code = json_object_get(object, "exit");
	const json_t *sig = json_object_get(object, "signal");

	e->body_ended = true;
	e->ended_ns = clock_mono_ns();
	e->body_exit = (int)json_integer_value(code);
	e->body_signal = (int)json_integer_value(sig);
	return json_is_integer(code) || json_is_integer(sig);
}

static bool on_timeout(struct evidence *e, json_t *object)
{
	const json_t *limit = json_object_get(object, "limit_ns");

	e->timed_out = true;
	e->timeout_limit_ns = (uint64_t)json_integer_value(limit);
	copy_text(object, "tasks", &e->timeout_tasks);
	return json_is_integer(limit);
}

static bool on_error(struct evidence *e, json_t *object)
{
	json_t *text = json_object_get(object, "text");

	return json_is_string(text) && keep(e->errors, EVIDENCE_ERRORS, text);
}

static bool on_bye(struct evidence *e, json_t *object)
{
	e->bye = true;
	e->bye_exit = (int)json_integer_value(json_object_get(object, "exit"));
	return true;
}

static bool on_scenario(struct evidence *e, json_t *object)
{
	e->nr_scenario++;
	if (json_array_size(e->scenario) >= EVIDENCE_SCENARIO)
		return true;
	return json_is_string(json_object_get(object, "kind")) &&
	       json_array_append(e->scenario, object) == 0;
}

static bool (*const handlers[RECORD_TYPES])(struct evidence *e, json_t *object) = {
	[RECORD_HELLO] = on_hello,	   [RECORD_SHAPE] = on_shape,
	[RECORD_STARTED] = on_started,	   [RECORD_HEARTBEAT] = on_heartbeat,
	[RECORD_CHECK] = on_check,	   [RECORD_NOTE] = on_note,
	[RECORD_VALUE] = on_value,	   [RECORD_SKIP] = on_skip,
	[RECORD_UNDECIDED] = on_undecided, [RECORD_PAYLOAD] = on_payload,
	[RECORD_CRASH] = on_crash,	   [RECORD_DONE] = on_done,
	[RECORD_BODY_END] = on_body_end,   [RECORD_TIMEOUT] = on_timeout,
	[RECORD_ERROR] = on_error,	   [RECORD_BYE] = on_bye,
	[RECORD_SCENARIO] = on_scenario,
};

/* The tail grows to twice its size and is then halved: no move per record. */
static void add_output(struct evidence *e, const struct record *record)
{
	if (record->length < 2)
		return;
	strbuf_add(&e->output_tail, record->payload + 1, record->length - 1);
	if (e->output_tail.len > (size_t)2 * EVIDENCE_OUTPUT_TAIL)
		strbuf_consume(&e->output_tail, e->output_tail.len - EVIDENCE_OUTPUT_TAIL);
}

static void add_time(struct evidence *e, const struct record *record)
{
	if (record->type == RECORD_HELLO && !e->first_virtual_ns)
		e->first_virtual_ns = record->time_ns;
	if (record->type == RECORD_STARTED)
		e->started_virtual_ns = record->time_ns;
	/* A body's record may be older than the agent's before it. */
	if (record->time_ns > e->last_virtual_ns)
		e->last_virtual_ns = record->time_ns;
	e->nr_events++;
}

uint64_t evidence_virtual_ns(const struct evidence *e)
{
	if (!e->first_virtual_ns || e->last_virtual_ns < e->first_virtual_ns)
		return 0;
	return e->last_virtual_ns - e->first_virtual_ns;
}

void evidence_add(struct evidence *e, const struct record *record)
{
	json_t *object;

	add_time(e, record);
	if (record->type == RECORD_OUTPUT) {
		add_output(e, record);
		return;
	}
	object = json_loadb(record->payload, record->length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object) || !handlers[record->type](e, object))
		if (!e->damage)
			e->damage =
				path_format("record %" PRIu64 " (%s) has not the form it must have",
					    record->seq, record_type_name(record->type));
	json_decref(object);
}
