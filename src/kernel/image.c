// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/elf_file.h"

enum {
	HEAD_BYTES = 4096,
	MIN_PROTOCOL = 0x208, /* the first with payload_offset */
	XLF_KERNEL_64 = 1,
	XEN_NOTE_PHYS32_ENTRY = 18,
	SCAN_CHUNK = 1 << 20,
	SCAN_OVERLAP = 256,
};

/* Kernel text is linked into the top 2 GiB of the address space. */
#define KERNEL_TEXT_BASE 0xffffffff80000000ull

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) | (uint32_t)get_u16(p + 2) << 16;
}

static const char *machine_name(unsigned int machine, char *buf, size_t size)
{
	static const struct {
		unsigned int machine;
		const char *name;
	} names[] = {
		{ EM_386, "32-bit x86" },  { EM_ARM, "32-bit ARM" },	  { EM_AARCH64, "arm64" },
		{ EM_PPC64, "ppc64" },	   { EM_S390, "s390" },		  { EM_RISCV, "riscv" },
		{ EM_MIPS, "MIPS" },	   { EM_LOONGARCH, "loongarch" }, { EM_PPC, "ppc" },
		{ EM_SPARCV9, "sparc64" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	snprintf(buf, size, "ELF machine %u", machine);
	return buf;
}

static int wrong_machine(const char *name, const char *machine, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EXDEV,
			       "'%s' is for %s, but the VM is x86-64; give an x86-64 kernel", name,
			       machine);
}

static int truncated(const char *name, uint64_t have, uint64_t want, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EINVAL,
			       "'%s' is truncated: %llu bytes, its header promises %llu; copy or "
			       "fetch it again",
			       name, (unsigned long long)have, (unsigned long long)want);
}

static void copy_release(struct image *image, const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && n < sizeof(image->release) - 1 && text[n] > ' ' && text[n] < 0x7f)
		n++;
	memcpy(image->release, text, n);
	image->release[n] = '\0';
}

static int read_bzimage(int fd, const uint8_t *head, const char *name, struct image *image,
			struct ktstr_error *err)
{
	uint64_t setup = (uint64_t)(head[0x1f1] ? head[0x1f1] : 4) * 512 + 512;
	uint64_t want = setup + (uint64_t)get_u32(head + 0x1f4) * 16;
	uint64_t text_at = 0x200 + (uint64_t)get_u16(head + 0x20e);
	char text[128];

	if (get_u16(head + 0x206) < MIN_PROTOCOL)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' speaks boot protocol %x.%02x; 2.08 (Linux 2.6.26) is "
				       "the oldest that can be unpacked",
				       name, head[0x207], head[0x206]);
	if (image->size_bytes < want)
		return truncated(name, image->size_bytes, want, err);
	if (get_u16(head + 0x206) >= 0x20c && !(get_u16(head + 0x236) & XLF_KERNEL_64))
		return wrong_machine(name, "32-bit x86", err);
	image->kind = IMAGE_BZIMAGE;
	image->payload_offset = setup + get_u32(head + 0x248);
	image->payload_bytes = get_u32(head + 0x24c);
	if (image->payload_bytes < 8 || image->payload_offset + image->payload_bytes > want)
		return ktstr_error_set(err, -EINVAL,
				       "'%s' is damaged: its payload (%llu bytes at %llu) does not "
				       "lie inside the image",
				       name, (unsigned long long)image->payload_bytes,
				       (unsigned long long)image->payload_offset);
	if (text_at > 0x200 && text_at + sizeof(text) <= setup &&
	    elf_file_pread(fd, text, sizeof(text), text_at) == 0)
		copy_release(image, text, sizeof(text));
	return 0;
}

static void look_at_note(void *arg, const struct elf_file_note *note)
{
	struct image *image = arg;

	if (note->name_len == 4 && !memcmp(note->name, "Xen", 4) &&
	    note->type == XEN_NOTE_PHYS32_ENTRY)
		image->pvh = true;
	if (note->name_len == 4 && !memcmp(note->name, "GNU", 4) && note->type == NT_GNU_BUILD_ID &&
	    note->desc_len * 2 < sizeof(image->build_id))
		for (uint32_t i = 0; i < note->desc_len; i++)
			snprintf(image->build_id + 2 * i, 3, "%02x", note->desc[i]);
}

struct segments {
	struct image *image;
	bool has_kernel_text;
	uint64_t end;
};

static int look_at_segment(void *arg, int fd, const Elf64_Phdr *phdr)
{
	struct segments *s = arg;
	uint64_t end;

	if (phdr->p_type != PT_LOAD && phdr->p_type != PT_NOTE)
		return 0;
	if (__builtin_add_overflow(phdr->p_offset, phdr->p_filesz, &end))
		return -EINVAL;
	if (end > s->end)
		s->end = end;
	if (phdr->p_type == PT_LOAD && phdr->p_vaddr >= KERNEL_TEXT_BASE)
		s->has_kernel_text = true;
	if (phdr->p_type == PT_NOTE && end <= s->image->size_bytes)
		return elf_file_each_note(fd, phdr, look_at_note, s->image);
	return 0;
}

