// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/payload_check.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

static bool is_bound(enum ktstr_payload_check_kind kind)
{
	return kind == KTSTR_CHECK_AT_MOST || kind == KTSTR_CHECK_AT_LEAST;
}

static int validate_check(const struct ktstr_payload *p, const struct ktstr_payload_check *c,
			  struct ktstr_error *err)
{
	if ((unsigned int)c->kind > KTSTR_CHECK_PRESENT)
		return ktstr_error_set(err, -EINVAL, "payload '%s': check of unknown kind %d",
				       p->name, (int)c->kind);
	if (c->kind == KTSTR_CHECK_NONE || c->kind == KTSTR_CHECK_EXIT)
		return 0;
	if (!c->metric || !c->metric[0])
		return ktstr_error_set(err, -EINVAL, "payload '%s': a check names no metric",
				       p->name);
	if (p->output != KTSTR_OUTPUT_JSON)
		return ktstr_error_set(err, -EINVAL,
				       "payload '%s': a check on metric '%s' needs "
				       ".output = KTSTR_OUTPUT_JSON",
				       p->name, c->metric);
	if (is_bound(c->kind) && isnan(c->value))
		return ktstr_error_set(err, -EINVAL, "payload '%s': the bound of '%s' is NaN",
				       p->name, c->metric);
	return 0;
}

static int validate_hint(const struct ktstr_payload *p, const struct ktstr_metric_hint *h,
			 struct ktstr_error *err)
{
	if (!h->name || !h->bounded || h->min <= h->max)
		return 0;
	return ktstr_error_set(err, -EINVAL,
			       "payload '%s': sane bounds of '%s' are empty: %g to %g", p->name,
			       h->name, h->min, h->max);
}

int payload_validate(const struct ktstr_payload *payload, struct ktstr_error *err)
{
	int r = 0;

	if (!payload->name || !payload->name[0])
		return ktstr_error_set(err, -EINVAL, "a payload has no name: set .name");
	if (!payload->binary || !path_base(payload->binary)[0])
		return ktstr_error_set(err, -EINVAL, "payload '%s' has no binary: set .binary",
				       payload->name);
	for (int i = 0; i < KTSTR_PAYLOAD_CHECKS && r == 0; i++)
		r = validate_check(payload, &payload->checks[i], err);
	for (int i = 0; i < KTSTR_PAYLOAD_METRICS && r == 0; i++)
		r = validate_hint(payload, &payload->metrics[i], err);
	return r;
}

static bool flag_matches(const char *flag, const char *word)
{
	size_t len = strlen(flag);

	return !strncmp(flag, word, len) && (!word[len] || word[len] == '=');
}

static bool is_allowed(const struct ktstr_payload *p, const char *word)
{
	if (word[0] != '-' || !p->flags[0])
		return true;
	for (int i = 0; i < KTSTR_PAYLOAD_FLAGS && p->flags[i]; i++)
		if (flag_matches(p->flags[i], word))
			return true;
	return false;
}

static int refuse_flag(const struct ktstr_payload *p, const char *word, struct ktstr_error *err)
{
	char list[256] = "";
	size_t len = 0;

	for (int i = 0; i < KTSTR_PAYLOAD_FLAGS && p->flags[i] && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					p->flags[i]);
	return ktstr_error_set(err, -EINVAL, "payload '%s' does not allow '%s'; its flags are: %s",
			       p->name, word, list);
}

