// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

enum { CPUSET_CPUS = CPUSET_WORDS * 64, LIST_TEXT = 1024, PERCENT = 100 };

enum form {
	FORM_ALL,
	FORM_LIST,
	FORM_LLC,
	FORM_NODE,
	FORM_CORE,
	FORM_SMT,
	FORM_RANGE,
	FORM_DISJOINT,
	FORM_OVERLAP,
	FORM_ONE,
	FORM_RANDOM
};

/* What was read.  number: of a part, group or CPU, or how many; of: how many parts there are. */
struct cpu_words {
	const char *text;
	enum form form;
	uint32_t number, of, percent;
	struct cpuset list;
};

struct among {
	uint32_t nr;
	uint32_t cpus[CPUSET_CPUS];
};

uint32_t cpuset_count(const struct cpuset *set)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < CPUSET_WORDS; i++)
		nr += (uint32_t)__builtin_popcountll(set->bits[i]);
	return nr;
}

const char *cpuset_format(const struct cpuset *set, char *buf, size_t size)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (uint32_t cpu = 0; cpu < CPUSET_CPUS; cpu++)
		if (cpuset_has(set, cpu))
			CPU_SET((int)cpu, &cpus);
	format_cpulist(&cpus, buf, size);
	return buf;
}

int cpuset_parse(const char *text, struct cpuset *ret_set)
{
	struct cpuset set = { 0 };
	cpu_set_t cpus;
	int r = parse_cpulist(text, &cpus);

	if (r < 0)
		return r;
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		if (cpu >= CPUSET_CPUS)
			return -ERANGE;
		cpuset_add(&set, cpu);
	}
	*ret_set = set;
	return 0;
}

void cpuset_of_shape(const struct ktstr_shape *shape, struct cpuset *ret_set)
{
	struct cpuset set = { 0 };

	for (uint32_t i = 0; i < shape->nr_cpus; i++)
		cpuset_add(&set, shape->cpus[i].cpu);
	*ret_set = set;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Digits up to @end, which is skipped; NULL: whatever follows is left. */
static int number(const char **text, const char *end, uint32_t *ret_value)
{
	char digits[12];
	size_t len = strspn(*text, "0123456789");
	uint32_t value;

	if (!len || len >= sizeof(digits) || strncmp(*text + len, end, strlen(end)) != 0)
		return -EINVAL;
	memcpy(digits, *text, len);
	digits[len] = '\0';
	if (parse_u32(digits, &value) < 0)
		return -EINVAL;
	*text += len + strlen(end);
	*ret_value = value;
	return 0;
}

static int read_number(const char *p, struct cpu_words *w)
{
	int r = number(&p, "", &w->number);

	return r < 0 || *p ? -EINVAL : 0;
}

static int read_list(const char *p, struct cpu_words *w)
{
	int r = cpuset_parse(p, &w->list);

	return r < 0 ? r : *p ? 0 : -EINVAL;
}

static int read_range(const char *p, struct cpu_words *w)
{
	if (number(&p, "-", &w->number) < 0 || number(&p, "%", &w->of) < 0 || *p)
		return -EINVAL;
	return w->number < w->of && w->of <= PERCENT ? 0 : -ERANGE;
}

static int read_part(const char *p, struct cpu_words *w)
{
	bool overlap = w->form == FORM_OVERLAP;

	if (number(&p, "/", &w->number) < 0 || number(&p, overlap ? ":" : "", &w->of) < 0)
		return -EINVAL;
	if (overlap && number(&p, "%", &w->percent) < 0)
		return -EINVAL;
	if (*p)
		return -EINVAL;
	if (overlap && (!w->percent || w->percent > PERCENT))
		return -ERANGE;
	return w->number < w->of ? 0 : -ERANGE;
}

static int read_amount(const char *p, struct cpu_words *w)
{
	int r = read_number(p, w);

	return r < 0 ? r : w->number ? 0 : -ERANGE;
}

static const struct {
	const char *prefix;
	int (*read)(const char *p, struct cpu_words *w); /* NULL: nothing may follow */
	enum form form;
} forms[] = {
	{ "all", NULL, FORM_ALL },
	{ "inherit", NULL, FORM_ALL },
	{ "cpus:", read_list, FORM_LIST },
	{ "llc:", read_number, FORM_LLC },
	{ "node:", read_number, FORM_NODE },
	{ "core:", read_number, FORM_CORE },
	{ "smt:", read_number, FORM_SMT },
	{ "range:", read_range, FORM_RANGE },
	{ "disjoint:", read_part, FORM_DISJOINT },
	{ "overlap:", read_part, FORM_OVERLAP },
	{ "one:", read_number, FORM_ONE },
	{ "random:", read_amount, FORM_RANDOM },
};

static int read_words(const char *text, struct cpu_words *ret_words, struct ktstr_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct cpu_words w = { .text = text, .form = forms[i].form };
		size_t len = strlen(forms[i].prefix);
		int r;

		if (forms[i].read ? strncmp(text, forms[i].prefix, len) != 0
				  : strcmp(text, forms[i].prefix) != 0)
			continue;
		r = forms[i].read ? forms[i].read(text + len, &w) : 0;
		if (r == -EINVAL)
			break;
		if (r < 0)
			return ktstr_error_set(
				err, -ERANGE,
				"CPUs '%s': a part, share or CPU that cannot be; parts "
				"count from 0, shares go to 100%%, CPUs to %d",
				text, CPUSET_CPUS - 1);
		*ret_words = w;
		return 0;
	}
	return ktstr_error_set(
		err, -EINVAL,
		"CPUs '%s' are not understood; wanted is 'all', 'inherit', 'cpus:0-3,7', "
		"'llc:N', 'node:N', 'core:N', 'smt:N', 'range:25-75%%', 'disjoint:0/2', "
		"'overlap:0/2:50%%', 'one:N' or 'random:N'",
		text);
}

