// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/body.h"

/* Every integer of 64 bits and every double is one long double: comparing there is exact. */
_Static_assert(LDBL_MANT_DIG >= 64, "long double must hold 64-bit integers");

static const char *const op_texts[] = {
	[KTSTR_EQ] = "==", [KTSTR_NE] = "!=", [KTSTR_LT] = "<",
	[KTSTR_LE] = "<=", [KTSTR_GT] = ">",  [KTSTR_GE] = ">=",
};

/* One CHECK record in the making. */
struct check {
	bool ok;
	bool error;
	const struct ktstr_site *site;
	struct strbuf text, actual, bound, why;
};

#define CHECK_INIT(site_)                                                                          \
	{                                                                                          \
		.site = (site_), .text = STRBUF_INIT, .actual = STRBUF_INIT, .bound = STRBUF_INIT, \
		.why = STRBUF_INIT                                                                 \
	}

static void check_deinit(struct check *check)
{
	strbuf_deinit(&check->text);
	strbuf_deinit(&check->actual);
	strbuf_deinit(&check->bound);
	strbuf_deinit(&check->why);
}
#define _cleanup_check_ __attribute__((cleanup(check_deinit)))

static void set_text(json_t *object, const char *key, const struct strbuf *value)
{
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;

	if (!value->len)
		return;
	text_add_clean(&clean, value->data, value->len, TEXT_MAX);
	json_object_set_new(object, key, json_string(strbuf_str(&clean)));
}

static void set_cstr(json_t *object, const char *key, const char *value, size_t max)
{
	_cleanup_free_ char *clean = text_clean(value, max);

	json_object_set_new(object, key, json_string(clean ? clean : ""));
}

static bool send_check(struct ktstr *t, const struct check *check)
{
	json_t *object;

	t->nr_checks++;
	t->nr_failed += !check->ok;
	if (check->ok ? t->nr_checks > BODY_CHECKS_SENT : t->nr_failed > BODY_OTHERS_SENT)
		return check->ok;
	object = json_pack("{s:b, s:i}", "ok", check->ok, "line", (int)check->site->line);
	set_cstr(object, "file", check->site->file, TEXT_MAX);
	json_object_set_new(object, "text", json_string(""));
	set_text(object, "text", &check->text);
	set_text(object, "actual", &check->actual);
	set_text(object, "bound", &check->bound);
	set_text(object, "why", &check->why);
	if (check->error)
		json_object_set_new(object, "error", json_true());
	body_send(t, RECORD_CHECK, object);
	return check->ok;
}

static void add_double(struct strbuf *out, double value)
{
	if (isnan(value))
		strbuf_addstr(out, "NaN");
	else
		text_add_number(out, value);
}

static void add_value(struct strbuf *out, struct ktstr_value value)
{
	switch (value.kind) {
	case KTSTR_VALUE_I64:
		strbuf_addf(out, "%" PRId64, value.i);
		return;
	case KTSTR_VALUE_U64:
		strbuf_addf(out, "%" PRIu64, value.u);
		return;
	case KTSTR_VALUE_F64:
		add_double(out, value.f);
		return;
	case KTSTR_VALUE_PTR:
		if (value.p)
			strbuf_addf(out, "%p", value.p);
		else
			strbuf_addstr(out, "NULL");
		return;
	}
}

static long double exact(struct ktstr_value value)
{
	switch (value.kind) {
	case KTSTR_VALUE_I64:
		return value.i;
	case KTSTR_VALUE_U64:
		return value.u;
	case KTSTR_VALUE_F64:
		return value.f;
	case KTSTR_VALUE_PTR:
		return (uintptr_t)value.p;
	}
	return NAN;
}

static bool holds(long double actual, enum ktstr_op op, long double bound)
{
	/* C says that NaN != 0: then what was never measured would pass. */
	if (isnan(actual) || isnan(bound))
		return false;
	switch (op) {
	case KTSTR_EQ:
		return actual == bound;
	case KTSTR_NE:
		return actual != bound;
	case KTSTR_LT:
		return actual < bound;
	case KTSTR_LE:
		return actual <= bound;
	case KTSTR_GT:
		return actual > bound;
	case KTSTR_GE:
		return actual >= bound;
	}
	return false;
}

bool ktstr_expect(struct ktstr *t, const struct ktstr_site *site, struct ktstr_value actual,
		  enum ktstr_op op, struct ktstr_value bound)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);

	strbuf_addf(&check.text, "%s %s %s", site->actual_text, op_texts[op], site->bound_text);
	add_value(&check.actual, actual);
	add_value(&check.bound, bound);
	check.ok = holds(exact(actual), op, exact(bound));
	return send_check(t, &check);
}

bool ktstr_expect_true(struct ktstr *t, const struct ktstr_site *site, bool actual, bool wanted)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);

	strbuf_addf(&check.text, "%s is %s", site->actual_text, wanted ? "true" : "false");
	strbuf_addstr(&check.actual, actual ? "true" : "false");
	strbuf_addstr(&check.bound, wanted ? "true" : "false");
	check.ok = actual == wanted;
	return send_check(t, &check);
}

