// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The guest's PID 1: sets the machine up, says hello, takes one job, runs it, powers off.  Nothing
 * before the hello depends on the job, so that a stopped machine can be given any.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "guest/chance.h"
#include "guest/channel.h"
#include "guest/disturb.h"
#include "guest/fwcfg.h"
#include "guest/loop.h"
#include "guest/modules.h"
#include "guest/mount.h"
#include "guest/ports.h"
#include "guest/poweroff.h"
#include "guest/realclock.h"
#include "guest/receive.h"
#include "guest/rouse.h"
#include "guest/settle.h"
#include "guest/stop.h"
#include "run/protocol_record.h"
#include <ktstr/topology.h>

#define MODULES_FOLDER "/modules"

enum {
	PORT_WAIT_NS = 10 * 1000000000ll, /* for the host's side of the port */
	FLUSH_NS = 10 * 1000000000ll,
	STOP_STEP_NS = 1000000000,
	HELLO_STEP_NS = 20000000, /* every clone has to run through it */
	BODY_STEP_NS = 250000000,
	CMDLINE_MAX = 64 << 10,
	HEAP_BYTES = 512 << 10,
	STACK_BYTES = 128 << 10,
	PAGE_BYTES = 4096,
	SIGNALLED = 128
};

#define _cleanup_json_ _cleanup_(json_decrefp)

struct guest {
	struct channel channel;
	struct fwcfg *fwcfg;
	struct loop_ready ready;
	struct ktstr_shape shape;
	char seen[4096]; /* the shape as text, which needs no escape */
	bool exact;
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
		r = stop_init(err);
	if (r == 0)
		r = modules_load(MODULES_FOLDER, err);
	if (r == 0)
		r = ports_open(PROTOCOL_RECORDS_PORT, PORT_WAIT_NS, err);
	if (r < 0)
		return r;
	*ret_port = r;
	return 0;
}

