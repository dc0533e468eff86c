// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/jemalloc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "ctprof/fault.h"
#include "ctprof/jemalloc_layout.h"
#include "ctprof/procfs.h"
#include "ctprof/stop.h"

enum {
	NR_BUCKETS = 256,
	MAX_FILES = 65536,
	MAX_MAPS_BYTES = 64 << 20,
	MAX_TRIES = 8,	  /* reads of one thread */
	MAX_TIMEOUTS = 4, /* threads waited for in vain before the rest is left alone */
	BUSY_MS = 250,
	BUSY_NAP_NS = 500000
};

static const char debug_root[] = "/usr/lib/debug";

struct file_id {
	uint64_t device, inode;
};

/* What is known of one executable or library, whichever process uses it. */
struct file {
	struct file *next;
	struct file_id id;
	enum ktstr_jemalloc_tag tag; /* NOT_FOUND, OK or why it cannot be used */
	struct jelf elf;
	struct jemalloc_layout layout;
};

struct jemalloc {
	bool no_calibration;
	struct ktstr_ctprof_summary *summary;
	struct file *buckets[NR_BUCKETS];
	unsigned int nr_files;
	unsigned int nr_timeouts;
	struct strbuf maps;
};

struct jemalloc *jemalloc_create(bool no_calibration, struct ktstr_ctprof_summary *summary)
{
	struct jemalloc *je = calloc(1, sizeof(*je));

	if (!je)
		return NULL;
	je->no_calibration = no_calibration;
	je->summary = summary;
	je->maps.limit = MAX_MAPS_BYTES;
	return je;
}

void jemalloc_destroy(struct jemalloc *je)
{
	if (!je)
		return;
	for (unsigned int i = 0; i < NR_BUCKETS; i++) {
		for (struct file *f = je->buckets[i], *next; f; f = next) {
			next = f->next;
			free(f);
		}
	}
	strbuf_deinit(&je->maps);
	free(je);
}

static enum ktstr_jemalloc_tag find_layout(const struct jemalloc *je, int fd, struct file *f)
{
	uint64_t tsd = f->elf.tsd_found ? f->elf.tsd_value : f->elf.got_value;

	if (jemalloc_dwarf_layout(fd, &f->elf, debug_root, &f->layout) == 0 ||
	    jemalloc_layout_known(fd, &f->elf, tsd, &f->layout))
		return KTSTR_JEMALLOC_OK;
	if (je->no_calibration)
		return KTSTR_JEMALLOC_NO_OFFSETS;
	if (f->elf.got_found ? jemalloc_calibrate(fd, &f->elf, &f->layout) == 0
			     : jemalloc_system_layout(fd, &f->elf, &f->layout) == 0)
		return KTSTR_JEMALLOC_OK;
	return KTSTR_JEMALLOC_NO_OFFSETS;
}

static enum ktstr_jemalloc_tag examine_executable(const struct jemalloc *je, int fd, struct file *f)
{
	if (!f->elf.is_64 || f->elf.machine != EM_X86_64)
		return KTSTR_JEMALLOC_ARCH_MISMATCH;
	if (f->elf.tsd_found)
		return find_layout(je, fd, f);
	if (jemalloc_layout_search(fd, &f->elf, &f->elf.tsd_value, &f->layout) == 0) {
		f->elf.tsd_found = true;
		return KTSTR_JEMALLOC_OK;
	}
	return KTSTR_JEMALLOC_NOT_FOUND;
}

static enum ktstr_jemalloc_tag examine_library(const struct jemalloc *je, int fd, struct file *f)
{
	if (!f->elf.tsd_found && !f->elf.mallctl[0])
		return KTSTR_JEMALLOC_NOT_FOUND;
	if (f->elf.machine != EM_X86_64)
		return KTSTR_JEMALLOC_ARCH_MISMATCH;
	if (!f->elf.got_found)
		return f->elf.dynamic_tls ? KTSTR_JEMALLOC_DYNAMIC_TLS
					  : KTSTR_JEMALLOC_NO_TLS_SYMBOL;
	if (f->elf.got_ambiguous)
		return KTSTR_JEMALLOC_NO_TLS_SYMBOL;
	return find_layout(je, fd, f);
}

static struct file **find_file(struct jemalloc *je, struct file_id id)
{
	struct file **at = &je->buckets[(id.inode ^ id.device) % NR_BUCKETS];

	while (*at && ((*at)->id.inode != id.inode || (*at)->id.device != id.device))
		at = &(*at)->next;
	return at;
}

/* A file nobody asked about before.  NULL: no memory, or too many. */
static struct file *add_file(struct jemalloc *je, struct file **at, struct file_id id, int fd)
{
	struct file *f;

