// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A test program without a test. */
#include <ktstr/test.h>

KTSTR_MAIN
