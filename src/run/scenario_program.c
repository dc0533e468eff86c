// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/scenario.h"

extern const char ktstr_scenario_start[], ktstr_scenario_end[];

struct scenario_program scenario_program(void)
{
	return (struct scenario_program){ ktstr_scenario_start,
					  (size_t)(ktstr_scenario_end - ktstr_scenario_start) };
}
