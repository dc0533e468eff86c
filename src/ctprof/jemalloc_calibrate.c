// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "ctprof/jemalloc_layout.h"

extern const unsigned char ctprof_calibrate_blob[], ctprof_calibrate_blob_end[];

enum { ANSWER_BYTES = 256, TIMEOUT_MS = 2000 };

static int helper_fd(void)
{
	_cleanup_close_ int fd = memfd_create("ktstr-calibrate", MFD_CLOEXEC);
	size_t len = (size_t)(ctprof_calibrate_blob_end - ctprof_calibrate_blob);

	if (fd < 0 || io_write_all(fd, ctprof_calibrate_blob, len) < 0)
		return -1;
	return take_fd(&fd);
}

static int run_helper(const char *const *argv, const char *const *env, const int *keep_fds,
		      char *answer)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	_cleanup_close_ int from = -1, to = -1;
	int pipe_fds[2];
	ssize_t n;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -ENODATA;
	from = pipe_fds[0];
	to = pipe_fds[1];
	if (child_start(&(struct child_opts){ .argv = argv,
					      .env = env,
					      .stdin_fd = -1,
					      .stdout_fd = to,
					      .stderr_fd = -1,
					      .keep_fds = { keep_fds[0], keep_fds[1] },
					      .nr_keep_fds = 2,
					      .unprivileged = true },
			&child, NULL) < 0)
		return -ENODATA;
	close(take_fd(&to));
	/* The answer is one short line, so the pipe never fills. */
	if (child_wait(&child, TIMEOUT_MS * NSEC_PER_MSEC) < 0 || child.signal || child.exit_code)
		return -ENODATA;
	n = read(from, answer, ANSWER_BYTES - 1);
	if (n <= 0)
		return -ENODATA;
	answer[n] = '\0';
	return 0;
}

static bool sensible(int64_t allocated, int64_t deallocated, const struct jelf *elf)
{
	int64_t end = (int64_t)(elf->tls_memsz - elf->got_value);

	return allocated >= 0 && deallocated > allocated && deallocated <= end - 8 &&
	       allocated % 8 == 0 && deallocated % 8 == 0;
}

int jemalloc_calibrate(int fd, const struct jelf *elf, struct jemalloc_layout *ret_layout)
{
	_cleanup_close_ int helper = helper_fd();
	char path[32], preload[48], slot[24], answer[ANSWER_BYTES];
	int64_t allocated, deallocated;

	if (helper < 0 || !elf->mallctl[0] || !elf->got_found || elf->got_ambiguous ||
	    elf->got_value >= elf->tls_memsz)
		return -ENODATA;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", helper);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=/proc/self/fd/%d", fd);
	snprintf(slot, sizeof(slot), "%" PRIx64, elf->got_address);
	if (run_helper((const char *const[]){ path, elf->mallctl, slot, NULL },
		       (const char *const[]){ preload, NULL }, (const int[]){ helper, fd },
		       answer) < 0)
		return -ENODATA;
	if (sscanf(answer, "ktstr %" SCNd64 " %" SCNd64, &allocated, &deallocated) != 2 ||
	    !sensible(allocated, deallocated, elf))
		return -ENODATA;
	*ret_layout = (struct jemalloc_layout){ .allocated = (uint32_t)allocated,
						.deallocated = (uint32_t)deallocated };
	return 0;
}
