// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/objects.h"
#include "run/parcel.h"
#include "run/replay.h"
#include <ktstr/log.h>

static int find_qemu(const struct ktstr_replay_opts *opts, struct replay_item *item,
		     struct ktstr_error *err)
{
	const char *wanted = item->record.qemu, *found = item->machine.qemu.version;
	int r = ktstr_qemu_find(opts->qemu_path, &item->machine.qemu, err);

	if (r < 0 || !strcmp(wanted, found))
		return r;
	if (!opts->any_qemu)
		return ktstr_error_set(err, -EPROTO,
				       "it ran on QEMU %s and here is %s, which may count "
				       "instructions differently; --any-qemu tries it",
				       wanted, found);
	ktstr_log(KTSTR_LOG_WARN, "QEMU is %s, the record has %s: events may differ", found,
		  wanted);
	return 0;
}

static int check_engine(const struct runrecord *record, struct ktstr_error *err)
{
	if (!record->exact || record->engine == RUNRECORD_ENGINE)
		return 0;
	return ktstr_error_set(
		err, -EPROTO,
		"it ran on engine %u of ktstr and this program has %d, which sets up "
		"QEMU in another way: use the version that recorded it",
		record->engine, RUNRECORD_ENGINE);
}

static int choose_accel(struct replay_item *item, struct ktstr_error *err)
{
	struct machine *machine = &item->machine;
	int r;

	machine->exact = item->record.exact;
	machine->accel = KTSTR_ACCEL_TCG;
	if (item->record.accel == KTSTR_ACCEL_TCG)
		return 0;
	r = ktstr_accel_probe(&machine->qemu, machine_boot_path(&machine->kernel), &machine->accel,
			      NULL, err);
	if (r == 0 && machine->accel != KTSTR_ACCEL_KVM)
		ktstr_log(KTSTR_LOG_WARN,
			  "it ran with KVM, which does not work here: it is emulated");
	return r;
}

static int load_job(struct replay_item *item, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(PROTOCOL_JOB_JSON_MAX);
	_cleanup_free_ char *path = path_format("%s/" RUNRECORD_JOB, item->dir);
	char hex[SHA256_HEX];
	struct sha256 hash;
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = io_read_file(path, &text, err);
	if (r < 0)
		return r;
	sha256_init(&hash);
	sha256_update(&hash, text.data, text.len);
	sha256_final_hex(&hash, hex);
	if (strcmp(hex, item->record.job_sha256) != 0)
		return ktstr_error_set(err, -EBADMSG,
				       "'%s' has been changed: its content has the SHA-256 %s",
				       path, hex);
	item->job_text = strbuf_take(&text);
	return item->job_text ? 0 : ktstr_error_nomem(err);
}

static int load_objects(struct replay_item *item, struct ktstr_error *err)
{
	const struct runrecord *record = &item->record;
	int r = objects_check(item->objects_dir, record->image_sha256, err);

	if (r == 0)
		r = objects_check(item->objects_dir, record->files_sha256, err);
	if (r < 0)
		return r;
	item->machine.image_path = objects_path(item->objects_dir, record->image_sha256);
	item->files_path = objects_path(item->objects_dir, record->files_sha256);
	return item->machine.image_path && item->files_path ? 0 : ktstr_error_nomem(err);
}

static int load(const struct ktstr_replay_opts *opts, const struct replay_source *source,
		struct replay_item *item, struct ktstr_error *err)
{
	int r = runrecord_read(item->dir, &item->record, err);

	if (r == 0)
		r = ktstr_topology_parse(item->record.topology, &item->topology, err);
	if (r == 0)
		r = load_job(item, err);
	if (r == 0)
		r = load_objects(item, err);
	if (r == 0)
		r = check_engine(&item->record, err);
	if (r == 0)
		r = find_qemu(opts, item, err);
	if (r == 0)
		r = replay_find_kernel(opts, source->run_dir, &item->record, &item->machine.kernel,
				       err);
	return r == 0 ? choose_accel(item, err) : r;
}

int replay_item_load(const struct ktstr_replay_opts *opts, const struct replay_source *source,
		     const char *name, struct replay_item *ret_item, struct ktstr_error *err)
{
	struct replay_item item = {
		.dir = path_format("%s/%s", source->run_dir, name),
		.objects_dir = path_format("%s/" PARCEL_OBJECTS, source->run_dir),
	};
	int r = item.dir && item.objects_dir ? load(opts, source, &item, err)
					     : ktstr_error_nomem(err);

	if (r < 0) {
		replay_item_deinit(&item);
		return r;
	}
	*ret_item = item;
	return 0;
}

void replay_item_deinit(struct replay_item *item)
{
	machine_release(&item->machine, false);
	free(item->dir);
	free(item->objects_dir);
	free(item->files_path);
	free(item->job_text);
	*item = (struct replay_item){ 0 };
}
