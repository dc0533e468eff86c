// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/ctprof_condition.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

enum { MAX_DIGITS = 18 };

struct scan {
	const char *text, *at;
	const struct ktstr_metric_info *info;
	struct ktstr_ctprof_condition *condition;
	struct ktstr_error *err;
};

struct unit {
	const char *name;
	double factor;
};

static int expected(const struct scan *s, const char *what)
{
	if (!*s->at)
		return ktstr_error_set(s->err, -EINVAL, "condition '%s': %s expected at its end",
				       s->text, what);
	return ktstr_error_set(s->err, -EINVAL, "condition '%s': %s expected at '%s'", s->text,
			       what, s->at);
}

static void skip_blanks(struct scan *s)
{
	while (isspace((unsigned char)*s->at))
		s->at++;
}

static size_t word_length(const struct scan *s)
{
	size_t len = 0;

	while (isalnum((unsigned char)s->at[len]) || s->at[len] == '_')
		len++;
	return len;
}

static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if (word_length(s) != len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	skip_blanks(s);
	return true;
}

static int take_metric(struct scan *s)
{
	enum ktstr_ctprof_kind kind;
	size_t len = word_length(s);

	if (!len)
		return expected(s, "a metric");
	s->info = columns_info(s->at, len, &kind);
	if (!s->info)
		return columns_unknown(s->at, len, s->err);
	if (kind == KTSTR_CTPROF_KIND_TEXT || kind == KTSTR_CTPROF_KIND_CGROUP_TEXT ||
	    kind == KTSTR_CTPROF_KIND_HOST_TEXT)
		return ktstr_error_set(s->err, -EINVAL, "condition '%s': %s is no number", s->text,
				       s->info->name);
	snprintf(s->condition->metric, sizeof(s->condition->metric), "%s", s->info->name);
	s->at += len;
	skip_blanks(s);
	return 0;
}

static int take_operator(struct scan *s)
{
	if (*s->at != '<' && *s->at != '>')
		return expected(s, "one of > >= < <=");
	s->condition->less = *s->at++ == '<';
	s->condition->or_equal = *s->at == '=';
	s->at += s->condition->or_equal;
	skip_blanks(s);
	return 0;
}

static int take_number(struct scan *s)
{
	bool negative = *s->at == '-';
	double number = 0, scale = 1;
	int digits = 0;

	if (*s->at == '-' || *s->at == '+')
		s->at++;
	for (; isdigit((unsigned char)*s->at); s->at++, digits++)
		number = number * 10 + (*s->at - '0');
	if (digits && *s->at == '.' && isdigit((unsigned char)s->at[1])) {
		for (s->at++; isdigit((unsigned char)*s->at); s->at++, digits++) {
			scale *= 10;
			number = number * 10 + (*s->at - '0');
		}
	}
	if (!digits)
		return expected(s, "a number");
	if (digits > MAX_DIGITS)
		return ktstr_error_set(s->err, -EINVAL, "condition '%s': more than %d digits",
				       s->text, MAX_DIGITS);
	s->condition->number = (negative ? -number : number) / scale;
	return 0;
}

static const struct unit *find_unit(const struct scan *s, const struct unit *units, size_t len)
{
	for (; units->name; units++)
		if (strlen(units->name) == len && !memcmp(units->name, s->at, len))
			return units;
	return NULL;
}

/* How many of the metric's own unit a nanosecond is; 0: it is no time. */
static double per_ns(const char *unit)
{
	return !strcmp(unit, "ns")	? 1
	       : !strcmp(unit, "us")	? 1e-3
	       : !strcmp(unit, "ms")	? 1e-6
	       : !strcmp(unit, "ticks") ? 1e-7
					: 0;
}

static int take_percent(struct scan *s)
{
	const char *unit = s->info->unit;

	s->at++;
	if (!strcmp(unit, "ratio"))
		s->condition->number /= 100;
	else if (!strcmp(unit, "bp"))
		s->condition->number *= 100;
	else if (s->condition->subject == KTSTR_CTPROF_SUBJECT_CHANGE)
		s->condition->percent = true;
	else
		return ktstr_error_set(s->err, -EINVAL,
				       "condition '%s': only a change can be in percent", s->text);
	return 0;
}

