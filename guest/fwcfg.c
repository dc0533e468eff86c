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
	DIRECTORY_PAGES = 16,
	ENTRIES_MAX = (DIRECTORY_PAGES * 4096 - 4) / 64,
	PAGE = 4096,
	WINDOW_PAGES = 256, /* that are pinned at a time: as many as one pipe can hold */
	WINDOW = WINDOW_PAGES * PAGE
};

struct dma {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

/* Pages in a pipe nobody reads: none can be moved until it is emptied. */
struct pin {
	int read_fd, write_fd;
};

struct fwcfg {
	void *page; /* holds the descriptor; NULL: none */
	uint64_t page_phys;
	struct pin page_pin, window_pin;
	int pagemap_fd, null_fd;
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

static int pin_open(struct pin *p, size_t size)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	p->read_fd = fds[0];
	p->write_fd = fds[1];
	return fcntl(p->write_fd, F_SETPIPE_SZ, (int)size) < 0 ? -errno : 0;
}

static void pin_close(struct pin *p)
{
	closep(&p->read_fd);
	closep(&p->write_fd);
}

static int pin_pages(struct pin *p, void *bytes, size_t size)
{
	struct iovec iov = { bytes, size };

	while (iov.iov_len) {
		ssize_t n = vmsplice(p->write_fd, &iov, 1, SPLICE_F_NONBLOCK);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		iov.iov_base = (uint8_t *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
	}
	return 0;
}

static int unpin_pages(struct pin *p, int null_fd, size_t size)
{
	while (size) {
		ssize_t n = splice(p->read_fd, NULL, null_fd, NULL, size, SPLICE_F_NONBLOCK);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		size -= (size_t)n;
	}
	return 0;
}

/* Physical addresses of @nr pages; Documentation/admin-guide/mm/pagemap.rst: bit 63 present, 0-54
 * frame, which is 0 for those who may not see it. */
static int locate(const struct fwcfg *f, const void *bytes, unsigned int nr, uint64_t *ret_phys)
{
	off_t at = (off_t)((uintptr_t)bytes / PAGE * sizeof(*ret_phys));
	size_t size = nr * sizeof(*ret_phys);
	ssize_t n = pread(f->pagemap_fd, ret_phys, size, at);

	if (n < 0 || (size_t)n != size)
		return n < 0 ? -errno : -EIO;
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t frame = ret_phys[i] & ((1ull << 55) - 1);

		if (!(ret_phys[i] >> 63) || !frame)
			return -EACCES;
		ret_phys[i] = frame * PAGE;
	}
	return 0;
}

static void *map_pages(size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

static void touch(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE)
		*(volatile uint8_t *)(bytes + i) = 0;
}

static int open_memory(struct fwcfg *f)
{
	int r;

	f->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	f->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (f->pagemap_fd < 0 || f->null_fd < 0)
		return -errno;
	f->page = map_pages(PAGE);
	if (!f->page)
		return -ENOMEM;
	touch(f->page, PAGE);
	r = pin_open(&f->page_pin, PAGE);
	if (r == 0)
		r = pin_open(&f->window_pin, WINDOW);
	if (r == 0)
		r = pin_pages(&f->page_pin, f->page, PAGE);
	return r < 0 ? r : locate(f, f->page, 1, &f->page_phys);
}

static int fwcfg_open(struct fwcfg *f, struct ktstr_error *err)
{
	int r = probe(err);

	if (r < 0)
		return r;
	r = open_memory(f);
	if (r < 0)
		return ktstr_error_set(err, r, "fw_cfg: memory for DMA: %s", strerror(-r));
	return 0;
}

static void fwcfg_close(struct fwcfg *f)
{
	pin_close(&f->page_pin);
	pin_close(&f->window_pin);
	closep(&f->pagemap_fd);
	closep(&f->null_fd);
	if (f->page)
		munmap(f->page, PAGE);
}

static int transfer(struct fwcfg *f, uint32_t control, uint64_t phys, uint32_t length)
{
	volatile struct dma *dma = f->page;
	uint32_t left;

	dma->control = htobe32(control);
	dma->length = htobe32(length);
	dma->address = htobe64(phys);
	__sync_synchronize();
	outl(htobe32((uint32_t)(f->page_phys >> 32)), PORT_DMA_HIGH);
	outl(htobe32((uint32_t)f->page_phys), PORT_DMA_LOW);
	do {
		left = be32toh(dma->control);
	} while (left & ~(uint32_t)DMA_ERROR);
	return left ? -EIO : 0;
}

/* Fills @size bytes of pinned pages, one transfer for each contiguous stretch. */
static int fill_pages(struct fwcfg *f, uint32_t *control, const uint64_t *phys, uint32_t size)
{
	uint32_t begin = 0, end;

	for (; begin < size; begin = end) {
		uint32_t length;

		end = begin + PAGE;
		while (end < size && phys[end / PAGE] == phys[end / PAGE - 1] + PAGE)
			end += PAGE;
		length = (end < size ? end : size) - begin;
		if (transfer(f, *control, phys[begin / PAGE], length) < 0)
			return -EIO;
		*control = DMA_READ;
	}
	return 0;
}

static int read_window(struct fwcfg *f, uint32_t *control, uint8_t *to, uint32_t size)
{
	uint32_t nr = (size + PAGE - 1) / PAGE;
	uint64_t phys[WINDOW_PAGES];
	int r;

	touch(to, size);
	r = pin_pages(&f->window_pin, to, (size_t)nr * PAGE);
	if (r == 0)
		r = locate(f, to, nr, phys);
	if (r == 0)
		r = fill_pages(f, control, phys, size);
	return r < 0 ? r : unpin_pages(&f->window_pin, f->null_fd, (size_t)nr * PAGE);
}

/* @out begins at a page, and the rest of its last page is ours too. */
static int read_item(struct fwcfg *f, uint16_t key, void *out, size_t size, struct ktstr_error *err)
{
	uint32_t control = (uint32_t)key << 16 | DMA_SELECT | DMA_READ;

	for (size_t done = 0; done < size; done += WINDOW) {
		uint32_t part = size - done < WINDOW ? (uint32_t)(size - done) : WINDOW;
		int r = read_window(f, &control, (uint8_t *)out + done, part);

		if (r < 0)
			return ktstr_error_set(err, r, "fw_cfg: read item %u: %s", key,
					       strerror(-r));
	}
	return 0;
}

static int look_up(struct fwcfg *f, const char *name, struct fwcfg_file *ret_file,
		   struct ktstr_error *err)
{
	static _Alignas(PAGE) uint8_t directory[DIRECTORY_PAGES * PAGE];
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
	_cleanup_(fwcfg_close) struct fwcfg f = {
		.page_pin = { -1, -1 },
		.window_pin = { -1, -1 },
		.pagemap_fd = -1,
		.null_fd = -1,
	};
	_cleanup_(fwcfg_blob_deinit) struct fwcfg_blob blob = { 0 };
	struct fwcfg_file file;
	int r = fwcfg_open(&f, err);

	if (r == 0)
		r = look_up(&f, name, &file, err);
	if (r < 0)
		return r;
	blob.size = file.size;
	blob.bytes = map_pages(blob.size ? blob.size : 1);
	if (!blob.bytes)
		return ktstr_error_nomem(err);
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
