// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "ctprof/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(const struct ktstr_ctprof *s)
{
	for (size_t i = 0; i < s->nr_threads; i++) {
		const struct ktstr_ctprof_thread *t = &s->threads[i];

		if (t->jemalloc >= KTSTR_JEMALLOC_NR_TAGS ||
		    ktstr_ctprof_find(s, t->tgid, t->tid) != t)
			abort();
		if (t->leader && t->tid != t->tgid)
			abort();
	}
	for (size_t i = 0; i < s->nr_warnings; i++)
		if (!strlen(s->warnings[i]))
			abort();
	for (size_t i = 0; i < s->nr_cgroups; i++)
		if (ktstr_ctprof_find_cgroup(s, s->cgroups[i].path) != &s->cgroups[i])
			abort();
}

/* Both doors: the compressed file, and the text inside, which a compressor would hide. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_ctprof_ struct ktstr_ctprof *packed = NULL, *text = NULL;
	_cleanup_ctprof_series_ struct ktstr_ctprof_series *series = NULL;

	if (ctprof_load_packed_series((const char *)data, size, "f", &series, NULL) == 0 &&
	    !series->nr)
		abort();
	if (ctprof_load_packed(data, size, "f", &packed, NULL) == 0)
		check_texts(packed);
	if (ctprof_load_text((const char *)data, size, "f", NULL, &text, NULL) == 0)
		check_texts(text);
	return 0;
}