/* The banner "Linux version RELEASE (..." lies somewhere in the read-only data. */
static void find_release(int fd, struct image *image)
{
	static const char mark[] = "Linux version ";
	_cleanup_free_ char *chunk = malloc(SCAN_CHUNK);
	uint64_t at = 0;

	if (!chunk)
		return;
	for (;;) {
		ssize_t n = pread(fd, chunk, SCAN_CHUNK, (off_t)at);
		size_t skip = sizeof(mark) - 1;

		if (n <= 0)
			return;
		for (char *p = chunk; (p = memmem(p, (size_t)(chunk + n - p), mark, skip)); p++) {
			size_t left = (size_t)(chunk + n - p) - skip;

			/* Near the end it may be cut; the next chunk has it whole. */
			if (n == SCAN_CHUNK && left + skip < SCAN_OVERLAP)
				break;
			if (left && p[skip] >= '0' && p[skip] <= '9') {
				copy_release(image, p + skip, left);
				return;
			}
		}
		if (n <= SCAN_OVERLAP)
			return;
		at += (uint64_t)n - SCAN_OVERLAP;
	}
}

static int read_vmlinux(int fd, const Elf64_Ehdr *ehdr, const char *name, struct image *image,
			struct ktstr_error *err)
{
	struct segments s = { .image = image };
	char buf[32];
	int r;

	if (ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return wrong_machine(name, "a big-endian machine", err);
	if (ehdr->e_machine != EM_X86_64)
		return wrong_machine(name, machine_name(ehdr->e_machine, buf, sizeof(buf)), err);
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		return wrong_machine(name, "x32", err);
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' is an ELF object file or core, not a vmlinux", name);
	r = elf_file_each_segment(fd, ehdr, look_at_segment, &s);
	if (r < 0 || s.end > image->size_bytes)
		return ktstr_error_set(err, -EINVAL,
				       "'%s' is truncated or damaged: %llu bytes, its program "
				       "headers need %llu; copy or unpack it again",
				       name, (unsigned long long)image->size_bytes,
				       (unsigned long long)s.end);
	if (!s.has_kernel_text)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' is an ordinary ELF program, not a kernel", name);
	image->kind = IMAGE_VMLINUX;
	find_release(fd, image);
	return 0;
}

static int not_a_kernel(const uint8_t *head, const char *name, struct ktstr_error *err)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *what;
	} known[] = {
		{ "\x1f\x8b", 2, "a gzip file; unpack it first: gzip -dc" },
		{ "\xfd"
		  "7zXZ",
		  5, "an xz file; unpack it first: xz -dc" },
		{ "\x28\xb5\x2f\xfd", 4, "a zstd file; unpack it first: zstd -dc" },
		{ "#!", 2, "a script" },
		{ "!<arch>", 7, "an archive or a .deb package" },
		{ "070701", 6, "a cpio archive (an initramfs?)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!memcmp(head, known[i].magic, known[i].len))
			return ktstr_error_set(err, -ENOEXEC, "'%s' is not a kernel but %s", name,
					       known[i].what);
	return ktstr_error_set(err, -ENOEXEC,
			       "'%s' is not a kernel: neither a bzImage nor a vmlinux", name);
}

static bool is_arm64_image(const uint8_t *head)
{
	uint32_t pe = get_u32(head + 0x3c);

	if (!memcmp(head + 56, "ARM\x64", 4))
		return true;
	return !memcmp(head, "MZ", 2) && pe <= HEAD_BYTES - 8 && !memcmp(head + pe, "PE\0", 4) &&
	       get_u16(head + pe + 4) == 0xaa64;
}

int image_read_fd(int fd, const char *name, struct image *ret_image, struct ktstr_error *err)
{
	uint8_t head[HEAD_BYTES] = { 0 };
	struct image image = { 0 };
	Elf64_Ehdr ehdr;
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(fd, &st) < 0)
		return ktstr_error_set(err, -errno, "stat '%s': %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return ktstr_error_set(err, -ENOEXEC, "'%s' is not a regular file", name);
	image.size_bytes = (uint64_t)st.st_size;
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return ktstr_error_set(err, -errno, "read '%s': %s", name, strerror(errno));
	if (n == 0)
		return ktstr_error_set(err, -EINVAL, "'%s' is empty", name);
	memcpy(&ehdr, head, sizeof(ehdr));
	if (n >= 4 && !memcmp(head, ELFMAG, SELFMAG))
		r = n < (ssize_t)sizeof(ehdr) ? truncated(name, image.size_bytes, sizeof(ehdr), err)
					      : read_vmlinux(fd, &ehdr, name, &image, err);
	else if (!memcmp(head + 0x202, "HdrS", 4) && get_u16(head + 0x1fe) == 0xaa55)
		r = n < 0x260 ? truncated(name, image.size_bytes, 0x260, err)
			      : read_bzimage(fd, head, name, &image, err);
	else if (is_arm64_image(head))
		r = wrong_machine(name, "arm64", err);
	else
		r = not_a_kernel(head, name, err);
	if (r == 0)
		*ret_image = image;
	return r;
}

int image_read(const char *path, struct image *ret_image, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return ktstr_error_set(err, -errno, "open kernel '%s': %s", path, strerror(errno));
	return image_read_fd(fd, path, ret_image, err);
}
