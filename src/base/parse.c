// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int digits(const char **text, uint64_t *ret_value)
{
	const char *p = *text;
	uint64_t value = 0;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	*text = p;
	*ret_value = value;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
	uint64_t value;
	int r = digits(&text, &value);

	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int parse_u32(const char *text, uint32_t *ret_value)
{
	uint64_t value;
	int r = parse_u64(text, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret_value = (uint32_t)value;
	return 0;
}

int parse_i64(const char *text, int64_t *ret_value)
{
	int negative = *text == '-';
	uint64_t value;
	int r = parse_u64(text + negative, &value);

	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX + (uint64_t)negative)
		return -ERANGE;
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int parse_bytes(const char *text, uint64_t *ret_bytes)
{
	static const char suffixes[] = "KMGT";
	const char *hit;
	uint64_t value;
	int r = digits(&text, &value);

	if (r < 0)
		return r;
	if (*text && (hit = strchr(suffixes, toupper((unsigned char)*text)))) {
		unsigned int shift = 10 * (unsigned int)(hit - suffixes + 1);

		if (value > UINT64_MAX >> shift)
			return -ERANGE;
		value <<= shift;
		text++;
		if (*text == 'i' && text[1] == 'B')
			text++;
	}
	if (*text == 'B')
		text++;
	if (*text)
		return -EINVAL;
	*ret_bytes = value;
	return 0;
}

static int unit_ns(const char *unit, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000 },
		{ "s", 1000000000 },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60000000000ull },
		{ "h", 3600000000000ull },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i].name)) {
			*ret_ns = units[i].ns;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_duration_ns(const char *text, uint64_t *ret_ns)
{
	uint64_t whole, fraction = 0, scale = 1, unit, ns;
	int r = digits(&text, &whole);

	if (r < 0)
		return r;
	if (*text == '.') {
		const char *start = ++text;

		r = digits(&text, &fraction);
		if (r < 0)
			return r;
		if (text - start > 9)
			return -EINVAL;
		for (; start < text; start++)
			scale *= 10;
	}
	r = unit_ns(text, &unit);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(whole, unit, &ns) ||
	    __builtin_add_overflow(ns, (uint64_t)((__uint128_t)fraction * unit / scale), &ns))
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

int parse_cpulist(const char *text, cpu_set_t *ret_set)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	while (*text) {
		uint64_t first, last;
		int r = digits(&text, &first);

		if (r < 0)
			return r;
		last = first;
		if (*text == '-') {
			text++;
			r = digits(&text, &last);
			if (r < 0)
				return r;
		}
		if (last < first)
			return -EINVAL;
		if (last >= CPU_SETSIZE)
			return -ERANGE;
		for (uint64_t cpu = first; cpu <= last; cpu++)
			CPU_SET((int)cpu, &set);
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return -EINVAL;
	}
	*ret_set = set;
	return 0;
}

void format_cpulist(const cpu_set_t *set, char *buf, size_t size)
{
	size_t len = 0;

	if (size)
		buf[0] = '\0';
	for (int cpu = 0; cpu < CPU_SETSIZE && len < size; cpu++) {
		int last = cpu, n;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		n = snprintf(buf + len, size - len, last > cpu ? "%s%d-%d" : "%s%d", len ? "," : "",
			     cpu, last);
		len += n > 0 ? (size_t)n : 0;
		cpu = last;
	}
}
