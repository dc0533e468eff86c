// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/clock.h"
#include "base/io.h"
#include "vm/probe.h"

static struct scratch scratch;
static struct ktstr_qemu qemu;
static struct ktstr_kernel kernel;

/* A shell script in the place of QEMU.  It notes its arguments and knows $records, the file that
 * the real one would let the guest write to. */
static struct probe_opts fake_qemu(const char *body)
{
	char script[2048];
	static char kvm_path[512], cache_dir[512];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\n"
		 "printf '%%s\\n' \"$@\" >>'%s/arguments'\n"
		 "for a; do case $a in file,id=records,*) records=${a#*path=};; esac; done\n%s\n",
		 scratch.dir, body);
	qemu = (struct ktstr_qemu){ .version = "10.0.2" };
	snprintf(qemu.path, sizeof(qemu.path), "%s",
		 scratch_write(&scratch, "qemu", script, strlen(script), 0755));
	kernel = (struct ktstr_kernel){ .release = "7.3.4", .vmlinux_path = "/k/vmlinux" };
	snprintf(kvm_path, sizeof(kvm_path), "%s", scratch_text(&scratch, "kvm", ""));
	snprintf(cache_dir, sizeof(cache_dir), "%s", scratch_path(&scratch, "cache"));
	return (struct probe_opts){ .qemu = &qemu,
				    .kernel = &kernel,
				    .kvm_path = kvm_path,
				    .cache_dir = cache_dir,
				    .boot_id = "boot-1",
				    .limit_ns = 600 * NSEC_PER_SEC };
}

/* How many times the fake was started since the last call. */
static int starts(void)
{
	struct strbuf text = STRBUF_INIT;
	int nr = 0;

	if (io_read_file(scratch_path(&scratch, "arguments"), &text, NULL) == 0)
		for (const char *p = strbuf_str(&text); (p = strstr(p, "-accel\nkvm\n-cpu\nhost"));
		     p++)
			nr++;
	strbuf_deinit(&text);
	unlink(scratch_path(&scratch, "arguments"));
	return nr;
}

static void expect_answer(const struct probe_opts *opts, enum ktstr_accel wanted, const char *says)
{
	struct ktstr_error why = { 0 }, err = { 0 };
	enum ktstr_accel accel = KTSTR_ACCEL_AUTO;

	if (probe_accel(opts, &accel, &why, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(accel, wanted);
	if (!strstr(why.text, says))
		fail_msg("'%s' is not in '%s'", says, why.text);
}

/* Return: how many entries a folder has; the last one's name goes to @ret_name. */
static int count_in(const char *dir, char *ret_name, size_t size)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int nr = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(ret_name, size, "%s", e->d_name);
		nr++;
	}
	closedir(d);
	return nr;
}

static void a_guest_that_says_hello_has_kvm(void **state)
{
	struct probe_opts opts = fake_qemu("printf hello >>\"$records\"\nexec tail -f /dev/null");

	(void)state;
	expect_answer(&opts, KTSTR_ACCEL_KVM, "a guest with KVM said hello");
	assert_int_equal(starts(), 1);
	expect_answer(&opts, KTSTR_ACCEL_KVM, "seen earlier since this host booted");
	assert_int_equal(starts(), 0);
}

static void a_qemu_that_ends_means_tcg(void **state)
{
	struct probe_opts opts = fake_qemu("echo failed to initialize kvm >&2\nexit 1");

	(void)state;
	expect_answer(&opts, KTSTR_ACCEL_TCG,
		      "ended before its guest came up (failed to initialize kvm): using TCG");
	assert_int_equal(starts(), 1);
	expect_answer(&opts, KTSTR_ACCEL_TCG, "(failed to initialize kvm)");
	assert_int_equal(starts(), 0);
	opts = fake_qemu("kill -ABRT $$");
	opts.boot_id = "boot-2";
	expect_answer(&opts, KTSTR_ACCEL_TCG, "(signal 6)");
}

static void a_silent_guest_means_tcg(void **state)
{
	struct probe_opts opts = fake_qemu("exec tail -f /dev/null");

	(void)state;
	opts.limit_ns = 20 * NSEC_PER_MSEC;
	expect_answer(&opts, KTSTR_ACCEL_TCG, "said nothing within");
}

