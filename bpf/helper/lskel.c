// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * lskel: turns a BPF object into bytes that load without libbpf and without anybody's BTF.
 *
 * usage: lskel OBJECT FILE
 *
 * libbpf writes a small BPF program that makes the maps and loads the program itself, on any
 * kernel; that kernel moves field accesses to where it has the fields.  FILE is a struct
 * bpf_blob (bpf/blob.h), that program's data and its instructions.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "bpf/blob.h"

static int count(struct bpf_object *object, struct bpf_blob *blob)
{
	struct bpf_program *program;
	struct bpf_map *map;

	blob->config_map = UINT32_MAX;
	bpf_object__for_each_map(map, object)
	{
		if (!strcmp(bpf_map__name(map), "config_map"))
			blob->config_map = blob->nr_maps;
		blob->nr_maps++;
	}
	bpf_object__for_each_program(program, object) blob->nr_programs++;
	return blob->config_map == UINT32_MAX || blob->nr_programs != 1 ||
			       blob->nr_maps > BPF_BLOB_MAPS_MAX
		       ? -1
		       : 0;
}

static int save(const struct bpf_blob *blob, const struct gen_loader_opts *made, const char *path)
{
	FILE *f = fopen(path, "we");
	int r;

	if (!f)
		return -1;
	r = fwrite(blob, sizeof(*blob), 1, f) != 1 ||
	    fwrite(made->data, made->data_sz, 1, f) != 1 ||
	    fwrite(made->insns, made->insns_sz, 1, f) != 1;
	return fclose(f) || r ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct bpf_blob blob = { .magic = BPF_BLOB_MAGIC };
	struct bpf_object *object;

	LIBBPF_OPTS(gen_loader_opts, made);
	if (argc != 3) {
		fputs("usage: lskel OBJECT FILE\n", stderr);
		return 2;
	}
	object = bpf_object__open(argv[1]);
	if (!object || bpf_object__gen_loader(object, &made) || bpf_object__load(object) ||
	    count(object, &blob) < 0) {
		fprintf(stderr, "lskel: %s cannot be made to load itself\n", argv[1]);
		return 1;
	}
	blob.data_bytes = made.data_sz;
	blob.insns_bytes = made.insns_sz;
	if (save(&blob, &made, argv[2]) < 0) {
		perror(argv[2]);
		return 1;
	}
	bpf_object__close(object);
	return 0;
}
