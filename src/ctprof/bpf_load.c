// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include <bpf/skel_internal.h>
#include <ktstr/ctprof.h>

#include "ctprof/bpf_load.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/blob.h"
#include "ctprof/bpf_libbpf.h"

extern const struct bpf_blob ctprof_bpf_blob;

/* What the loading program is given and fills, as libbpf lays it out. */
struct loading {
	struct bpf_loader_ctx ctx;
	/* maps, then programs; how many stands in the blob */
	unsigned char rest[BPF_BLOB_MAPS_MAX * sizeof(struct bpf_map_desc) +
			   sizeof(struct bpf_prog_desc)];
};

static void unload(struct bpf_loaded *program)
{
	closep(&program->link_fd);
	closep(&program->program_fd);
	closep(&program->config_fd);
	*program = (struct bpf_loaded)BPF_LOADED_INIT;
}

static int refuse(struct ktstr_error *err, const char *reason)
{
	return ktstr_error_set(err, -EOPNOTSUPP, "the BPF collector cannot work here: %s", reason);
}

int bpf_way_for(const char *release, enum bpf_way *ret_way, struct ktstr_error *err)
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return refuse(err, "what kernel this is cannot be told");
	if (major < 5 || (major == 5 && minor < 15))
		return refuse(err, "it needs Linux 5.15 or newer");
	*ret_way = major == 5 && minor < 17 ? BPF_BY_LIBBPF : BPF_BY_KERNEL;
	return 0;
}

unsigned int bpf_pays_from(const char *release)
{
	enum bpf_way way = BPF_BY_KERNEL;

	if (bpf_way_for(release, &way, NULL) == 0 && way == BPF_BY_LIBBPF)
		return KTSTR_CTPROF_LIBBPF_FROM_THREADS;
	return KTSTR_CTPROF_BPF_FROM_THREADS;
}

static int check_btf(struct ktstr_error *err)
{
	if (access("/sys/kernel/btf/vmlinux", F_OK) < 0)
		return refuse(err, "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF), or no /sys");
	return 0;
}

static int explain(struct ktstr_error *err, int error, const char *what)
{
	char text[BPF_LIBBPF_TEXT_BYTES + 64];

	if (error == -EPERM || error == -EACCES)
		return refuse(err,
			      "BPF is not permitted: run as root, or with CAP_BPF and CAP_PERFMON");
	if (error == -ELIBACC)
		return refuse(err, "on Linux before 5.17 it needs libbpf (Debian: libbpf1)");
	if (error == -ENOSYS)
		return refuse(err, "the kernel has no BPF (CONFIG_BPF_SYSCALL)");
	snprintf(text, sizeof(text), "%s: %s", what && *what ? what : "load", strerror(-error));
	return refuse(err, text);
}

static int take_fds(const struct bpf_blob *blob, const struct loading *loading,
		    struct bpf_loaded *program)
{
	const struct bpf_map_desc *maps = (const void *)loading->rest;
	const struct bpf_prog_desc *programs = (const void *)(maps + blob->nr_maps);

	for (uint32_t i = 0; i < blob->nr_maps; i++) {
		if (i == blob->config_map)
			program->config_fd = maps[i].map_fd;
		else if (maps[i].map_fd > 0)
			close(maps[i].map_fd);
	}
	program->program_fd = programs[0].prog_fd;
	return program->config_fd > 0 && program->program_fd > 0 ? 0 : -EBADMSG;
}

static int run_loader(struct bpf_loaded *program, const char **ret_what)
{
	const struct bpf_blob *blob = &ctprof_bpf_blob;
	const unsigned char *data = (const unsigned char *)(blob + 1);
	struct loading loading = { 0 };
	struct bpf_load_and_run_opts opts = {
		.ctx = &loading.ctx,
		.data = data,
		.data_sz = blob->data_bytes,
		.insns = data + blob->data_bytes,
		.insns_sz = blob->insns_bytes,
	};
	int r;

	loading.ctx.sz =
		(uint32_t)(sizeof(loading.ctx) + blob->nr_maps * sizeof(struct bpf_map_desc) +
			   blob->nr_programs * sizeof(struct bpf_prog_desc));
	r = bpf_load_and_run(&opts);
	*ret_what = opts.errstr;
	return r < 0 ? r : take_fds(blob, &loading, program);
}

int bpf_load(enum bpf_way way, struct bpf_loaded *ret_loaded, struct ktstr_error *err)
{
	_cleanup_(unload) struct bpf_loaded program = BPF_LOADED_INIT;
	char said[BPF_LIBBPF_TEXT_BYTES];
	const char *what = said;
	int r = check_btf(err);

	if (r < 0)
		return r;
	r = way == BPF_BY_LIBBPF ? bpf_libbpf_load(bpf_libbpf_names, &program, said)
				 : run_loader(&program, &what);
	if (r < 0)
		return explain(err, r, what);
	program.link_fd = skel_link_create(program.program_fd, 0, BPF_TRACE_ITER);
	if (program.link_fd < 0)
		return explain(err, -errno, "make an iterator of tasks");
	*ret_loaded = program;
	program = (struct bpf_loaded)BPF_LOADED_INIT;
	return 0;
}

static int load(struct bpf_loaded *ret_loaded, struct ktstr_error *err)
{
	enum bpf_way way;
	struct utsname uts;
	int r;

	uname(&uts);
	r = bpf_way_for(uts.release, &way, err);
	return r < 0 ? r : bpf_load(way, ret_loaded, err);
}

/* One, of this process: a forked child would share its maps, and another user has other rights. */
static struct {
	pthread_mutex_t lock;
	struct bpf_loaded loaded;
	pid_t owner; /* 0: none is kept */
	uid_t user;
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER, .loaded = BPF_LOADED_INIT };

int bpf_take(struct bpf_loaded *ret_loaded, struct ktstr_error *err)
{
	bool found;

	pthread_mutex_lock(&kept.lock);
	found = kept.owner == getpid() && kept.user == geteuid();
	if (found) {
		*ret_loaded = kept.loaded;
		kept.owner = 0;
	}
	pthread_mutex_unlock(&kept.lock);
	return found ? 0 : load(ret_loaded, err);
}

void bpf_give(struct bpf_loaded *loaded)
{
	if (loaded->program_fd < 0)
		return;
	pthread_mutex_lock(&kept.lock);
	if (kept.owner && (kept.owner != getpid() || kept.user != geteuid())) {
		unload(&kept.loaded);
		kept.owner = 0;
	}
	if (!kept.owner) {
		kept.loaded = *loaded;
		kept.owner = getpid();
		kept.user = geteuid();
		*loaded = (struct bpf_loaded)BPF_LOADED_INIT;
	}
	pthread_mutex_unlock(&kept.lock);
	unload(loaded);
}

int bpf_open(const struct bpf_loaded *program, const struct ctprof_config *config)
{
	union bpf_attr attr = { 0 };
	const uint32_t key = 0;
	int fd;

	if (skel_map_update_elem(program->config_fd, &key, config, 0) < 0)
		return -errno;
	attr.iter_create.link_fd = (uint32_t)program->link_fd;
	fd = skel_sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr.iter_create));
	return fd < 0 ? -errno : fd;
}
