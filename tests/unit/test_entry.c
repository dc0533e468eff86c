// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/entry.h"

#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct scratch scratch;
static struct ktstr_error err;
static char dir[300];

static void make_files(void)
{
	struct strbuf vmlinux = STRBUF_INIT;

	fake_vmlinux(&(struct fake_vmlinux){ .release = "7.3.4+x", .padding = 100 }, &vmlinux);
	scratch_write(&scratch, "one/vmlinux", vmlinux.data, vmlinux.len, 0644);
	scratch_text(&scratch, "one/bzImage", "not looked at");
	scratch_text(&scratch, "one/config", "CONFIG_SCHED_CLASS_EXT=y\nCONFIG_HZ=1000\n");
	scratch_text(&scratch, "one/modules/00-virtio.ko", "module");
	strbuf_deinit(&vmlinux);
	snprintf(dir, sizeof(dir), "%s", scratch_path(&scratch, "one"));
}

static struct entry made(void)
{
	struct entry entry = { .source = "a package" };

	make_files();
	snprintf(entry.kernel.name, sizeof(entry.kernel.name), "one");
	snprintf(entry.kernel.version, sizeof(entry.kernel.version), "7.3.4");
	assert_int_equal(entry_create(dir, &entry, &err), 0);
	return entry;
}

static void what_is_made_is_read(void **state)
{
	struct entry entry;

	(void)state;
	made();
	assert_int_equal(entry_load(dir, &entry, &err), 0);
	assert_string_equal(entry.kernel.name, "one");
	assert_string_equal(entry.kernel.release, "7.3.4+x");
	assert_string_equal(entry.kernel.version, "7.3.4");
	assert_string_equal(entry.kernel.build_id, FAKE_BUILD_ID);
	assert_string_equal(entry.source, "a package");
	assert_int_equal(entry.kernel.sched_ext, KTSTR_KERNEL_YES);
	assert_int_equal(entry.kernel.btf, KTSTR_KERNEL_NO);
	assert_int_equal(entry.kernel.hz, 1000);
	assert_true(entry.kernel.pvh && entry.kernel.cached && !entry.kernel.imported);
	assert_int_equal(entry.nr_files, 4);
	assert_true(entry.kernel.size_bytes > 100);
	assert_string_equal(entry.kernel.vmlinux_path, scratch_path(&scratch, "one/vmlinux"));
	assert_string_equal(entry.kernel.modules_path, scratch_path(&scratch, "one/modules"));
	assert_int_equal(entry_verify(dir, &entry, &err), 0);
}

static void no_config_means_not_known(void **state)
{
	struct entry entry = { 0 };

	(void)state;
	make_files();
	unlink(scratch_path(&scratch, "one/config"));
	snprintf(entry.kernel.name, sizeof(entry.kernel.name), "one");
	assert_int_equal(entry_create(dir, &entry, &err), 0);
	assert_int_equal(entry_load(dir, &entry, &err), 0);
	assert_int_equal(entry.kernel.sched_ext, KTSTR_KERNEL_UNKNOWN);
	assert_int_equal(entry.kernel.hz, 0);
	assert_string_equal(entry.kernel.config_path, "");
}

static void damage_is_found(void **state)
{
	struct entry entry = made();

	(void)state;
	scratch_text(&scratch, "one/bzImage", "not looked aT");
	assert_int_equal(entry_load(dir, &entry, &err), 0);
	assert_int_equal(entry_verify(dir, &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "bzImage' changed"));
	scratch_text(&scratch, "one/bzImage", "short");
	assert_int_equal(entry_load(dir, &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "has 5 bytes instead of 13"));
	unlink(scratch_path(&scratch, "one/bzImage"));
	assert_int_equal(entry_load(dir, &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is missing"));
	scratch_text(&scratch, "one/kernel.json", "{ \"format\": 1, ");
	assert_int_equal(entry_load(dir, &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "kernel.json is damaged: line 1"));
	unlink(scratch_path(&scratch, "one/kernel.json"));
	assert_int_equal(entry_load(dir, &entry, &err), -ENOENT);
}

static void a_renamed_folder_is_damage(void **state)
{
	struct entry entry = made();
	char other[512];

	(void)state;
	snprintf(other, sizeof(other), "%s", scratch_path(&scratch, "two"));
	assert_int_equal(rename(dir, other), 0);
	assert_int_equal(entry_load(other, &entry, &err), -EINVAL);
	assert_non_null(strstr(err.text, "another kernel than its folder"));
}

#define HEAD                                                                                  \
	"{\"format\":1,\"name\":\"n\",\"release\":\"r\",\"version\":\"v\",\"build_id\":\"\"," \
	"\"source\":\"\",\"files\":["

static void bad_descriptions_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"[]",
		"{}",
		"{\"format\":2}",
		"{\"format\":1,\"name\":7}",
		HEAD "{\"name\":\"/etc/passwd\",\"bytes\":1,\"crc32\":\"00000000\"}]}",
		HEAD "{\"name\":\"../x\",\"bytes\":1,\"crc32\":\"00000000\"}]}",
		HEAD "{\"name\":\"x\",\"bytes\":-1,\"crc32\":\"00000000\"}]}",
		HEAD "{\"name\":\"x\",\"bytes\":1,\"crc32\":\"0000000\"}]}",
		HEAD "{\"name\":\"x\",\"bytes\":1,\"crc32\":\"0000000g\"}]}",
		HEAD "{\"name\":\"x\",\"crc32\":\"00000000\"}]}",
	};
	struct entry entry;

	(void)state;
	assert_int_equal(entry_parse(HEAD "]}", strlen(HEAD "]}"), &entry, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(entry_parse(cases[i], strlen(cases[i]), &entry, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_made_is_read, scratch),
		SCRATCH_TEST(no_config_means_not_known, scratch),
		SCRATCH_TEST(damage_is_found, scratch),
		SCRATCH_TEST(a_renamed_folder_is_damage, scratch),
		cmocka_unit_test(bad_descriptions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