/* --- resolving --------------------------------------------------------------------------------- */

static uint32_t group_of(const struct ktstr_shape_cpu *c, enum form form)
{
	return form == FORM_LLC ? c->llc : form == FORM_NODE ? c->node : c->core;
}

/* Groups count in the order of their first CPU. */
static void add_group(const struct ktstr_shape *shape, const struct cpu_words *w,
		      struct cpuset *ret_set)
{
	struct cpuset seen = { 0 };
	uint32_t nr = 0;

	for (uint32_t i = 0; i < shape->nr_cpus; i++) {
		uint32_t group = group_of(&shape->cpus[i], w->form);

		if (cpuset_has(&seen, group))
			continue;
		cpuset_add(&seen, group);
		if (nr++ != w->number)
			continue;
		for (uint32_t j = i; j < shape->nr_cpus; j++)
			if (group_of(&shape->cpus[j], w->form) == group)
				cpuset_add(ret_set, shape->cpus[j].cpu);
		return;
	}
}

static void add_threads(const struct ktstr_shape *shape, uint32_t thread, struct cpuset *ret_set)
{
	for (uint32_t i = 0; i < shape->nr_cpus; i++) {
		uint32_t before = 0;

		for (uint32_t j = 0; j < i; j++)
			before += shape->cpus[j].core == shape->cpus[i].core;
		if (before == thread)
			cpuset_add(ret_set, shape->cpus[i].cpu);
	}
}

/* From @first, @nr of them, round the end. */
static void add_span(const struct among *among, uint32_t first, uint32_t nr, struct cpuset *ret_set)
{
	for (uint32_t i = 0; i < nr && i < among->nr; i++)
		cpuset_add(ret_set, among->cpus[(first + i) % among->nr]);
}

static void add_range(const struct among *among, const struct cpu_words *w, struct cpuset *ret_set)
{
	uint32_t first = among->nr * w->number / PERCENT, end = among->nr * w->of / PERCENT;

	add_span(among, first, end > first ? end - first : 1, ret_set);
}

static int add_part(const struct among *among, const struct cpu_words *w, struct cpuset *ret_set,
		    struct ktstr_error *err)
{
	uint32_t first, nr;

