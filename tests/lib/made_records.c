// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/made_records.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LEFT_RUN_NS 250000000

static void add(json_t *records, const char *fmt, ...)
{
	json_t *object;
	va_list ap;

	va_start(ap, fmt);
	object = json_vpack_ex(NULL, 0, fmt, ap);
	va_end(ap);
	if (!object || json_array_append_new(records, object) < 0)
		abort();
}

struct made_row {
	const char *work, *type, *cgroup, *cpus;
	int workers;
	int busy, ends, frozen;
	json_int_t cpu_ns;
};

static const struct made_row rows[] = {
	{ "hogs", "spin", "left", "0-3", 4, 1, 0, 0, LEFT_RUN_NS },
	{ "pigs", "spin", "right", "0-3", 4, 1, 0, 0, 3 * LEFT_RUN_NS },
	{ "capped", "spin", "cap", "4", 1, 1, 0, 0, 500000000 },
	{ "naps", "timer", "side", "5-7", 2, 0, 0, 0, 50000000 },
	{ "once", "once", "side", "5-7", 1, 1, 1, 0, 400000000 },
	{ "ice", "spin", "ice", "5-7", 1, 1, 0, 1, 0 },
};

static void add_worker(json_t *records, const struct made_row *row, int index)
{
	json_t *worker;

	add(records, "{s:s, s:i, s:s, s:i, s:i, s:s, s:I, s:I}", "kind", "worker", "step", 0,
	    "work", row->work, "index", index, "tid", 100 + 10 * (int)(row - rows) + index,
	    "cgroup", row->cgroup, "begin_ns", (json_int_t)MADE_BEGIN_NS, "end_ns",
	    (json_int_t)MADE_END_NS);
	worker = json_array_get(records, json_array_size(records) - 1);
	made_set(worker, "iterations", row->frozen ? "0" : "1000");
	made_set(worker, "units", row->frozen ? "0" : "16000");
	json_object_set_new(worker, "cpu_ns", json_integer(row->cpu_ns));
	made_set(worker, "run_delay_ns", "1000000");
	made_set(worker, "migrations", "3");
	json_object_set_new(worker, "cpus", json_string(row->cpus));
	json_object_set_new(worker, "allowed", json_string(row->cpus));
	made_set(worker, "outside", "\"\"");
	made_set(worker, "outside_ns", "0");
	made_set(worker, "gap_ns", "12000000");
	made_set(worker, "gap_begin_ns", "5100000000");
	made_set(worker, "gap_cpu", "2");
	made_set(worker, "frozen", row->frozen ? "true" : "false");
	made_set(worker, "state", row->ends ? "\"ended\"" : "\"running\"");
	made_set(worker, "local_ns", "9000000");
	made_set(worker, "remote_ns", "1000000");
	if (row->frozen)
		made_set(worker, "frozen_iterations", "0");
	if (row->ends)
		made_set(worker, "exit", "0");
	if (!row->busy)
		made_set(worker, "wakes",
			 "{\"count\": 500, \"p50_ns\": 20000, \"p90_ns\": 40000, \"p99_ns\": 90000,"
			 " \"max_ns\": 200000, \"max_at_ns\": 5500000000}");
}

static void add_wait(json_t *records, const struct made_row *row, int index)
{
	add(records, "{s:s, s:i, s:s, s:i, s:i, s:I, s:b, s:s, s:[{s:s, s:i}, {s:s, s:i}]}", "kind",
	    "wait", "step", 0, "work", row->work, "index", index, "wait_ns", 10000000, "begin_ns",
	    (json_int_t)5100000000, "open", 0, "allowed", row->cpus, "holders", "who", "pigs/0",
	    "ns", 30000000, "who", "idle", "ns", 10000000);
	made_set(json_array_get(records, json_array_size(records) - 1), "idle_ns", "1000000");
	made_set(json_array_get(records, json_array_size(records) - 1), "idle_begin_ns",
		 "5102000000");
	made_set(json_array_get(records, json_array_size(records) - 1), "idle_cpu", "3");
	made_set(json_array_get(records, json_array_size(records) - 1), "switches", "70");
	made_set(json_array_get(records, json_array_size(records) - 1), "lost", "0");
}

