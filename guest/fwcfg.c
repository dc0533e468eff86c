// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/fwcfg.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

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
	WINDOW_PAGES = 16,
	WINDOW = WINDOW_PAGES * PAGE,
	NR_PAGES = 1 + WINDOW_PAGES, /* the descriptor's, then the window */
	PIPE_PAGES = 32		     /* a power of two that holds them */
};

struct dma {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

struct fwcfg {
	uint8_t *pages; /* NULL: none */
	uint64_t phys[NR_PAGES];
	int pin[2]; /* the pipe */
	struct fwcfg_file file;
	uint32_t done;
	uint32_t control; /* of the next transfer: the first one selects the item */
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

static int pin_pages(struct fwcfg *f)
{
	struct iovec iov = { f->pages, NR_PAGES * PAGE };

	if (pipe2(f->pin, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(f->pin[1], F_SETPIPE_SZ, PIPE_PAGES * PAGE) < 0)
		return -errno;
	while (iov.iov_len) {
		ssize_t n = vmsplice(f->pin[1], &iov, 1, SPLICE_F_NONBLOCK);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		iov.iov_base = (uint8_t *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
	}
	return 0;
}

/* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 0-54 frame, which is 0 for those who
 * may not see it. */
static int locate_pages(struct fwcfg *f)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t at = (off_t)((uintptr_t)f->pages / PAGE * sizeof(f->phys[0]));
	ssize_t n = pread(fd, f->phys, sizeof(f->phys), at);

	if (n != sizeof(f->phys))
		return n < 0 ? -errno : -EIO;
	for (int i = 0; i < NR_PAGES; i++) {
		uint64_t frame = f->phys[i] & ((1ull << 55) - 1);

		if (!(f->phys[i] >> 63) || !frame)
			return -EACCES;
		f->phys[i] = frame * PAGE;
	}
	return 0;
}

static int open_memory(struct fwcfg *f)
{
	int r;

	f->pages = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (f->pages == MAP_FAILED) {
		f->pages = NULL;
		return -ENOMEM;
	}
	r = pin_pages(f);
	return r < 0 ? r : locate_pages(f);
}

static int transfer(struct fwcfg *f, uint64_t phys, uint32_t length)
{
	volatile struct dma *dma = (volatile struct dma *)f->pages;
	uint32_t left;

	dma->control = htobe32(f->control);
	dma->length = htobe32(length);
	dma->address = htobe64(phys);
	__sync_synchronize();
	outl(htobe32((uint32_t)(f->phys[0] >> 32)), PORT_DMA_HIGH);
	outl(htobe32((uint32_t)f->phys[0]), PORT_DMA_LOW);
	do {
		left = be32toh(dma->control);
	} while (left & ~(uint32_t)DMA_ERROR);
	f->control = DMA_READ;
	return left ? -EIO : 0;
}

/* Fills the window, one transfer for each stretch that is contiguous in physical memory. */
static int fill_window(struct fwcfg *f, uint32_t size)
{
	const uint64_t *phys = f->phys + 1;
	uint32_t begin = 0, end;

	for (; begin < size; begin = end) {
		end = begin + PAGE;
		while (end < size && phys[end / PAGE] == phys[end / PAGE - 1] + PAGE)
			end += PAGE;
		if (transfer(f, phys[begin / PAGE], (end < size ? end : size) - begin) < 0)
			return -EIO;
	}
	return 0;
}

static void select_file(struct fwcfg *f, struct fwcfg_file file)
{
	f->file = file;
	f->done = 0;
	f->control = (uint32_t)file.key << 16 | DMA_SELECT | DMA_READ;
}

int fwcfg_read(struct fwcfg *f, const void **ret_bytes, struct ktstr_error *err)
{
	uint32_t left = f->file.size - f->done;
	uint32_t size = left < WINDOW ? left : WINDOW;

	if (fill_window(f, size) < 0)
		return ktstr_error_set(err, -EIO, "fw_cfg: QEMU refused to transfer item %u",
				       f->file.key);
	f->done += size;
	*ret_bytes = f->pages + PAGE;
	return (int)size;
}

static int read_directory(struct fwcfg *f, struct strbuf *out, struct ktstr_error *err)
{
	const void *bytes;
	uint32_t count;
	int r;

	select_file(f, (struct fwcfg_file){ KEY_DIRECTORY, sizeof(count) });
	r = fwcfg_read(f, &bytes, err);
	if (r < 0)
		return r;
	memcpy(&count, bytes, sizeof(count));
	count = be32toh(count);
	if (count > ENTRIES_MAX)
		return ktstr_error_set(err, -E2BIG, "fw_cfg: %u files, at most %d are read", count,
				       ENTRIES_MAX);
	select_file(f, (struct fwcfg_file){ KEY_DIRECTORY, 4 + count * ENTRY_BYTES });
	while ((r = fwcfg_read(f, &bytes, err)) > 0)
		strbuf_add(out, bytes, (size_t)r);
	return out->error ? ktstr_error_nomem(err) : r;
}

int64_t fwcfg_select(struct fwcfg *f, const char *name, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf directory = STRBUF_INIT;
	struct fwcfg_file file;
	int r = read_directory(f, &directory, err);

	if (r < 0)
		return r;
	r = fwcfg_find(directory.data, directory.len, name, &file);
	if (r < 0)
		return ktstr_error_set(err, r, "fw_cfg has no file '%s': start QEMU with -fw_cfg",
				       name);
	if (file.size > FWCFG_FILE_MAX)
		return ktstr_error_set(err, -E2BIG, "fw_cfg file '%s' has %u bytes, at most %d fit",
				       name, file.size, FWCFG_FILE_MAX);
	select_file(f, file);
	return file.size;
}

DEFINE_CLEANUP(struct fwcfg *, fwcfg_close);

int fwcfg_open(struct fwcfg **ret_fwcfg, struct ktstr_error *err)
{
	_cleanup_(fwcfg_closep) struct fwcfg *f = NULL;
	int r = probe(err);

	if (r < 0)
		return r;
	f = calloc(1, sizeof(*f));
	if (!f)
		return ktstr_error_nomem(err);
	f->pin[0] = f->pin[1] = -1;
	r = open_memory(f);
	if (r < 0)
		return ktstr_error_set(err, r, "fw_cfg: memory for DMA: %s", strerror(-r));
	*ret_fwcfg = take_ptr(f);
	return 0;
}

void fwcfg_close(struct fwcfg *f)
{
	if (!f)
		return;
	closep(&f->pin[0]);
	closep(&f->pin[1]);
	if (f->pages)
		munmap(f->pages, NR_PAGES * PAGE);
	free(f);
}
