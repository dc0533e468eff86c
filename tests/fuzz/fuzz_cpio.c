// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reader saw, in short. */
struct seen {
	uint64_t hash;
	int long_target; /* cpio_read() takes it, the stream does not */
};

static void mix(struct seen *seen, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		seen->hash = (seen->hash ^ p[i]) * 1099511628211ull;
}

static int see_head(void *arg, const struct cpio_entry *e)
{
	struct seen *seen = arg;

	/* A part may begin with dots ("..v"), it must not be "..". */
	if (e->name[0] == '/' || !strcmp(e->name, "..") || !strncmp(e->name, "../", 3) ||
	    strstr(e->name, "/../"))
		abort();
	mix(seen, e->name, strlen(e->name));
	mix(seen, &e->mode, sizeof(e->mode));
	mix(seen, &e->size, sizeof(e->size));
	if (e->data)
		mix(seen, e->data, e->size);
	return 0;
}

static int see_entry(void *arg, const struct cpio_entry *e)
{
	struct cpio_entry head = *e;
	struct seen *seen = arg;

	if (!S_ISLNK(e->mode))
		head.data = NULL;
	else if (e->size > CPIO_TARGET_MAX)
		seen->long_target = 1;
	see_head(seen, &head);
	if (!S_ISLNK(e->mode))
		mix(seen, e->data, e->size);
	return 0;
}

static int see_data(void *arg, const void *bytes, size_t len)
{
	mix(arg, bytes, len);
	return 0;
}

static int see_end(void *arg)
{
	(void)arg;
	return 0;
}

static const struct cpio_stream_ops ops = { see_head, see_data, see_end };

/* Both readers accept the same archives and see the same in them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size % 61 + 1;
	struct ktstr_error err = { 0 };
	struct seen whole = { 0 }, pieces = { 0 };
	struct cpio_stream s;
	int r = cpio_read(data, size, see_entry, &whole, &err), q = 0;

	if (r < 0 && !err.code)
		abort();
	cpio_stream_init(&s, &ops, &pieces);
	for (size_t at = 0; at < size && q == 0; at += step)
		q = cpio_stream_feed(&s, data + at, size - at < step ? size - at : step, &err);
	if (q == 0)
		q = cpio_stream_finish(&s, &err);
	if (whole.long_target)
		return 0;
	if ((r < 0) != (q < 0) || (r == 0 && whole.hash != pieces.hash))
		abort();
	return 0;
}
