// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/row_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/parse.h"

enum { WORDS_MAX = 9, HINT_BYTES = NEAR_WORD + 32, BOUND_BYTES = 32 };

static const char *const units[] = { "_ns", "_percent", "_per_s" };

int work_type_find(const char *name, enum ktstr_work_type *ret_type, struct ktstr_error *err)
{
	struct near near = near_start(name);
	char hint[HINT_BYTES];

	for (int i = 0; i < KTSTR_WORK_TYPES; i++) {
		const char *known = ktstr_work_info((enum ktstr_work_type)i)->name;

		if (!strcmp(known, name)) {
			*ret_type = (enum ktstr_work_type)i;
			return 0;
		}
		near_offer(&near, known);
	}
	return ktstr_error_set(err, -EINVAL, "no work type '%s'%s", name,
			       near_hint(&near, hint, sizeof(hint)));
}

int step_op_find(const char *name, enum ktstr_step_op_kind *ret_kind, struct ktstr_error *err)
{
	struct near near = near_start(name);
	char hint[HINT_BYTES];

	for (int i = KTSTR_OP_none + 1; i < KTSTR_OP_KINDS; i++) {
		const char *known = ktstr_step_op_info((enum ktstr_step_op_kind)i)->name;

		if (!strcmp(known, name)) {
			*ret_kind = (enum ktstr_step_op_kind)i;
			return 0;
		}
		near_offer(&near, known);
	}
	return ktstr_error_set(err, -EINVAL, "no operation '%s'%s", name,
			       near_hint(&near, hint, sizeof(hint)));
}

static bool is_check(const char *known, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(known, name, len))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(known + len, units[i]))
			return true;
	return !known[len];
}

int check_find(const char *name, enum ktstr_check_id *ret_check, struct ktstr_error *err)
{
	struct near near = near_start(name);
	char hint[HINT_BYTES];

	for (int i = KTSTR_JUDGE_none + 1; i < KTSTR_JUDGE_CHECKS; i++) {
		const char *known = ktstr_check_info((enum ktstr_check_id)i)->name;

		if (is_check(known, name)) {
			*ret_check = (enum ktstr_check_id)i;
			return 0;
		}
		near_offer(&near, known);
	}
	return ktstr_error_set(err, -EINVAL, "no check '%s'%s", name,
			       near_hint(&near, hint, sizeof(hint)));
}

/* --- words of a line ------------------------------------------------------------------------- */

struct words {
	char copy[2 * ROW_TEXT_BYTES];
	const char *items[WORDS_MAX];
	size_t nr, next;
};

static bool is_relation(const char *p)
{
	return (p[0] == '<' || p[0] == '>') && p[1] == '=';
}

static size_t word_length(const char *p)
{
	size_t n = 0;

	if (is_relation(p))
		return 2;
	while (p[n] && !isspace((unsigned char)p[n]) && !is_relation(p + n))
		n++;
	return n;
}

static int split(const char *text, struct words *words, struct ktstr_error *err)
{
	char *out = words->copy;

	words->nr = words->next = 0;
	if (strlen(text) >= ROW_TEXT_BYTES)
		return ktstr_error_set(err, -E2BIG, "a line of more than %d bytes",
				       ROW_TEXT_BYTES - 1);
	for (const char *p = text; *p;) {
		size_t n = word_length(p);

		if (n == 0) {
			p++;
			continue;
		}
		if (words->nr == WORDS_MAX)
			return ktstr_error_set(err, -EINVAL, "'%s': too many words", text);
		memcpy(out, p, n);
		out[n] = '\0';
		words->items[words->nr++] = out;
		out += n + 1;
		p += n;
	}
	return words->nr ? 0 : ktstr_error_set(err, -EINVAL, "an empty line");
}

static const char *next_word(struct words *words)
{
	return words->next < words->nr ? words->items[words->next++] : "";
}

static bool take_word(struct words *words, const char *word)
{
	if (words->next == words->nr || strcmp(words->items[words->next], word) != 0)
		return false;
	words->next++;
	return true;
}

