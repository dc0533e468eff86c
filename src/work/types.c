// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/types.h"

#include <stddef.h>

#define WORK_TYPE(name, group, about, params) [KTSTR_WORK_##name] = &work_ops_##name,
static const struct work_ops *const table[] = {
#include <ktstr/work_types.def>
};

const struct work_ops *work_ops(enum ktstr_work_type type)
{
	return (unsigned int)type < KTSTR_WORK_TYPES ? table[type] : NULL;
}
