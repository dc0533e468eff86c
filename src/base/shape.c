// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"

enum { SYSFS_FILE_MAX = 16384, CACHE_INDEX_MAX = 16, DISTANCE_MAX = 255 };

struct reader {
	int dir_fd;
	const char *sysfs;
	struct strbuf *text;
	struct ktstr_error *err;
};

/* Reads one file without its newline.  -ENOENT is left to the caller, without a message. */
static int read_text(struct reader *r, const char *path)
{
	int code = io_read_file_at(r->dir_fd, path, r->text);

	if (code == -ENOENT || code == -ENOTDIR)
		return -ENOENT;
	if (code < 0)
		return ktstr_error_set(r->err, code, "read '%s/%s': %s", r->sysfs, path,
				       strerror(-code));
	if (r->text->len && r->text->data[r->text->len - 1] == '\n')
		r->text->data[--r->text->len] = '\0';
	return 0;
}

static int missing(struct reader *r, const char *path)
{
	return ktstr_error_set(r->err, -ENOENT, "'%s/%s' is missing; is sysfs mounted?", r->sysfs,
			       path);
}

static int not_understood(struct reader *r, const char *path)
{
	return ktstr_error_set(r->err, -EINVAL, "'%s/%s' says '%.64s', which is not understood",
			       r->sysfs, path, strbuf_str(r->text));
}

static int read_cpulist(struct reader *r, const char *path, cpu_set_t *ret_set)
{
	int code = read_text(r, path);

	if (code < 0)
		return code;
	if (parse_cpulist(strbuf_str(r->text), ret_set) < 0)
		return not_understood(r, path);
	return 0;
}

static uint32_t lowest(const cpu_set_t *set)
{
	uint32_t cpu = 0;

	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, set))
		cpu++;
	return cpu;
}

/* The lowest CPU of a list that must hold @cpu itself. */
static int read_group(struct reader *r, const char *path, uint32_t cpu, uint32_t *ret_first)
{
	cpu_set_t set;
	int code = read_cpulist(r, path, &set);

	if (code < 0)
		return code;
	if (!CPU_ISSET(cpu, &set))
		return not_understood(r, path);
	*ret_first = lowest(&set);
	return 0;
}

static int read_core(struct reader *r, struct ktstr_shape_cpu *c)
{
	char path[96];
	int code;

	snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/core_cpus_list", c->cpu);
	code = read_group(r, path, c->cpu, &c->core);
	if (code != -ENOENT)
		return code;
	/* Since Linux 2e4c54dac7b3 (v5.3) the file above exists; before, this one. */
	snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 c->cpu);
	code = read_group(r, path, c->cpu, &c->core);
	return code == -ENOENT ? missing(r, path) : code;
}

static int read_llc(struct reader *r, struct ktstr_shape_cpu *c)
{
	uint32_t level, best_level = 0;
	unsigned int best = 0;
	char path[96];
	int code;

	c->llc = c->cpu;
	/* The first index of a level wins, which for split level 1 is the data cache. */
	for (unsigned int i = 0; i < CACHE_INDEX_MAX; i++) {
		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/cache/index%u/level", c->cpu,
			 i);
		code = read_text(r, path);
		if (code == -ENOENT)
			break;
		if (code < 0)
			return code;
		if (parse_u32(strbuf_str(r->text), &level) < 0 || !level)
			return not_understood(r, path);
		if (level > best_level) {
			best_level = level;
			best = i;
		}
	}
	if (!best_level)
		return 0;
	snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/cache/index%u/shared_cpu_list",
		 c->cpu, best);
	code = read_group(r, path, c->cpu, &c->llc);
	return code == -ENOENT ? missing(r, path) : code;
}

static int read_cpus(struct reader *r, struct ktstr_shape *shape)
{
	static const char online[] = "devices/system/cpu/online";
	cpu_set_t set;
	int code = read_cpulist(r, online, &set);

	if (code < 0)
		return code == -ENOENT ? missing(r, online) : code;
	if (!CPU_COUNT(&set))
		return not_understood(r, online);
	if (CPU_COUNT(&set) > KTSTR_TOPOLOGY_MAX_CPUS)
		return ktstr_error_set(r->err, -ERANGE,
				       "%d CPUs are online, at most %d are handled",
				       CPU_COUNT(&set), KTSTR_TOPOLOGY_MAX_CPUS);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct ktstr_shape_cpu *c = &shape->cpus[shape->nr_cpus];

		if (!CPU_ISSET(cpu, &set))
			continue;
		c->cpu = cpu;
		code = read_core(r, c);
		if (code == 0)
			code = read_llc(r, c);
		if (code < 0)
			return code;
		shape->nr_cpus++;
	}
	return 0;
}

