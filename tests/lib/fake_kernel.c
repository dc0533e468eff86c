// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "fake_kernel.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

static void put_u32(struct strbuf *out, uint32_t value)
{
	unsigned char bytes[4] = { value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff,
				   value >> 24 };

	strbuf_add(out, bytes, sizeof(bytes));
}

static void set_u16(char *at, unsigned int value)
{
	at[0] = (char)(value & 0xff);
	at[1] = (char)(value >> 8);
}

static void pad_to(struct strbuf *out, size_t len)
{
	while (out->len < len)
		strbuf_addch(out, '\0');
}

static void put_notes(const struct fake_vmlinux *v, struct strbuf *out)
{
	if (!v->no_pvh) {
		put_u32(out, 4);
		put_u32(out, 8);
		put_u32(out, 18);
		strbuf_add(out, "Xen", 4);
		strbuf_add(out, "\0\0\0\1\0\0\0\0", 8);
	}
	put_u32(out, 4);
	put_u32(out, 20);
	put_u32(out, NT_GNU_BUILD_ID);
	strbuf_add(out, "GNU", 4);
	for (char c = 1; c <= 20; c++)
		strbuf_addch(out, c);
}

void fake_vmlinux(const struct fake_vmlinux *v, struct strbuf *out)
{
	Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
			     v->bits_32 ? ELFCLASS32 : ELFCLASS64,
			     v->big_endian ? ELFDATA2MSB : ELFDATA2LSB, EV_CURRENT },
		.e_type = v->type ? v->type : ET_EXEC,
		.e_machine = v->machine ? v->machine : EM_X86_64,
		.e_phoff = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	Elf64_Phdr phdrs[2] = {
		{ .p_type = PT_NOTE, .p_offset = sizeof(ehdr) + sizeof(phdrs) },
		{ .p_type = PT_LOAD, .p_vaddr = v->user_program ? 0x400000 : 0xffffffff81000000 },
	};

	strbuf_clear(out);
	pad_to(out, phdrs[0].p_offset);
	put_notes(v, out);
	phdrs[0].p_filesz = out->len - phdrs[0].p_offset;
	phdrs[1].p_offset = out->len;
	strbuf_addstr(out, "Linux version %s");
	if (v->release)
		strbuf_addf(out, "Linux version %s (someone@somewhere) #1 SMP", v->release);
	pad_to(out, out->len + v->padding + 64);
	phdrs[1].p_filesz = out->len - phdrs[1].p_offset;
	memcpy(out->data, &ehdr, sizeof(ehdr));
	memcpy(out->data + sizeof(ehdr), phdrs, sizeof(phdrs));
}

void fake_bzimage(const char *release, const struct strbuf *payload, struct strbuf *out)
{
	static const unsigned char hdr[] = { 0x48, 0x64, 0x72, 0x53, 0x0f, 0x02 };
	uint32_t len = (uint32_t)payload->len, paragraphs = (len + 16 + 15) / 16;

	strbuf_clear(out);
	pad_to(out, 1024);
	out->data[0x1f1] = 1;
	for (int i = 0; i < 4; i++) {
		out->data[0x1f4 + i] = (char)(paragraphs >> 8 * i & 0xff);
		out->data[0x24c + i] = (char)(len >> 8 * i & 0xff);
	}
	set_u16(out->data + 0x1fe, 0xaa55);
	memcpy(out->data + 0x202, hdr, sizeof(hdr));
	set_u16(out->data + 0x236, 1);
	out->data[0x248] = 16;
	if (release) {
		set_u16(out->data + 0x20e, 0x100);
		strncpy(out->data + 0x300, release, 120);
		strncat(out->data + 0x300, " (x) #1", 16);
	}
	pad_to(out, 1024 + 16);
	strbuf_add(out, payload->data, payload->len);
	pad_to(out, 1024 + (size_t)paragraphs * 16);
}

void fake_append_size(struct strbuf *payload, size_t plain_bytes)
{
	put_u32(payload, (uint32_t)plain_bytes);
}

void fake_zstd_payload(const struct strbuf *plain, struct strbuf *out)
{
	size_t room = ZSTD_compressBound(plain->len), n;
	char *packed = malloc(room);

	n = packed ? ZSTD_compress(packed, room, plain->data, plain->len, 3) : 0;
	if (!packed || ZSTD_isError(n))
		abort();
	strbuf_clear(out);
	strbuf_add(out, packed, n);
	fake_append_size(out, plain->len);
	free(packed);
}

void fake_kernel(const char *release, struct strbuf *out)
{
	struct strbuf plain = STRBUF_INIT, packed = STRBUF_INIT;

	fake_vmlinux(&(struct fake_vmlinux){ .release = release, .padding = 5000 }, &plain);
	fake_zstd_payload(&plain, &packed);
	fake_bzimage(release, &packed, out);
	strbuf_deinit(&plain);
	strbuf_deinit(&packed);
}

void fake_module(const char *depends, struct strbuf *out)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	Elf64_Shdr shdrs[3] = { { 0 },
				{ .sh_name = 1, .sh_type = SHT_PROGBITS },
				{ .sh_name = 10, .sh_type = SHT_STRTAB } };
	Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_shoff = sizeof(ehdr),
		.e_shentsize = sizeof(shdrs[0]),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};

	strbuf_clear(out);
	pad_to(out, sizeof(ehdr) + sizeof(shdrs));
	shdrs[1].sh_offset = out->len;
	strbuf_add(out, "license=GPL", 12);
	strbuf_addf(out, "depends=%s", depends);
	strbuf_addch(out, '\0');
	shdrs[1].sh_size = out->len - shdrs[1].sh_offset;
	shdrs[2].sh_offset = out->len;
	strbuf_add(out, names, sizeof(names));
	shdrs[2].sh_size = sizeof(names);
	memcpy(out->data, &ehdr, sizeof(ehdr));
	memcpy(out->data + sizeof(ehdr), shdrs, sizeof(shdrs));
}
