// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/template.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/restore.h"
#include "vm/store.h"
#include "vm/template_key.h"
#include "vm/vm_private.h"

#define BOOT_LIMIT_NS	  (120 * NSEC_PER_SEC) /* and for each CPU: */
#define BOOT_CPU_LIMIT_NS (4 * NSEC_PER_SEC)
#define SAVE_LIMIT_NS	  (60 * NSEC_PER_SEC)

enum { CONSOLE_MAX = 4 << 20, SHOWN_CONSOLE = 400, ROOM_MIN_MIB = 256, FULL_DISK_BYTES = 1 << 20 };

DEFINE_CLEANUP(struct vm *, vm_destroy);
DEFINE_CLEANUP(struct template *, template_release);

/* All that QEMU asks of a kernel with a PVH entry: a segment and the note that names the entry. */
struct stub {
	Elf64_Ehdr header;
	Elf64_Phdr load, note;
	Elf64_Nhdr note_header;
	char note_name[4];
	uint64_t entry;
	char text[16];
};

enum { STUB_ADDRESS = 0x1000000, XEN_ELFNOTE_PHYS32_ENTRY = 18 };

static int write_stub(const char *dir, struct ktstr_error *err)
{
	const struct stub stub = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_EXEC,
			    .e_machine = EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_entry = STUB_ADDRESS,
			    .e_phoff = offsetof(struct stub, load),
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 2 },
		.load = { .p_type = PT_LOAD,
			  .p_flags = PF_R | PF_X,
			  .p_offset = offsetof(struct stub, text),
			  .p_vaddr = STUB_ADDRESS,
			  .p_paddr = STUB_ADDRESS,
			  .p_filesz = sizeof(stub.text),
			  .p_memsz = sizeof(stub.text),
			  .p_align = 1 },
		.note = { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct stub, note_header),
			  .p_filesz = sizeof(Elf64_Nhdr) + 4 + sizeof(uint64_t),
			  .p_align = 4 },
		.note_header = { .n_namesz = 4,
				 .n_descsz = sizeof(uint64_t),
				 .n_type = XEN_ELFNOTE_PHYS32_ENTRY },
		.note_name = "Xen",
		.entry = STUB_ADDRESS,
		.text = "\xf4",
	};
	_cleanup_free_ char *path = path_format("%s/" TEMPLATE_STUB, dir);

	return path ? io_write_file(path, &stub, sizeof(stub), 0644, err) : ktstr_error_nomem(err);
}

static char *read_console(const char *dir)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CONSOLE_MAX);
	_cleanup_free_ char *path = path_format("%s/console.log", dir);

	if (!path || io_read_file(path, &text, NULL) < 0)
		return NULL;
	return strbuf_take(&text);
}

/* A boot that failed: what QEMU and the guest said last. */
static int explain(int r, const char *dir, struct vm *vm, struct ktstr_error *err)
{
	_cleanup_free_ char *console = read_console(dir);
	size_t length = console ? strlen(console) : 0;
	char line[256];

	if (vm_lacked_room(vm))
		return vm_refuse_room(dir, err);
	vm_last_words(dir, line, sizeof(line));
	return ktstr_error_wrap(err, r, "boot a template (QEMU: '%s'; console ends in '%s')", line,
				length > SHOWN_CONSOLE ? console + length - SHOWN_CONSOLE
				: console	       ? console
						       : "");
}

/* The kernel's own pvpanic driver rings the same bell. */
static int check_console(const char *dir, struct ktstr_error *err)
{
	_cleanup_free_ char *console = read_console(dir);

	if (console && strstr(console, "Kernel panic"))
		return ktstr_error_set(err, -EIO, "the guest's kernel panicked");
	return 0;
}

static int wait_for_stop(const struct template_opts *opts, const struct vm_opts *vm_opts,
			 struct vm *vm, struct ktstr_error *err)
{
	uint64_t limit =
		BOOT_LIMIT_NS + BOOT_CPU_LIMIT_NS * ktstr_topology_nr_cpus(&vm_opts->topology);
	int r;

	vm->qmp.deadline_ns = clock_add_ns(clock_mono_ns(), limit);
	vm->qmp.cancel_fd = opts->cancel_fd;
	r = restore_wait_stop(&vm->qmp, err);
	return r == 0 ? check_console(vm_opts->dir, err) : r;
}

static int save(struct vm *vm, const struct vm_opts *vm_opts, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/" TEMPLATE_STATE, vm_opts->dir);
	int r = path ? 0 : ktstr_error_nomem(err);

	vm->qmp.deadline_ns = clock_add_ns(clock_mono_ns(), SAVE_LIMIT_NS);
	if (r == 0)
		r = restore_save(vm, vm_opts, path, err);
	if (r == 0)
		r = qmp_command(&vm->qmp, "quit", NULL, NULL, err);
	return r;
}

static int boot_and_save(const struct template_opts *opts, const char *dir, uint64_t memory_bytes,
			 struct ktstr_error *err)
{
	_cleanup_(vm_destroyp) struct vm *vm = NULL;
	_cleanup_free_ char *records = path_format("%s/records.bin", dir);
	struct vm_opts vm_opts = {
		.qemu = opts->vm->qemu,
		.kernel = opts->vm->kernel,
		.topology = opts->vm->topology,
		.memory_bytes = memory_bytes,
		.kernel_args = opts->vm->kernel_args,
		.accel = opts->vm->accel,
		.initrd_path = opts->vm->initrd_path,
		.exact = opts->vm->exact,
		.dir = dir,
		.save_dir = dir,
		.shell_fd = -1,
		.cancel_fd = opts->cancel_fd,
	};
	int r = records ? vm_start(&vm_opts, &vm, err) : ktstr_error_nomem(err);