static int read_distances(struct reader *r, uint32_t node, struct ktstr_shape *shape)
{
	const char *p;
	char path[96];
	int code;

	snprintf(path, sizeof(path), "devices/system/node/node%u/distance", node);
	code = read_text(r, path);
	if (code < 0)
		return code == -ENOENT ? missing(r, path) : code;
	p = strbuf_str(r->text);
	for (uint32_t i = 0; i < shape->nr_nodes; i++) {
		unsigned int value;
		int used = 0;

		if (sscanf(p, "%3u%n", &value, &used) != 1 || value > DISTANCE_MAX)
			return not_understood(r, path);
		shape->distance[node][i] = (uint8_t)value;
		p += used;
	}
	return *p ? not_understood(r, path) : 0;
}

static int read_node(struct reader *r, uint32_t node, struct ktstr_shape *shape)
{
	char path[96];
	cpu_set_t set;
	int code;

	snprintf(path, sizeof(path), "devices/system/node/node%u/cpulist", node);
	code = read_cpulist(r, path, &set);
	if (code < 0)
		return code == -ENOENT ? missing(r, path) : code;
	for (uint32_t i = 0; i < shape->nr_cpus; i++)
		if (CPU_ISSET(shape->cpus[i].cpu, &set))
			shape->cpus[i].node = node;
	return read_distances(r, node, shape);
}

static int read_nodes(struct reader *r, struct ktstr_shape *shape)
{
	static const char online[] = "devices/system/node/online";
	cpu_set_t set;
	int code = read_cpulist(r, online, &set);

	if (code == -ENOENT) {
		shape->nr_nodes = 1;
		shape->distance[0][0] = KTSTR_TOPOLOGY_NEAR;
		return 0;
	}
	if (code < 0)
		return code;
	shape->nr_nodes = (uint32_t)CPU_COUNT(&set);
	if (!shape->nr_nodes)
		return not_understood(r, online);
	if (shape->nr_nodes > KTSTR_TOPOLOGY_MAX_NODES || !CPU_ISSET(shape->nr_nodes - 1, &set))
		return ktstr_error_set(r->err, -ERANGE,
				       "nodes '%.64s' are online; only 0 to %d without gaps are "
				       "handled",
				       strbuf_str(r->text), KTSTR_TOPOLOGY_MAX_NODES - 1);
	for (uint32_t node = 0; node < shape->nr_nodes && code == 0; node++)
		code = read_node(r, node, shape);
	return code;
}

