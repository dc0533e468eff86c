/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* types.h - the table of what workers do; a type is work_ops_NAME in type_NAME.c. */
#ifndef KTSTR_WORK_TYPES_H
#define KTSTR_WORK_TYPES_H

#include "work/self.h"

#define WORK_TYPE(name, group, about, params) extern const struct work_ops work_ops_##name;
#include <ktstr/work_types.def>

/* The loop of "yield" and "mixed", which differ in how much work params[0] is by default. */
void work_burn_and_yield(struct work_self *self);

/* NULL: there is no such type. */
const struct work_ops *work_ops(enum ktstr_work_type type);

#endif
