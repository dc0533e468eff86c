/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * blob.h - the collector's BPF part as bytes inside the library, as bpf/helper/lskel.c writes
 * them: this head, data, instructions.
 */
#ifndef KTSTR_BPF_BLOB_H
#define KTSTR_BPF_BLOB_H

#include <stdint.h>

enum { BPF_BLOB_MAGIC = 0x6c736b31, BPF_BLOB_MAPS_MAX = 8 };

struct bpf_blob {
	uint32_t magic;
	uint32_t nr_maps, nr_programs;
	uint32_t config_map; /* index among the maps */
	uint32_t data_bytes, insns_bytes;
};

#endif
