// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "vm/exact_engine.h"
#include "vm/restore.h"
#include "vm/template.h"
#include "vm/vm_private.h"

/* How often records.bin is looked at: not told of, as the end of an inotify instance waits 15 ms for
 * the kernel. */
enum { LOOK_OFTEN_MS = 1, LOOK_MS = 5 };

#define NEWS_NS NSEC_PER_SEC

enum { MEMINFO_MAX = 65536, LOG_MAX = 1 << 20, BOOT_BYTES = 128 << 20 };

static int create_in(const char *dir, const char *name, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);
	int fd;

	if (!path)
		return ktstr_error_nomem(err);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return ktstr_error_set(err, -errno, "create '%s': %s", path, strerror(errno));
	return fd;
}

static int write_args(const char *dir, char **args, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_close_ int fd = create_in(dir, "qemu.args", err);
	int r;

	if (fd < 0)
		return fd;
	for (char **p = args; *p; p++) {
		if (p > args)
			strbuf_addstr(&text, **p == '-' ? " \\\n\t" : " ");
		strbuf_add_quoted(&text, *p);
	}
	strbuf_addch(&text, '\n');
	r = text.error ? text.error : io_write_all(fd, text.data, text.len);
	if (r < 0)
		return ktstr_error_set(err, r, "write '%s/qemu.args': %s", dir, strerror(-r));
	return 0;
}

/* MemAvailable in bytes, 0 if the kernel does not say. */
static uint64_t available_bytes(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(MEMINFO_MAX);
	unsigned long long kib;
	const char *line;

	if (io_read_file("/proc/meminfo", &text, NULL) < 0)
		return 0;
	line = strstr(strbuf_str(&text), "\nMemAvailable:");
	if (!line || sscanf(line, "\nMemAvailable: %llu kB", &kib) != 1)
		return 0;
	return kib << 10;
}

static int check_host_memory(uint64_t bytes, struct ktstr_error *err)
{
	uint64_t available = available_bytes();

	if (!available || bytes <= available)
		return 0;
	return ktstr_error_set(
		err, -ENOMEM,
		"the guest needs %llu MiB of memory and this host has %llu MiB left: "
		"ask for less memory, a smaller topology or fewer guests at once",
		(unsigned long long)(bytes >> 20), (unsigned long long)(available >> 20));
}

/* The guest holds its files twice for a moment: as they come, and unpacked in a tmpfs, which takes
 * no more than half of memory. */
static int check_job_memory(uint64_t bytes, uint64_t job_bytes, struct ktstr_error *err)
{
	uint64_t needed = 2 * job_bytes + BOOT_BYTES;

	if (bytes >= needed)
		return 0;
	return ktstr_error_set(err, -EINVAL,
			       "files of %llu MiB need a guest of at least %llu MiB of memory, "
			       "%llu MiB were asked for",
			       (unsigned long long)((job_bytes >> 20) + 1),
			       (unsigned long long)((needed >> 20) + 1),
			       (unsigned long long)(bytes >> 20));
}