	if (w->of > among->nr)
		return ktstr_error_set(
			err, -ERANGE,
			"CPUs '%s': %u parts cannot be made of %u CPUs; ask for fewer", w->text,
			w->of, among->nr);
	first = among->nr * w->number / w->of;
	nr = among->nr * (w->number + 1) / w->of - first;
	nr += (nr * w->percent + PERCENT - 1) / PERCENT;
	add_span(among, first, nr, ret_set);
	return 0;
}

static int add_random(struct among *among, const struct cpu_words *w, struct prng *chance,
		      struct cpuset *ret_set, struct ktstr_error *err)
{
	if (w->number > among->nr)
		return ktstr_error_set(err, -ERANGE, "CPUs '%s': there are only %u", w->text,
				       among->nr);
	for (uint32_t i = 0; i < w->number; i++) {
		uint32_t pick = chance ? i + (uint32_t)prng_below(chance, among->nr - i) : i;
		uint32_t cpu = among->cpus[pick];

		among->cpus[pick] = among->cpus[i];
		cpuset_add(ret_set, cpu);
	}
	return 0;
}

static int pick(struct among *among, const struct cpu_words *w, struct prng *chance,
		struct cpuset *ret_set, struct ktstr_error *err)
{
	switch (w->form) {
	case FORM_RANGE:
		add_range(among, w, ret_set);
		return 0;
	case FORM_DISJOINT:
	case FORM_OVERLAP:
		return add_part(among, w, ret_set, err);
	case FORM_RANDOM:
		return add_random(among, w, chance, ret_set, err);
	case FORM_ONE:
		if (w->number < among->nr)
			cpuset_add(ret_set, among->cpus[w->number]);
		return 0;
	default:
		add_span(among, 0, among->nr, ret_set);
		return 0;
	}
}

/* Names what is wanted but not there. */
static int check_list(const struct cpu_words *w, const struct cpuset *within,
		      struct ktstr_error *err)
{
	char have[LIST_TEXT];

	for (uint32_t cpu = 0; cpu < CPUSET_CPUS; cpu++)
		if (cpuset_has(&w->list, cpu) && !cpuset_has(within, cpu))
			return ktstr_error_set(err, -ERANGE,
					       "CPUs '%s': CPU %u is not among CPUs %s", w->text,
					       cpu, cpuset_format(within, have, sizeof(have)));
	return 0;
}

static int resolve(const struct cpu_words *w, const struct ktstr_shape *shape,
		   const struct cpuset *within, struct prng *chance, struct cpuset *ret_set,
		   struct ktstr_error *err)
{
	struct among among = { 0 };

	switch (w->form) {
	case FORM_LIST:
		*ret_set = w->list;
		return check_list(w, within, err);
	case FORM_LLC:
	case FORM_NODE:
	case FORM_CORE:
		add_group(shape, w, ret_set);
		return 0;
	case FORM_SMT:
		add_threads(shape, w->number, ret_set);
		return 0;
	default:
		for (uint32_t cpu = 0; cpu < CPUSET_CPUS; cpu++)
			if (cpuset_has(within, cpu))
				among.cpus[among.nr++] = cpu;
		return among.nr ? pick(&among, w, chance, ret_set, err) : 0;
	}
}

int words_cpus(const char *words, const struct ktstr_shape *shape, const struct cpuset *within,
	       struct prng *chance, struct cpuset *ret_set, struct ktstr_error *err)
{
	struct cpuset set = { 0 };
	struct cpu_words w = { 0 };
	char have[LIST_TEXT];
	int r = read_words(words, &w, err);

	if (r < 0 || !shape)
		return r;
	r = resolve(&w, shape, within, chance, &set, err);
	if (r < 0)
		return r;
	cpuset_cut(&set, within);
	if (!cpuset_count(&set))
		return ktstr_error_set(err, -ERANGE, "CPUs '%s' are none of CPUs %s", words,
				       cpuset_format(within, have, sizeof(have)));
	*ret_set = set;
	return 0;
}