	if (je->nr_files >= MAX_FILES)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->id = id;
	f->tag = jelf_read(fd, &f->elf) < 0 ? KTSTR_JEMALLOC_NOT_FOUND : KTSTR_JEMALLOC_OK;
	je->nr_files++;
	*at = f;
	return f;
}

static struct file *executable(struct jemalloc *je, const struct jemalloc_process *p,
			       enum ktstr_jemalloc_tag *tag)
{
	_cleanup_close_ int fd = -1;
	struct file **at, *f;
	struct file_id id;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/exe", p->tgid, p->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		*tag = errno == ENOENT || errno == ESRCH ? KTSTR_JEMALLOC_THREAD_GONE
							 : KTSTR_JEMALLOC_EXE_UNREADABLE;
		return NULL;
	}
	id = (struct file_id){ st.st_dev, st.st_ino };
	at = find_file(je, id);
	if (*at)
		return *at;
	f = add_file(je, at, id, fd);
	*tag = KTSTR_JEMALLOC_EXE_UNREADABLE;
	if (f && f->tag == KTSTR_JEMALLOC_OK)
		f->tag = examine_executable(je, fd, f);
	return f;
}

/* map_files needs privilege but reaches deleted files; the path is looked up in the target's own
 * mount namespace and must lead to the inode that is mapped. */
static int open_mapped(uint32_t pid, const struct procfs_map *map)
{
	_cleanup_close_ int fd = -1;
	char path[4352];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && map->path.len < 4096) {
		snprintf(path, sizeof(path), "/proc/%u/root%.*s", pid, (int)map->path.len,
			 map->path.at);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != map->inode)
		return -1;
	return take_fd(&fd);
}

/* Not stat's device: the two differ on some file systems. */
static struct file_id library_id(uint32_t dev_major, uint32_t dev_minor, uint64_t inode)
{
	return (struct file_id){ (1ull << 63) | makedev(dev_major, dev_minor), inode };
}

static struct file *library(struct jemalloc *je, uint32_t pid, const struct procfs_map *map,
			    bool *unreadable)
{
	struct file_id id = library_id(map->dev_major, map->dev_minor, map->inode);
	struct file **at = find_file(je, id);
	_cleanup_close_ int fd = -1;
	struct file *f;

	if (*at)
		return *at;
	fd = open_mapped(pid, map);
	if (fd < 0) {
		*unreadable = true;
		return NULL;
	}
	f = add_file(je, at, id, fd);
	if (f && f->tag == KTSTR_JEMALLOC_OK)
		f->tag = examine_library(je, fd, f);
	return f;
}

static enum ktstr_jemalloc_tag read_got(const struct file *f, uint64_t start, uint64_t offset,
					struct jemalloc_process *p)
{
	struct iovec local = { &p->tsd_offset, sizeof(p->tsd_offset) };
	struct iovec remote = { .iov_len = local.iov_len };
	uint64_t bias;
	ssize_t n;

	if (jelf_bias(&f->elf, start, offset, &bias) < 0)
		return KTSTR_JEMALLOC_TLS_ARITHMETIC;
	remote.iov_base = (void *)(uintptr_t)(bias + f->elf.got_address);
	n = process_vm_readv((pid_t)p->tid, &local, 1, &remote, 1, 0);
	if (n < 0)
		return errno == EPERM	? KTSTR_JEMALLOC_PTRACE_REFUSED
		       : errno == ESRCH ? KTSTR_JEMALLOC_THREAD_GONE
					: KTSTR_JEMALLOC_READ_FAILED;
	if (n != (ssize_t)local.iov_len)
		return KTSTR_JEMALLOC_READ_FAILED;
	/* Static thread data lies below the thread pointer, whole. */
	if (p->tsd_offset >= 0 || p->tsd_offset < -(1 << 24) ||
	    -p->tsd_offset < (int64_t)f->layout.deallocated + 8)
		return KTSTR_JEMALLOC_TLS_ARITHMETIC;
	p->layout = f->layout;
	return KTSTR_JEMALLOC_OK;
}

static enum ktstr_jemalloc_tag search_maps(struct jemalloc *je, struct jemalloc_process *p)
{
	struct span text = { strbuf_str(&je->maps), je->maps.len };
	struct procfs_map map;
	bool unreadable = false;

	while (procfs_next_map(&text, &map)) {
		const struct file *f;

		if (!map.executable || !map.inode || !map.path.len || *map.path.at != '/')
			continue;
		f = library(je, p->tid, &map, &unreadable);
		if (!f || f->tag == KTSTR_JEMALLOC_NOT_FOUND)
			continue;
		return f->tag == KTSTR_JEMALLOC_OK ? read_got(f, map.start, map.offset, p) : f->tag;
	}
	return unreadable ? KTSTR_JEMALLOC_EXE_UNREADABLE : KTSTR_JEMALLOC_NOT_FOUND;
}

