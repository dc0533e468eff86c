// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>

#include <ktstr/api.h>
#include <ktstr/topology.h>

#include "cli.h"

/* What a guest of that topology shows: CPUs numbered thread, core, LLC, node. */
static void fill_shape(const struct ktstr_topology *t, struct ktstr_shape *shape)
{
	uint32_t threads = t->threads_per_core ? t->threads_per_core : 1;
	uint32_t per_llc = threads * (t->cores_per_llc ? t->cores_per_llc : 1);
	uint32_t nodes = t->nodes ? t->nodes : 1;

	shape->nr_cpus = ktstr_topology_nr_cpus(t);
	shape->nr_nodes = nodes;
	for (uint32_t cpu = 0; cpu < shape->nr_cpus; cpu++)
		shape->cpus[cpu] = (struct ktstr_shape_cpu){
			.cpu = cpu,
			.node = cpu / (shape->nr_cpus / nodes),
			.llc = cpu - cpu % per_llc,
			.core = cpu - cpu % threads,
		};
	for (uint32_t a = 0; a < nodes; a++)
		for (uint32_t b = 0; b < nodes; b++)
			shape->distance[a][b] = a == b ? 10 : 20;
}

int cmd_topo(int argc, char **argv)
{
	const struct ktstr_command command = {
		.name = "ktstr topo",
		.usage = "[TOPOLOGY]",
		.about =
			"Shows the CPU topology of this machine, or the one a guest gets for a text "
			"such as\n2n4l4c2t: nodes, last-level caches in all, cores per LLC, threads "
			"per core.",
		.operands_max = 1,
	};
	static struct ktstr_shape shape;
	struct ktstr_operands operands;
	struct ktstr_topology topology;
	struct ktstr_error err;
	static char text[16384];
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	if (operands.nr) {
		if (ktstr_topology_parse(operands.items[0], &topology, &err) < 0)
			return cli_fail(KTSTR_EXIT_USAGE, &err);
		fill_shape(&topology, &shape);
	} else if (ktstr_shape_read("/sys", &shape, &err) < 0) {
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	}
	ktstr_shape_format(&shape, text, sizeof(text));
	printf("%s\n", text);
	return KTSTR_EXIT_PASS;
}
