// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/clock.h"
#include "base/io.h"
#include "vm/template.h"

#define FOREVER_NS (600 * NSEC_PER_SEC)
#define GREETING   "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n"
#define DONE	   "{\"event\": \"MIGRATION\", \"data\": {\"status\": \"completed\"}}\n"
#define STOPPED	   "{\"event\": \"GUEST_PANICKED\"}\n{\"event\": \"STOP\"}\n"

/* --- this program in the place of QEMU ---------------------------------------------------------- */

/* What it is to do wrong: a word of its own environment. */
static bool does(const char *what)
{
	extern char **environ;
	char word[64];

	snprintf(word, sizeof(word), "FAKE_QEMU=%s", what);
	for (char **p = environ; *p; p++)
		if (!strcmp(*p, word))
			return true;
	return false;
}

static const char *argument(char **argv, const char *prefix)
{
	for (; *argv; argv++)
		if (!strncmp(*argv, prefix, strlen(prefix)))
			return *argv + strlen(prefix);
	return NULL;
}

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(99);
	close(fd);
}

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(98);
}

static int number(const char *text)
{
	int n = -1;

	return text && sscanf(text, "%d", &n) == 1 ? n : -1;
}

static int id_of(const char *line)
{
	const char *id = strstr(line, "\"id\":");

	return id ? number(id + 5) : -1;
}

static void answer(int fd, const char *line)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"return\": {}, \"id\": %d}\n", id_of(line));
	say(fd, text);
}

static void refuse(int fd, const char *line)
{
	char text[160];

	snprintf(
		text, sizeof(text),
		"{\"error\": {\"class\": \"GenericError\", \"desc\": \"not today\"}, \"id\": %d}\n",
		id_of(line));
	say(fd, text);
}

static void save(const char *line)
{
	const char *path = strstr(line, "file:");
	char text[512];

	if (!path)
		_exit(97);
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(path + 5, "\""), path + 5);
	append(text, "devices");
}

static void die_of_bus(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGBUS, SIG_DFL);
	raise(SIGBUS);
}

/* The guest runs: to its stop, or as a clone to its first words. */
static void run_guest(int fd, char **argv, int nr_conts)
{
	const char *console = argument(argv, "file,id=console,path=");

	if (does("bus"))
		die_of_bus();
	if (does("panic"))
		append(console, "Kernel panic - not syncing\n");
	if (does("silence"))
		return;
	if (argument(argv, "panic=pause") && nr_conts == 1) {
		append(console, "booted\n");
		say(fd, STOPPED);
		return;
	}
	append(argument(argv, "file,id=records,path="), "hello");
}

static void obey(int fd, char **argv, const char *line)
{
	static int nr_conts;

	append(argument(argv, "log="), line);
	if (strstr(line, does("refuse-save") ? "\"migrate\"" : "\"nothing\"")) {
		refuse(fd, line);
		return;
	}
	if (strstr(line, "\"migrate\""))
		save(line);
	if (strstr(line, "\"cont\"") && does("bus-starting"))
		die_of_bus();
	answer(fd, line);
	if (strstr(line, "\"cont\""))
		run_guest(fd, argv, ++nr_conts);
	if (strstr(line, "\"migrate-incoming\"") && does("die-restoring")) {
		fprintf(stderr, "load of migration failed: bad luck\n");
		_exit(1);
	}
	if (strstr(line, "\"migrate\"") || strstr(line, "\"migrate-incoming\""))
		say(fd, DONE);
	if (strstr(line, "\"quit\""))
		_exit(0);
}

static int be_qemu(char **argv)
{
	const char *ram;
	char line[4096];
	FILE *in;
	int fd = number(argument(argv, "socket,id=qmp,fd="));

	if (fd < 0 || does("die")) {
		fprintf(stderr, "no such machine\n");
		return 1;
	}
	ram = argument(argv, "memory-backend-file,id=ram0,size=384M,merge=off,share=on,mem-path=");
	if (ram)
		append(ram, "memory");
	say(fd, GREETING);
	in = fdopen(fd, "r");
	while (in && fgets(line, sizeof(line), in))
		obey(fd, argv, line);
	return 0;
}

/* --- tests ----------------------------------------------------------------------------------------- */