/* As in linux/fs.h since 6.11. */
struct map_query {
	uint64_t size, flags, address, start, end, vma_flags, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name_address, build_id_address;
};

enum { MAP_EXECUTABLE = 0x4, MAP_THIS_OR_NEXT = 0x10, MAP_FILE_BACKED = 0x20, MAX_MAPS = 4096 };

/* Return: 1; 0 at the end; -errno. */
static int next_executable(int fd, struct map_query *q)
{
	q->size = sizeof(*q);
	q->flags = MAP_EXECUTABLE | MAP_THIS_OR_NEXT | MAP_FILE_BACKED;
	q->address = q->end;
	if (ioctl(fd, _IOWR('f', 17, struct map_query), q) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 1;
}

/* Most processes have nothing but libraries that others had before: to see that takes a call for
 * each, where the text of maps has a line for every piece of memory. */
static enum ktstr_jemalloc_tag attach_known(struct jemalloc *je, struct jemalloc_process *p,
					    bool *ret_decided)
{
	struct map_query q = { 0 };
	_cleanup_close_ int fd = -1;
	char path[32];
	int r = 1;

	snprintf(path, sizeof(path), "/proc/%u/maps", p->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_decided = false;
	for (unsigned int i = 0; fd >= 0 && i < MAX_MAPS; i++) {
		const struct file *f;

		r = next_executable(fd, &q);
		if (r <= 0) {
			*ret_decided = r == 0 && i;
			break;
		}
		f = *find_file(je, library_id(q.dev_major, q.dev_minor, q.inode));
		if (!f)
			break;
		if (f->tag == KTSTR_JEMALLOC_NOT_FOUND)
			continue;
		*ret_decided = true;
		return f->tag == KTSTR_JEMALLOC_OK ? read_got(f, q.start, q.offset, p) : f->tag;
	}
	return KTSTR_JEMALLOC_NOT_FOUND;
}

static enum ktstr_jemalloc_tag attach_library(struct jemalloc *je, struct jemalloc_process *p)
{
	enum ktstr_jemalloc_tag tag;
	bool decided;
	char path[32];
	int r;

	tag = attach_known(je, p, &decided);
	if (decided)
		return tag;
	snprintf(path, sizeof(path), "/proc/%u/maps", p->tid);
	r = io_read_file_at(AT_FDCWD, path, &je->maps);
	if (r == -ENOENT || r == -ESRCH)
		return KTSTR_JEMALLOC_THREAD_GONE;
	return r < 0 ? KTSTR_JEMALLOC_MAPS_UNREADABLE : search_maps(je, p);
}

/* Variant II: the executable's thread data ends at the thread pointer. */
static enum ktstr_jemalloc_tag attach_executable(const struct file *f, struct jemalloc_process *p)
{
	uint64_t align = f->elf.tls_align ? f->elf.tls_align : 1, size;

	if ((align & (align - 1)) || align > 1 << 20 || f->elf.tls_memsz > 1 << 24 ||
	    f->elf.tls_vaddr & (align - 1) || f->elf.tsd_value > f->elf.tls_memsz ||
	    f->elf.tls_memsz - f->elf.tsd_value < f->layout.deallocated + 8)
		return KTSTR_JEMALLOC_TLS_ARITHMETIC;
	size = (f->elf.tls_memsz + align - 1) & ~(align - 1);
	p->tsd_offset = (int64_t)f->elf.tsd_value - (int64_t)size;
	p->layout = f->layout;
	return KTSTR_JEMALLOC_OK;
}

void jemalloc_attach(struct jemalloc *je, uint32_t tgid, uint32_t tid,
		     struct jemalloc_process *ret_process)
{
	struct jemalloc_process p = { .tgid = tgid, .tid = tid, .tag = KTSTR_JEMALLOC_NOT_FOUND };
	const struct file *f = executable(je, &p, &p.tag);

	if (f) {
		p.tag = f->tag;
		p.executable_device = f->id.device;
		p.executable_inode = f->id.inode;
	}
	if (p.tag == KTSTR_JEMALLOC_OK)
		p.tag = attach_executable(f, &p);
	else if (f && p.tag == KTSTR_JEMALLOC_NOT_FOUND && !f->elf.is_static)
		p.tag = attach_library(je, &p);
	if (ctprof_fault() == KTSTR_CTPROF_FAULT_WRONG_OFFSET)
		p.tsd_offset += 8;
	*ret_process = p;
}

/* An exec between attach and stop would make everything learnt about the process worthless. */
static bool same_program(const struct jemalloc_process *p, pid_t tid)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%d/exe", p->tgid, tid);
	return stat(path, &st) == 0 && st.st_dev == p->executable_device &&
	       st.st_ino == p->executable_inode;
}

static enum ktstr_jemalloc_tag read_memory(const struct jemalloc_process *p,
					   const struct stop *stop, struct jemalloc_events *events,
					   struct jemalloc_fast *fast)
{
	uint64_t tsd = stop->thread_pointer + (uint64_t)p->tsd_offset;
	bool checked = p->layout.checked_size;
	struct iovec local[2] = { { &fast->allocated, 8 }, { &fast->deallocated, 8 } };
	struct iovec remote[2] = { { (void *)(uintptr_t)(tsd + p->layout.allocated), 8 },
				   { (void *)(uintptr_t)(tsd + p->layout.deallocated), 8 } };
	ssize_t n;

	if (checked) {
		local[0] = (struct iovec){ events, sizeof(*events) };
		local[1] = (struct iovec){ fast, sizeof(*fast) };
		remote[0] = (struct iovec){ (void *)(uintptr_t)(tsd + JEMALLOC_EVENTS_AT),
					    sizeof(*events) };
		remote[1] = (struct iovec){ (void *)(uintptr_t)(tsd + JEMALLOC_COUNTERS_AT),
					    sizeof(*fast) };
	}
	n = process_vm_readv(stop->tid, local, 2, remote, 2, 0);
	if (n == (ssize_t)(local[0].iov_len + local[1].iov_len))
		return KTSTR_JEMALLOC_OK;
	if (n < 0 && errno == EPERM)
		return KTSTR_JEMALLOC_PTRACE_REFUSED;
	return n < 0 && errno == ESRCH ? KTSTR_JEMALLOC_THREAD_GONE : KTSTR_JEMALLOC_READ_FAILED;
}

static enum ktstr_jemalloc_tag read_stopped(struct jemalloc *je, const struct jemalloc_process *p,
					    uint32_t tid, struct jemalloc_counters *ret_counters)
{
	struct jemalloc_events events;
	struct jemalloc_fast fast = { 0 };
	enum ktstr_jemalloc_tag tag;
	struct stop stop;
	uint64_t held_ns;

	tag = stop_thread(p->tgid, tid, &stop);
	if (tag == KTSTR_JEMALLOC_STOP_TIMEOUT)
		je->nr_timeouts++;
	if (tag != KTSTR_JEMALLOC_OK)
		return tag;
	tag = read_memory(p, &stop, &events, &fast);
	if (tag == KTSTR_JEMALLOC_OK && !same_program(p, stop.tid))
		tag = KTSTR_JEMALLOC_THREAD_GONE;
	held_ns = stop_release(&stop);
	je->summary->stops++;
	je->summary->stop_total_ns += held_ns;
	if (held_ns > je->summary->stop_max_ns)
		je->summary->stop_max_ns = held_ns;
	if (tag == KTSTR_JEMALLOC_OK && p->layout.checked_size &&
	    !jemalloc_plausible(&events, &fast))
		return KTSTR_JEMALLOC_IMPLAUSIBLE;
	if (tag == KTSTR_JEMALLOC_OK)
		*ret_counters = (struct jemalloc_counters){ fast.allocated, fast.deallocated };
	return tag;
}

/* Another capture of the same machine holds a thread for a moment only; a debugger stays.  The
 * first busy thread of a process is waited for, to tell the two apart. */
static enum ktstr_jemalloc_tag read_when_free(struct jemalloc *je, struct jemalloc_process *p,
					      uint32_t tid, struct jemalloc_counters *ret_counters)
{
	uint64_t start_ns = clock_mono_ns();
	enum ktstr_jemalloc_tag tag;

	for (;;) {
		tag = read_stopped(je, p, tid, ret_counters);
		if (tag != KTSTR_JEMALLOC_PTRACE_BUSY || p->debugged)
			return tag;
		p->debugged = clock_mono_ns() - start_ns > BUSY_MS * NSEC_PER_MSEC;
		nanosleep(&(struct timespec){ .tv_nsec = BUSY_NAP_NS }, NULL);
	}
}

enum ktstr_jemalloc_tag jemalloc_read(struct jemalloc *je, struct jemalloc_process *process,
				      uint32_t tid, struct jemalloc_counters *ret_counters)
{
	enum ktstr_jemalloc_tag tag = KTSTR_JEMALLOC_STOP_TIMEOUT;

	if (je->nr_timeouts >= MAX_TIMEOUTS)
		return tag;
	for (unsigned int i = 0; i < MAX_TRIES; i++) {
		tag = read_when_free(je, process, tid, ret_counters);
		if (tag != KTSTR_JEMALLOC_IMPLAUSIBLE)
			break;
	}
	return tag;
}
