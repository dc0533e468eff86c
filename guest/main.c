// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The guest's PID 1: says hello, takes one job, runs it, powers off.  Nothing before the hello
 * depends on the job, so that a stopped machine can be given any.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "guest/channel.h"
#include "guest/fwcfg.h"
#include "guest/job.h"
#include "guest/loop.h"
#include "guest/modules.h"
#include "guest/mount.h"
#include "guest/ports.h"
#include "guest/poweroff.h"
#include "run/protocol_record.h"
#include <ktstr/topology.h>

#define MODULES_FOLDER "/modules"

enum {
	PORT_WAIT_NS = 10 * 1000000000ll, /* for the host's side of the port */
	FLUSH_NS = 10 * 1000000000ll,
	BEAT_NS = 500 * 1000000ll,
	SIGNALLED = 128
};

/* Before there is a port, the console is all there is. */
__attribute__((noreturn)) static void fatal(const char *why)
{
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "ktstr-agent: fatal: %s\n", why);
		tcdrain(fd);
	}
	poweroff(PROTOCOL_END_GAVE_UP);
}

static int set_up(int *ret_port, struct ktstr_error *err)
{
	int r = mount_first(err);

	if (r == 0)
		r = modules_load(MODULES_FOLDER, err);
	if (r == 0)
		r = ports_open(PROTOCOL_RECORDS_PORT, PORT_WAIT_NS, err);
	if (r < 0)
		return r;
	*ret_port = r;
	return 0;
}

static void hello(struct channel *c, uint64_t init_ns)
{
	struct utsname name;

	if (uname(&name) < 0)
		name.release[0] = '\0';
	channel_send_json(c, RECORD_HELLO,
			  json_pack("{s:s,s:o,s:I,s:I}", "agent", KTSTR_VERSION, "kernel",
				    record_text(name.release), "nr_cpus",
				    (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "init_ns",
				    (json_int_t)init_ns));
}

/* Large jobs take their time; the host must not think that we hang. */
static void beat_now_and_then(struct channel *c, uint64_t *last_ns)
{
	uint64_t now = clock_mono_ns();

	if (now - *last_ns < BEAT_NS)
		return;
	*last_ns = now;
	channel_send(c, RECORD_HEARTBEAT, "{}", 2);
}

static int read_job(struct fwcfg *f, struct job *job, struct ktstr_error *err)
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

static int receive_files(struct channel *c, struct fwcfg *f, const struct job *job,
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
	return r;
}

static int receive_job(struct channel *c, struct job *job, struct ktstr_error *err)
{
	struct fwcfg *f = NULL;
	int r = fwcfg_open(&f, err);

	if (r == 0)
		r = read_job(f, job, err);
	if (r == 0)
		r = receive_files(c, f, job, err);
	fwcfg_close(f);
	return r;
}

/* Judging anything on a machine of another shape would be worthless. */
static int check_shape(struct channel *c, const char *wanted, struct ktstr_error *err)
{
	struct ktstr_topology topology;
	struct ktstr_shape shape;
	struct ktstr_error why = { 0 };
	char seen[4096];
	int r = ktstr_shape_read("/sys", &shape, err);
	json_t *record;

	if (r < 0)
		return r;
	if (*wanted) {
		r = ktstr_topology_parse(wanted, &topology, err);
		if (r < 0)
			return r;
		r = ktstr_shape_matches(&shape, &topology, &why);
	}
	ktstr_shape_format(&shape, seen, sizeof(seen));
	record = json_pack("{s:b,s:o,s:o}", "ok", r == 0, "seen", record_text(seen), "wanted",
			   record_text(wanted));
	if (r < 0 && record)
		json_object_set_new(record, "why", record_text(why.text));
	channel_send_json(c, RECORD_SHAPE, record);
	return r;
}

/* Ahead of everything a body may start; its children start afresh.  Without swap no memory of ours
 * is taken away again, and the kernel never kills PID 1 for memory. */
static int become_urgent(struct ktstr_error *err)
{
	const struct sched_param param = { .sched_priority = 99 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
		return ktstr_error_set(err, -errno, "SCHED_FIFO: %s", strerror(errno));
	return 0;
}

static int watch_job(struct channel *c, const struct job *job, int *ret_status,
		     struct ktstr_error *err)
{
	_cleanup_close_ int shell_fd = -1;
	struct loop_result result;
	int r = 0;

	if (job->mode == JOB_SHELL) {
		shell_fd = ports_open(PROTOCOL_SHELL_PORT, PORT_WAIT_NS, err);
		r = shell_fd < 0 ? shell_fd : 0;
	}
	if (r == 0)
		r = become_urgent(err);
	if (r == 0)
		r = loop_run(&(struct loop_opts){ .job = job,
						  .channel = c,
						  .shell_fd = shell_fd,
						  .whole_machine = true },
			     &result, err);
	if (r < 0)
		return r;
	if (job->mode != JOB_TEST)
		*ret_status = result.exited ? result.exit_code : (int)SIGNALLED + result.signal;
	return 0;
}

static int run_job(struct channel *c, int *ret_status)
{
	_cleanup_(job_deinit) struct job job = { 0 };
	struct ktstr_error err;
	int r = mount_rest(&err);

	if (r == 0)
		r = receive_job(c, &job, &err);
	if (r == 0) {
		r = check_shape(c, job.topology, &err);
		if (r == -EXDEV)
			return r; /* the SHAPE record says it all */
	}
	if (r == 0)
		r = watch_job(c, &job, ret_status, &err);
	if (r < 0)
		channel_send_text(c, RECORD_ERROR, "%s", err.text);
	return r;
}

int main(void)
{
	uint64_t init_ns = clock_mono_ns();
	struct channel channel;
	struct ktstr_error err;
	sigset_t all;
	int port, status = 0;

	if (getpid() != 1) {
		dprintf(STDERR_FILENO, "ktstr-agent: this is the guest's PID 1; use ktstr\n");
		return 2;
	}
	/* Else jansson asks the kernel for chance, which makes a machine without any wait 1 s. */
	json_object_seed(1);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (set_up(&port, &err) < 0)
		fatal(err.text);
	if (channel_init(&channel, port) < 0)
		fatal("out of memory");
	hello(&channel, init_ns);
	if (run_job(&channel, &status) < 0)
		status = 0;
	channel_send_json(&channel, RECORD_BYE, json_pack("{s:i}", "exit", status));
	poweroff(channel_flush(&channel, FLUSH_NS) < 0 ? PROTOCOL_END_GAVE_UP
						       : PROTOCOL_END_FINISHED);
}
