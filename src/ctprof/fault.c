// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/fault.h"

static enum ktstr_ctprof_fault current;

void ktstr_ctprof_fault_set(enum ktstr_ctprof_fault fault)
{
	current = fault;
}

enum ktstr_ctprof_fault ctprof_fault(void)
{
	return current;
}
