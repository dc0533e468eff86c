/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * check_variants.h - a scheduler with each valid combination of its flags.
 *
 * A combination is valid if it has what each of its flags requires, and nothing that one excludes.  The
 * first is that without any flag.  Arguments of flags follow the scheduler's
 * own, in the order of the flags.
 */
#ifndef KTSTR_RUN_CHECK_VARIANTS_H
#define KTSTR_RUN_CHECK_VARIANTS_H

#include <ktstr/scenario.h>

enum { CHECK_VARIANT_NAME = 256 };

struct check_variant {
	char name[CHECK_VARIANT_NAME];	  /* "plain", "a", "a+b" */
	struct ktstr_scheduler scheduler; /* texts are those of the original */
};

/* @ret_list: to be freed.  Return: how many, at least 1; -EINVAL (no flags, or a flag requires or excludes
 * what is none); -E2BIG (more arguments than a scheduler can have); -ENOMEM. */
int check_variants(const struct ktstr_scheduler *scheduler, struct check_variant **ret_list,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
