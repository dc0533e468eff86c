// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>

#include <ktstr/topology.h>

#include "loader.h"

static void add_to(struct sched_cpus *set, uint32_t cpu)
{
	set->words[cpu / 64] |= 1ull << cpu % 64;
}

/* A shape names an LLC after its lowest CPU, here they are counted. */
static int add_cpu(const struct ktstr_shape_cpu *c, struct sched_machine *m)
{
	uint32_t llc = m->nr_llcs;

	if (c->cpu >= SCHED_CPUS || c->llc >= SCHED_CPUS || c->node >= SCHED_NODES ||
	    (c->cpu == c->llc && llc == SCHED_LLCS)) {
		fprintf(stderr,
			"ktstr-sched: CPU %u: at most %d CPUs, %d LLCs and %d nodes are handled\n",
			c->cpu, SCHED_CPUS, SCHED_LLCS, SCHED_NODES);
		return -ERANGE;
	}
	if (c->cpu == c->llc)
		m->llcs[m->nr_llcs++] = (struct sched_llc){ .node = c->node, .first = c->cpu };
	else
		llc = m->llc_of[c->llc];
	m->llc_of[c->cpu] = llc;
	m->core_of[c->cpu] = c->core;
	add_to(&m->llcs[llc].cpus, c->cpu);
	add_to(&m->nodes[c->node], c->cpu);
	add_to(&m->all, c->cpu);
	if (c->cpu == c->core)
		add_to(&m->first_threads, c->cpu);
	if (c->cpu >= m->nr_cpus)
		m->nr_cpus = c->cpu + 1;
	if (c->node >= m->nr_nodes)
		m->nr_nodes = c->node + 1;
	return 0;
}

/* The other LLCs of each, by distance; among equals the next one comes first, so that not all look
 * into the same. */
static void order_llcs(const struct ktstr_shape *shape, struct sched_machine *m)
{
	for (uint32_t l = 0; l < m->nr_llcs; l++) {
		struct sched_llc *llc = &m->llcs[l];
		uint32_t nr = 0;

		for (uint32_t distance = 0; distance <= UINT8_MAX; distance++)
			for (uint32_t i = 1; i < m->nr_llcs; i++) {
				uint32_t other = (l + i) % m->nr_llcs;

				if (shape->distance[llc->node][m->llcs[other].node] != distance)
					continue;
				llc->others[nr++] = other;
				llc->nr_near += m->llcs[other].node == llc->node;
			}
	}
}

static uint32_t count_threads(const struct ktstr_shape *shape)
{
	uint32_t per_core[SCHED_CPUS] = { 0 }, most = 1;

	for (uint32_t i = 0; i < shape->nr_cpus; i++)
		if (++per_core[shape->cpus[i].core % SCHED_CPUS] > most)
			most = per_core[shape->cpus[i].core % SCHED_CPUS];
	return most;
}

int machine_read(struct sched_machine *ret_machine)
{
	struct ktstr_shape shape;
	struct ktstr_error err = { 0 };
	struct sched_machine m = { 0 };
	int r = ktstr_shape_read("/sys", &shape, &err);

	if (r < 0) {
		fprintf(stderr, "ktstr-sched: %s\n", err.text);
		return r;
	}
	for (uint32_t i = 0; i < shape.nr_cpus && r == 0; i++)
		r = add_cpu(&shape.cpus[i], &m);
	if (r < 0)
		return r;
	m.nr_words = (m.nr_cpus + 63) / 64;
	m.nr_threads = count_threads(&shape);
	order_llcs(&shape, &m);
	*ret_machine = m;
	return 0;
}
