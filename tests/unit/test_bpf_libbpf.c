// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "ctprof/bpf_libbpf.h"
#include "tests/lib/libbpf.h"

enum { NOBODY = 65534 };

static void need_libbpf(void)
{
	if (!libbpf_is_installed()) {
		print_message("needs libbpf (Debian: libbpf1)\n");
		skip();
	}
}

static int drop(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static void a_missing_library_is_told_from_a_wrong_one(void **state)
{
	static const char *const missing[] = { "libthereisnone.so.1", NULL };
	static const char *const wrong[] = { "libthereisnone.so.1", "libc.so.6", NULL };
	char what[BPF_LIBBPF_TEXT_BYTES] = "x";
	struct bpf_loaded loaded = BPF_LOADED_INIT;

	(void)state;
	assert_int_equal(bpf_libbpf_load(missing, &loaded, what), -ELIBACC);
	assert_string_equal(what, "");
	assert_int_equal(bpf_libbpf_load(wrong, &loaded, what), -EBADMSG);
}

static void descriptors_outlive_the_library(void **state)
{
	char what[BPF_LIBBPF_TEXT_BYTES];
	struct bpf_loaded loaded = BPF_LOADED_INIT;
	__typeof__(&libbpf_set_print) set_print;
	void *handle;
	int r;

	(void)state;
	need_libbpf();
	handle = libbpf_open();
	*(void **)(void *)&set_print = dlsym(handle, "libbpf_set_print");
	assert_non_null(set_print);
	set_print(drop);
	r = bpf_libbpf_load(bpf_libbpf_names, &loaded, what);
	/* Of a program that uses it as well. */
	assert_true(set_print(drop) == drop);
	dlclose(handle);
	if (r == -EPERM || r == -EACCES || r == -ENOSYS) {
		print_message("needs BPF: %s\n", what);
		skip();
	}
	if (r < 0)
		fail_msg("%d: %s", r, what);
	assert_int_equal(fcntl(loaded.config_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(loaded.program_fd, F_GETFD), FD_CLOEXEC);
	close(loaded.config_fd);
	close(loaded.program_fd);
}

/* In a child, as changing the user cannot be undone.  What libbpf says must not be printed. */
static int load_as_nobody(int out)
{
	char what[BPF_LIBBPF_TEXT_BYTES];
	struct bpf_loaded loaded = BPF_LOADED_INIT;

	dup2(out, STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	if (bpf_libbpf_load(bpf_libbpf_names, &loaded, what) != -EPERM)
		return 2;
	return what[0] && !strchr(what, '\n') ? 0 : 3;
}

static void without_rights_nothing_is_printed(void **state)
{
	int out[2], status;
	char byte;
	pid_t pid;

	(void)state;
	need_libbpf();
	if (geteuid() != 0) {
		print_message("needs root, to become somebody with fewer rights\n");
		skip();
	}
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(load_as_nobody(out[1]));
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 0);
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_library_is_told_from_a_wrong_one),
		cmocka_unit_test(descriptors_outlive_the_library),
		cmocka_unit_test(without_rights_nothing_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
