// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "check/judge_private.h"

enum { CPUS_TEXT = 128 };

void words_add_worker(struct strbuf *out, const struct rec_worker *w)
{
	char cpus[CPUS_TEXT];

	strbuf_addf(out, "%s/%llu (allowed %s)", w->work, (unsigned long long)w->index,
		    cpuset_format(&w->allowed, cpus, sizeof(cpus)));
}

void words_add_when(struct strbuf *out, const struct judge *j, uint64_t at_ns)
{
	strbuf_addf(out, " from %.3f s on", judge_seconds(j, at_ns));
}

void words_add_holders(struct strbuf *out, const struct rec_wait *wait)
{
	uint32_t nr = cpuset_count(&wait->allowed);
	double all_ns = (double)wait->wait_ns * nr;
	char cpus[CPUS_TEXT];

	if (!wait->nr_holders || all_ns <= 0)
		return;
	strbuf_addf(out, " while CPU%s %s ran ", nr == 1 ? "" : "s",
		    cpuset_format(&wait->allowed, cpus, sizeof(cpus)));
	for (size_t i = 0; i < wait->nr_holders; i++)
		strbuf_addf(out, "%s%s (%.0f %%)", i ? ", " : "", wait->holders[i].who,
			    100 * (double)wait->holders[i].ns / all_ns);
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
