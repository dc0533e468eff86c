// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/payloads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

/* Test programs lie in tests/unit, payloads in payloads of the same build folder. */
char *payload_path(const char *name)
{
	char *self = path_self(NULL);
	char *path = NULL;

	for (int up = 0; self && up < 3; up++) {
		char *slash = strrchr(self, '/');

		if (slash)
			*slash = '\0';
	}
	if (self)
		path = path_format("%s/payloads/%s", self, name);
	free(self);
	if (!path || access(path, X_OK) < 0) {
		fprintf(stderr, "payload '%s' is not built: run make payloads\n", name);
		abort();
	}
	return path;
}