static void add_quoted(struct strbuf *out, const char *text)
{
	if (!text) {
		strbuf_addstr(out, "NULL");
		return;
	}
	strbuf_addch(out, '"');
	text_add_clean(out, text, strlen(text), TEXT_MAX / 2);
	strbuf_addch(out, '"');
}

bool ktstr_expect_streq(struct ktstr *t, const struct ktstr_site *site, const char *actual,
			const char *bound)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);

	strbuf_addf(&check.text, "%s equals %s", site->actual_text, site->bound_text);
	add_quoted(&check.actual, actual);
	add_quoted(&check.bound, bound);
	check.ok = actual && bound ? strcmp(actual, bound) == 0 : actual == bound;
	return send_check(t, &check);
}

static void add_errno(struct strbuf *out, long result)
{
	const char *name = result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;

	strbuf_addf(out, "%ld", result);
	if (name && result < 0)
		strbuf_addf(out, " (%s: %s)", name, strerrordesc_np((int)-result));
}

bool ktstr_expect_ok(struct ktstr *t, const struct ktstr_site *site, long result)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);

	strbuf_addf(&check.text, "%s succeeds", site->actual_text);
	add_errno(&check.actual, result);
	strbuf_addstr(&check.bound, "0 or more");
	check.ok = result >= 0;
	if (!check.ok && t->pending.code == result) {
		check.error = true;
		strbuf_addstr(&check.why, t->pending.text);
	}
	t->pending.code = 0;
	return send_check(t, &check);
}

bool ktstr_expect_err(struct ktstr *t, const struct ktstr_site *site, long result, long wanted)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);

	strbuf_addf(&check.text, "%s fails with %s", site->actual_text, site->bound_text);
	add_errno(&check.actual, result);
	add_errno(&check.bound, wanted);
	check.ok = result == wanted;
	if (!check.ok && t->pending.code == result && result < 0)
		strbuf_addstr(&check.why, t->pending.text);
	t->pending.code = 0;
	return send_check(t, &check);
}

bool ktstr_expect_near(struct ktstr *t, const struct ktstr_site *site, double actual, double bound,
		       double tolerance)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);

	strbuf_addf(&check.text, "%s is near %s", site->actual_text, site->bound_text);
	add_double(&check.actual, actual);
	add_double(&check.bound, bound);
	strbuf_addstr(&check.bound, " within ");
	add_double(&check.bound, tolerance);
	/* Two equal infinities are near each other, though their difference is no number. */
	check.ok = actual == bound || fabs(actual - bound) <= tolerance;
	return send_check(t, &check);
}

void ktstr_fail_at(struct ktstr *t, const struct ktstr_site *site, const char *fmt, ...)
{
	_cleanup_check_ struct check check = CHECK_INIT(site);
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&check.why, fmt, ap);
	va_end(ap);
	if (!check.why.len)
		strbuf_addstr(&check.why, "failed without a reason");
	send_check(t, &check);
}

static void send_words(struct ktstr *t, enum record_type type, const char *fmt, va_list ap)
	KTSTR_PRINTF(3, 0);
static void send_words(struct ktstr *t, enum record_type type, const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT, clean = STRBUF_INIT;

	strbuf_vaddf(&words, fmt, ap);
	text_add_clean(&clean, strbuf_str(&words), words.len, TEXT_LONG_MAX);
	body_send(t, type, json_pack("{s:s}", "text", strbuf_str(&clean)));
}

void ktstr_skip(struct ktstr *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send_words(t, RECORD_SKIP, fmt, ap);
	va_end(ap);
}

void ktstr_undecided(struct ktstr *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send_words(t, RECORD_UNDECIDED, fmt, ap);
	va_end(ap);
}

void ktstr_note(struct ktstr *t, const char *fmt, ...)
{
	va_list ap;

	if (t->nr_notes++ >= BODY_OTHERS_SENT)
		return;
	va_start(ap, fmt);
	send_words(t, RECORD_NOTE, fmt, ap);
	va_end(ap);
}

static void refuse_value(struct ktstr *t, const char *name, double value)
{
	_cleanup_check_ struct check check =
		CHECK_INIT((&(const struct ktstr_site){ __FILE__, __LINE__, 0, "", "" }));

	check.error = true;
	strbuf_addf(&check.text, "measured value '%s' is a number", name);
	add_double(&check.actual, value);
	strbuf_addstr(&check.why, "a missing reading is not a value: leave it out instead");
	send_check(t, &check);
}

void ktstr_measured(struct ktstr *t, const char *name, double value, const char *unit)
{
	json_t *object;

	/* JSON has no infinities either. */
	if (!isfinite(value)) {
		refuse_value(t, name, value);
		return;
	}
	if (t->nr_values++ >= BODY_OTHERS_SENT)
		return;
	object = json_pack("{s:f}", "value", value);
	set_cstr(object, "name", name, TEXT_MAX);
	set_cstr(object, "unit", unit ? unit : "", TEXT_MAX);
	body_send(t, RECORD_VALUE, object);
}
