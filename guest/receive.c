// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "guest/job.h"

enum { BEAT_NS = 500 * 1000000ll };

/* Large jobs take their time; the host must not think that we hang. */
static void beat_now_and_then(struct channel *c, uint64_t *last_ns)
{
	uint64_t now = clock_mono_ns();

	if (now - *last_ns < BEAT_NS)
		return;
	*last_ns = now;
	channel_send(c, RECORD_HEARTBEAT, "{}", 2);
}

int receive_job(struct fwcfg *f, struct job *job, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(PROTOCOL_JOB_JSON_MAX);
	int64_t size = fwcfg_select(f, PROTOCOL_JOB_FILE, err);
	const void *bytes;
	int r;

	if (size < 0)
		return (int)size;
	if (size == 0)
		return ktstr_error_set(err, -ENOENT, "this machine was given no job");
	while ((r = fwcfg_read(f, &bytes, err)) > 0)
		strbuf_add(&text, bytes, (size_t)r);
	if (r == 0 && text.error)
		r = ktstr_error_set(err, text.error, "job: %lld bytes do not fit", (long long)size);
	return r < 0 ? r : job_decode(strbuf_str(&text), text.len, job, err);
}

static int unpack_all(struct channel *c, struct fwcfg *f, struct unpack *u, struct ktstr_error *err)
{
	uint64_t last_ns = clock_mono_ns();
	const void *bytes;
	int r;

	while ((r = fwcfg_read(f, &bytes, err)) > 0) {
		r = unpack_feed(u, bytes, (size_t)r, err);
		if (r < 0)
			break;
		beat_now_and_then(c, &last_ns);
	}
	return r;
}

static int put_scenario(int root_fd, const struct job *job, struct ktstr_error *err)
{
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!job->scenario)
		return 0;
	if (mkdirat(root_fd, "ktstr", 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		fd = openat(root_fd, &PROTOCOL_SCENARIO_FILE[1],
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (r == 0)
		r = fd < 0 ? -errno : io_write_all(fd, job->scenario, strlen(job->scenario));
	return r < 0 ? ktstr_error_set(err, r, "write '%s': %s", PROTOCOL_SCENARIO_FILE,
				       strerror(-r))
		     : 0;
}

int receive_files(struct channel *c, struct fwcfg *f, const struct job *job,
		  struct ktstr_error *err)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t size = fwcfg_select(f, PROTOCOL_FILES_FILE, err);
	static struct unpack u;
	int r;

	if (size < 0)
		return (int)size;
	if ((uint64_t)size != job->files_bytes)
		return ktstr_error_set(err, -EBADMSG,
				       "the job's files have %lld bytes, the job says %llu",
				       (long long)size, (unsigned long long)job->files_bytes);
	umask(0);
	unpack_init(&u, root_fd);
	r = unpack_all(c, f, &u, err);
	if (r == 0)
		r = unpack_finish(&u, job, err);
	unpack_deinit(&u);
	umask(022);
	return r < 0 ? r : put_scenario(root_fd, job, err);
}
