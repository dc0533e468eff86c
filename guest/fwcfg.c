// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/fwcfg.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	PORT_SELECT = 0x510,
	PORT_DATA = 0x511,
	PORT_DMA_HIGH = 0x514,
	PORT_DMA_LOW = 0x518,
	NR_PORTS = 12,
	KEY_SIGNATURE = 0,
	KEY_FEATURES = 1,
	KEY_DIRECTORY = 0x19,
	FEATURE_DMA = 1 << 1,
	DMA_ERROR = 1 << 0,
	DMA_READ = 1 << 1,
	DMA_SELECT = 1 << 3,
	ENTRY_BYTES = 64,
	ENTRIES_MAX = 1024,
	PAGE = 4096,
	NR_PAGES = 256, /* as many as one pipe can hold; the first is for the descriptor */
	HUGE_PAGE = 2 << 20
};

struct dma {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

/* A stretch of the buffer that is contiguous in physical memory. */
struct run {
	uint8_t *bytes;
	uint32_t length;
	uint64_t phys;
};

struct fwcfg {
	void *mapping; /* twice the size of a huge page, so that an aligned one is in it */
	uint8_t *buffer;
	int pipe[2];
	struct dma *dma;
	uint64_t dma_phys;
	struct run runs[NR_PAGES];
	unsigned int nr_runs;
};

int fwcfg_find(const void *directory, size_t size, const char *name, struct fwcfg_file *ret_file)
{
	const uint8_t *bytes = directory;
	uint32_t count, file_size;
	uint16_t key;

	if (size < sizeof(count))
		return -EINVAL;
	memcpy(&count, bytes, sizeof(count));
	count = be32toh(count);
	if (count > (size - sizeof(count)) / ENTRY_BYTES)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = bytes + sizeof(count) + (size_t)i * ENTRY_BYTES;

		if (strncmp((const char *)entry + 8, name, FWCFG_NAME_MAX + 1) != 0)
			continue;
		memcpy(&file_size, entry, sizeof(file_size));
		memcpy(&key, entry + 4, sizeof(key));
		*ret_file = (struct fwcfg_file){ be16toh(key), be32toh(file_size) };
		return 0;
	}
	return -ENOENT;
}

static void read_by_port(uint16_t key, void *out, size_t size)
{
	uint8_t *bytes = out;

	outw(key, PORT_SELECT);
	for (size_t i = 0; i < size; i++)
		bytes[i] = inb(PORT_DATA);
}

static int probe(struct ktstr_error *err)
{
	char signature[4];
	uint32_t features;

	if (ioperm(PORT_SELECT, NR_PORTS, 1) < 0)
		return ktstr_error_set(err, -errno, "fw_cfg: port access: %s", strerror(errno));
	read_by_port(KEY_SIGNATURE, signature, sizeof(signature));
	if (memcmp(signature, "QEMU", sizeof(signature)) != 0)
		return ktstr_error_set(err, -ENODEV, "this machine has no fw_cfg: not QEMU?");
	read_by_port(KEY_FEATURES, &features, sizeof(features));
	if (!(le32toh(features) & FEATURE_DMA))
		return ktstr_error_set(err, -ENODEV, "this QEMU's fw_cfg has no DMA");
	return 0;
}