static uint64_t file_bytes(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int watch_records(struct vm *vm, const char *dir, struct ktstr_error *err)
{
	vm->records_fd = create_in(dir, "records.bin", err);
	vm->news_ns = clock_mono_ns();
	return vm->records_fd < 0 ? vm->records_fd : 0;
}

static int start_qemu(struct vm *vm, const struct vm_opts *opts, char **args,
		      struct ktstr_error *err)
{
	_cleanup_close_ int log_fd = create_in(opts->dir, "qemu.log", err);
	_cleanup_close_ int clock_fd = opts->exact ? exact_engine_open(err) : -1;
	_cleanup_free_ char **env = NULL;
	struct child_opts child = { .argv = (const char *const *)args, .stdin_fd = -1 };
	int r;

	if (log_fd < 0)
		return log_fd;
	if (opts->exact && clock_fd < 0)
		return clock_fd;
	if (opts->exact) {
		env = exact_engine_environment(clock_fd);
		if (!env)
			return ktstr_error_nomem(err);
		child.env = (const char *const *)env;
		child.keep_fds[child.nr_keep_fds++] = clock_fd;
	}
	child.stdout_fd = log_fd;
	child.stderr_fd = log_fd;
	if (opts->shell_fd >= 0)
		child.keep_fds[child.nr_keep_fds++] = opts->shell_fd;
	if (opts->qmp_fd > 0)
		child.keep_fds[child.nr_keep_fds++] = opts->qmp_fd;
	r = child_start(&child, &vm->qemu, err);
	if (r < 0)
		return r;
	if (clock_getcpuclockid(vm->qemu.pid, &vm->cpu_clock) != 0)
		return ktstr_error_set(err, -ESRCH, "QEMU's CPU clock cannot be read");
	return 0;
}

/* Both ends must be beyond standard input and output, which the child replaces. */
static int open_qmp(struct vm *vm, int *ret_far, struct ktstr_error *err)
{
	int fds[2], near, far;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return ktstr_error_set(err, -errno, "socketpair: %s", strerror(errno));
	near = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
	far = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	close(fds[0]);
	close(fds[1]);
	qmp_init(&vm->qmp, near);
	*ret_far = far;
	return near < 0 || far < 0 ? ktstr_error_set(err, -EMFILE, "too many open files") : 0;
}

static int check_size(const struct vm_opts *opts, struct ktstr_error *err)
{
	uint64_t job_bytes = file_bytes(opts->files_path) + file_bytes(opts->job_path);
	int r = check_job_memory(opts->memory_bytes, job_bytes, err);

	if (r == 0 && opts->template && opts->template->memory_bytes != opts->memory_bytes)
		r = ktstr_error_set(err, -EINVAL,
				    "the template has %llu MiB of memory, not %llu MiB",
				    (unsigned long long)(opts->template->memory_bytes >> 20),
				    (unsigned long long)(opts->memory_bytes >> 20));
	return r == 0 ? check_host_memory(opts->memory_bytes, err) : r;
}

static int start_in(struct vm *vm, struct vm_opts *opts, struct ktstr_error *err)
{
	_cleanup_close_ int far = -1;
	char **args = NULL;
	bool talks = opts->template || opts->save_dir || vm_passes_stop(opts);
	int r = talks ? open_qmp(vm, &far, err) : 0;

	vm->awaits_stop = vm_passes_stop(opts);
	vm->pause_at_stop = opts->pause_at_stop;
	opts->qmp_fd = far > 0 ? far : 0;
	if (r == 0)
		r = vm_args_build(opts, &args, err);
	if (r == 0)
		r = check_size(opts, err);
	if (r == 0)
		r = watch_records(vm, opts->dir, err);
	if (r == 0)
		r = write_args(opts->dir, args, err);
	if (r == 0)
		r = start_qemu(vm, opts, args, err);
	vm_args_free(args);
	return r;
}

int vm_start(const struct vm_opts *opts, struct vm **ret_vm, struct ktstr_error *err)
{
	struct vm_opts full = *opts;
	struct vm *vm = malloc(sizeof(*vm));
	int r;

	if (!vm)
		return ktstr_error_nomem(err);
	*vm = (struct vm){ .qemu = CHILD_INIT, .records_fd = -1 };
	qmp_init(&vm->qmp, -1);
	if (!full.memory_bytes)
		full.memory_bytes = full.template
					    ? full.template->memory_bytes
					    : vm_memory_bytes(&full.topology,
							      file_bytes(full.files_path) +
								      file_bytes(full.job_path));
	r = start_in(vm, &full, err);
	/* A guest that boots in one thread lets QEMU answer only once it idles. */
	vm->qmp.cancel_fd = full.cancel_fd > 0 ? full.cancel_fd : -1;
	if (r == 0 && full.template)
		r = restore_run(vm, &full, err);
	else if (r == 0 && vm->qmp.fd >= 0)
		r = restore_begin(vm, &full, err);
	vm->qmp.cancel_fd = -1;
	if (r < 0) {
		if (full.save_dir && vm_lacked_room(vm))
			r = vm_refuse_room(full.dir, err);
		vm_destroy(vm);
		return ktstr_error_wrap(err, r, "start a VM");
	}
	*ret_vm = vm;
	return 0;
}

void vm_last_words(const char *dir, char *line, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(LOG_MAX);
	_cleanup_free_ char *path = path_format("%s/qemu.log", dir);
	const char *start;

	line[0] = '\0';
	if (!path || io_read_file(path, &text, NULL) < 0)
		return;
	while (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	start = strrchr(strbuf_str(&text), '\n');
	snprintf(line, size, "%s", start ? start + 1 : strbuf_str(&text));
}

/* A process that is collected takes its clock with it, so the clock is read first. */
static int collect(struct vm *vm)
{
	siginfo_t info = { 0 };
	struct timespec ts;

	if (vm->qemu.collected)
		return 1;
	if (vm->qemu.pid <= 0)
		return -ECHILD;
	if (waitid(P_PID, (id_t)vm->qemu.pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -errno;
	if (!info.si_pid)
		return 0;
	if (clock_gettime(vm->cpu_clock, &ts) == 0)
		vm->cpu_ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	return child_poll(&vm->qemu);
}

static int pending_events(struct vm *vm)
{
	struct stat st;
	int events = 0, r;

	/* Exit first, size second: what was written before the exit is seen with it. */
	r = collect(vm);
	if (r < 0)
		return r;
	if (r > 0)
		events |= VM_EXITED;
	if (fstat(vm->records_fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > vm->records_read)
		events |= VM_RECORDS;
	return events;
}

static int poll_timeout_ms(const struct vm *vm, uint64_t left_ns)
{
	uint64_t ms = left_ns / NSEC_PER_MSEC + (left_ns % NSEC_PER_MSEC > 0);
	int look = clock_mono_ns() - vm->news_ns < NEWS_NS ? LOOK_OFTEN_MS : LOOK_MS;

	return ms > (uint64_t)look ? look : (int)ms;
}

/* Where QEMU will tell of the stop that is to be passed; -1: it is behind, or there is none. */
static int stop_fd(struct vm *vm)
{
	if (vm->awaits_stop && restore_pass_stop(vm) != 0)
		vm->awaits_stop = false;
	return vm->awaits_stop ? vm->qmp.fd : -1;
}

int vm_wait(struct vm *vm, int extra_fd, uint64_t timeout_ns)
{
	uint64_t start = clock_mono_ns();

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = vm->qemu.pidfd, .events = POLLIN },
			{ .fd = extra_fd, .events = POLLIN },
			{ .fd = stop_fd(vm), .events = POLLIN },
		};
		uint64_t spent = clock_mono_ns() - start;
		int events = pending_events(vm);
		uint64_t left = events || spent >= timeout_ns ? 0 : timeout_ns - spent;

		if (events < 0)
			return events;
		if (poll(fds, ARRAY_SIZE(fds), poll_timeout_ms(vm, left)) < 0)
			return -errno;
		if (fds[1].revents)
			events |= VM_EXTRA;
		if (events & VM_RECORDS)
			vm->news_ns = clock_mono_ns();
		if (events || (!left && !fds[0].revents && !fds[2].revents))
			return events;
	}
}

int vm_read_records(struct vm *vm, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = pread(vm->records_fd, buf, size > INT_MAX ? INT_MAX : size,
			  (off_t)vm->records_read);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	vm->records_read += (uint64_t)n;
	return (int)n;
}

pid_t vm_pid(const struct vm *vm)
{
	return vm->qemu.collected ? 0 : vm->qemu.pid;
}

int vm_cpu_ns(struct vm *vm, uint64_t *ret_ns)
{
	struct timespec ts;

	if (!vm->qemu.collected) {
		if (clock_gettime(vm->cpu_clock, &ts) < 0)
			return -errno;
		vm->cpu_ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	}
	*ret_ns = vm->cpu_ns;
	return 0;
}

int vm_exit_status(struct vm *vm, struct vm_exit *ret_exit)
{
	if (collect(vm) <= 0)
		return 0;
	*ret_exit = (struct vm_exit){
		.exited = vm->qemu.signal == 0,
		.exit_code = vm->qemu.exit_code,
		.signal = vm->qemu.signal,
	};
	return 1;
}

void vm_kill(struct vm *vm)
{
	if (!vm->qemu.collected && vm->qemu.pid > 0)
		child_kill(&vm->qemu, SIGKILL);
}

void vm_stop(struct vm *vm)
{
	siginfo_t info;

	if (vm->qemu.collected || vm->qemu.pid <= 0)
		return;
	vm_kill(vm);
	while (waitid(P_PID, (id_t)vm->qemu.pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	if (collect(vm) < 0)
		vm->qemu.pid = 0;
}

bool vm_lacked_room(struct vm *vm)
{
	struct vm_exit how = { 0 };

	vm_stop(vm);
	return vm_exit_status(vm, &how) > 0 && !how.exited && how.signal == SIGBUS;
}

int vm_refuse_room(const char *dir, struct ktstr_error *err)
{
	return ktstr_error_set(err, -ENOSPC,
			       "no room left on the disk for the guest's memory in '%s'", dir);
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	vm_stop(vm);
	child_deinit(&vm->qemu);
	/* Not before QEMU's end: a hang-up would wake it. */
	qmp_deinit(&vm->qmp);
	if (vm->records_fd >= 0)
		close(vm->records_fd);
	free(vm);
}