static struct scratch scratch;
static struct ktstr_qemu qemu = { .major = 10, .version = "10.0.0" };
static struct ktstr_kernel kernel = { .release = "7.0", .pvh = true };
static char program[512];

static int set_up(void **state)
{
	char script[2048];

	(void)state;
	scratch_create(&scratch);
	snprintf(script, sizeof(script), "#!/bin/sh\nexec '%s' be-qemu 'log=%s/log' \"$@\"\n",
		 program, scratch.dir);
	snprintf(qemu.path, sizeof(qemu.path), "%s",
		 scratch_write(&scratch, "qemu", script, strlen(script), 0755));
	snprintf(kernel.vmlinux_path, sizeof(kernel.vmlinux_path), "%s",
		 scratch_text(&scratch, "vmlinux", "kernel"));
	scratch_text(&scratch, "initrd", "agent");
	mkdir(scratch_path(&scratch, "run"), 0755);
	setenv("FAKE_QEMU", "nothing", 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unsetenv("FAKE_QEMU");
	scratch_destroy(&scratch);
	return 0;
}

static struct vm_opts usual(void)
{
	static char dir[512], initrd[512];

	snprintf(dir, sizeof(dir), "%s/run", scratch.dir);
	snprintf(initrd, sizeof(initrd), "%s/initrd", scratch.dir);
	return (struct vm_opts){ .qemu = &qemu,
				 .kernel = &kernel,
				 .accel = KTSTR_ACCEL_TCG,
				 .initrd_path = initrd,
				 .dir = dir,
				 .shell_fd = -1 };
}

static int obtain(const struct vm_opts *vm, int cancel_fd, struct template **ret,
		  struct ktstr_error *err)
{
	static char cache[512];

	snprintf(cache, sizeof(cache), "%s/cache", scratch.dir);
	return template_obtain(
		&(struct template_opts){ .vm = vm, .cache_dir = cache, .cancel_fd = cancel_fd },
		ret, err);
}

static struct template *obtained(const struct vm_opts *vm, bool is_new)
{
	struct ktstr_error err = { 0 };
	struct template *t = NULL;

	if (obtain(vm, -1, &t, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(template_is_new(t), is_new);
	return t;
}

static void expect_says(const char *text, const char *says)
{
	if (!strstr(text, says))
		fail_msg("'%s' is not in '%s'", says, text);
}

/* Folders in the store: whole entries or what a maker left. */
static int entries(void)
{
	DIR *d = opendir(scratch_path(&scratch, "cache/templates"));
	const struct dirent *e;
	int nr = 0;

	while (d && (e = readdir(d)))
		nr += e->d_name[0] != '.' && e->d_type == DT_DIR;
	if (d)
		closedir(d);
	return nr;
}

static void expect_hello(struct vm *vm)
{
	char text[8] = "";

	while (!(vm_wait(vm, -1, FOREVER_NS) & VM_RECORDS))
		;
	assert_int_equal(vm_read_records(vm, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
}

static void expect_log(const char *const *words)
{
	struct strbuf log = STRBUF_INIT;
	const char *at;

	assert_int_equal(io_read_file(scratch_path(&scratch, "log"), &log, NULL), 0);
	at = strbuf_str(&log);
	for (; *words; words++) {
		const char *found = strstr(at, *words);

		if (!found)
			fail_msg("'%s' does not come, in this order, in '%s'", *words, log.data);
		at = found + 1;
	}
	strbuf_deinit(&log);
}

static void a_template_is_made_once_and_restored(void **state)
{
	static const char *const saved[] = { "qmp_capabilities", "\"cont\"", "x-ignore-shared",
					     "\"migrate\"",	 "\"quit\"", NULL };
	static const char *const restored[] = {
		"qmp_capabilities", "x-ignore-shared", "\"announce-rounds\":0",
		"migrate-incoming", "\"cont\"",	       NULL
	};
	struct vm_opts opts = usual();
	struct template *t = obtained(&opts, true);
	struct ktstr_error err = { 0 };
	struct vm *vm = NULL;

	(void)state;
	expect_log(saved);
	template_release(t);
	assert_int_equal(unlink(scratch_path(&scratch, "log")), 0);
	t = obtained(&opts, false);
	opts.template = t;
	if (vm_start(&opts, &vm, &err) < 0)
		fail_msg("%s", err.text);
	expect_hello(vm);
	expect_log(restored);
	vm_destroy(vm);
	template_release(t);
	assert_int_equal(entries(), 1);
}

static void a_held_clone_waits_for_its_debugger(void **state)
{
	struct vm_opts opts = usual();
	struct template *t = obtained(&opts, true);
	struct strbuf log = STRBUF_INIT;
	struct vm *vm = NULL;

	(void)state;
	assert_int_equal(unlink(scratch_path(&scratch, "log")), 0);
	opts.template = t;
	opts.hold = true;
	assert_int_equal(vm_start(&opts, &vm, NULL), 0);
	assert_int_equal(io_read_file(scratch_path(&scratch, "log"), &log, NULL), 0);
	assert_non_null(strstr(strbuf_str(&log), "migrate-incoming"));
	assert_null(strstr(strbuf_str(&log), "\"cont\""));
	strbuf_deinit(&log);
	vm_destroy(vm);
	template_release(t);
}

static void boots_that_fail_leave_nothing(void **state)
{
	static const struct {
		const char *how;
		int code;
		const char *says;
	} cases[] = {
		{ "die", -EPIPE, "no such machine" },
		{ "panic", -EIO, "Kernel panic - not syncing" },
		{ "refuse-save", -EREMOTEIO, "not today" },
		{ "bus", -ENOSPC, "no room left" },
		{ "bus-starting", -ENOSPC, "no room left" },
	};
	struct vm_opts opts = usual();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_error err = { 0 };
		struct template *t = NULL;

		setenv("FAKE_QEMU", cases[i].how, 1);
		assert_int_equal(obtain(&opts, -1, &t, &err), cases[i].code);
		expect_says(err.text, cases[i].says);
		assert_null(t);
		assert_int_equal(entries(), 0);
	}
	setenv("FAKE_QEMU", "nothing", 1);
	template_release(obtained(&opts, true));
}

static void a_boot_can_be_cancelled(void **state)
{
	struct vm_opts opts = usual();
	struct ktstr_error err = { 0 };
	struct template *t = NULL;
	int fds[2];

	(void)state;
	setenv("FAKE_QEMU", "silence", 1);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(obtain(&opts, fds[0], &t, &err), -EINTR);
	assert_int_equal(entries(), 0);
	close(fds[0]);
	close(fds[1]);
}

static void a_restore_that_fails_carries_qemus_words(void **state)
{
	struct vm_opts opts = usual();
	struct template *t = obtained(&opts, true);
	struct ktstr_error err = { 0 };
	struct vm *vm = NULL;

	(void)state;
	opts.template = t;
	opts.memory_bytes = 512 << 20;
	assert_int_equal(vm_start(&opts, &vm, &err), -EINVAL);
	expect_says(err.text, "the template has 384 MiB of memory, not 512 MiB");
	opts.memory_bytes = 0;
	setenv("FAKE_QEMU", "die-restoring", 1);
	assert_int_equal(vm_start(&opts, &vm, &err), -EPIPE);
	expect_says(err.text, "QEMU says: load of migration failed: bad luck");
	assert_null(vm);
	template_release(t);
}

static void exact_cold_boots_pass_the_stop(void **state)
{
	static const char *const passed[] = { "qmp_capabilities",   "\"cont\"", "\"set-action\"",
					      "\"panic\":\"none\"", "\"cont\"", NULL };
	struct vm_opts opts = usual();
	struct ktstr_error err = { 0 };
	struct vm *vm = NULL;

	(void)state;
	opts.exact = true;
	/* Sanitizers want to be loaded before the clock. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	if (vm_start(&opts, &vm, &err) < 0)
		fail_msg("%s", err.text);
	expect_hello(vm);
	expect_log(passed);
	vm_destroy(vm);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_template_is_made_once_and_restored, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_held_clone_waits_for_its_debugger, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(boots_that_fail_leave_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_boot_can_be_cancelled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_restore_that_fails_carries_qemus_words, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(exact_cold_boots_pass_the_stop, set_up, tear_down),
	};
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (argc > 1 && !strcmp(argv[1], "be-qemu"))
		return be_qemu(argv + 2);
	if (n < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
