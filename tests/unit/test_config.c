// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/config.h"

#include "../lib/scratch.h"

static const char text[] = "# Linux/x86 7.3.4 Kernel Configuration\n"
			   "CONFIG_HZ_250=y\n"
			   "CONFIG_HZ=250\n"
			   "CONFIG_SCHED_CLASS_EXT=y\n"
			   "# CONFIG_SCHEDSTATS is not set\n"
			   "CONFIG_VIRTIO_PCI_LIB=y\n"
			   "CONFIG_VIRTIO_PCI=m\r\n"
			   "CONFIG_CC_VERSION_TEXT=\"gcc = 14\"\n"
			   "CONFIG_DEBUG_INFO_BTF=y";

static void values_are_found(void **state)
{
	char buf[32];

	(void)state;
	assert_int_equal(config_value(text, "HZ", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "250");
	assert_int_equal(config_value(text, "CONFIG_VIRTIO_PCI", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "m");
	assert_int_equal(config_value(text, "CC_VERSION_TEXT", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "\"gcc = 14\"");
	assert_int_equal(config_value(text, "DEBUG_INFO_BTF", buf, sizeof(buf)), 0);
	assert_int_equal(config_value(text, "SCHEDSTATS", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(config_value(text, "VIRTIO", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(config_value(text, "CONFIG_", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(config_value("", "HZ", buf, sizeof(buf)), -ENOENT);
}

static void facts_follow(void **state)
{
	struct ktstr_kernel k = { .hz = 1 };

	(void)state;
	config_facts(text, &k);
	assert_int_equal(k.sched_ext, KTSTR_KERNEL_YES);
	assert_int_equal(k.btf, KTSTR_KERNEL_YES);
	assert_int_equal(k.schedstats, KTSTR_KERNEL_NO);
	assert_int_equal(k.hz, 250);
	config_facts("CONFIG_HZ=many\n", &k);
	assert_int_equal(k.hz, 0);
	assert_int_equal(k.sched_ext, KTSTR_KERNEL_NO);
}

static void no_config_is_not_no(void **state)
{
	struct ktstr_kernel k = { 0 };
	struct scratch scratch;

	(void)state;
	assert_int_equal(ktstr_kernel_config(&k, "HZ"), KTSTR_KERNEL_UNKNOWN);
	scratch_create(&scratch);
	snprintf(k.config_path, sizeof(k.config_path), "%s",
		 scratch_text(&scratch, "config", text));
	assert_int_equal(ktstr_kernel_config(&k, "CONFIG_VIRTIO_PCI"), KTSTR_KERNEL_YES);
	assert_int_equal(ktstr_kernel_config(&k, "SCHEDSTATS"), KTSTR_KERNEL_NO);
	scratch_destroy(&scratch);
	assert_int_equal(ktstr_kernel_config(&k, "VIRTIO_PCI"), KTSTR_KERNEL_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(facts_follow),
		cmocka_unit_test(no_config_is_not_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