static int take_unit(struct scan *s)
{
	static const struct unit times[] = { { "ns", 1 },      { "us", 1e3 }, { "ms", 1e6 },
					     { "s", 1e9 },     { "m", 60e9 }, { "h", 3600e9 },
					     { "d", 86400e9 }, { NULL, 0 } };
	static const struct unit sizes[] = {
		{ "B", 1 },	    { "K", 1024 },	    { "M", 1 << 20 },
		{ "G", 1 << 30 },   { "T", 1099511627776 }, { "KiB", 1024 },
		{ "MiB", 1 << 20 }, { "GiB", 1 << 30 },	    { "TiB", 1099511627776 },
		{ NULL, 0 }
	};
	static const struct unit counts[] = {
		{ "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { NULL, 0 }
	};
	double own = per_ns(s->info->unit);
	const struct unit *units = own > 0			     ? times
				   : !strcmp(s->info->unit, "bytes") ? sizes
				   : !*s->info->unit		     ? counts
								     : counts + 3;
	const struct unit *unit;
	size_t len;

	skip_blanks(s);
	if (*s->at == '%')
		return take_percent(s);
	len = word_length(s);
	if (!len || (len == 2 && !memcmp(s->at, "in", 2)))
		return 0;
	unit = find_unit(s, units, len);
	if (!unit)
		return ktstr_error_set(s->err, -EINVAL, "condition '%s': %s has no unit '%.*s'",
				       s->text, s->info->name, (int)len, s->at);
	s->condition->number *= unit->factor * (own > 0 ? own : 1);
	s->at += len;
	return 0;
}

static int take_groups(struct scan *s)
{
	static const enum ktstr_ctprof_group_by by[] = { KTSTR_CTPROF_BY_CGROUP,
							 KTSTR_CTPROF_BY_PROCESS,
							 KTSTR_CTPROF_BY_THREAD,
							 KTSTR_CTPROF_BY_NAME };

	skip_blanks(s);
	if (!*s->at)
		return 0;
	if (!take_word(s, "in"))
		return expected(s, "'in' and a group");
	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		const char *before = s->at;

		if (!take_word(s, ktstr_ctprof_group_by_name(by[i])))
			continue;
		if (*s->at) {
			s->condition->by = by[i];
			break;
		}
		/* A group of that name. */
		s->at = before;
	}
	if (!*s->at)
		return expected(s, "a group");
	if (strlen(s->at) >= sizeof(s->condition->glob))
		return ktstr_error_set(s->err, -EINVAL, "condition: a group of over %d bytes",
				       KTSTR_CTPROF_GLOB_BYTES - 1);
	snprintf(s->condition->glob, sizeof(s->condition->glob), "%s", s->at);
	s->condition->in_groups = true;
	return 0;
}

/* Cgroups have values of their own that the machine as a whole has not. */
static int check_groups(const struct scan *s)
{
	enum ktstr_ctprof_kind kind;
	struct ktstr_ctprof_condition *c = s->condition;

	columns_info(c->metric, strlen(c->metric), &kind);
	if (kind == KTSTR_CTPROF_KIND_CGROUP && !c->in_groups && strncmp(c->metric, "pressure_", 9))
		return ktstr_error_set(s->err, -EINVAL,
				       "condition '%s': %s is of cgroups, add 'in GLOB'", s->text,
				       c->metric);
	if (kind == KTSTR_CTPROF_KIND_CGROUP && c->in_groups)
		c->by = KTSTR_CTPROF_BY_CGROUP;
	if (kind == KTSTR_CTPROF_KIND_HOST && c->in_groups)
		return ktstr_error_set(s->err, -EINVAL,
				       "condition '%s': %s is of the machine, leave 'in' out",
				       s->text, c->metric);
	return 0;
}

int ktstr_ctprof_condition_parse(const char *text, struct ktstr_ctprof_condition *ret_condition,
				 struct ktstr_error *err)
{
	struct ktstr_ctprof_condition condition = { .by = KTSTR_CTPROF_BY_ALL };
	struct scan s = { .text = text, .at = text, .condition = &condition, .err = err };
	int r;

	skip_blanks(&s);
	if (take_word(&s, "before"))
		condition.subject = KTSTR_CTPROF_SUBJECT_BEFORE;
	else if (take_word(&s, "after"))
		condition.subject = KTSTR_CTPROF_SUBJECT_AFTER;
	else
		take_word(&s, "change");
	r = take_metric(&s);
	r = r < 0 ? r : take_operator(&s);
	r = r < 0 ? r : take_number(&s);
	r = r < 0 ? r : take_unit(&s);
	r = r < 0 ? r : take_groups(&s);
	r = r < 0 ? r : check_groups(&s);
	if (r < 0)
		return r;
	*ret_condition = condition;
	return 0;
}
