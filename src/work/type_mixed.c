// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/types.h"

const struct work_ops work_ops_mixed = { .busy = true, .run = work_burn_and_yield };
