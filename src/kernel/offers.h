/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * offers.h - from package names to kernels.
 *
 * The image of release R is linux-binary-R (Linux 6.19 on), else linux-image-R-unsigned, else
 * linux-image-R; its config is in the same package or in linux-base-R, modules in linux-modules-R.
 */
#ifndef KTSTR_KERNEL_OFFERS_H
#define KTSTR_KERNEL_OFFERS_H

#include <ktstr/kernel.h>

#include "kernel/apt.h"

enum { OFFER_MAX_PACKAGES = 4 };

struct offer {
	struct ktstr_kernel_offer public;
	char release[KTSTR_KERNEL_NAME]; /* uname -r, and the name in the cache */
	/* The image first; borrowed from struct apt. */
	size_t nr_packages;
	const struct apt_package *packages[OFFER_MAX_PACKAGES];
};

/* Groups @apt's packages, newest first.  Return: how many (*ret_offers is malloc'ed, NULL if none),
 * -ENOMEM. */
int offers_collect(const struct apt *apt, struct offer **ret_offers) KTSTR_MUST_CHECK;

/* Does it fit what the user asked for: NULL and "latest" fit all that may have sched_ext. */
bool offer_matches(const struct offer *offer, const char *version);

#endif
