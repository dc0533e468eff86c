// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * pack: makes a BPF object small.
 *
 * usage: pack OBJECT FILE
 *
 * FILE is OBJECT without what only debuggers read, as one frame of zstd.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* The linker copies no DWARF. */
static int link_alone(const char *from, const char *to)
{
	struct bpf_linker *linker = bpf_linker__new(to, NULL);
	int r = -1;

	if (linker && !bpf_linker__add_file(linker, from, NULL))
		r = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	return r;
}

static void *read_whole(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	void *bytes = NULL;
	struct stat st;

	if (!f)
		return NULL;
	if (fstat(fileno(f), &st) == 0)
		bytes = malloc((size_t)st.st_size);
	if (bytes && fread(bytes, (size_t)st.st_size, 1, f) != 1) {
		free(bytes);
		bytes = NULL;
	}
	fclose(f);
	*ret_len = bytes ? (size_t)st.st_size : 0;
	return bytes;
}

static int save(const void *bytes, size_t len, const char *path)
{
	FILE *f = fopen(path, "we");
	int r;

	if (!f)
		return -1;
	r = fwrite(bytes, len, 1, f) != 1;
	return fclose(f) || r ? -1 : 0;
}

static int squeeze(const char *path)
{
	size_t len, room, packed;
	void *bytes = read_whole(path, &len), *out;
	int r = -1;

	if (!bytes)
		return -1;
	room = ZSTD_compressBound(len);
	out = malloc(room);
	if (out) {
		packed = ZSTD_compress(out, room, bytes, len, ZSTD_maxCLevel());
		r = ZSTD_isError(packed) ? -1 : save(out, packed, path);
	}
	free(out);
	free(bytes);
	return r;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: pack OBJECT FILE\n", stderr);
		return 2;
	}
	if (link_alone(argv[1], argv[2]) || squeeze(argv[2])) {
		fprintf(stderr, "pack: '%s' cannot be packed into '%s'\n", argv[1], argv[2]);
		unlink(argv[2]);
		return 1;
	}
	return 0;
}
