// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/api.h>

#include "base/display.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli.h"

enum { NAME_BYTES = 4096 };

struct scale {
	double step;
	const char *const *units;
};

static const char *scale(double value, struct scale by, char *buf)
{
	unsigned int i = 0;

	while ((value >= by.step || value <= -by.step) && by.units[i + 1]) {
		value /= by.step;
		i++;
	}
	if (i == 0)
		snprintf(buf, CTPROF_CELL, "%.0f%s", value, by.units[0]);
	else
		snprintf(buf, CTPROF_CELL, value < 10 ? "%.2f%s" : "%.1f%s", value, by.units[i]);
	return buf;
}

const char *ctprof_scaled(const struct ktstr_metric_info *info, int64_t value, char *buf)
{
	static const char *const times[] = { "ns", "us", "ms", "s", NULL };
	static const char *const sizes[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };

	if (!strcmp(info->unit, "ns"))
		return scale((double)value, (struct scale){ 1000, times }, buf);
	if (!strcmp(info->unit, "us"))
		return scale((double)value * 1000, (struct scale){ 1000, times }, buf);
	if (!strcmp(info->unit, "bytes"))
		return scale((double)value, (struct scale){ 1024, sizes }, buf);
	snprintf(buf, CTPROF_CELL, "%" PRId64, value);
	return buf;
}

const char *ctprof_cell(const struct ktstr_ctprof_thread *t, unsigned int metric, char *buf)
{
	int64_t value;

	if (!ktstr_ctprof_get(t, metric, &value))
		snprintf(buf, CTPROF_CELL, "-");
	else if (metric == KTSTR_CTPROF_STATE && value > ' ' && value <= '~')
		snprintf(buf, CTPROF_CELL, "%c", (char)value);
	else
		ctprof_scaled(ktstr_ctprof_metric_info(metric), value, buf);
	return buf;
}

void ctprof_add_name(struct strbuf *out, const char *name)
{
	display_add(out, name && *name ? name : "-", NAME_BYTES);
}

json_t *ctprof_text_json(const char *text)
{
	json_t *json = json_string(text);
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;

	if (json)
		return json;
	text_add_clean(&clean, text, strlen(text), TEXT_LONG_MAX);
	return json_string(strbuf_str(&clean));
}

json_t *ctprof_thread_json(const struct ktstr_ctprof_thread *t)
{
	json_t *json =
		json_pack("{s:I, s:I}", "tgid", (json_int_t)t->tgid, "tid", (json_int_t)t->tid);
	int64_t value;

	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_TEXTS; i++)
		if (t->texts[i])
			json_object_set_new(json, ktstr_ctprof_text_info(i)->name,
					    ctprof_text_json(t->texts[i]));
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_METRICS; i++) {
		const char *name = ktstr_ctprof_metric_info(i)->name;

		if (!ktstr_ctprof_get(t, i, &value))
			continue;
		if (i == KTSTR_CTPROF_STATE && value > ' ' && value <= '~')
			json_object_set_new(json, name, json_sprintf("%c", (char)value));
		else
			json_object_set_new(json, name, json_integer(value));
	}
	json_object_set_new(json, "jemalloc", json_string(ktstr_jemalloc_tag_name(t->jemalloc)));
	return json;
}

int ctprof_metric_by_name(const char *name)
{
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_METRICS; i++)
		if (!strcmp(ktstr_ctprof_metric_info(i)->name, name))
			return (int)i;
	return -1;
}

int ctprof_parse_collector(const char *name, enum ktstr_ctprof_collector *ret_collector)
{
	for (unsigned int c = 0; c < KTSTR_CTPROF_NR_COLLECTORS; c++) {
		if (!strcmp(name, ktstr_ctprof_collector_name(c))) {
			*ret_collector = c;
			return -1;
		}
	}
	return cli_failf(KTSTR_EXIT_USAGE, "--collector '%s' is none of auto, bpf, procfs", name);
}

int ctprof_parse_pid(const char *text, pid_t *ret_pid)
{
	uint64_t pid = 0;

	if (text && (parse_u64(text, &pid) < 0 || !pid || pid > INT32_MAX))
		return cli_failf(KTSTR_EXIT_USAGE, "'%s' is not a process id", text);
	*ret_pid = (pid_t)pid;
	return -1;
}