int payload_arguments(const struct ktstr_payload *payload, const char *const *added,
		      const char ***ret_argv, struct ktstr_error *err)
{
	const char **argv;
	size_t n = 0;

	for (; added && added[n]; n++) {
		if (n == KTSTR_PAYLOAD_CALL_ARGS)
			return ktstr_error_set(err, -EINVAL,
					       "payload '%s': more than %d arguments added",
					       payload->name, KTSTR_PAYLOAD_CALL_ARGS);
		if (!is_allowed(payload, added[n]))
			return refuse_flag(payload, added[n], err);
	}
	argv = calloc(1 + KTSTR_PAYLOAD_ARGS + n + 1, sizeof(*argv));
	if (!argv)
		return ktstr_error_nomem(err);
	n = 0;
	argv[n++] = path_base(payload->binary);
	for (int i = 0; i < KTSTR_PAYLOAD_ARGS && payload->args[i]; i++)
		argv[n++] = payload->args[i];
	for (; added && *added; added++)
		argv[n++] = *added;
	*ret_argv = argv;
	return 0;
}

static bool is_listed(const char *name, const char **names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

void payload_wanted_metrics(const struct ktstr_payload *payload, const char **names)
{
	size_t n = 0;

	for (int i = 0; i < KTSTR_PAYLOAD_CHECKS; i++) {
		const struct ktstr_payload_check *c = &payload->checks[i];

		if (c->kind > KTSTR_CHECK_EXIT && !is_listed(c->metric, names, n))
			names[n++] = c->metric;
	}
	for (int i = 0; i < KTSTR_PAYLOAD_METRICS; i++) {
		const char *name = payload->metrics[i].name;

		if (name && !is_listed(name, names, n))
			names[n++] = name;
	}
	names[n] = NULL;
}

__attribute__((format(printf, 3, 4))) static void say(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(buf, size, fmt, ap) >= (int)size)
		memcpy(buf + size - 4, "...", 4);
	va_end(ap);
}
#define SAY(field, ...) say(field, sizeof(field), __VA_ARGS__)

void payload_describe_end(const struct ktstr_payload *payload,
			  const struct ktstr_proc_result *result, char *buf, size_t size)
{
	const struct ktstr_exit_meaning *m = payload->exits;

	if (!result->exited && !result->signal) {
		say(buf, size, "ended, but something else collected its exit status");
		return;
	}
	if (!result->exited) {
		say(buf, size, "was killed by signal %d (%s)", result->signal,
		    sigdescr_np(result->signal) ? sigdescr_np(result->signal) : "unknown");
		return;
	}
	for (; m < payload->exits + KTSTR_PAYLOAD_EXITS && m->meaning; m++) {
		if (m->code == result->exit_code) {
			say(buf, size, "exited with %d (%s)", result->exit_code, m->meaning);
			return;
		}
	}
	say(buf, size, "exited with %d", result->exit_code);
}

static void format_number(char *buf, size_t size, double value)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(buf, size, "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			break;
	}
}

static const struct ktstr_metric_hint *find_hint(const struct ktstr_payload *p, const char *metric)
{
	for (int i = 0; i < KTSTR_PAYLOAD_METRICS; i++)
		if (p->metrics[i].name && !strcmp(p->metrics[i].name, metric))
			return &p->metrics[i];
	return NULL;
}

static bool is_insane(const struct ktstr_metric_hint *hint, double value)
{
	return hint && hint->bounded && (value < hint->min || value > hint->max);
}

bool payload_value_is_sane(const struct ktstr_payload *payload, const char *metric, double value)
{
	return !is_insane(find_hint(payload, metric), value);
}

static void judge_exit(const struct ktstr_payload *p, const struct ktstr_payload_check *c,
		       const struct payload_end *end, struct payload_finding *f)
{
	const struct ktstr_proc_result *r = end->result;

	SAY(f->text, "payload '%s' exits with %g", p->name, c->value);
	format_number(f->bound, sizeof(f->bound), c->value);
	payload_describe_end(p, r, f->actual, sizeof(f->actual));
	f->verdict = r->exited && r->exit_code == c->value ? KTSTR_PASS : KTSTR_FAIL;
	if (!r->exited && !r->signal) {
		f->verdict = KTSTR_ERROR;
		SAY(f->why, "the test or a library in it waits for all children");
	} else if (f->verdict == KTSTR_FAIL && r->killed) {
		SAY(f->why, "it was still running and was killed by the test");
	}
}

