// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/kernel.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "kernel/apt.h"
#include "kernel/import.h"
#include "kernel/offers.h"
#include "kernel/version.h"

/* A kernel without sched_ext although its version could have it: how many to try for "latest". */
enum { MAX_TRIES = 4 };

struct fetch {
	const struct progress *progress;
	const char *version; /* NULL: latest */
	struct apt apt;
	struct offer *offers;
	int nr_offers;
	struct ktstr_error *err;
};

static void fetch_deinit(struct fetch *f)
{
	free(f->offers);
	apt_deinit(&f->apt);
}

static bool wants_latest(const char *version)
{
	return !version || !strcmp(version, "latest");
}

static char *find_part(const char *dir, const char *kind, const char *release)
{
	const char *const places[][2] = { { "boot/", "-" },
					  { "usr/lib/modules/", "/" },
					  { "lib/modules/", "/" } };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bool boot = places[i][1][0] == '-';
		_cleanup_free_ char *path =
			path_format("%s/%s%s%s%s", dir, places[i][0], boot ? kind : release,
				    places[i][1], boot ? release : kind);

		if (path && access(path, R_OK) == 0)
			return take_ptr(path);
	}
	return NULL;
}

/* Return: 0, -ENOENT if these packages lack a part, other errors of import_fill(). */
static int fill_from(struct fetch *f, const struct offer *offer, const char *dir,
		     const struct cache_temp *temp)
{
	_cleanup_free_ char *bzimage = find_part(dir, "vmlinuz", offer->release);
	_cleanup_free_ char *config = find_part(dir, "config", offer->release);
	struct import import = { .bzimage = bzimage, .config = config, .modules_root = dir };
	struct ktstr_kernel *k = &import.entry.kernel;

	if (!bzimage || !config)
		return ktstr_error_set(f->err, -ENOENT, "package '%s' has no %s of '%s'",
				       offer->public.package, bzimage ? "config" : "image",
				       offer->release);
	memcpy(k->name, offer->release, sizeof(k->name));
	memcpy(k->release, offer->release, sizeof(k->release));
	memcpy(k->version, offer->public.version, sizeof(k->version));
	memcpy(import.entry.source, offer->public.package, sizeof(import.entry.source));
	progress_say(f->progress, "unpacking kernel %s", offer->release);
	return import_fill(temp, &import, f->err);
}

/* The image's package and linux-base first; modules and the rest only if something is missing. */
static size_t choose_parts(const struct offer *offer, bool rest,
			   const struct apt_package *chosen[OFFER_MAX_PACKAGES])
{
	size_t nr = 0;

	for (size_t i = 0; i < offer->nr_packages; i++) {
		bool first = i == 0 || !strncmp(offer->packages[i]->name, "linux-base-", 11);

		if (first != rest)
			chosen[nr++] = offer->packages[i];
	}
	return nr;
}

static int fill(struct fetch *f, const struct offer *offer, const struct cache_temp *temp)
{
	_cleanup_free_ char *dir = path_format("%s/packages", temp->path);
	int r = dir ? 0 : ktstr_error_nomem(f->err);

	for (int round = 0; round < 2; round++) {
		const struct apt_package *parts[OFFER_MAX_PACKAGES];
		size_t nr = choose_parts(offer, round, parts);

		if (round && (r != -ENOENT || !nr))
			break;
		r = apt_unpack(&f->apt, parts, nr, dir, f->err);
		if (r == 0)
			r = fill_from(f, offer, dir, temp);
	}
	return r < 0 ? r : path_remove_tree(dir, f->err);
}

static int fetch_offer(struct fetch *f, const struct offer *offer, struct ktstr_kernel *ret_kernel)
{
	_cleanup_cache_temp_ struct cache_temp temp = CACHE_TEMP_INIT;
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;
	struct entry entry;
	int r;

	if (cache_load(offer->release, &entry, NULL) == 0) {
		*ret_kernel = entry.kernel;
		return 0;
	}
	r = cache_lock_kernel(&lock, offer->release, true, f->err);
	if (r == 0 && cache_load(offer->release, &entry, NULL) < 0) {
		r = cache_temp_create(&temp, f->err);
		if (r == 0)
			r = fill(f, offer, &temp);
		if (r == 0)
			r = cache_temp_commit(&temp, offer->release, f->err);
		if (r == 0)
			r = cache_load(offer->release, &entry, f->err);
	}
	if (r < 0)
		return ktstr_error_wrap(f->err, r, "fetch kernel %s", offer->release);
	*ret_kernel = entry.kernel;
	return 0;
}

