// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/clock.h"
#include "base/io.h"
#include "vm/vm.h"

/* Long enough never to be reached by a test that passes. */
#define FOREVER_NS (600 * NSEC_PER_SEC)

static struct scratch scratch;
static struct ktstr_qemu qemu;
static const struct ktstr_kernel kernel = { .vmlinux_path = "/k/vmlinux" };

/* A shell script in the place of QEMU; $records is the file that it writes. */
static struct vm_opts fake_qemu(const char *body)
{
	char script[2048];

	snprintf(script, sizeof(script), "#!/bin/sh\nrecords='%s/records.bin'\n%s\n", scratch.dir,
		 body);
	snprintf(qemu.path, sizeof(qemu.path), "%s",
		 scratch_write(&scratch, "qemu", script, strlen(script), 0755));
	return (struct vm_opts){ .qemu = &qemu,
				 .kernel = &kernel,
				 .accel = KTSTR_ACCEL_TCG,
				 .initrd_path = "/i",
				 .dir = scratch.dir,
				 .shell_fd = -1 };
}

static struct vm *start(const struct vm_opts *opts)
{
	struct ktstr_error err = { 0 };
	struct vm *vm = NULL;

	if (vm_start(opts, &vm, &err) < 0)
		fail_msg("%s", err.text);
	return vm;
}

/* Waits until all events of @wanted were seen. */
static void wait_for(struct vm *vm, int wanted)
{
	int seen = 0;

	while ((seen & wanted) != wanted) {
		int r = vm_wait(vm, -1, FOREVER_NS);

		assert_true(r > 0);
		seen |= r;
	}
}

static void records_and_exit_are_seen(void **state)
{
	struct vm_opts opts = fake_qemu("printf one >>$records\nprintf two >>$records\nexit 33");
	struct vm *vm = start(&opts);
	struct vm_exit how = { 0 };
	char text[16] = "";
	uint64_t cpu_ns = 0;

	(void)state;
	wait_for(vm, VM_EXITED | VM_RECORDS);
	assert_int_equal(vm_read_records(vm, text, 2), 2);
	assert_int_equal(vm_read_records(vm, text + 2, sizeof(text) - 2), 4);
	assert_string_equal(text, "onetwo");
	assert_int_equal(vm_read_records(vm, text, sizeof(text)), 0);
	assert_int_equal(vm_wait(vm, -1, FOREVER_NS), VM_EXITED);
	assert_int_equal(vm_exit_status(vm, &how), 1);
	assert_true(how.exited);
	assert_int_equal(how.exit_code, 33);
	assert_int_equal(vm_cpu_ns(vm, &cpu_ns), 0);
	assert_true(cpu_ns > 0);
	vm_stop(vm);
	vm_destroy(vm);
}

static void records_wake_before_the_exit(void **state)
{
	int go[2];
	char body[256];
	struct vm_opts opts;
	struct vm *vm;
	struct vm_exit how;
	char text[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, go), 0);
	assert_int_equal(fcntl(go[0], F_SETFD, FD_CLOEXEC), 0);
	snprintf(body, sizeof(body), "printf x >>$records\nread line <&%d\nexit 0", go[1]);
	opts = fake_qemu(body);
	opts.shell_fd = go[1];
	vm = start(&opts);
	wait_for(vm, VM_RECORDS);
	assert_int_equal(vm_exit_status(vm, &how), 0);
	assert_int_equal(vm_read_records(vm, text, sizeof(text)), 1);
	assert_int_equal(vm_wait(vm, -1, 0), 0);
	assert_int_equal(vm_wait(vm, -1, NSEC_PER_MSEC), 0);
	assert_int_equal(write(go[0], "\n", 1), 1);
	wait_for(vm, VM_EXITED);
	assert_int_equal(vm_exit_status(vm, &how), 1);
	assert_int_equal(how.exit_code, 0);
	vm_destroy(vm);
	close(go[0]);
	close(go[1]);
}

static void another_descriptor_wakes(void **state)
{
	struct vm_opts opts = fake_qemu("exec tail -f /dev/null");
	struct vm *vm = start(&opts);
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(vm_wait(vm, fds[0], FOREVER_NS), VM_EXTRA);
	close(fds[0]);
	close(fds[1]);
	vm_destroy(vm);
}

static void a_hanging_qemu_is_stopped(void **state)
{
	struct vm_opts opts = fake_qemu("trap '' TERM INT HUP\nprintf x >>$records\n"
					"while :; do tail -f /dev/null; done");
	struct vm *vm = start(&opts);
	struct vm_exit how = { 0 };

	(void)state;
	wait_for(vm, VM_RECORDS);
	vm_stop(vm);
	assert_int_equal(vm_exit_status(vm, &how), 1);
	assert_false(how.exited);
	assert_int_equal(how.signal, SIGKILL);
	assert_true(vm_wait(vm, -1, FOREVER_NS) & VM_EXITED);
	vm_destroy(vm);
}

