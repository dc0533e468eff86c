// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crc32.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/vm.h"
#include <ktstr/log.h>

enum { VERDICT_MAX = 8192 };

#define HELLO_LIMIT_NS (10 * NSEC_PER_SEC)

DEFINE_CLEANUP(struct vm *, vm_destroy);

static const char *const verdict_names[] = { [KTSTR_ACCEL_KVM] = "kvm", [KTSTR_ACCEL_TCG] = "tcg" };

static void say_why(struct ktstr_error *why, int code, const char *text)
{
	ktstr_error_set(why, code, "%s", text);
}

/* The lines that say what a verdict is about. */
static char *subject_text(const struct probe_opts *opts)
{
	return path_format("ktstr accel 1\nhost %s\nqemu %s %s\nkernel %s %s\n", opts->boot_id,
			   opts->qemu->path, opts->qemu->version, opts->kernel->release,
			   opts->kernel->vmlinux_path);
}

static char *verdict_path(const struct probe_opts *opts, const char *subject)
{
	return path_format("%s/accel/%08x", opts->cache_dir,
			   crc32_update(0, subject, strlen(subject)));
}

/* Return: whether there is a verdict about this very subject. */
static bool recall(const char *path, const char *subject, enum ktstr_accel *ret_accel,
		   struct ktstr_error *why)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(VERDICT_MAX);
	enum ktstr_accel accel = KTSTR_ACCEL_AUTO;
	const char *rest;

	if (io_read_file(path, &text, NULL) < 0 ||
	    strncmp(strbuf_str(&text), subject, strlen(subject)))
		return false;
	rest = strbuf_str(&text) + strlen(subject);
	if (!strncmp(rest, "kvm\nwhy ", 8))
		accel = KTSTR_ACCEL_KVM;
	else if (!strncmp(rest, "tcg\nwhy ", 8))
		accel = KTSTR_ACCEL_TCG;
	else
		return false;
	ktstr_error_set(why, 0, "%.*s (seen earlier since this host booted)",
			(int)strcspn(rest + 8, "\n"), rest + 8);
	*ret_accel = accel;
	return true;
}

/* A verdict that cannot be kept is found out again next time. */
static void remember(const char *path, const char *subject, enum ktstr_accel accel, const char *why)
{
	_cleanup_free_ char *dir = strndup(path, (size_t)(path_base(path) - path) - 1);
	_cleanup_free_ char *text =
		path_format("%s%s\nwhy %s\n", subject, verdict_names[accel], why);

	if (dir && text && path_mkdir_all(dir, NULL) == 0 &&
	    io_write_quickly(path, text, strlen(text), 0644, NULL) < 0)
		ktstr_log(KTSTR_LOG_DEBUG, "'%s' was not written, ignoring", path);
}

static int watch_boot(const struct probe_opts *opts, struct vm *vm, const char *dir,
		      struct ktstr_error *why)
{
	struct vm_exit how;
	char line[256];
	int events = vm_wait(vm, -1, opts->limit_ns);

	if (events < 0)
		return events;
	if (events & VM_RECORDS) {
		say_why(why, 0, "a guest with KVM said hello");
		return KTSTR_ACCEL_KVM;
	}
	if (!(events & VM_EXITED)) {
		ktstr_error_set(why, -ETIMEDOUT,
				"a guest with KVM said nothing within %llu s: using TCG",
				(unsigned long long)(opts->limit_ns / NSEC_PER_SEC));
		return KTSTR_ACCEL_TCG;
	}
	vm_last_words(dir, line, sizeof(line));
	if (vm_exit_status(vm, &how) > 0 && !line[0])
		snprintf(line, sizeof(line), how.exited ? "exit code %d" : "signal %d",
			 how.exited ? how.exit_code : how.signal);
	ktstr_error_set(why, -EIO, "QEMU with KVM ended before its guest came up (%s): using TCG",
			line);
	return KTSTR_ACCEL_TCG;
}

static int boot_in(const struct probe_opts *opts, const char *dir, struct ktstr_error *why,
		   struct ktstr_error *err)
{
	_cleanup_free_ char *image = path_format("%s/initrd", dir);
	_cleanup_(vm_destroyp) struct vm *vm = NULL;
	struct vm_opts vm_opts = { .qemu = opts->qemu,
				   .kernel = opts->kernel,
				   .accel = KTSTR_ACCEL_KVM,
				   .initrd_path = image,
				   .dir = dir,
				   .shell_fd = -1 };
	int r = image ? vm_image_write(image, opts->kernel, NULL, err) : ktstr_error_nomem(err);