static int pin(struct fwcfg *f, struct ktstr_error *err)
{
	struct iovec iov = { f->buffer, NR_PAGES * PAGE };

	if (pipe2(f->pipe, O_CLOEXEC) < 0)
		return ktstr_error_set(err, -errno, "fw_cfg: pipe: %s", strerror(errno));
	if (fcntl(f->pipe[1], F_SETPIPE_SZ, NR_PAGES * PAGE) < 0)
		return ktstr_error_set(err, -errno, "fw_cfg: pipe size: %s", strerror(errno));
	while (iov.iov_len) {
		ssize_t n = vmsplice(f->pipe[1], &iov, 1, SPLICE_F_NONBLOCK);

		if (n <= 0)
			return ktstr_error_set(err, n < 0 ? -errno : -EIO, "fw_cfg: pin memory: %s",
					       n < 0 ? strerror(errno) : "no progress");
		iov.iov_base = (uint8_t *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
	}
	return 0;
}

static int find_runs(struct fwcfg *f, const uint64_t *frames)
{
	struct run *run = NULL;

	for (unsigned int i = 0; i < NR_PAGES; i++) {
		/* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 0-54 frame. */
		uint64_t phys = (frames[i] & ((1ull << 55) - 1)) * PAGE;

		if (!(frames[i] >> 63) || !phys)
			return -EACCES;
		if (i == 0) {
			f->dma_phys = phys;
		} else if (run && run->phys + run->length == phys) {
			run->length += PAGE;
		} else {
			run = &f->runs[f->nr_runs++];
			*run = (struct run){ f->buffer + (size_t)i * PAGE, PAGE, phys };
		}
	}
	return 0;
}

static int locate(struct fwcfg *f, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t frames[NR_PAGES];
	off_t at = (off_t)((uintptr_t)f->buffer / PAGE * sizeof(frames[0]));
	int r = 0;

	if (fd < 0 || pread(fd, frames, sizeof(frames), at) != sizeof(frames))
		r = errno ? -errno : -EIO;
	if (r == 0)
		r = find_runs(f, frames);
	if (r < 0)
		return ktstr_error_set(err, r, "fw_cfg: /proc/self/pagemap: %s", strerror(-r));
	return 0;
}

static int fwcfg_open(struct fwcfg *f, struct ktstr_error *err)
{
	int r = probe(err);

	if (r < 0)
		return r;
	f->mapping = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (f->mapping == MAP_FAILED) {
		f->mapping = NULL;
		return ktstr_error_nomem(err);
	}
	f->buffer = (uint8_t *)(((uintptr_t)f->mapping + HUGE_PAGE - 1) & -(uintptr_t)HUGE_PAGE);
	f->dma = (struct dma *)f->buffer;
	/* One huge page makes one transfer per MiB; without it there are just more of them. */
	madvise(f->buffer, HUGE_PAGE, MADV_HUGEPAGE);
	for (size_t i = 0; i < NR_PAGES; i++)
		*(volatile uint8_t *)(f->buffer + i * PAGE) = 0;
	r = pin(f, err);
	return r < 0 ? r : locate(f, err);
}

static void fwcfg_close(struct fwcfg *f)
{
	for (int i = 0; i < 2; i++)
		if (f->pipe[i] >= 0)
			close(f->pipe[i]);
	if (f->mapping)
		munmap(f->mapping, 2 * HUGE_PAGE);
}

static int transfer(struct fwcfg *f, uint32_t control, uint64_t phys, uint32_t length)
{
	volatile struct dma *dma = f->dma;
	uint32_t left;

	dma->control = htobe32(control);
	dma->length = htobe32(length);
	dma->address = htobe64(phys);
	__sync_synchronize();
	outl(htobe32((uint32_t)(f->dma_phys >> 32)), PORT_DMA_HIGH);
	outl(htobe32((uint32_t)f->dma_phys), PORT_DMA_LOW);
	do {
		left = be32toh(dma->control);
	} while (left & ~(uint32_t)DMA_ERROR);
	return left ? -EIO : 0;
}

static int read_item(struct fwcfg *f, uint16_t key, void *out, size_t size, struct ktstr_error *err)
{
	uint32_t control = (uint32_t)key << 16 | DMA_SELECT | DMA_READ;
	uint8_t *to = out;

	for (unsigned int i = 0; size; i = (i + 1) % f->nr_runs) {
		const struct run *run = &f->runs[i];
		uint32_t length = size < run->length ? (uint32_t)size : run->length;

		if (transfer(f, control, run->phys, length) < 0)
			return ktstr_error_set(err, -EIO,
					       "fw_cfg: QEMU refused to transfer item %u", key);
		memcpy(to, run->bytes, length);
		control = DMA_READ;
		to += length;
		size -= length;
	}
	return 0;
}

static int look_up(struct fwcfg *f, const char *name, struct fwcfg_file *ret_file,
		   struct ktstr_error *err)
{
	static uint8_t directory[4 + ENTRIES_MAX * ENTRY_BYTES];
	uint32_t count;
	int r = read_item(f, KEY_DIRECTORY, directory, sizeof(count), err);

	if (r < 0)
		return r;
	memcpy(&count, directory, sizeof(count));
	count = be32toh(count);
	if (count > ENTRIES_MAX)
		return ktstr_error_set(err, -E2BIG, "fw_cfg: %u files, at most %d are read", count,
				       ENTRIES_MAX);
	r = read_item(f, KEY_DIRECTORY, directory, 4 + (size_t)count * ENTRY_BYTES, err);
	if (r < 0)
		return r;
	r = fwcfg_find(directory, sizeof(directory), name, ret_file);
	if (r < 0)
		return ktstr_error_set(err, r, "fw_cfg has no file '%s': start QEMU with -fw_cfg",
				       name);
	if (ret_file->size > FWCFG_LOAD_MAX)
		return ktstr_error_set(err, -E2BIG, "fw_cfg file '%s' has %u bytes, at most %d fit",
				       name, ret_file->size, FWCFG_LOAD_MAX);
	return 0;
}

int fwcfg_load(const char *name, struct fwcfg_blob *ret_blob, struct ktstr_error *err)
{
	_cleanup_(fwcfg_close) struct fwcfg f = { .pipe = { -1, -1 } };
	_cleanup_(fwcfg_blob_deinit) struct fwcfg_blob blob = { 0 };
	struct fwcfg_file file;
	int r = fwcfg_open(&f, err);

	if (r == 0)
		r = look_up(&f, name, &file, err);
	if (r < 0)
		return r;
	blob.size = file.size;
	blob.bytes = mmap(NULL, blob.size ? blob.size : 1, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (blob.bytes == MAP_FAILED) {
		blob.bytes = NULL;
		return ktstr_error_nomem(err);
	}
	madvise(blob.bytes, blob.size, MADV_HUGEPAGE);
	r = read_item(&f, file.key, blob.bytes, blob.size, err);
	if (r < 0)
		return r;
	*ret_blob = blob;
	blob.bytes = NULL;
	return 0;
}

void fwcfg_blob_deinit(struct fwcfg_blob *blob)
{
	if (blob->bytes)
		munmap(blob->bytes, blob->size ? blob->size : 1);
	blob->bytes = NULL;
}
