// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text = STRBUF_INIT;
	struct entry entry, again;
	struct ktstr_error err = { 0 };

	if (entry_parse((const char *)data, size, &entry, &err) < 0) {
		if (!err.code)
			abort();
		return 0;
	}
	if (entry.nr_files > ENTRY_MAX_FILES)
		abort();
	for (size_t i = 0; i < entry.nr_files; i++)
		if (entry.files[i].name[0] == '/' || strstr(entry.files[i].name, ".."))
			abort();
	if (entry_format(&entry, &text) == 0 &&
	    entry_parse(text.data, text.len, &again, &err) < 0 && text.len <= ENTRY_MAX_BYTES)
		abort();
	strbuf_deinit(&text);
	return 0;
}
