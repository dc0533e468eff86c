// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/filesum.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "vm/filehash.h"

int filesum_sha256(const char *path, char hex[SHA256_HEX], struct ktstr_error *err)
{
	_cleanup_free_ char *cache = path_cache_dir(NULL);

	return filehash_sha256(path, cache, hex, err);
}

bool filesum_is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == SHA256_HEX - 1 && !text[SHA256_HEX - 1];
}
