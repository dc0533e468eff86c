// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/topology.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static uint32_t one_if_zero(uint32_t n)
{
	return n ? n : 1;
}

static uint64_t product(const struct ktstr_topology *t)
{
	uint64_t cpus = (uint64_t)one_if_zero(t->llcs) * one_if_zero(t->cores_per_llc);

	if (__builtin_mul_overflow(cpus, one_if_zero(t->threads_per_core), &cpus))
		return UINT64_MAX;
	return cpus;
}

uint32_t ktstr_topology_nr_cpus(const struct ktstr_topology *topology)
{
	uint64_t cpus = product(topology);

	return cpus > UINT32_MAX ? UINT32_MAX : (uint32_t)cpus;
}

const char *ktstr_topology_format(const struct ktstr_topology *topology, char *buf, size_t size)
{
	snprintf(buf, size, "%un%ul%uc%ut", one_if_zero(topology->nodes),
		 one_if_zero(topology->llcs), one_if_zero(topology->cores_per_llc),
		 one_if_zero(topology->threads_per_core));
	return buf;
}

int ktstr_topology_check(const struct ktstr_topology *topology, struct ktstr_error *err)
{
	uint32_t nodes = one_if_zero(topology->nodes), llcs = one_if_zero(topology->llcs);
	char text[KTSTR_TOPOLOGY_TEXT];

	ktstr_topology_format(topology, text, sizeof(text));
	if (nodes > KTSTR_TOPOLOGY_MAX_NODES)
		return ktstr_error_set(err, -ERANGE,
				       "topology '%s': %u nodes, at most %d are possible", text,
				       nodes, KTSTR_TOPOLOGY_MAX_NODES);
	if (llcs % nodes)
		return ktstr_error_set(err, -EINVAL,
				       "topology '%s': %u LLCs cannot be shared out evenly among "
				       "%u nodes; LLCs are counted in all, not per node",
				       text, llcs, nodes);
	if (product(topology) > KTSTR_TOPOLOGY_MAX_CPUS)
		return ktstr_error_set(err, -ERANGE,
				       "topology '%s': %u CPUs, at most %d are possible", text,
				       ktstr_topology_nr_cpus(topology), KTSTR_TOPOLOGY_MAX_CPUS);
	return 0;
}

static int read_part(const char **text, char unit, uint32_t *ret_value)
{
	const char *p = *text;
	uint32_t value = 0;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint32_t)(*p - '0'), &value))
			return -ERANGE;
	if (*p != unit)
		return -EINVAL;
	*text = p + 1;
	*ret_value = value;
	return 0;
}

int ktstr_topology_parse(const char *text, struct ktstr_topology *ret_topology,
			 struct ktstr_error *err)
{
	struct ktstr_topology t = { 0 };
	const struct {
		char unit;
		const char *name;
		uint32_t *value;
	} parts[] = {
		{ 'n', "nodes", &t.nodes },
		{ 'l', "LLCs", &t.llcs },
		{ 'c', "cores per LLC", &t.cores_per_llc },
		{ 't', "threads per core", &t.threads_per_core },
	};
	const char *p = text;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = read_part(&p, parts[i].unit, parts[i].value);

		if (r == -ERANGE)
			return ktstr_error_set(err, r, "topology '%.64s': too many %s", text,
					       parts[i].name);
		if (r < 0)
			break;
		if (!*parts[i].value)
			return ktstr_error_set(err, -EINVAL,
					       "topology '%.64s': %s must be 1 or more", text,
					       parts[i].name);
		if (i + 1 == ARRAY_SIZE(parts) && !*p) {
			r = ktstr_topology_check(&t, err);
			if (r == 0)
				*ret_topology = t;
			return r;
		}
	}
	return ktstr_error_set(err, -EINVAL,
			       "topology '%.64s' is not of the form 1n2l4c2t (nodes, LLCs in all, "
			       "cores per LLC, threads per core)",
			       text);
}