static void judge_missing(const struct ktstr_payload_check *c, const struct payload_end *end, int r,
			  struct payload_finding *f)
{
	bool unknown = r == -EOVERFLOW || end->result->output_cut ||
		       (end->metrics_error && !end->nothing_said);

	f->verdict = c->kind == KTSTR_CHECK_PRESENT && !unknown ? KTSTR_FAIL : KTSTR_UNDECIDED;
	if (r == -EOVERFLOW)
		SAY(f->why, "not among the metrics that were kept, and %u were dropped",
		    end->metrics->dropped);
	else if (end->metrics_error)
		SAY(f->why, "it was not reported: %s", end->metrics_error);
	else if (end->result->output_cut)
		SAY(f->why, "it is not in what was kept of the output, and some was left out");
	else
		SAY(f->why, "it was not reported");
}

static void judge_metric(const struct ktstr_payload *p, const struct ktstr_payload_check *c,
			 const struct payload_end *end, struct payload_finding *f)
{
	double value = 0;
	int r = end->metrics ? metrics_get(end->metrics, c->metric, &value) : -ENODATA;
	bool holds = true;

	if (c->kind == KTSTR_CHECK_PRESENT) {
		SAY(f->text, "payload '%s' reports %s", p->name, c->metric);
	} else {
		SAY(f->text, "payload '%s': %s %s %.10g", p->name, c->metric,
		    c->kind == KTSTR_CHECK_AT_MOST ? "<=" : ">=", c->value);
		format_number(f->bound, sizeof(f->bound), c->value);
		holds = c->kind == KTSTR_CHECK_AT_MOST ? value <= c->value : value >= c->value;
	}
	if (r < 0) {
		judge_missing(c, end, r, f);
		return;
	}
	format_number(f->actual, sizeof(f->actual), value);
	f->verdict = holds ? KTSTR_PASS : KTSTR_FAIL;
	if (!payload_value_is_sane(p, c->metric, value)) {
		f->verdict = KTSTR_ERROR;
		SAY(f->why, "the value is outside its sane bounds and is no result");
	}
}

static bool judge_hint(const struct ktstr_payload *p, const struct ktstr_metric_hint *h,
		       const struct payload_end *end, struct payload_finding *f)
{
	double value;

	if (!h->name || !end->metrics || metrics_get(end->metrics, h->name, &value) < 0 ||
	    !is_insane(h, value))
		return false;
	f->verdict = KTSTR_ERROR;
	SAY(f->text, "payload '%s': %s is sane", p->name, h->name);
	format_number(f->actual, sizeof(f->actual), value);
	SAY(f->bound, "%.10g to %.10g", h->min, h->max);
	SAY(f->why, "a value outside its sane bounds is no result%s%s", h->unit ? "; unit: " : "",
	    h->unit ? h->unit : "");
	return true;
}

unsigned int payload_judge(const struct ktstr_payload *payload, const struct payload_end *end,
			   struct payload_finding findings[PAYLOAD_FINDINGS])
{
	unsigned int n = 0;

	memset(findings, 0, PAYLOAD_FINDINGS * sizeof(findings[0]));
	/* The exit first: it often explains the rest. */
	for (int i = 0; i < KTSTR_PAYLOAD_CHECKS; i++)
		if (payload->checks[i].kind == KTSTR_CHECK_EXIT)
			judge_exit(payload, &payload->checks[i], end, &findings[n++]);
	for (int i = 0; i < KTSTR_PAYLOAD_METRICS; i++)
		n += judge_hint(payload, &payload->metrics[i], end, &findings[n]);
	for (int i = 0; i < KTSTR_PAYLOAD_CHECKS; i++)
		if (payload->checks[i].kind > KTSTR_CHECK_EXIT)
			judge_metric(payload, &payload->checks[i], end, &findings[n++]);
	return n;
}