	if (r == 0)
		r = vm_start(&vm_opts, &vm, err);
	if (r < 0)
		return r;
	r = watch_boot(opts, vm, dir, why);
	return r < 0 ? ktstr_error_set(err, r, "watch a guest: %s", strerror(-r)) : r;
}

/* Return: the verdict, or -errno. */
static int boot_below(const struct probe_opts *opts, const char *parent, struct ktstr_error *why,
		      struct ktstr_error *err)
{
	_cleanup_free_ char *dir = path_format("%s/probe.XXXXXX", parent);
	int r;

	if (!dir)
		return ktstr_error_nomem(err);
	r = path_mkdir_all(parent, err);
	if (r < 0)
		return r;
	if (!mkdtemp(dir))
		return ktstr_error_set(err, -errno, "create '%s': %s", dir, strerror(errno));
	r = boot_in(opts, dir, why, err);
	if (path_remove_tree(dir, NULL) < 0)
		ktstr_log(KTSTR_LOG_WARN, "'%s' was not removed, ignoring", dir);
	return r;
}

/* Where nothing can be kept, a guest can still be tried: its files then lie where those of runs do. */
static int boot(const struct probe_opts *opts, struct ktstr_error *why, struct ktstr_error *err)
{
	_cleanup_free_ char *state_dir = NULL;
	int r = boot_below(opts, opts->cache_dir, why, err);

	switch (r) {
	case -EROFS:
	case -EACCES:
	case -EPERM:
	case -ENOTDIR:
	case -ENOSPC:
	case -EDQUOT:
		state_dir = path_state_dir(NULL);
		return state_dir ? boot_below(opts, state_dir, why, err) : r;
	default:
		return r;
	}
}

int probe_accel(const struct probe_opts *opts, enum ktstr_accel *ret_accel, struct ktstr_error *why,
		struct ktstr_error *err)
{
	_cleanup_free_ char *subject = subject_text(opts);
	_cleanup_free_ char *path = subject ? verdict_path(opts, subject) : NULL;
	struct ktstr_error reason = { 0 };
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	if (access(opts->kvm_path, R_OK | W_OK) < 0) {
		ktstr_error_set(why, -errno, "'%s': %s: using TCG", opts->kvm_path,
				strerror(errno));
		*ret_accel = KTSTR_ACCEL_TCG;
		return 0;
	}
	if (recall(path, subject, ret_accel, why))
		return 0;
	r = boot(opts, &reason, err);
	if (r < 0)
		return ktstr_error_wrap(err, r, "try a guest with KVM");
	remember(path, subject, (enum ktstr_accel)r, reason.text);
	say_why(why, reason.code, reason.text);
	*ret_accel = (enum ktstr_accel)r;
	return 0;
}

int ktstr_accel_probe(const struct ktstr_qemu *qemu, const char *kernel_spec,
		      enum ktstr_accel *ret_accel, struct ktstr_error *why, struct ktstr_error *err)
{
	static const char kvm_path[] = "/dev/kvm";
	_cleanup_strbuf_ struct strbuf boot_id = STRBUF_INIT_LIMIT(VERDICT_MAX);
	_cleanup_free_ char *cache_dir = NULL;
	struct ktstr_kernel kernel;
	int r;

	/* Without the device there is nothing to find out, whatever the kernel. */
	if (access(kvm_path, R_OK | W_OK) < 0) {
		ktstr_error_set(why, -errno, "'%s': %s: using TCG", kvm_path, strerror(errno));
		*ret_accel = KTSTR_ACCEL_TCG;
		return 0;
	}
	r = ktstr_kernel_resolve(kernel_spec, &kernel, err);
	if (r == 0)
		r = io_read_file("/proc/sys/kernel/random/boot_id", &boot_id, err);
	if (r < 0)
		return r;
	boot_id.data[strcspn(boot_id.data, "\n")] = '\0';
	cache_dir = path_cache_dir(err);
	if (!cache_dir)
		return err ? err->code : -ENOENT;
	return probe_accel(&(struct probe_opts){ .qemu = qemu,
						 .kernel = &kernel,
						 .kvm_path = kvm_path,
						 .cache_dir = cache_dir,
						 .boot_id = boot_id.data,
						 .limit_ns = HELLO_LIMIT_NS },
			   ret_accel, why, err);
}
