/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* text.h - has its place in base, as findings are texts as well. */
#ifndef KTSTR_RUN_TEXT_H
#define KTSTR_RUN_TEXT_H

#include "base/text.h"

#endif
