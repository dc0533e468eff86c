// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#define LOCK_FILE "/tmp/ktstr-tests-alone.lock"

void alone_wait(void)
{
	/* Of another user it can be opened for reading only, which is enough. */
	int fd = open(LOCK_FILE, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0444);

	if (fd < 0)
		fd = open(LOCK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	if (fd < 0) {
		fprintf(stderr, "open '%s': %s\n", LOCK_FILE, strerror(errno));
		exit(70);
	}
}
