// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No name that is accepted leads out of the folder, or deeper than one folder in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = strndup((const char *)data, size);
	const char *slash;

	if (!name)
		return 0;
	slash = strchr(name, '/');
	if (parcel_name_ok(name, true) && (slash || !strcmp(name, "..") || !*name))
		abort();
	if (parcel_name_ok(name, false) &&
	    (!slash || slash == name || !slash[1] || strchr(slash + 1, '/') || *name == '.' ||
	     slash[1] == '.'))
		abort();
	free(name);
	return 0;
}
