// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

int text_file_init(struct text_file *f)
{
	f->buf = malloc(TEXT_FILE_BYTES);
	return f->buf ? 0 : -ENOMEM;
}

void text_file_deinit(struct text_file *f)
{
	free(f->buf);
	f->buf = NULL;
}

int text_file_read(struct text_file *f, int dir_fd, const char *name, struct span *ret_text)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* These files are made in one piece: one read has everything that fits. */
	do {
		n = read(fd, f->buf, TEXT_FILE_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*ret_text = (struct span){ f->buf, (size_t)n };
	return 0;
}
