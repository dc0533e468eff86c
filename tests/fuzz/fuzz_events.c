// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "run/events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file that the name says, with this content. */
static int put(int fd, const uint8_t *data, size_t size)
{
	return ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 || io_write_all(fd, data, size);
}

/* A stream and itself never part but where it is damaged; two halves compare without a fault. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fds[2] = { -1, -1 };
	struct events_diff diff;
	char paths[2][64];
	enum record_type type;
	uint64_t seq;

	for (int i = 0; i < 2; i++) {
		if (fds[i] < 0)
			fds[i] = memfd_create("events", MFD_CLOEXEC);
		snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d", fds[i]);
	}
	if (put(fds[0], data, size) || put(fds[1], data, size / 2))
		abort();
	if (events_compare(paths[0], paths[1], &diff, NULL) == 0)
		events_diff_deinit(&diff);
	if (events_compare(paths[0], paths[0], &diff, NULL) == 0) {
		if (diff.parted && strcmp(diff.then, diff.now) != 0)
			abort();
		events_diff_deinit(&diff);
	}
	if (events_find_failure(paths[0], &seq, &type, NULL) == 0 && !seq)
		abort();
	return 0;
}