	if (r < 0)
		return r;
	r = wait_for_stop(opts, &vm_opts, vm, err);
	if (r == 0)
		r = save(vm, &vm_opts, err);
	if (r < 0)
		return r == -EINTR ? r : explain(r, dir, vm, err);
	vm_stop(vm);
	/* A guest that sends before it stops would send twice. */
	return truncate(records, 0) < 0 || unlink(records) < 0
		       ? ktstr_error_set(err, -errno, "remove '%s': %s", records, strerror(errno))
		       : 0;
}

/* Memory is a sparse file: a page that finds no room on the disk kills QEMU. */
static int check_room(const char *dir, uint64_t memory_bytes, uint64_t *ret_missing,
		      struct ktstr_error *err)
{
	uint64_t needed = memory_bytes / 4, minimum = (uint64_t)ROOM_MIN_MIB << 20, room;
	struct statvfs fs;

	if (statvfs(dir, &fs) < 0)
		return ktstr_error_set(err, -errno, "statvfs '%s': %s", dir, strerror(errno));
	needed = needed > minimum ? needed : minimum;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= needed)
		return 0;
	*ret_missing = needed - room;
	return ktstr_error_set(
		err, -ENOSPC, "a template needs %llu MiB on the disk of '%s', %llu MiB are left",
		(unsigned long long)(needed >> 20), dir, (unsigned long long)(room >> 20));
}

/* Templates that nobody uses are worth less than the one that is wanted now. */
static int make_room(const struct template_opts *opts, const char *dir, uint64_t memory_bytes,
		     struct ktstr_error *err)
{
	_cleanup_free_ char *root = path_format("%s/" TEMPLATE_FOLDER, opts->cache_dir);
	uint64_t missing = 0, taken = 0;
	int r = check_room(dir, memory_bytes, &missing, err);

	if (!missing || !root || store_size(root, &taken, NULL) <= 0)
		return r;
	if (store_prune(root, taken > missing ? taken - missing : 0, NULL) <= 0)
		return r;
	return check_room(dir, memory_bytes, &missing, err);
}

/* Whatever failed on a full disk failed because of that. */
static int blame_disk(int r, const char *dir, struct ktstr_error *err)
{
	struct statvfs fs;

	if (r >= 0 || r == -EINTR || r == -ENOSPC || statvfs(dir, &fs) < 0 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= FULL_DISK_BYTES)
		return r;
	return ktstr_error_wrap(err, -ENOSPC, "no room left on the disk of '%s'", dir);
}

static json_t *about(const struct template_opts *opts, uint64_t memory_bytes)
{
	char topology[KTSTR_TOPOLOGY_TEXT], made_at[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	const char *mode = opts->vm->exact			? "exact"
			   : opts->vm->accel == KTSTR_ACCEL_KVM ? "live-kvm"
								: "live-tcg";

	if (gmtime_r(&now, &tm))
		strftime(made_at, sizeof(made_at), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "qemu", opts->vm->qemu->version,
			 "kernel", opts->vm->kernel->release, "topology",
			 ktstr_topology_format(&opts->vm->topology, topology, sizeof(topology)),
			 "memory_bytes", (json_int_t)memory_bytes, "mode", mode, "made_at", made_at,
			 "ktstr", KTSTR_VERSION);
}

static int make(const struct template_opts *opts, struct template *t, struct ktstr_error *err)
{
	const char *dir = store_entry_dir(t->entry);
	json_t *text;
	int r = make_room(opts, dir, t->memory_bytes, err);

	if (r == 0 && opts->progress)
		opts->progress(opts->arg, "booting a template");
	if (r == 0)
		r = write_stub(dir, err);
	if (r == 0)
		r = boot_and_save(opts, dir, t->memory_bytes, err);
	if (r < 0)
		return blame_disk(r, dir, err);
	text = about(opts, t->memory_bytes);
	if (!text)
		return ktstr_error_nomem(err);
	t->is_new = true;
	r = store_commit(t->entry, text, opts->max_bytes ? opts->max_bytes : TEMPLATE_MAX_BYTES,
			 err);
	if (r < 0)
		t->entry = NULL;
	return r;
}

int template_obtain(const struct template_opts *opts, struct template **ret_template,
		    struct ktstr_error *err)
{
	_cleanup_(template_releasep) struct template *t = calloc(1, sizeof(*t));
	_cleanup_free_ char *root = path_format("%s/" TEMPLATE_FOLDER, opts->cache_dir);
	struct store_opts store = { .root = root,
				    .cancel_fd = opts->cancel_fd,
				    .progress = opts->progress,
				    .arg = opts->arg };
	int r;

	if (!t || !root)
		return ktstr_error_nomem(err);
	t->memory_bytes = opts->vm->memory_bytes ? opts->vm->memory_bytes
						 : vm_memory_bytes(&opts->vm->topology, 0);
	r = template_key_make(opts->vm, t->memory_bytes, opts->cache_dir, t->key, err);
	if (r < 0)
		return r;
	store.key = t->key;
	r = store_acquire(&store, &t->entry, err);
	if (r == 0)
		r = make(opts, t, err);
	if (r < 0)
		return r;
	t->dir = strdup(store_entry_dir(t->entry));
	if (!t->dir)
		return ktstr_error_nomem(err);
	*ret_template = take_ptr(t);
	return 0;
}

void template_release(struct template *template)
{
	if (!template)
		return;
	store_release(template->entry);
	free(template->dir);
	free(template);
}

const char *template_key(const struct template *template)
{
	return template->key;
}

bool template_is_new(const struct template *template)
{
	return template->is_new;
}