static void answers_belong_to_host_boot_qemu_and_kernel(void **state)
{
	struct probe_opts opts = fake_qemu("exit 1");
	struct ktstr_qemu other_qemu;
	struct ktstr_kernel other_kernel;

	(void)state;
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	opts.boot_id = "boot-2";
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	other_qemu = qemu;
	snprintf(other_qemu.version, sizeof(other_qemu.version), "10.0.3");
	opts.qemu = &other_qemu;
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	other_kernel = kernel;
	snprintf(other_kernel.release, sizeof(other_kernel.release), "6.12");
	opts.kernel = &other_kernel;
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	expect_answer(&opts, KTSTR_ACCEL_TCG, "seen earlier");
	assert_int_equal(starts(), 0);
}

static void damaged_answers_are_found_out_again(void **state)
{
	static const char *const texts[] = { "", "ktstr accel 1\n", "\377\377\377",
					     "kvm\nwhy x\n" };
	struct probe_opts opts = fake_qemu("exit 1");
	struct strbuf other = STRBUF_INIT;
	char name[256], kept[512];

	(void)state;
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	assert_int_equal(count_in(scratch_path(&scratch, "cache/accel"), name, sizeof(name)), 1);
	snprintf(kept, sizeof(kept), "cache/accel/%s", name);
	/* The same checksum, as far as the name tells, for another subject. */
	assert_int_equal(io_read_file(scratch_path(&scratch, kept), &other, NULL), 0);
	*strstr(other.data, "boot-1") = 'f';
	scratch_text(&scratch, kept, other.data);
	strbuf_deinit(&other);
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		scratch_text(&scratch, kept, texts[i]);
		expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
		assert_int_equal(starts(), 1);
	}
}

static void without_the_device_nothing_is_started(void **state)
{
	struct probe_opts opts = fake_qemu("exit 1");

	(void)state;
	opts.kvm_path = "/nowhere/kvm";
	expect_answer(&opts, KTSTR_ACCEL_TCG, "'/nowhere/kvm': No such file or directory");
	assert_int_equal(starts(), 0);
}

static void failures_of_the_probe_itself_are_errors(void **state)
{
	struct probe_opts opts = fake_qemu("exit 1");
	enum ktstr_accel accel = KTSTR_ACCEL_AUTO;
	struct ktstr_error err = { 0 };

	(void)state;
	scratch_text(&scratch, "cache", "in the way");
	scratch_text(&scratch, "state", "in the way");
	setenv("XDG_STATE_HOME", scratch_path(&scratch, "state"), 1);
	assert_int_equal(probe_accel(&opts, &accel, NULL, &err), -ENOTDIR);
	assert_int_equal(accel, KTSTR_ACCEL_AUTO);
	assert_non_null(strstr(err.text, "try a guest with KVM: "));
	assert_int_equal(starts(), 0);
}

static void without_a_cache_the_probe_works_elsewhere(void **state)
{
	struct probe_opts opts = fake_qemu("exit 1");
	char name[256];

	(void)state;
	scratch_text(&scratch, "cache", "in the way");
	setenv("XDG_STATE_HOME", scratch_path(&scratch, "state"), 1);
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(starts(), 1);
	assert_int_equal(count_in(scratch_path(&scratch, "state/ktstr"), name, sizeof(name)), 0);
}

static void nothing_but_the_answer_is_left(void **state)
{
	struct probe_opts opts = fake_qemu("exit 1");
	char name[256];

	(void)state;
	expect_answer(&opts, KTSTR_ACCEL_TCG, "exit code 1");
	assert_int_equal(count_in(opts.cache_dir, name, sizeof(name)), 1);
	assert_string_equal(name, "accel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_guest_that_says_hello_has_kvm, scratch),
		SCRATCH_TEST(a_qemu_that_ends_means_tcg, scratch),
		SCRATCH_TEST(a_silent_guest_means_tcg, scratch),
		SCRATCH_TEST(answers_belong_to_host_boot_qemu_and_kernel, scratch),
		SCRATCH_TEST(damaged_answers_are_found_out_again, scratch),
		SCRATCH_TEST(without_the_device_nothing_is_started, scratch),
		SCRATCH_TEST(failures_of_the_probe_itself_are_errors, scratch),
		SCRATCH_TEST(without_a_cache_the_probe_works_elsewhere, scratch),
		SCRATCH_TEST(nothing_but_the_answer_is_left, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