static void add_row(json_t *records, const struct made_row *row)
{
	add(records, "{s:s, s:i, s:s, s:s, s:s, s:i, s:s, s:i, s:b, s:b, s:b}", "kind", "work",
	    "step", 0, "work", row->work, "type", row->type, "cgroup", row->cgroup, "workers",
	    row->workers, "policy", "normal", "nice", 0, "busy", row->busy, "threads", 0, "ends",
	    row->ends);
	for (int i = 0; i < row->workers; i++) {
		add_worker(records, row, i);
		add_wait(records, row, i);
	}
}

static void add_cgroup(json_t *records, const char *name, const char *cpus, int weight,
		       json_int_t usage_ns)
{
	add(records, "{s:s, s:i, s:s, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:s, s:b, s:b, s:s}",
	    "kind", "cgroup", "step", 0, "cgroup", name, "begin_ns", (json_int_t)MADE_BEGIN_NS,
	    "end_ns", (json_int_t)MADE_END_NS, "usage_ns", usage_ns, "weight", weight, "quota_ns",
	    strcmp(name, "cap") ? 0 : 50000000, "period_ns", 100000000, "throttled_ns", 0, "cpus",
	    cpus, "frozen", !strcmp(name, "ice"), "busy", usage_ns >= 500000000, "parent", "");
}

