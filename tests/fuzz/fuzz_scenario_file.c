// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read makes sense on some machine or is refused with a reason; it never breaks the check. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file_scenarios scenarios;
	static const struct ktstr_topology topology = { 2, 4, 2, 2 };
	struct model_arena *arena = model_arena_create();
	struct ktstr_demand rows[PROJECT_CHECKS];
	struct ktstr_scheduler scheduler;
	struct ktstr_error err = { 0 };
	size_t nr;
	int r;

	scenarios.nr = 0;
	r = file_read("f", (const char *)data, size, arena, &scenarios, &err);
	if (r < 0 && !*err.text)
		__builtin_trap();
	for (size_t i = 0; i < scenarios.nr; i++) {
		r = ktstr_scenario_check(scenarios.items[i].scenario, &topology, &err);
		(void)r;
	}
	r = file_read_project("f", (const char *)data, size, arena, rows, &nr, &err);
	(void)r;
	r = file_read_scheduler("f", (const char *)data, size, arena, &scheduler, &err);
	(void)r;
	model_arena_destroy(arena);
	return 0;
}