static void a_crashing_qemu_leaves_its_words(void **state)
{
	struct vm_opts opts = fake_qemu("echo out of luck >&2\nkill -SEGV $$");
	struct vm *vm = start(&opts);
	struct strbuf log = STRBUF_INIT;
	struct vm_exit how = { 0 };

	(void)state;
	wait_for(vm, VM_EXITED);
	assert_int_equal(vm_exit_status(vm, &how), 1);
	assert_false(how.exited);
	assert_int_equal(how.signal, SIGSEGV);
	assert_int_equal(io_read_file(scratch_path(&scratch, "qemu.log"), &log, NULL), 0);
	assert_string_equal(strbuf_str(&log), "out of luck\n");
	strbuf_deinit(&log);
	vm_destroy(vm);
}

static void the_written_line_can_be_run_again(void **state)
{
	struct vm_opts opts = fake_qemu("printf '%s\\n' \"$@\" >>$records");
	struct strbuf first = STRBUF_INIT, again = STRBUF_INIT;
	struct vm *vm;
	pid_t pid;
	int status;

	(void)state;
	opts.initrd_path = "/it's a \"path\" with $HOME and\nnewline";
	vm = start(&opts);
	wait_for(vm, VM_EXITED);
	vm_destroy(vm);
	assert_int_equal(io_read_file(scratch_path(&scratch, "records.bin"), &first, NULL), 0);
	assert_int_equal(truncate(scratch_path(&scratch, "records.bin"), 0), 0);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", scratch_path(&scratch, "qemu.args"), (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(io_read_file(scratch_path(&scratch, "records.bin"), &again, NULL), 0);
	assert_string_equal(strbuf_str(&first), strbuf_str(&again));
	assert_non_null(strstr(strbuf_str(&first), opts.initrd_path));
	strbuf_deinit(&first);
	strbuf_deinit(&again);
}

static void what_cannot_start_says_why(void **state)
{
	struct vm_opts opts = fake_qemu("exit 0");
	struct ktstr_error err = { 0 };
	struct vm *vm = NULL;

	(void)state;
	opts.dir = "/nowhere";
	assert_int_equal(vm_start(&opts, &vm, &err), -ENOENT);
	assert_non_null(strstr(err.text, "start a VM: create '/nowhere/records.bin'"));
	opts.dir = scratch.dir;
	opts.memory_bytes = 1ull << 60;
	assert_int_equal(vm_start(&opts, &vm, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "ask for less memory"));
	opts.job_path = scratch_text(&scratch, "job", "");
	assert_int_equal(truncate(opts.job_path, 100 << 20), 0);
	opts.memory_bytes = 300 << 20;
	assert_int_equal(vm_start(&opts, &vm, &err), -EINVAL);
	assert_non_null(strstr(err.text, "need a guest of at least 329 MiB of memory, 300 MiB"));
	opts.job_path = NULL;
	opts.memory_bytes = 0;
	snprintf(qemu.path, sizeof(qemu.path), "/nowhere/qemu");
	assert_int_equal(vm_start(&opts, &vm, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/qemu"));
	assert_null(vm);
	vm_destroy(NULL);
}

/* As one that boots a guest in its only thread. */
static void one_that_does_not_answer_can_be_cancelled(void **state)
{
	struct vm_opts opts = fake_qemu("exec tail -f /dev/null");
	struct ktstr_error err = { 0 };
	struct vm *vm = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "", 1), 1);
	opts.exact = true;
	opts.cancel_fd = fds[0];
	assert_int_equal(vm_start(&opts, &vm, &err), -EINTR);
	assert_null(vm);
	close(fds[0]);
	close(fds[1]);
}

/* A runner dies of SIGKILL.  Whoever still runs then would answer. */
static void qemu_dies_with_its_runner(void **state)
{
	int line[2], status;
	struct vm_opts opts;
	char body[256], byte;
	pid_t runner;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line), 0);
	snprintf(body, sizeof(body), "printf x >>$records\nread ping <&%d\necho pong >&%d", line[1],
		 line[1]);
	opts = fake_qemu(body);
	opts.shell_fd = line[1];
	runner = fork();
	if (runner == 0) {
		struct vm *vm = NULL;

		close(line[0]);
		if (vm_start(&opts, &vm, NULL) < 0 || vm_wait(vm, -1, FOREVER_NS) != VM_RECORDS)
			_exit(1);
		raise(SIGKILL);
		_exit(2);
	}
	close(line[1]);
	assert_int_equal(waitpid(runner, &status, 0), runner);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* The signal that ends it was sent before the runner could be waited for. */
	if (send(line[0], "ping\n", 5, MSG_NOSIGNAL) == 5)
		assert_true(recv(line[0], &byte, 1, 0) <= 0);
	close(line[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(records_and_exit_are_seen, scratch),
		SCRATCH_TEST(records_wake_before_the_exit, scratch),
		SCRATCH_TEST(another_descriptor_wakes, scratch),
		SCRATCH_TEST(a_hanging_qemu_is_stopped, scratch),
		SCRATCH_TEST(a_crashing_qemu_leaves_its_words, scratch),
		SCRATCH_TEST(the_written_line_can_be_run_again, scratch),
		SCRATCH_TEST(what_cannot_start_says_why, scratch),
		SCRATCH_TEST(one_that_does_not_answer_can_be_cancelled, scratch),
		SCRATCH_TEST(qemu_dies_with_its_runner, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
