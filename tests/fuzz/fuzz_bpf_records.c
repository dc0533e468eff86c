// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/bpf_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_thread(const struct bpf_record *r, const struct ctprof_name *name)
{
	const struct bpf_units units = { .page_bytes = 4096, .has_statistics = true };
	struct ktstr_ctprof_thread t = { 0 };
	char comm[BPF_COMM_BYTES], text[256];

	bpf_comm(r->thread, name, comm);
	if (!memchr(comm, '\0', sizeof(comm)))
		abort();
	if (!r->has_values)
		return;
	bpf_set_values(r->thread, &units, &t);
	if (bpf_mask_text(r->mask, r->thread->mask_words * 64, text, sizeof(text)) >= sizeof(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_builder_ struct builder builder = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&builder);
	_cleanup_free_ unsigned char *copy = malloc(size + 1);
	const unsigned char *at = copy;
	const struct ctprof_name *name = NULL;
	struct bpf_record r;

	if (!paths || !copy)
		return 0;
	memcpy(copy, data, size);
	while (bpf_next_record(&at, &size, &r) > 0) {
		if (r.kind == CTPROF_KIND_HEAD)
			bpf_paths_begin(paths, r.head->root_cgroup);
		if (r.kind == CTPROF_KIND_PATH && bpf_paths_add(paths, r.path) < 0)
			return 0;
		if (r.kind == CTPROF_KIND_NAME)
			name = r.name;
		if (r.kind == CTPROF_KIND_THREAD) {
			use_thread(&r, name);
			if (bpf_paths_find(paths, r.thread->cgroup) &&
			    bpf_paths_find(paths, r.thread->cgroup)[0] != '/')
				abort();
		}
	}
	return 0;
}
