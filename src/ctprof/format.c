// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/ctprof_compare.h>

struct scale {
	double step;
	const char *const *units;
};

static void scale(double number, struct scale by, bool with_sign, char *buf)
{
	const char *sign = number < 0 ? "-" : with_sign && number > 0 ? "+" : "";
	double size = __builtin_fabs(number);
	unsigned int unit = 0;
	int decimals;

	/* What would be shown as 1000 goes to the next unit. */
	while (size >= by.step - 0.5 && by.units[unit + 1]) {
		size /= by.step;
		unit++;
	}
	decimals = size >= 99.95 || (size < 1e15 && size == (double)(int64_t)size) ? 0
		   : size >= 9.995						   ? 1
										   : 2;
	/* Scaled numbers keep three digits, so that columns are as exact as each other. */
	if (unit && size < 99.95)
		decimals = size >= 9.995 ? 1 : 2;
	snprintf(buf, KTSTR_CTPROF_NUMBER_BYTES, "%s%.*f%s", sign, decimals, size, by.units[unit]);
}

/* As conditions are written; three digits as well. */
static void format_time(double ns, bool with_sign, char *buf)
{
	static const char *const parts[] = { "ns", "us", "ms", "s", NULL };
	static const char *const minutes[] = { "m", NULL }, *const hours[] = { "h", NULL },
				 *const days[] = { "d", NULL };
	double s = __builtin_fabs(ns) / 1e9;

	if (s < 999.5)
		scale(ns, (struct scale){ 1000, parts }, with_sign, buf);
	else if (s < 99.95 * 60)
		scale(ns / 60e9, (struct scale){ 1000, minutes }, with_sign, buf);
	else if (s < 99.95 * 3600)
		scale(ns / 3600e9, (struct scale){ 1000, hours }, with_sign, buf);
	else
		scale(ns / 86400e9, (struct scale){ 1000, days }, with_sign, buf);
}

const char *ktstr_ctprof_format_number(const char *unit, double number, bool with_sign,
				       char buf[KTSTR_CTPROF_NUMBER_BYTES])
{
	static const char *const sizes[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", NULL };
	static const char *const counts[] = { "", "K", "M", "G", "T", "P", NULL };
	static const struct {
		const char *unit;
		double ns;
	} as_time[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "ticks", 1e7 } };

	for (size_t i = 0; i < sizeof(as_time) / sizeof(as_time[0]); i++) {
		if (!strcmp(unit, as_time[i].unit)) {
			format_time(number * as_time[i].ns, with_sign, buf);
			return buf;
		}
	}
	if (!strcmp(unit, "bytes"))
		scale(number, (struct scale){ 1024, sizes }, with_sign, buf);
	else if (!strcmp(unit, "ratio"))
		snprintf(buf, KTSTR_CTPROF_NUMBER_BYTES, with_sign ? "%+.1f%%" : "%.1f%%",
			 number * 100);
	else if (!strcmp(unit, "bp"))
		snprintf(buf, KTSTR_CTPROF_NUMBER_BYTES, with_sign ? "%+.2f%%" : "%.2f%%",
			 number / 100);
	else if (!strcmp(unit, "hundredths"))
		snprintf(buf, KTSTR_CTPROF_NUMBER_BYTES, with_sign ? "%+.2f" : "%.2f",
			 number / 100);
	else
		scale(number, (struct scale){ 1000, counts }, with_sign, buf);
	return buf;
}

static bool is_state(const struct ktstr_ctprof_column *column, int64_t value)
{
	return column->kind == KTSTR_CTPROF_KIND_THREAD && column->index == KTSTR_CTPROF_STATE &&
	       value > ' ' && value <= '~';
}

static void format_range(const struct ktstr_ctprof_value *v, char *buf, size_t size)
{
	if (v->low == v->high)
		snprintf(buf, size, "%" PRId64, v->low);
	else
		snprintf(buf, size, "[%" PRId64 ",%" PRId64 "]", v->low, v->high);
}

static void format_set(const struct ktstr_ctprof_value *v, char *buf, size_t size)
{
	if (v->text)
		snprintf(buf, size, "%s", v->text);
	else if (v->low == v->high)
		snprintf(buf, size, "%" PRId64 " CPUs (mixed)", v->low);
	else
		snprintf(buf, size, "%" PRId64 "-%" PRId64 " CPUs (mixed)", v->low, v->high);
}

const char *ktstr_ctprof_format_value(const struct ktstr_ctprof_column *column,
				      const struct ktstr_ctprof_value *value, char *buf,
				      size_t size)
{
	char number[KTSTR_CTPROF_NUMBER_BYTES];

	if (!value->there)
		snprintf(buf, size, "-");
	else if (value->high == KTSTR_CTPROF_UNLIMITED)
		snprintf(buf, size, "max");
	else if (value->text || column->info->aggregate == KTSTR_AGGREGATE_SPREAD)
		format_set(value, buf, size);
	else if (is_state(column, value->low))
		snprintf(buf, size, "%c%s", (char)value->low, value->mixed ? " (mixed)" : "");
	else if (column->info->type == KTSTR_TYPE_CATEGORY)
		snprintf(buf, size, "%" PRId64 "%s", value->low, value->mixed ? " (mixed)" : "");
	else if (column->info->aggregate == KTSTR_AGGREGATE_RANGE)
		format_range(value, buf, size);
	else
		snprintf(buf, size, "%s",
			 ktstr_ctprof_format_number(column->info->unit, value->number, false,
						    number));
	return buf;
}
