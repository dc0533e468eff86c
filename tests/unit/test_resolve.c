// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/kernel.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct scratch scratch;
static struct ktstr_error err;
static struct ktstr_kernel kernel;

static int resolve(const char *spec)
{
	memset(&err, 0, sizeof(err));
	memset(&kernel, 0, sizeof(kernel));
	return ktstr_kernel_resolve(spec, &kernel, &err);
}

static void expect_text(const char *part)
{
	if (!strstr(err.text, part))
		fail_msg("'%s' is not in '%s'", part, err.text);
}

/* An entry as a fetch leaves it; only its size has to be right. */
static void add_cached(const char *name, const char *version, const char *facts)
{
	char path[200];
	struct strbuf json = STRBUF_INIT;

	snprintf(path, sizeof(path), "c/ktstr/kernels/%s/vmlinux", name);
	scratch_text(&scratch, path, "vmlinux");
	strbuf_addf(&json,
		    "{\"format\":1,\"name\":\"%s\",\"release\":\"%s\",\"version\":\"%s\","
		    "\"build_id\":\"\",\"source\":\"\",%s,\"files\":[{\"name\":\"vmlinux\","
		    "\"bytes\":7,\"crc32\":\"00000000\"}]}",
		    name, name, version, facts);
	snprintf(path, sizeof(path), "c/ktstr/kernels/%s/kernel.json", name);
	scratch_text(&scratch, path, json.data);
	strbuf_deinit(&json);
}