static int keep(const struct row_memory *memory, const char *text, const char **ret_text,
		struct ktstr_error *err)
{
	char *copy = memory->alloc(memory->arg, strlen(text) + 1);

	if (!copy)
		return ktstr_error_nomem(err);
	memcpy(copy, text, strlen(text) + 1);
	*ret_text = copy;
	return 0;
}

/* --- bounds ---------------------------------------------------------------------------------- */

static int number_of(const char *text, const char *suffix, double *ret_value)
{
	char digits[BOUND_BYTES];
	size_t len = strlen(text), end = strlen(suffix);
	char *stop;
	double value;

	if (len > end && !strcmp(text + len - end, suffix))
		len -= end;
	if (len == 0 || len >= sizeof(digits) || strspn(text, "0123456789.") < len)
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	value = strtod(digits, &stop);
	if (*stop || stop == digits || !isfinite(value))
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int time_of(const char *text, double *ret_value)
{
	size_t len = strlen(text);
	uint64_t ns;

	if (len == 0 || !isalpha((unsigned char)text[len - 1]) || parse_duration_ns(text, &ns) < 0)
		return -EINVAL;
	*ret_value = (double)ns;
	return 0;
}

int demand_parse_bound(enum ktstr_check_id check, const char *text, double *ret_bound,
		       struct ktstr_error *err)
{
	const struct ktstr_check_info *info = ktstr_check_info(check);
	const char *like = "100";
	int r;

	if (!strcmp(info->unit, "ns")) {
		r = time_of(text, ret_bound);
		like = "50ms";
	} else if (!strcmp(info->unit, "%")) {
		r = number_of(text, "%", ret_bound);
		like = "20%";
	} else {
		r = number_of(text, "/s", ret_bound);
	}
	if (r < 0)
		return ktstr_error_set(err, -EINVAL, "'%s' is no bound of %s; one is written '%s'",
				       text, info->name, like);
	return 0;
}

static const char *format_time(uint64_t ns, char *buf, size_t size)
{
	static const struct {
		uint64_t ns;
		const char *unit;
	} times[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
	size_t i = 0;

	while (i < 3 && (ns < times[i].ns || ns % times[i].ns))
		i++;
	snprintf(buf, size, "%llu%s", (unsigned long long)(ns / times[i].ns), times[i].unit);
	return buf;
}

const char *demand_format_bound(enum ktstr_check_id check, double bound, char *buf, size_t size)
{
	const char *unit = ktstr_check_info(check)->unit;

	if (!strcmp(unit, "ns") && bound >= 0 && bound < 1e18)
		return format_time((uint64_t)bound, buf, size);
	snprintf(buf, size, "%.10g%s", bound, strcmp(unit, "iterations") ? unit : "");
	return buf;
}

/* --- demands --------------------------------------------------------------------------------- */

static const char *relation_text(const struct ktstr_check_info *info)
{
	return info->relation == KTSTR_BOUND_ABOVE   ? "<="
	       : info->relation == KTSTR_BOUND_BELOW ? ">="
						     : "";
}

static int parse_bound(struct words *words, struct ktstr_demand *demand, struct ktstr_error *err)
{
	const struct ktstr_check_info *info = ktstr_check_info(demand->check);
	bool given = words->next < words->nr && is_relation(words->items[words->next]);

	if (demand->off || info->relation == KTSTR_HOLDS_ALWAYS)
		return given ? ktstr_error_set(err, -EINVAL, "%s has no bound %s", info->name,
					       demand->off ? "when it is not demanded" : "at all")
			     : 0;
	if (!given || strcmp(next_word(words), relation_text(info)) != 0)
		return ktstr_error_set(err, -EINVAL, "%s has a bound, '%s %s ...'", info->name,
				       info->name, relation_text(info));
	return demand_parse_bound(demand->check, next_word(words), &demand->bound, err);
}

static int parse_names(struct words *words, const struct row_memory *memory,
		       struct ktstr_demand *demand, struct ktstr_error *err)
{
	bool of_cgroup = ktstr_check_info(demand->check)->subject == KTSTR_SUBJECT_CGROUP;
	int r = 0;

	if (take_word(words, "for")) {
		if (words->nr - words->next > 1 && take_word(words, "cgroup"))
			of_cgroup = true;
		else if (words->nr - words->next > 1 && take_word(words, "work"))
			of_cgroup = false;
		r = keep(memory, next_word(words), of_cgroup ? &demand->cgroup : &demand->work,
			 err);
	}
	if (r == 0 && take_word(words, "in"))
		r = keep(memory, next_word(words), &demand->step, err);
	return r;
}

static bool is_empty(const char *name)
{
	return name && !*name;
}

int demand_parse(const char *text, const struct row_memory *memory, struct ktstr_demand *ret_demand,
		 struct ktstr_error *err)
{
	struct ktstr_demand demand = { 0 };
	struct words words;
	int r = split(text, &words, err);

	if (r < 0)
		return r;
	demand.off = take_word(&words, "not");
	r = check_find(next_word(&words), &demand.check, err);
	if (r == 0)
		r = parse_bound(&words, &demand, err);
	if (r == 0)
		r = parse_names(&words, memory, &demand, err);
	if (r < 0)
		return r;
	if (words.next < words.nr || is_empty(demand.work) || is_empty(demand.cgroup) ||
	    is_empty(demand.step))
		return ktstr_error_set(
			err, -EINVAL,
			"'%s': a demand is '[not] CHECK [<= BOUND] [for [work|cgroup] "
			"NAME] [in STEP]'",
			text);
	*ret_demand = demand;
	return 0;
}

const char *demand_format(const struct ktstr_demand *demand, char *buf, size_t size)
{
	const struct ktstr_check_info *info = ktstr_check_info(demand->check);
	bool bounded = !demand->off && info->relation != KTSTR_HOLDS_ALWAYS;
	char bound[BOUND_BYTES] = "";

	if (bounded)
		demand_format_bound(demand->check, demand->bound, bound, sizeof(bound));
	snprintf(buf, size, "%s%s%s%s%s%s%s%s%s%s%s%s", demand->off ? "not " : "", info->name,
		 bounded ? " " : "", bounded ? relation_text(info) : "", bounded ? " " : "", bound,
		 demand->work ? " for work " : "", demand->work ? demand->work : "",
		 demand->cgroup ? " for cgroup " : "", demand->cgroup ? demand->cgroup : "",
		 demand->step ? " in " : "", demand->step ? demand->step : "");
	return buf;
}

/* --- operations ------------------------------------------------------------------------------ */

static const char *word_noun(enum ktstr_op_word word)
{
	static const char *const nouns[] = { "",     "CGROUP", "WORK",	 "CPU",	  "CPUS",
					     "MEMS", "POLICY", "NUMBER", "QUOTA", "SCHEDULER" };

	return (size_t)word < sizeof(nouns) / sizeof(nouns[0]) ? nouns[word] : "";
}

int step_op_parse(const char *text, const struct row_memory *memory, struct ktstr_step_op *ret_op,
		  struct ktstr_error *err)
{
	struct ktstr_step_op op = { 0 };
	const struct ktstr_step_op_info *info;
	struct words words;
	size_t expected;
	int r = split(text, &words, err);

	if (r == 0)
		r = step_op_find(next_word(&words), &op.kind, err);
	if (r < 0)
		return r;
	info = ktstr_step_op_info(op.kind);
	expected = 1 + (info->target != KTSTR_WORD_NONE) + (info->argument != KTSTR_WORD_NONE);
	if (words.nr != expected)
		return ktstr_error_set(err, -EINVAL, "'%s': it is '%s%s%s%s%s'", text, info->name,
				       info->target ? " " : "", word_noun(info->target),
				       info->argument ? " " : "", word_noun(info->argument));
	if (info->target)
		r = keep(memory, next_word(&words), &op.target, err);
	if (r == 0 && info->argument)
		r = keep(memory, next_word(&words), &op.argument, err);
	if (r == 0)
		*ret_op = op;
	return r;
}
