/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * vm.h - one QEMU process: started, watched, ended.
 *
 * A struct vm owns its QEMU (killed when the owner dies, whatever way) and leaves in its folder:
 * qemu.args (the command line), console.log (kernel console), records.bin (the guest's frames),
 * qemu.log (QEMU's stderr).  Not thread-safe.
 */
#ifndef KTSTR_VM_VM_H
#define KTSTR_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/sha256.h"
#include <ktstr/kernel.h>
#include <ktstr/topology.h>
#include <ktstr/vm.h>

/* Up in 2 minutes of CPU time where KVM does not work; 255 were not in 5. */
enum { VM_TCG_CPUS_MAX = 128 };

struct vm;
struct template; /* template.h */

struct vm_opts {
	const struct ktstr_qemu *qemu;
	const struct ktstr_kernel *kernel;
	struct ktstr_topology topology;
	uint64_t memory_bytes;	   /* 0: vm_memory_bytes() of the job's size */
	const char *kernel_args;   /* behind ours on the kernel's command line; NULL: none */
	enum ktstr_accel accel;	   /* AUTO is not allowed here: probe first */
	const char *initrd_path;   /* guest image */
	const char *initrd_sha256; /* of its content if that is known; else NULL or "" */
	/* Virtual time and no chance from outside: icount, a fixed clock, no hardware randomness.
	 * @accel must be TCG. */
	bool exact;
	const struct template *template; /* restored instead of booting; NULL: cold boot */
	const char *job_path;	/* fw_cfg opt/ktstr/job: the description; NULL: an empty one */
	const char *files_path; /* fw_cfg opt/ktstr/files: cpio archive; NULL: an empty one */
	const char *gdb_path;	/* QEMU serves gdb at this unix socket; NULL: not */
	bool hold;		/* no vCPU runs before gdb says so */
	/* The guest's own stop (protocol.h, stop_seq) pauses it for gdb; a cold boot that is not exact
	 * pauses where a template would be taken as well. */
	bool pause_at_stop;
	const char *save_dir; /* a template in the making: memory goes to files here; NULL */
	int qmp_fd;	      /* set by vm_start() and nobody else; 0: none */
	const char *dir;      /* exists; receives the four files */
	int shell_fd;	      /* -1, or a stream socket joined to port ktstr.shell; borrowed */
	int cancel_fd;	      /* readable: vm_start() gives up with -EINTR; 0 or less: never */
};

/* The whole QEMU command line, NULL-terminated, one malloc'ed block per string and one for the
 * array; free with vm_args_free().  Pure: starts and probes nothing. */
int vm_args_build(const struct vm_opts *opts, char ***ret_args,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
void vm_args_free(char **args);

/* Does this machine pause where templates are taken, only to be let on?  An exact cold boot does: to
 * pause there takes its clock to the next timer, and a clone must not be the only one to be so. */
static inline bool vm_passes_stop(const struct vm_opts *opts)
{
	return opts->exact && !opts->template && !opts->save_dir;
}

/* Memory for a topology and @job_bytes of files, in classes (384, 512, 768 MiB, 1, 1.5, 2 GiB, then
 * whole GiB) so that machines that differ little share a template; a multiple of the nodes in MiB. */
uint64_t vm_memory_bytes(const struct ktstr_topology *topology, uint64_t job_bytes);

/* The thread that starts a VM must outlive it: its death ends QEMU.  A clone runs when this returns,
 * and nothing speaks with its QEMU from then on.  Return: 0; -EINVAL, -ERANGE: no such machine;
 * -ENOMEM: this host has not that much memory left; -EINTR: @cancel_fd;
 * -EREMOTEIO, -EPIPE, -ETIMEDOUT: the template could not be restored (the text holds QEMU's words);
 * -errno.  On failure nothing runs. */
int vm_start(const struct vm_opts *opts, struct vm **ret_vm,
	     struct ktstr_error *err) KTSTR_MUST_CHECK;

enum vm_event { VM_RECORDS = 1 << 0, VM_EXITED = 1 << 1, VM_EXTRA = 1 << 2 };

/* Waits until there may be new records, QEMU has exited or @extra_fd (-1: none) is readable.
 * Return: bits of enum vm_event, 0 on timeout, -errno. */
int vm_wait(struct vm *vm, int extra_fd, uint64_t timeout_ns) KTSTR_MUST_CHECK;

/* New bytes of records.bin.  Return: how many, 0 for none now, -errno. */
int vm_read_records(struct vm *vm, void *buf, size_t size) KTSTR_MUST_CHECK;

/* Of QEMU; 0 once it has ended. */
pid_t vm_pid(const struct vm *vm);

/* CPU time QEMU has used so far.  Return: 0 or -errno. */
int vm_cpu_ns(struct vm *vm, uint64_t *ret_ns) KTSTR_MUST_CHECK;

struct vm_exit {
	bool exited; /* exit_code counts; else signal */
	int exit_code;
	int signal;
};

/* Return: 1 and how QEMU ended, or 0 while it runs. */
int vm_exit_status(struct vm *vm, struct vm_exit *ret_exit);
/* The last line of DIR/qemu.log, or "". */
void vm_last_words(const char *dir, char *line, size_t size);
/* SIGKILL; to free its memory takes QEMU a few ms, which nobody waits for here. */
void vm_kill(struct vm *vm);
/* vm_kill() and reap; the files stay. */
void vm_stop(struct vm *vm);
/* vm_stop() and free; NULL is fine. */
void vm_destroy(struct vm *vm);

/* --- guest image and job archives (src/vm/initrd.c, pack.c) ---------------------------------------- */

enum { VM_IMAGE_LIBRARIES = 9 };

struct vm_image_library {
	const char *name; /* in the guest, without a leading slash; never freed */
	struct stat st;	  /* of the file on this host */
};

/* What an image has that programs need. */
struct vm_image {
	struct vm_image_library libraries[VM_IMAGE_LIBRARIES];
	unsigned int nr_libraries;
};

/* The initial ramdisk: the agent as /init, folders, the libraries of imagelibs.h, and if the kernel has
 * them its modules and its config (/boot/config-RELEASE).  @ret_image: NULL if nobody asks. */
int vm_image_write(const char *path, const struct ktstr_kernel *kernel, struct vm_image *ret_image,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

struct pack; /* an archive being put together */

/* What a whole archive is known by. */
struct pack_sums {
	uint64_t bytes;
	uint64_t xxh64;
	char sha256[SHA256_HEX];
};

int pack_create(const char *path, struct pack **ret_pack, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Libraries that @image has, the same files under the same names, are left out.  Borrowed; to be said
 * before anything is added. */
void pack_leave_out(struct pack *pack, const struct vm_image *image);
/* Adds a host file as @guest_path (absolute); if it is a dynamic ELF file, its interpreter and
 * every library it needs go to /usr/lib (once each, by soname).  Scripts bring their interpreter.
 * -ENOENT: no such file, or a library that the text names together with who needs it;
 * -EEXIST: two different files for one guest path. */
int pack_add(struct pack *pack, const char *host_path, const char *guest_path,
	     struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The same without what only debuggers read (symbols, debug information): a third of a program. */
int pack_add_program(struct pack *pack, const char *host_path, const char *guest_path,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Adds a symbolic link. */
int pack_link(struct pack *pack, const char *target, const char *guest_path,
	      struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Writes the archive.  It depends on nothing but the files' content and their places. */
int pack_finish(struct pack *pack, struct pack_sums *ret_sums,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Frees; removes an archive that was not finished.  NULL is fine. */
void pack_destroy(struct pack *pack);

#endif
