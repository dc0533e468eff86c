// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "scenario/engine_private.h"

enum { FILE_BYTES = 4096, INTERRUPTS_BYTES = 4 << 20 };

int engine_cpus_refresh(struct engine *e, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/devices/system/cpu/online", e->opts->sysfs);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_BYTES);
	int r = path ? io_read_file(path, &text, err) : ktstr_error_nomem(err);

	if (r < 0)
		return r;
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (cpuset_parse(strbuf_str(&text), &e->online) < 0)
		return ktstr_error_set(err, -EINVAL, "'%s' says '%s', which is not understood",
				       path, strbuf_str(&text));
	return 0;
}

int engine_cpu_number(struct engine *e, const char *words, uint32_t *ret_cpu,
		      struct ktstr_error *err)
{
	struct cpuset set;
	uint32_t cpu;
	int r;

	if (parse_u32(words, &cpu) == 0) {
		if (!cpuset_has(&e->all, cpu))
			return ktstr_error_set(err, -ERANGE, "there is no CPU %u", cpu);
		*ret_cpu = cpu;
		return 0;
	}
	r = words_cpus(words, &e->shape, &e->all, &e->chance, &set, err);
	if (r < 0)
		return r;
	if (cpuset_count(&set) != 1)
		return ktstr_error_set(err, -EINVAL, "'%s' is not one CPU but %u", words,
				       cpuset_count(&set));
	for (cpu = 0; !cpuset_has(&set, cpu); cpu++)
		;
	*ret_cpu = cpu;
	return 0;
}

static char *switch_path(const struct engine *e, uint32_t cpu)
{
	return path_format("%s/devices/system/cpu/cpu%u/online", e->opts->sysfs, cpu);
}

bool engine_cpu_has_switch(const struct engine *e, uint32_t cpu)
{
	_cleanup_free_ char *path = switch_path(e, cpu);

	return path && access(path, W_OK) == 0;
}

int engine_cpu_set(struct engine *e, uint32_t cpu, bool online, struct ktstr_error *err)
{
	_cleanup_free_ char *path = switch_path(e, cpu);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	engine_watch_close(e);
	r = changer_do(e->changer, &(struct change){ CHANGE_WRITE, path, online ? "1" : "0" });
	if (r == -ETIMEDOUT)
		return ktstr_error_set(err, r, "write '%s': '%d': it does not return", path,
				       online);
	if (r < 0)
		return ktstr_error_set(err, r, "write '%s': '%d': %s", path, online, strerror(-r));
	r = engine_cpus_refresh(e, err);
	if (r == 0 && cpuset_has(&e->online, cpu) != online)
		r = ktstr_error_set(err, -EIO, "CPU %u was told to go %s line and did not", cpu,
				    online ? "on" : "off");
	return r;
}

/* --- what they did ----------------------------------------------------------------------------- */

/* The first line names the CPUs that are there, each row has a number for each of them. */
static int read_columns(const char *line, uint32_t columns[ENGINE_CPUS], uint32_t *ret_nr)
{
	uint32_t nr = 0;
	int used;

	while (nr < ENGINE_CPUS && sscanf(line, " CPU%9u%n", &columns[nr], &used) == 1) {
		if (columns[nr++] >= ENGINE_CPUS)
			return -EINVAL;
		line += used;
	}
	*ret_nr = nr;
	return nr ? 0 : -EINVAL;
}

int engine_kicks_parse(const char *text, struct engine_cpu cpus[ENGINE_CPUS])
{
	uint32_t columns[ENGINE_CPUS], nr;
	const char *row = strstr(text, " RES:");

	if (!row)
		row = strstr(text, "\nRES:");
	if (!row)
		return -ENODATA;
	if (read_columns(text, columns, &nr) < 0)
		return -EINVAL;
	row += strlen(" RES:");
	for (uint32_t i = 0; i < nr; i++) {
		unsigned long long kicks;
		int used;

		if (sscanf(row, "%20llu%n", &kicks, &used) != 1)
			return -EINVAL;
		row += used;
		cpus[columns[i]].kicks = kicks;
		cpus[columns[i]].has_kicks = true;
	}
	return 0;
}

static void read_all(struct engine *e, struct engine_cpu cpus[ENGINE_CPUS])
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(INTERRUPTS_BYTES);

	(void)e;
	memset(cpus, 0, ENGINE_CPUS * sizeof(*cpus));
	if (io_read_file("/proc/interrupts", &text, NULL) < 0 ||
	    engine_kicks_parse(strbuf_str(&text), cpus) < 0)
		memset(cpus, 0, ENGINE_CPUS * sizeof(*cpus));
}

void engine_cpus_begin(struct engine *e)
{
	read_all(e, e->cpus);
}

void engine_tell_cpus(struct engine *e, uint64_t now_ns)
{
	_cleanup_free_ struct engine_cpu *cpus = calloc(ENGINE_CPUS, sizeof(*cpus));

	if (!cpus) {
		engine_send(e, NULL);
		return;
	}
	read_all(e, cpus);
	for (uint32_t cpu = 0; cpu < ENGINE_CPUS; cpu++) {
		struct watch_cpu spent;
		json_t *record;

		if (!cpuset_has(&e->all, cpu))
			continue;
		record = engine_record(e, "cpu");
		engine_set_u64(record, "cpu", cpu);
		json_object_set_new(record, "online", json_boolean(cpuset_has(&e->online, cpu)));
		if (e->watch && watch_read_cpu(e->watch, cpu, now_ns, &spent) == 0) {
			engine_set_u64(record, "busy_ns", spent.busy_ns);
			engine_set_u64(record, "idle_ns", spent.idle_ns);
			engine_set_holders(record, "ran", spent.ran, spent.nr_ran);
		}
		if (cpus[cpu].has_kicks && e->cpus[cpu].has_kicks &&
		    cpus[cpu].kicks >= e->cpus[cpu].kicks)
			engine_set_u64(record, "kicks", cpus[cpu].kicks - e->cpus[cpu].kicks);
		engine_send(e, record);
	}
}