json_t *made_records(const char *demands)
{
	json_t *records = json_array(), *list = json_loads(demands, 0, NULL);

	if (!records || !list)
		abort();
	add(records, "{s:s, s:i, s:s, s:s, s:i, s:[s], s:o, s:s}", "kind", "begin", "version", 1,
	    "scenario", "made", "scheduler", "mine", "nr_cpus", 8, "steps", "load", "demands", list,
	    "watch", "");
	add(records, "{s:s, s:s, s:I, s:s, s:s, s:s}", "kind", "scheduler", "event", "attached",
	    "at_ns", (json_int_t)4000000000, "ops", "mine", "story", "attached", "text",
	    "mine is attached");
	add(records, "{s:s, s:i, s:I}", "kind", "step_begin", "step", 0, "begin_ns",
	    (json_int_t)MADE_BEGIN_NS);
	add(records, "{s:s, s:i, s:s, s:s, s:I, s:i, s:s}", "kind", "op", "step", 0, "op", "freeze",
	    "target", "ice", "begin_ns", (json_int_t)MADE_BEGIN_NS, "took_ns", 1000, "error", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add_row(records, &rows[i]);
	add_cgroup(records, "left", "0-3", 100, 4 * LEFT_RUN_NS);
	add_cgroup(records, "right", "0-3", 300, (json_int_t)12 * LEFT_RUN_NS);
	add_cgroup(records, "cap", "4", 100, 500000000);
	add_cgroup(records, "side", "5-7", 100, 450000000);
	add_cgroup(records, "ice", "5-7", 100, 0);
	for (int cpu = 0; cpu < 8; cpu++)
		add(records,
		    "{s:s, s:i, s:i, s:b, s:i, s:i, s:i, s:[{s:s, s:i}, {s:s, s:i}, {s:s, s:i}]}",
		    "kind", "cpu", "step", 0, "cpu", cpu, "online", 1, "busy_ns", 900000000,
		    "idle_ns", 100000000, "kicks", 200, "ran", "who",
		    cpu < 4    ? "pigs/0"
		    : cpu == 4 ? "capped/0"
			       : "once/0",
		    "ns", 500000000, "who", cpu < 4 ? "hogs/0" : "rcu_preempt", "ns", 300000000,
		    "who", "kworker/0:1", "ns", 20000000);
	add(records, "{s:s, s:i, s:I, s:I, s:s}", "kind", "step_end", "step", 0, "begin_ns",
	    (json_int_t)MADE_BEGIN_NS, "end_ns", (json_int_t)MADE_END_NS, "ended", "time");
	add(records, "{s:s, s:{s:i}}", "kind", "counters", "events", "SCX_EV_SELECT_CPU_FALLBACK",
	    3);
	add(records, "{s:s, s:s, s:I, s:s, s:s, s:s}", "kind", "scheduler", "event", "detached",
	    "at_ns", (json_int_t)7000000000, "ops", "mine", "story", "detached", "text",
	    "mine is gone");
	add(records, "{s:s, s:i, s:b, s:i}", "kind", "end", "steps", 1, "clean", 1, "records", 0);
	made_count(records);
	return records;
}

const char *made_demands(void)
{
	return "[{\"check\": \"scheduler_alive\", \"from\": \"test\"},"
	       "{\"check\": \"isolation\", \"from\": \"test\"},"
	       "{\"check\": \"completion\", \"from\": \"test\"},"
	       "{\"check\": \"step_ends\", \"from\": \"test\"},"
	       "{\"check\": \"frozen\", \"from\": \"test\"},"
	       "{\"check\": \"progress\", \"bound\": 1, \"from\": \"test\"},"
	       "{\"check\": \"gap_ns\", \"bound\": 100000000, \"from\": \"test\"},"
	       "{\"check\": \"wait_ns\", \"bound\": 100000000, \"from\": \"test\"},"
	       "{\"check\": \"wake_p50_ns\", \"bound\": 50000, \"from\": \"test\"},"
	       "{\"check\": \"wake_p99_ns\", \"bound\": 100000, \"from\": \"test\"},"
	       "{\"check\": \"wake_max_ns\", \"bound\": 1000000, \"from\": \"test\"},"
	       "{\"check\": \"spread_percent\", \"bound\": 20, \"from\": \"test\"},"
	       "{\"check\": \"weight_error_percent\", \"bound\": 20, \"from\": \"test\"},"
	       "{\"check\": \"quota_percent\", \"bound\": 105, \"from\": \"test\"},"
	       "{\"check\": \"quota_use_percent\", \"bound\": 90, \"from\": \"test\"},"
	       "{\"check\": \"cpu_share_percent\", \"bound\": 20, \"work\": \"hogs\","
	       " \"from\": \"test\"},"
	       "{\"check\": \"cpu_share_max_percent\", \"bound\": 30, \"work\": \"hogs\","
	       " \"from\": \"test\"},"
	       "{\"check\": \"iterations_per_s\", \"bound\": 1500, \"work\": \"naps\","
	       " \"from\": \"test\"},"
	       "{\"check\": \"idle_while_waiting_ns\", \"bound\": 10000000, \"from\": \"test\"},"
	       "{\"check\": \"migrations_per_s\", \"bound\": 10, \"from\": \"test\"},"
	       "{\"check\": \"kicks_per_s\", \"bound\": 1000, \"from\": \"test\"},"
	       "{\"check\": \"local_percent\", \"bound\": 80, \"from\": \"test\"}]";
}

static int is_text(const json_t *object, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value && !strcmp(value, text);
}

json_t *made_find(json_t *records, const char *kind, const char *work, int index)
{
	json_t *object;
	size_t i;

	json_array_foreach(records, i, object)
	{
		if (is_text(object, "kind", kind) && (!work || is_text(object, "work", work)) &&
		    (index < 0 || json_integer_value(json_object_get(object, "index")) == index))
			return object;
	}
	abort();
}

json_t *made_cgroup(json_t *records, const char *cgroup)
{
	json_t *object;
	size_t i;

	json_array_foreach(records, i, object)
	{
		if (is_text(object, "kind", "cgroup") && is_text(object, "cgroup", cgroup))
			return object;
	}
	abort();
}

void made_set(json_t *object, const char *key, const char *value)
{
	json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);

	if (!json || json_object_set_new(object, key, json) < 0)
		abort();
}

void made_count(json_t *records)
{
	size_t nr = json_array_size(records);
	json_t *last = json_array_get(records, nr - 1);

	if (is_text(last, "kind", "end"))
		json_object_set_new(last, "records", json_integer((json_int_t)nr));
}

void made_insert(json_t *records, size_t place, json_t *object)
{
	if (json_array_insert_new(records, place, object) < 0)
		abort();
	made_count(records);
}

void made_remove(json_t *records, size_t place)
{
	json_array_remove(records, place);
	made_count(records);
}