static char *hello_text(uint64_t init_ns)
{
	_cleanup_json_ json_t *object = NULL;
	struct utsname name;

	if (uname(&name) < 0)
		name.release[0] = '\0';
	object = json_pack("{s:s,s:o,s:I,s:I}", "agent", KTSTR_VERSION, "kernel",
			   record_text(name.release), "nr_cpus",
			   (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "init_ns",
			   (json_int_t)init_ns);
	return json_dumps(object, JSON_COMPACT);
}

/* Judging anything on a machine of another shape would be worthless. */
static int check_shape(struct guest *g, const char *wanted, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct ktstr_topology topology;
	struct ktstr_error why = { 0 };
	json_t *record;
	int r = 0;

	if (*wanted) {
		r = ktstr_topology_parse(wanted, &topology, err);
		if (r < 0)
			return r;
		r = ktstr_shape_matches(&g->shape, &topology, &why);
	}
	if (r == 0) { /* what was parsed needs no escape */
		strbuf_addstr(&text, "{\"ok\":true,\"seen\":\"");
		strbuf_addstr(&text, g->seen);
		strbuf_addstr(&text, "\",\"wanted\":\"");
		strbuf_addstr(&text, wanted);
		strbuf_addstr(&text, "\"}");
		channel_send(&g->channel, RECORD_SHAPE, strbuf_str(&text), text.len);
		return 0;
	}
	record = json_pack("{s:b,s:o,s:o,s:o}", "ok", 0, "seen", record_text(g->seen), "wanted",
			   record_text(wanted), "why", record_text(why.text));
	channel_send_json(&g->channel, RECORD_SHAPE, record);
	return r;
}

/* Memory is taken and touched before it is needed: a page fault less for every clone, and a guest
 * without memory can still report. */
static void take_memory(void)
{
	volatile char stack[STACK_BYTES];
	void *heap;

	mallopt(M_MMAP_THRESHOLD, HEAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, 2 * HEAP_BYTES);
	heap = malloc(HEAP_BYTES / 2);
	if (heap)
		memset(heap, 0, HEAP_BYTES / 2);
	free(heap);
	for (size_t i = 0; i < sizeof(stack); i += PAGE_BYTES)
		stack[i] = 0;
	mlockall(MCL_CURRENT);
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

static int read_exactness(bool *ret_exact, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CMDLINE_MAX);
	int r = io_read_file("/proc/cmdline", &text, err);

	if (r == 0)
		*ret_exact = settle_is_asked(strbuf_str(&text));
	return r;
}

/* All that no job decides: a template has it done for its clones. */
static int prepare(struct guest *g, struct ktstr_error *err)
{
	int r = mount_rest(err);

	/* Any seed will do: that nobody waits later is what counts. */
	if (r == 0)
		r = chance_feed(0, err);
	if (r == 0)
		r = become_urgent(err);
	if (r == 0)
		r = read_exactness(&g->exact, err);
	if (r == 0)
		r = ktstr_shape_read("/sys", &g->shape, err);
	if (r == 0)
		r = fwcfg_open(&g->fwcfg, err);
	if (r < 0)
		return r;
	r = loop_make_ready(&g->ready);
	if (r < 0)
		return ktstr_error_set(err, r, "watch a body: %s", strerror(-r));
	ktstr_shape_format(&g->shape, g->seen, sizeof(g->seen));
	take_memory();
	return 0;
}

static int take_job(struct guest *g, struct job *job, struct ktstr_error *err)
{
	int r = receive_job(g->fwcfg, job, err);

	if (r < 0)
		return r;
	if (job->exact != g->exact)
		return ktstr_error_set(err, -EINVAL,
				       "job: exact is %s, but the kernel's command line says %s",
				       job->exact ? "true" : "false", g->exact ? "true" : "false");
	channel_stop_after(&g->channel, job->stop_seq, stop_machine);
	r = chance_feed(job->seed, err);
	if (r == 0)
		r = realclock_mend(job->realtime_ns, err);
	return r == 0 ? receive_files(&g->channel, g->fwcfg, job, err) : r;
}

static int watch_job(struct guest *g, const struct job *job, int *ret_status,
		     struct ktstr_error *err)
{
	_cleanup_close_ int shell_fd = -1;
	struct disturber *disturber = NULL;
	static struct perturb_plan plan;
	struct loop_result result;
	int r;

	if (job->mode == JOB_SHELL) {
		shell_fd = ports_open(PROTOCOL_SHELL_PORT, PORT_WAIT_NS, err);
		if (shell_fd < 0)
			return shell_fd;
	}
	perturb_make(&plan, job, g->shape.nr_cpus);
	if (g->exact)
		settle(BODY_STEP_NS);
	r = job->perturb == PERTURB_OFF ? 0 : perturb_begin(&plan, err);
	if (r == 0 && job->perturb == PERTURB_HEAVY)
		r = disturber_start(job->seed, g->shape.nr_cpus, &disturber, err);
	if (r < 0)
		return r;
	r = loop_run(&(struct loop_opts){ .job = job,
					  .plan = job->perturb == PERTURB_OFF ? NULL : &plan,
					  .channel = &g->channel,
					  .shell_fd = shell_fd,
					  .ready = &g->ready,
					  .whole_machine = true },
		     &result, err);
	disturber_stop(disturber);
	if (r < 0)
		return r;
	if (job->mode != JOB_TEST)
		*ret_status = result.exited ? result.exit_code : (int)SIGNALLED + result.signal;
	return 0;
}

static int run_job(struct guest *g, int *ret_status, struct ktstr_error *err)
{
	_cleanup_(job_deinit) struct job job = { 0 };
	int r = take_job(g, &job, err);

	if (r == 0)
		r = check_shape(g, job.topology, err);
	return r == 0 ? watch_job(g, &job, ret_status, err) : r;
}

/* Idle before, as a stop while other CPUs work leaves traces that no later idling removes; then
 * each CPU alone; then idle again.  Times, like all that follows, count from the stop. */
static int stop_exactly(struct guest *g, struct ktstr_error *err)
{
	uint64_t rousing_ns = (uint64_t)g->shape.nr_cpus * ROUSE_GAP_NS;
	uint64_t stop_ns = settle_target_ns(clock_mono_ns() + rousing_ns, STOP_STEP_NS);
	int r = rouse_start(g->shape.nr_cpus, stop_ns + ROUSE_GAP_NS, err);

	settle_until(stop_ns);
	if (r == 0)
		r = stop_machine_exactly(err);
	settle_until(settle_target_ns(stop_ns + rousing_ns, HELLO_STEP_NS));
	return r;
}

/* From the stop on, a clone does what a cold boot does. */
static int run(struct guest *g, uint64_t init_ns)
{
	_cleanup_free_ char *hello = hello_text(init_ns);
	struct ktstr_error err;
	int status = 0, r = prepare(g, &err);

	if (!hello)
		fatal("out of memory");
	if (r == 0 && g->exact)
		r = stop_exactly(g, &err);
	else
		stop_machine();
	channel_send(&g->channel, RECORD_HELLO, hello, strlen(hello));
	if (r == 0)
		r = run_job(g, &status, &err);
	if (r < 0 && r != -EXDEV) /* of that the SHAPE record says it all */
		channel_send_text(&g->channel, RECORD_ERROR, "%s", err.text);
	return r < 0 ? 0 : status;
}

int main(void)
{
	uint64_t init_ns = clock_mono_ns();
	static struct guest g;
	struct ktstr_error err;
	sigset_t all;
	int port, status;

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
	if (channel_init(&g.channel, port) < 0)
		fatal("out of memory");
	status = run(&g, init_ns);
	channel_send_number(&g.channel, RECORD_BYE, "exit", status);
	poweroff(channel_flush(&g.channel, FLUSH_NS) < 0 ? PROTOCOL_END_GAVE_UP
							 : PROTOCOL_END_FINISHED);
}
