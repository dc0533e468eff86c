// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/offers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/version.h"

enum { RANK_BINARY = 3 };

/* How good a source of the image a package is; 0: it has none. */
static int split_name(const char *name, char release[KTSTR_KERNEL_NAME])
{
	static const struct {
		const char *prefix, *suffix;
		int rank;
	} forms[] = {
		{ "linux-binary-", "", RANK_BINARY },
		{ "linux-image-", "-unsigned", 2 },
		{ "linux-image-", "", 1 },
		{ "linux-base-", "", 0 },
		{ "linux-modules-", "", 0 },
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t before = strlen(forms[i].prefix), after = strlen(forms[i].suffix);

		if (len <= before + after || strncmp(name, forms[i].prefix, before) != 0 ||
		    strcmp(name + len - after, forms[i].suffix) != 0)
			continue;
		snprintf(release, KTSTR_KERNEL_NAME, "%.*s", (int)(len - before - after),
			 name + before);
		return forms[i].rank;
	}
	*release = '\0';
	return 0;
}

static struct offer *find_offer(struct offer *offers, int nr, const char *release,
				const char *suite)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(offers[i].release, release) && !strcmp(offers[i].public.suite, suite))
			return &offers[i];
	return NULL;
}

/* Keeps the best image first; a linux-image-R beside a linux-binary-R stays as a further part. */
static void add_part(struct offer *offer, const struct apt_package *package, int rank)
{
	char release[KTSTR_KERNEL_NAME];
	int first_rank = offer->nr_packages ? split_name(offer->packages[0]->name, release) : -1;

	if (offer->nr_packages == OFFER_MAX_PACKAGES)
		return;
	offer->packages[offer->nr_packages++] = package;
	if (rank > first_rank) {
		const struct apt_package *first = offer->packages[0];

		offer->packages[0] = package;
		offer->packages[offer->nr_packages - 1] = first;
		snprintf(offer->public.package, sizeof(offer->public.package), "%s", package->name);
		kernel_version_upstream(package->version, offer->public.version,
					sizeof(offer->public.version));
	}
}

static int newer_first(const void *a, const void *b)
{
	const struct offer *left = a, *right = b;
	int r = kernel_version_compare(right->public.version, left->public.version);

	return r ? r : kernel_version_compare(right->release, left->release);
}

/* An image and a config.  Archives keep old images whose linux-base is gone. */
static bool is_complete(const struct offer *offer)
{
	char release[KTSTR_KERNEL_NAME];
	int rank = split_name(offer->packages[0]->name, release);

	for (size_t i = 1; rank == RANK_BINARY && i < offer->nr_packages; i++)
		if (!strncmp(offer->packages[i]->name, "linux-base-", 11))
			return true;
	return rank > 0 && rank != RANK_BINARY;
}

/* Drops what cannot be used, and a release that another suite has too. */
static int tidy(struct offer *offers, int nr)
{
	int kept = 0;

	for (int i = 0; i < nr; i++) {
		bool twice = false;

		for (int j = 0; j < kept; j++)
			twice |= !strcmp(offers[j].release, offers[i].release);
		if (!twice && is_complete(&offers[i]))
			offers[kept++] = offers[i];
	}
	qsort(offers, (size_t)kept, sizeof(*offers), newer_first);
	for (int i = 0; i < kept; i++)
		offers[i].public.sched_ext_likely =
			kernel_version_compare(offers[i].public.version, "6.12") >= 0;
	return kept;
}

int offers_collect(const struct apt *apt, struct offer **ret_offers)
{
	_cleanup_free_ struct offer *offers = calloc(apt->nr_packages + 1, sizeof(*offers));
	int nr = 0;

	if (!offers)
		return -ENOMEM;
	for (size_t i = 0; i < apt->nr_packages; i++) {
		const struct apt_package *package = &apt->packages[i];
		const char *suite = apt->suites[package->suite].name;
		char release[KTSTR_KERNEL_NAME];
		int rank = split_name(package->name, release);
		struct offer *offer;

		if (!*release || !kernel_version_valid(release))
			continue;
		offer = find_offer(offers, nr, release, suite);
		if (!offer) {
			offer = &offers[nr++];
			snprintf(offer->release, sizeof(offer->release), "%s", release);
			snprintf(offer->public.suite, sizeof(offer->public.suite), "%s", suite);
		}
		add_part(offer, package, rank);
	}
	nr = tidy(offers, nr);
	*ret_offers = nr ? take_ptr(offers) : NULL;
	return nr;
}

bool offer_matches(const struct offer *offer, const char *version)
{
	if (!version || !strcmp(version, "latest"))
		return offer->public.sched_ext_likely;
	return kernel_version_matches(offer->public.version, version) ||
	       kernel_version_matches(offer->release, version);
}

int ktstr_kernel_offers(ktstr_kernel_progress_fn progress, void *arg,
			struct ktstr_kernel_offer **ret_offers, struct ktstr_error *err)
{
	const struct progress say = { progress, arg };
	_cleanup_apt_ struct apt apt = { 0 };
	_cleanup_free_ struct offer *offers = NULL;
	struct ktstr_kernel_offer *list;
	int nr, r;

	r = apt_init(&apt, &say, err);
	if (r == 0)
		r = apt_update(&apt, &(struct apt_update_opts){ 0 }, err);
	if (r < 0)
		return r;
	nr = offers_collect(&apt, &offers);
	if (nr < 0)
		return ktstr_error_nomem(err);
	list = calloc((size_t)nr + 1, sizeof(*list));
	if (!list)
		return ktstr_error_nomem(err);
	for (int i = 0; i < nr; i++)
		list[i] = offers[i].public;
	*ret_offers = list;
	return nr;
}
