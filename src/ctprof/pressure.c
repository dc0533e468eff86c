// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/pressure.h"

#include "base/cleanup.h"
#include "ctprof/snapshot.h"

int pressure_take_hundredths(struct span *s, int64_t *ret_value)
{
	int64_t whole, part;

	if (take_digits(s, &whole) < 0 || !take_prefix(s, ".") || s->len < 2 ||
	    !is_digit(s->at[0]) || !is_digit(s->at[1]))
		return -EINVAL;
	part = (s->at[0] - '0') * 10 + s->at[1] - '0';
	advance(s, 2);
	if (__builtin_mul_overflow(whole, 100, &whole) ||
	    __builtin_add_overflow(whole, part, ret_value))
		return -EINVAL;
	return 0;
}

static int parse_values(struct span line, int64_t *ret_values)
{
	static const char *const averages[] = { " avg10=", " avg60=", " avg300=" };
	int64_t values[PRESSURE_VALUES];

	for (size_t i = 0; i < ARRAY_SIZE(averages); i++)
		if (!take_prefix(&line, averages[i]) ||
		    pressure_take_hundredths(&line, &values[i]) < 0)
			return -EINVAL;
	if (!take_prefix(&line, " total=") || take_digits(&line, &values[PRESSURE_TOTAL]) < 0 ||
	    line.len)
		return -EINVAL;
	memcpy(ret_values, values, sizeof(values));
	return 0;
}

int pressure_parse(struct span text, struct pressure *ret_pressure)
{
	struct pressure p = { 0 };
	struct span line;
	int r = 0;

	while (next_line(&text, &line)) {
		if (take_prefix(&line, "some"))
			p.some_known = parse_values(line, p.some) == 0;
		else if (take_prefix(&line, "full"))
			p.full_known = parse_values(line, p.full) == 0;
		else
			r = -EINVAL;
	}
	*ret_pressure = p;
	return p.some_known || p.full_known ? r : -EINVAL;
}

int pressure_set_rows(struct span text, unsigned int first, bool full_only, int64_t *values,
		      uint64_t *present)
{
	unsigned int full = full_only ? first : first + PRESSURE_VALUES;
	struct pressure p;
	int r = pressure_parse(text, &p);

	for (unsigned int i = 0; i < PRESSURE_VALUES; i++) {
		if (p.some_known && !full_only)
			row_set(values, present, first + i, p.some[i]);
		if (p.full_known)
			row_set(values, present, full + i, p.full[i]);
	}
	return r;
}
