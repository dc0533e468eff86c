// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vm/store_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written and read again; no name leaves the folder. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text = STRBUF_INIT;
	struct manifest m = { 0 };
	struct ktstr_error err = { 0 };

	if (manifest_parse((const char *)data, size, "0123abcd", &m, &err) < 0) {
		if (!err.code || m.about || m.files)
			abort();
		return 0;
	}
	if (!json_is_object(m.about) || m.nr_files > MANIFEST_MAX_FILES)
		abort();
	for (size_t i = 0; i < m.nr_files; i++)
		if (strchr(m.files[i].name, '/') || m.files[i].name[0] == '.')
			abort();
	if (manifest_format(&m, "0123abcd", &text, &err) < 0 && text.len <= MANIFEST_MAX_BYTES)
		abort();
	strbuf_deinit(&text);
	manifest_deinit(&m);
	return 0;
}