/* Return: 0, -ENOENT (nothing fits), -errno. */
static int fetch_best(struct fetch *f, struct ktstr_kernel *ret_kernel)
{
	int tries = 0;

	for (int i = 0; i < f->nr_offers && tries < MAX_TRIES; i++) {
		int r;

		if (!offer_matches(&f->offers[i], f->version))
			continue;
		tries++;
		r = fetch_offer(f, &f->offers[i], ret_kernel);
		if (r < 0 || !wants_latest(f->version) || ret_kernel->sched_ext == KTSTR_KERNEL_YES)
			return r;
		progress_say(f->progress, "kernel %s has no sched_ext, trying an older one",
			     f->offers[i].release);
	}
	if (tries)
		return ktstr_error_set(f->err, -ENOENT,
				       "none of the newest %d kernels on offer has sched_ext",
				       tries);
	return ktstr_error_set(f->err, -ENOENT,
			       "no kernel '%s' on offer; see: ktstr kernel fetch --list",
			       f->version ? f->version : "latest");
}

static int update(struct fetch *f, bool force)
{
	int r = apt_update(&f->apt,
			   &(struct apt_update_opts){ .leading_only = wants_latest(f->version),
						      .force = force },
			   f->err);

	if (r < 0)
		return r;
	free(f->offers);
	f->offers = NULL;
	f->nr_offers = offers_collect(&f->apt, &f->offers);
	return f->nr_offers < 0 ? ktstr_error_nomem(f->err) : 0;
}

/* What an exact version or name finds without asking anybody. */
static bool is_cached(const char *version, struct ktstr_kernel *ret_kernel)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	int nr = ktstr_kernel_list(&kernels, NULL);

	for (int i = 0; i < nr; i++) {
		if (strcmp(kernels[i].name, version) != 0 &&
		    (kernels[i].imported || strcmp(kernels[i].version, version) != 0))
			continue;
		*ret_kernel = kernels[i];
		return true;
	}
	return false;
}

/* Without network, a kernel that would do is better than none. */
static int keep_cached(struct fetch *f, int code, struct ktstr_kernel *ret_kernel)
{
	struct ktstr_kernel kernel;

	if ((code != -ENETUNREACH && code != -EIO) ||
	    ktstr_kernel_resolve(wants_latest(f->version) ? NULL : f->version, &kernel, NULL) < 0 ||
	    !kernel.cached || kernel.imported ||
	    (wants_latest(f->version) && kernel.sched_ext != KTSTR_KERNEL_YES))
		return code;
	progress_say(f->progress, "cannot ask for newer kernels, keeping %s", kernel.name);
	*ret_kernel = kernel;
	return 0;
}

int ktstr_kernel_fetch(const char *version, ktstr_kernel_progress_fn progress, void *arg,
		       struct ktstr_kernel *ret_kernel, struct ktstr_error *err)
{
	const struct progress say = { progress, arg };
	_cleanup_(fetch_deinit) struct fetch f = { .progress = &say, .version = version };
	struct ktstr_error own;
	int r;

	f.err = err ? err : &own;
	if (!wants_latest(version) && !kernel_version_valid(version))
		return ktstr_error_set(f.err, -ENOENT,
				       "'%s' is not a kernel version; give one such as 7.3 or "
				       "6.12.107, or 'latest'",
				       version);
	if (!wants_latest(version) && is_cached(version, ret_kernel))
		return 0;
	r = apt_init(&f.apt, &say, f.err);
	if (r == 0)
		r = update(&f, false);
	if (r == 0)
		r = fetch_best(&f, ret_kernel);
	/* What is wanted, or the file of it, may have appeared since the lists were read. */
	if ((r == -ENOENT || r == -EIO) && f.apt.reused) {
		r = update(&f, true);
		if (r == 0)
			r = fetch_best(&f, ret_kernel);
	}
	return r < 0 ? keep_cached(&f, r, ret_kernel) : 0;
}
