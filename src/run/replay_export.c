// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/interrupt.h"
#include "run/objects.h"
#include "run/parcel.h"
#include "run/replay.h"

struct export
{
	const struct ktstr_replay_opts *opts;
	const struct replay_source *source;
	struct parcel *parcel;
};

/* DIR/NAME of the run folder under the same name; what need not be there may be missing. */
static int add(struct export *export, const char *folder, const char *name, bool optional,
	       struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s/%s", export->source->run_dir, folder, name);
	_cleanup_free_ char *as = path_format("%s/%s", folder, name);

	if (!path || !as)
		return ktstr_error_nomem(err);
	if (optional && access(path, F_OK) < 0)
		return 0;
	return parcel_add(export->parcel, path, as, err);
}

static int add_object(struct export *export, const char *sha256, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = path_format("%s/" PARCEL_OBJECTS, export->source->run_dir);
	int r = dir ? objects_check(dir, sha256, err) : ktstr_error_nomem(err);

	return r < 0 ? r : add(export, PARCEL_OBJECTS, sha256, false, err);
}

static int add_kernel(struct export *export, const struct runrecord *record,
		      struct ktstr_error *err)
{
	_cleanup_free_ char *as = path_format(PARCEL_KERNELS "/%s", record->kernel_sha256);
	struct ktstr_kernel kernel;
	int r = replay_find_kernel(export->opts, export->source->run_dir, record, &kernel, err);

	if (r == 0 && !as)
		r = ktstr_error_nomem(err);
	return r < 0 ? r : parcel_add(export->parcel, machine_boot_path(&kernel), as, err);
}

static int add_item(struct export *export, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = path_format("%s/%s", export->source->run_dir, name);
	struct runrecord record;
	int r = dir ? runrecord_read(dir, &record, err) : ktstr_error_nomem(err);

	if (r == 0)
		r = parcel_add_folder(export->parcel, name, err);
	if (r == 0)
		r = add(export, name, RUNRECORD_FILE, false, err);
	if (r == 0)
		r = add(export, name, RUNRECORD_JOB, false, err);
	if (r == 0)
		r = add(export, name, RUNRECORD_EVENTS, true, err);
	if (r == 0)
		r = add(export, name, "result.json", true, err);
	if (r == 0)
		r = add_object(export, record.image_sha256, err);
	if (r == 0)
		r = add_object(export, record.files_sha256, err);
	if (r == 0)
		r = add_kernel(export, &record, err);
	return r < 0 ? ktstr_error_wrap(err, r, "'%s'", name) : 0;
}

static int add_all(struct export *export, struct ktstr_error *err)
{
	int r = parcel_add_folder(export->parcel, PARCEL_OBJECTS, err);

	if (r == 0)
		r = parcel_add_folder(export->parcel, PARCEL_KERNELS, err);
	for (size_t i = 0; r == 0 && i < export->source->nr; i++)
		r = add_item(export, export->source->items[i], err);
	return r < 0 ? r : parcel_finish(export->parcel, err);
}

static void tell(const struct export *export, const char *file)
{
	struct stat st = { 0 };

	(void)!stat(file, &st);
	replay_say(export->opts, "'%s': %zu runs, %llu KiB; ktstr replay '%s' repeats them", file,
		   export->source->nr, (unsigned long long)(st.st_size >> 10), file);
}

static int export_from(const struct ktstr_replay_opts *opts, const struct replay_source *source,
		       const char *file, struct ktstr_error *err)
{
	struct export export = { .opts = opts, .source = source };
	int r;

	if (source->is_parcel)
		return ktstr_error_set(err, -EINVAL, "'%s' is an exported file already: copy it",
				       opts->path);
	if (!source->nr)
		return ktstr_error_set(err, -ENOENT,
				       "nothing to export: all %u recorded runs passed or were "
				       "skipped; --all exports them",
				       source->nr_passed);
	r = interrupt_catch(err);
	if (r == 0)
		r = parcel_create(file, &export.parcel, err);
	if (r == 0)
		r = add_all(&export, err);
	parcel_destroy(export.parcel);
	interrupt_release();
	if (r == 0)
		tell(&export, file);
	return r;
}

int ktstr_replay_export(const struct ktstr_replay_opts *opts, const char *file,
			struct ktstr_error *err)
{
	struct replay_source source = { 0 };
	int r;

	if (!path_is_dir(opts->path) && access(opts->path, F_OK) == 0)
		return ktstr_error_set(err, -EINVAL, "'%s' is no run folder", opts->path);
	r = replay_source_open(opts, "", &source, err);
	if (r == 0)
		r = export_from(opts, &source, file, err);
	replay_source_close(&source);
	return r;
}
