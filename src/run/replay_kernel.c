// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "kernel/version.h"
#include "run/filesum.h"
#include "run/parcel.h"
#include "run/replay.h"
#include <ktstr/log.h>

/* Is what would be booted of the content that is wanted? */
static bool is_it(const struct ktstr_kernel *kernel, const struct runrecord *record)
{
	char hex[SHA256_HEX];

	return filesum_sha256(machine_boot_path(kernel), hex, NULL) == 0 &&
	       !strcmp(hex, record->kernel_sha256);
}

/* The file itself is compared first: resolving another one may import it into the cache. */
static bool is_file(const char *path, const struct runrecord *record,
		    struct ktstr_kernel *ret_kernel)
{
	char hex[SHA256_HEX];

	if (!path || !*path || access(path, R_OK) < 0 || path_is_dir(path))
		return false;
	if (filesum_sha256(path, hex, NULL) < 0 || strcmp(hex, record->kernel_sha256) != 0)
		return false;
	return ktstr_kernel_resolve(path, ret_kernel, NULL) == 0 && is_it(ret_kernel, record);
}

static bool is_cached(const struct runrecord *record, struct ktstr_kernel *ret_kernel)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	int nr = ktstr_kernel_list(&kernels, NULL);

	for (int i = 0; i < nr; i++)
		if (is_it(&kernels[i], record)) {
			*ret_kernel = kernels[i];
			return true;
		}
	return false;
}

static int missing(const struct runrecord *record, struct ktstr_error *err)
{
	char version[KTSTR_KERNEL_NAME];

	kernel_version_upstream(record->kernel, version, sizeof(version));
	if (!kernel_version_valid(version))
		return ktstr_error_set(err, -ENOENT,
				       "kernel '%s' with the SHA-256 %s is neither at '%s' nor in "
				       "the cache; give its file with --kernel",
				       record->kernel, record->kernel_sha256, record->kernel_path);
	return ktstr_error_set(err, -ENOENT,
			       "kernel '%s' with the SHA-256 %s is neither at '%s' nor in the "
			       "cache; run: ktstr kernel fetch %s, or give its file with --kernel",
			       record->kernel, record->kernel_sha256, record->kernel_path, version);
}

int replay_find_kernel(const struct ktstr_replay_opts *opts, const char *run_dir,
		       const struct runrecord *record, struct ktstr_kernel *ret_kernel,
		       struct ktstr_error *err)
{
	_cleanup_free_ char *packed =
		path_format("%s/" PARCEL_KERNELS "/%s", run_dir, record->kernel_sha256);
	const char *places[] = { packed, opts->kernel_path, record->kernel_path };
	struct ktstr_kernel kernel = { 0 };

	if (!packed)
		return ktstr_error_nomem(err);
	/* A cached one is known by more than its file. */
	if (is_cached(record, &kernel)) {
		*ret_kernel = kernel;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is_file(places[i], record, &kernel)) {
			*ret_kernel = kernel;
			return 0;
		}
	return missing(record, err);
}
