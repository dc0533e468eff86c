// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "check/judge_private.h"

enum { CPUS_TEXT = 128 };

/* "spin in left, allowed 0-3" */
static void add_kind(struct strbuf *out, const char *type, const char *cgroup,
		     const struct cpuset *allowed)
{
	char cpus[CPUS_TEXT];

	strbuf_addf(out, " (%s%s%s, allowed %s)", type, cgroup[0] ? " in " : "", cgroup,
		    cpuset_format(allowed, cpus, sizeof(cpus)));
}

void words_add_worker(struct strbuf *out, const struct rec_worker *w)
{
	strbuf_addf(out, "%s/%llu", w->work, (unsigned long long)w->index);
	add_kind(out, w->row->type, w->cgroup, &w->allowed);
}

void row_cpus(const struct rec_row *row, struct cpuset *ret_cpus)
{
	*ret_cpus = (struct cpuset){ { 0 } };
	for (uint64_t i = 0; i < row->workers; i++)
		cpuset_unite(ret_cpus, &row->slots[i]->allowed);
}

void words_add_row(struct strbuf *out, const struct rec_row *row)
{
	struct cpuset cpus;

	row_cpus(row, &cpus);
	strbuf_addf(out, "%u worker%s of %s", (unsigned int)row->workers,
		    row->workers == 1 ? "" : "s", row->work);
	add_kind(out, row->type, row->cgroup, &cpus);
}

static bool all_waits(const struct rec_row *row, uint64_t *ret_ns)
{
	*ret_ns = 0;
	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_wait *wait = row->slots[i]->wait;

		if (!wait || wait->lost || !wait->waits_ns.known)
			return false;
		*ret_ns += wait->waits_ns.value;
	}
	return true;
}

void words_add_waits(struct strbuf *out, const struct rec_worker *w)
{
	if (!w->wait || w->wait->lost || !w->wait->waits_ns.known)
		return;
	strbuf_addf(out, "; %s/%llu waited ", w->work, (unsigned long long)w->index);
	text_add_duration(out, w->wait->waits_ns.value);
	strbuf_addstr(out, " of ");
	text_add_duration(out, w->end_ns - w->begin_ns);
}

void words_add_row_held(struct strbuf *out, const struct judge *j, const struct rec_row *row)
{
	struct cpuset cpus;
	uint64_t ns;

	if (all_waits(row, &ns) && ns) {
		strbuf_addstr(out, ", and waited ");
		text_add_duration(out, ns);
		strbuf_addstr(out, " in all");
	}
	row_cpus(row, &cpus);
	words_add_cpus(out, j, row->step, &cpus);
}

void words_add_bound(struct strbuf *out, const struct judge *j)
{
	strbuf_addf(out, " (bound: at %s ",
		    j->desk.info->relation == KTSTR_BOUND_ABOVE ? "most" : "least");
	words_add_value(out, j->desk.info->unit, j->desk.bound);
	strbuf_addch(out, ')');
}

void words_add_when(struct strbuf *out, const struct judge *j, uint64_t at_ns)
{
	strbuf_addf(out, " from %.3f s on", judge_seconds(j, at_ns));
}

void words_add_value(struct strbuf *out, const char *unit, double value)
{
	if (!strcmp(unit, "ns") && value >= 0 && value < 1e18)
		text_add_duration(out, (unsigned long long)value);
	else if (value > -1e15 && value < 1e15 && value == (double)(long long)value)
		strbuf_addf(out, "%.0f%s%s", value, unit[0] == '/' ? "" : " ", unit);
	else
		strbuf_addf(out, "%.3g%s%s", value, unit[0] == '/' ? "" : " ", unit);
}

void words_copy(char *to, size_t size, const char *text)
{
	size_t len = strlen(text), at = 0;
	bool cut = len >= size;
	size_t keep = cut ? size - 4 : len;

	for (size_t i = 0; i < len;) {
		size_t bytes = utf8_length(text + i, len - i);

		if (!bytes)
			bytes = 1;
		if (at + bytes > keep)
			break;
		if (bytes == 1 &&
		    ((unsigned char)text[i] < ' ' || text[i] == 0x7f || text[i] & 0x80))
			to[at] = text[i] & 0x80 ? '?' : ' ';
		else
			memcpy(to + at, text + i, bytes);
		at += bytes;
		i += bytes;
	}
	snprintf(to + at, size - at, "%s", cut ? "..." : "");
}
