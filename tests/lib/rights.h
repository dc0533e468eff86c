/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* rights.h - giving rights up, in a child, as they cannot be had back. */
#ifndef KTSTR_TESTS_LIB_RIGHTS_H
#define KTSTR_TESTS_LIB_RIGHTS_H

#include <stdbool.h>

/* A capability is effective now. */
bool rights_have(int capability);
/* Return: 0 or -errno. */
int rights_drop(const int *capabilities, unsigned int nr);

#endif