int ktstr_shape_read(const char *sysfs, struct ktstr_shape *ret_shape, struct ktstr_error *err)
{
	_cleanup_close_ int dir_fd = open(sysfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(SYSFS_FILE_MAX);
	struct reader r = { .dir_fd = dir_fd, .sysfs = sysfs, .text = &text, .err = err };
	struct ktstr_shape shape = { 0 };
	int code;

	if (dir_fd < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", sysfs, strerror(errno));
	code = read_cpus(&r, &shape);
	if (code == 0)
		code = read_nodes(&r, &shape);
	if (code < 0)
		return code;
	*ret_shape = shape;
	return 0;
}

void shape_of_topology(const struct ktstr_topology *t, struct ktstr_shape *ret_shape)
{
	uint32_t threads = t->threads_per_core ? t->threads_per_core : 1;
	uint32_t per_llc = threads * (t->cores_per_llc ? t->cores_per_llc : 1);
	uint32_t per_node;

	*ret_shape = (struct ktstr_shape){ .nr_cpus = ktstr_topology_nr_cpus(t),
					   .nr_nodes = t->nodes ? t->nodes : 1 };
	per_node = ret_shape->nr_cpus / ret_shape->nr_nodes;
	for (uint32_t i = 0; i < ret_shape->nr_cpus; i++)
		ret_shape->cpus[i] = (struct ktstr_shape_cpu){
			.cpu = i,
			.node = i / per_node,
			.llc = i / per_llc * per_llc,
			.core = i / threads * threads,
		};
	for (uint32_t i = 0; i < ret_shape->nr_nodes; i++)
		for (uint32_t j = 0; j < ret_shape->nr_nodes; j++)
			ret_shape->distance[i][j] =
				i == j ? KTSTR_TOPOLOGY_NEAR : KTSTR_TOPOLOGY_FAR;
}

/* Writes the first difference.  Return: whether there is one. */
static bool first_difference(const struct ktstr_shape *seen, const struct ktstr_shape *wanted,
			     struct strbuf *out)
{
	if (seen->nr_cpus != wanted->nr_cpus) {
		strbuf_addf(out, "%u CPUs instead of %u", seen->nr_cpus, wanted->nr_cpus);
		return true;
	}
	if (seen->nr_nodes != wanted->nr_nodes) {
		strbuf_addf(out, "%u nodes instead of %u", seen->nr_nodes, wanted->nr_nodes);
		return true;
	}
	for (uint32_t i = 0; i < seen->nr_cpus; i++) {
		const struct ktstr_shape_cpu *s = &seen->cpus[i], *w = &wanted->cpus[i];

		if (!memcmp(s, w, sizeof(*s)))
			continue;
		strbuf_addf(out,
			    "CPU %u has core %u, LLC %u, node %u instead of CPU %u with "
			    "core %u, LLC %u, node %u",
			    s->cpu, s->core, s->llc, s->node, w->cpu, w->core, w->llc, w->node);
		return true;
	}
	for (uint32_t i = 0; i < seen->nr_nodes; i++)
		for (uint32_t j = 0; j < seen->nr_nodes; j++) {
			if (seen->distance[i][j] == wanted->distance[i][j])
				continue;
			strbuf_addf(out, "distance from node %u to %u is %u instead of %u", i, j,
				    seen->distance[i][j], wanted->distance[i][j]);
			return true;
		}
	return false;
}

int ktstr_shape_matches(const struct ktstr_shape *shape, const struct ktstr_topology *topology,
			struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	char name[KTSTR_TOPOLOGY_TEXT], seen_text[384], wanted_text[384];
	struct ktstr_shape wanted;
	int code = ktstr_topology_check(topology, err);

	if (code < 0)
		return -EXDEV;
	shape_of_topology(topology, &wanted);
	if (!first_difference(shape, &wanted, &why))
		return 0;
	ktstr_shape_format(shape, seen_text, sizeof(seen_text));
	ktstr_shape_format(&wanted, wanted_text, sizeof(wanted_text));
	return ktstr_error_set(err, -EXDEV, "not the topology '%s': %s; seen: %s; wanted: %s",
			       ktstr_topology_format(topology, name, sizeof(name)),
			       strbuf_str(&why), seen_text, wanted_text);
}

enum group { GROUP_LLC, GROUP_CORE, GROUP_NODE };

static uint32_t group_of(const struct ktstr_shape_cpu *c, enum group by)
{
	return by == GROUP_LLC ? c->llc : by == GROUP_CORE ? c->core : c->node;
}

/* The groups in the order of their first CPU, as CPU lists. */
static void add_groups(struct strbuf *out, const struct ktstr_shape *shape, enum group by,
		       const char *separator)
{
	bool done[CPU_SETSIZE] = { false };
	bool any = false;

	for (uint32_t i = 0; i < shape->nr_cpus; i++) {
		uint32_t group = group_of(&shape->cpus[i], by);
		cpu_set_t set;
		char list[256];

		if (group >= CPU_SETSIZE || done[group])
			continue;
		done[group] = true;
		CPU_ZERO(&set);
		for (uint32_t j = i; j < shape->nr_cpus; j++)
			if (group_of(&shape->cpus[j], by) == group)
				CPU_SET(shape->cpus[j].cpu, &set);
		format_cpulist(&set, list, sizeof(list));
		strbuf_addf(out, "%s%s", any ? separator : " ", list);
		any = true;
	}
}

void ktstr_shape_format(const struct ktstr_shape *shape, char *buf, size_t size)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "%u CPU%s; LLC", shape->nr_cpus, shape->nr_cpus == 1 ? "" : "s");
	add_groups(&out, shape, GROUP_LLC, " | ");
	strbuf_addstr(&out, "; cores");
	add_groups(&out, shape, GROUP_CORE, " ");
	strbuf_addstr(&out, "; nodes");
	add_groups(&out, shape, GROUP_NODE, " | ");
	strbuf_addstr(&out, "; distances");
	for (uint32_t i = 0; i < shape->nr_nodes; i++) {
		strbuf_addstr(&out, i ? " /" : "");
		for (uint32_t j = 0; j < shape->nr_nodes; j++)
			strbuf_addf(&out, " %u", shape->distance[i][j]);
	}
	snprintf(buf, size, "%s", strbuf_str(&out));
}
