// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/template_key.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/strbuf.h"
#include "vm/filehash.h"

enum { BOOT_ID_MAX = 256 };

/* To be counted up with whatever else decides what a template is. */
static const char format_words[] = "ktstr template 4\n";

/* The machine as its key names it: the same structure with hashes for paths. */
struct named {
	struct ktstr_qemu qemu;
	struct ktstr_kernel kernel;
	char initrd[SHA256_HEX];
};

static int name_file(char *path, const char *cache_dir, struct ktstr_error *err)
{
	char hex[SHA256_HEX];
	int r;

	if (!path[0])
		return 0;
	r = filehash_sha256(path, cache_dir, hex, err);
	if (r == 0)
		memcpy(path, hex, sizeof(hex));
	return r;
}

static int name_all(const struct vm_opts *opts, const char *cache_dir, struct named *n,
		    struct ktstr_error *err)
{
	bool pvh = opts->kernel->pvh || !opts->kernel->image_path[0];
	int r = 0;

	if (opts->initrd_sha256 && opts->initrd_sha256[0])
		memcpy(n->initrd, opts->initrd_sha256, sizeof(n->initrd));
	else
		r = filehash_sha256(opts->initrd_path, cache_dir, n->initrd, err);

	n->qemu = *opts->qemu;
	n->kernel = *opts->kernel;
	if (r == 0)
		r = name_file(n->qemu.path, cache_dir, err);
	if (r == 0)
		r = name_file(n->qemu.firmware_path, cache_dir, err);
	if (r == 0)
		r = name_file(pvh ? n->kernel.vmlinux_path : n->kernel.image_path, cache_dir, err);
	return r;
}

static int add_host(const struct vm_opts *opts, struct strbuf *text, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf boot_id = STRBUF_INIT_LIMIT(BOOT_ID_MAX);
	int r;

	strbuf_addstr(text, format_words);
	strbuf_addf(text, "qemu %s\n", opts->qemu->version);
	if (opts->accel != KTSTR_ACCEL_KVM)
		return 0;
	r = io_read_file("/proc/sys/kernel/random/boot_id", &boot_id, err);
	strbuf_addf(text, "host %s", strbuf_str(&boot_id));
	return r;
}

int template_key_make(const struct vm_opts *opts, uint64_t memory_bytes, const char *cache_dir,
		      char key[SHA256_HEX], struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct named named;
	struct vm_opts cold = { .qemu = &named.qemu,
				.kernel = &named.kernel,
				.topology = opts->topology,
				.memory_bytes = memory_bytes,
				.kernel_args = opts->kernel_args,
				.accel = opts->accel,
				.initrd_path = named.initrd,
				.exact = opts->exact,
				.dir = "DIR",
				.shell_fd = -1 };
	struct sha256 s;
	char **args = NULL;
	int r = name_all(opts, cache_dir, &named, err);

	if (r == 0)
		r = add_host(opts, &text, err);
	if (r == 0)
		r = vm_args_build(&cold, &args, err);
	if (r < 0)
		return r;
	for (char **p = args; *p; p++)
		strbuf_addf(&text, "%s\n", *p);
	vm_args_free(args);
	if (text.error)
		return ktstr_error_nomem(err);
	sha256_init(&s);
	sha256_update(&s, text.data, text.len);
	sha256_final_hex(&s, key);
	return 0;
}