static const char *write_kernel(const char *name, const char *release)
{
	struct strbuf bytes = STRBUF_INIT;
	const char *path;

	fake_kernel(release, &bytes);
	path = scratch_write(&scratch, name, bytes.data, bytes.len, 0644);
	strbuf_deinit(&bytes);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	setenv("XDG_CACHE_HOME", scratch_path(&scratch, "c"), 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static void the_default_has_sched_ext(void **state)
{
	(void)state;
	add_cached("6.1.0-50", "6.1.176", "\"sched_ext\":false");
	add_cached("8.0-mine-0123456789abcdef", "8.0", "\"sched_ext\":true,\"imported\":true");
	assert_int_equal(resolve(NULL), 0);
	assert_string_equal(kernel.name, "6.1.0-50");
	add_cached("7.9.0", "7.9.0", "\"sched_ext\":false");
	assert_int_equal(resolve(NULL), 0);
	assert_string_equal(kernel.name, "7.9.0");
	add_cached("7.3.4", "7.3.4", "\"sched_ext\":true");
	add_cached("7.2.4", "7.2.4", "\"sched_ext\":true");
	assert_int_equal(resolve(NULL), 0);
	assert_string_equal(kernel.name, "7.3.4");
}

static void names_and_versions_are_found(void **state)
{
	(void)state;
	add_cached("6.1.0-50-x", "6.1.176", "\"hz\":250");
	add_cached("6.12.9-x", "6.12.9", "\"hz\":250");
	add_cached("6.12.107-x", "6.12.107", "\"hz\":250");
	assert_int_equal(resolve("6.12.9-x"), 0);
	assert_int_equal(resolve("6.12"), 0);
	assert_string_equal(kernel.name, "6.12.107-x");
	assert_int_equal(resolve("6.1"), 0);
	assert_string_equal(kernel.name, "6.1.0-50-x");
	assert_int_equal(resolve("6.1.176"), 0);
	assert_string_equal(kernel.name, "6.1.0-50-x");
	assert_true(kernel.cached);
	assert_int_equal(resolve("6.2"), -ENOENT);
	expect_text("run: ktstr kernel fetch 6.2");
	assert_int_equal(resolve("nonsense"), -ENOENT);
	expect_text("see: ktstr kernel list");
	assert_int_equal(resolve("/nonexistent/vmlinuz"), -ENOENT);
	expect_text("no kernel at '/nonexistent/vmlinuz'");
}

static void a_damaged_entry_is_named(void **state)
{
	(void)state;
	add_cached("7.3.4", "7.3.4", "\"hz\":250");
	scratch_text(&scratch, "c/ktstr/kernels/7.3.4/vmlinux", "vm");
	assert_int_equal(resolve("7.3.4"), -EINVAL);
	expect_text("has 2 bytes instead of 7");
	expect_text("ktstr kernel rm 7.3.4");
}

static void a_bzimage_is_imported_once(void **state)
{
	char first[KTSTR_KERNEL_PATH];
	struct stat a, b;
	const char *path;

	(void)state;
	path = write_kernel("boot/vmlinuz-7.7.7-mine", "7.7.7-mine");
	scratch_text(&scratch, "boot/config-7.7.7-mine", "CONFIG_SCHED_CLASS_EXT=y\n");
	assert_int_equal(resolve(path), 0);
	assert_string_equal(kernel.release, "7.7.7-mine");
	assert_int_equal(strncmp(kernel.name, "7.7.7-mine-", 11), 0);
	assert_int_equal(kernel.sched_ext, KTSTR_KERNEL_YES);
	assert_true(kernel.imported && kernel.pvh && kernel.cached);
	assert_int_equal(ktstr_kernel_verify(&kernel, &err), 0);
	memcpy(first, kernel.vmlinux_path, sizeof(first));
	assert_int_equal(stat(first, &a), 0);
	assert_int_equal(resolve(write_kernel("copy", "7.7.7-mine")), 0);
	assert_string_equal(kernel.vmlinux_path, first);
	assert_int_equal(stat(first, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	/* Other content, other entry; neither is anybody's default or version. */
	assert_int_equal(resolve(write_kernel("copy", "7.7.7-m1ne")), 0);
	assert_string_not_equal(kernel.vmlinux_path, first);
	assert_int_equal(resolve("7.7"), -ENOENT);
}

static void imports_do_not_pile_up(void **state)
{
	_cleanup_free_ struct ktstr_kernel *kernels = NULL;
	char first[KTSTR_KERNEL_PATH], second[KTSTR_KERNEL_PATH];
	struct stat before, after;

	(void)state;
	add_cached("7.3.4", "7.3.4", "\"hz\":250");
	for (int i = 0; i < 12; i++) {
		char release[32];

		snprintf(release, sizeof(release), "7.7.%d", i);
		assert_int_equal(resolve(write_kernel("k", release)), 0);
		if (i == 0)
			memcpy(first, kernel.vmlinux_path, sizeof(first));
		if (i == 0)
			assert_int_equal(stat(first, &before), 0);
		if (i == 1)
			memcpy(second, kernel.vmlinux_path, sizeof(second));
		/* In use all the time, so it stays. */
		assert_int_equal(resolve(write_kernel("first", "7.7.0")), 0);
	}
	assert_int_equal(ktstr_kernel_list(&kernels, &err), 8 + 1);
	assert_int_equal(stat(first, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_int_equal(access(second, F_OK), -1);
}

static void a_vmlinux_stays_where_it_is(void **state)
{
	struct strbuf bytes = STRBUF_INIT;
	const char *path;

	(void)state;
	fake_vmlinux(&(struct fake_vmlinux){ .release = "6.6.6", .padding = 100 }, &bytes);
	path = scratch_write(&scratch, "vmlinux", bytes.data, bytes.len, 0644);
	assert_int_equal(resolve(path), 0);
	assert_string_equal(kernel.vmlinux_path, path);
	assert_string_equal(kernel.release, "6.6.6");
	assert_int_equal(kernel.sched_ext, KTSTR_KERNEL_UNKNOWN);
	assert_false(kernel.cached);
	assert_int_equal(access(scratch_path(&scratch, "c"), F_OK), -1);
	fake_vmlinux(&(struct fake_vmlinux){ .no_pvh = true }, &bytes);
	scratch_write(&scratch, "vmlinux", bytes.data, bytes.len, 0644);
	assert_int_equal(resolve(scratch_path(&scratch, "vmlinux")), -ENOEXEC);
	expect_text("has no PVH entry");
	strbuf_deinit(&bytes);
}

static void a_build_tree_is_taken(void **state)
{
	struct strbuf ko = STRBUF_INIT;

	(void)state;
	scratch_text(&scratch, "tree/.config", "CONFIG_VIRTIO_CONSOLE=m\nCONFIG_HZ=100\n");
	assert_int_equal(resolve(scratch_path(&scratch, "tree")), -ENOENT);
	expect_text("holds neither vmlinux nor arch/x86/boot/bzImage");
	write_kernel("tree/arch/x86/boot/bzImage", "8.1.0-rc1");
	assert_int_equal(resolve(scratch_path(&scratch, "tree")), -ENOENT);
	expect_text("needs module 'virtio_console'");
	fake_module("", &ko);
	scratch_write(&scratch, "tree/drivers/char/virtio_console.ko", ko.data, ko.len, 0644);
	strbuf_deinit(&ko);
	assert_int_equal(resolve(scratch_path(&scratch, "tree")), 0);
	assert_string_equal(kernel.release, "8.1.0-rc1");
	assert_int_equal(kernel.hz, 100);
	assert_true(kernel.modules_path[0]);
}

static void wrong_files_have_their_own_errors(void **state)
{
	struct strbuf bytes = STRBUF_INIT;

	(void)state;
	assert_int_equal(resolve(scratch_text(&scratch, "text", "no kernel, but longer")),
			 -ENOEXEC);
	fake_vmlinux(&(struct fake_vmlinux){ .machine = 183 }, &bytes);
	assert_int_equal(resolve(scratch_write(&scratch, "arm", bytes.data, bytes.len, 0644)),
			 -EXDEV);
	fake_kernel("6.1", &bytes);
	assert_int_equal(resolve(scratch_write(&scratch, "cut", bytes.data, bytes.len - 9, 0644)),
			 -EINVAL);
	strbuf_deinit(&bytes);
	assert_int_equal(access(scratch_path(&scratch, "c"), F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_default_has_sched_ext), TEST(names_and_versions_are_found),
		TEST(a_damaged_entry_is_named),	 TEST(a_bzimage_is_imported_once),
		TEST(imports_do_not_pile_up),	 TEST(a_vmlinux_stays_where_it_is),
		TEST(a_build_tree_is_taken),	 TEST(wrong_files_have_their_own_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
