// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "vm/template_key.h"

static struct scratch scratch;

/* One machine and the texts that it points to. */
struct machine {
	struct ktstr_qemu qemu;
	struct ktstr_kernel kernel;
	char initrd[512];
	struct vm_opts opts;
	uint64_t memory_bytes;
};

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	scratch_text(&scratch, "qemu", "an emulator");
	scratch_text(&scratch, "rom", "a firmware");
	scratch_text(&scratch, "vmlinux", "a kernel");
	scratch_text(&scratch, "initrd", "an agent");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static void usual(struct machine *m)
{
	*m = (struct machine){ .qemu = { .major = 10, .version = "10.0.2" },
			       .kernel = { .pvh = true },
			       .memory_bytes = 384ull << 20 };
	snprintf(m->qemu.path, sizeof(m->qemu.path), "%s", scratch_path(&scratch, "qemu"));
	snprintf(m->qemu.firmware_path, sizeof(m->qemu.firmware_path), "%s",
		 scratch_path(&scratch, "rom"));
	snprintf(m->kernel.vmlinux_path, sizeof(m->kernel.vmlinux_path), "%s",
		 scratch_path(&scratch, "vmlinux"));
	snprintf(m->initrd, sizeof(m->initrd), "%s", scratch_path(&scratch, "initrd"));
	m->opts = (struct vm_opts){ .qemu = &m->qemu,
				    .kernel = &m->kernel,
				    .accel = KTSTR_ACCEL_TCG,
				    .initrd_path = m->initrd,
				    .dir = "/run",
				    .shell_fd = -1 };
}

static const char *key_of(const struct machine *m)
{
	static char keys[2][SHA256_HEX];
	static unsigned int turn;
	char *key = keys[turn++ % 2];
	struct ktstr_error err = { 0 };

	if (template_key_make(&m->opts, m->memory_bytes, NULL, key, &err) < 0)
		fail_msg("%s", err.text);
	return key;
}

static void what_one_run_decides_is_not_in_it(void **state)
{
	struct machine m;
	char key[SHA256_HEX];

	(void)state;
	usual(&m);
	memcpy(key, key_of(&m), sizeof(key));
	m.opts.dir = "/elsewhere";
	m.opts.job_path = "/j";
	m.opts.files_path = "/f";
	m.opts.gdb_path = "/g";
	m.opts.hold = true;
	m.opts.pause_at_stop = true;
	m.opts.shell_fd = 7;
	assert_string_equal(key_of(&m), key);
	snprintf(m.kernel.vmlinux_path, sizeof(m.kernel.vmlinux_path), "%s",
		 scratch_text(&scratch, "copy", "a kernel"));
	assert_string_equal(key_of(&m), key);
}

static void whatever_makes_another_machine_is_in_it(void **state)
{
	static const char *const files[] = { "qemu", "rom", "vmlinux", "initrd" };
	struct machine m;
	char key[SHA256_HEX];

	(void)state;
	usual(&m);
	memcpy(key, key_of(&m), sizeof(key));
	m.opts.exact = true;
	assert_string_not_equal(key_of(&m), key);
	usual(&m);
	m.opts.topology.cores_per_llc = 2;
	assert_string_not_equal(key_of(&m), key);
	usual(&m);
	m.memory_bytes = 512ull << 20;
	assert_string_not_equal(key_of(&m), key);
	usual(&m);
	m.opts.kernel_args = "isolcpus=1";
	assert_string_not_equal(key_of(&m), key);
	usual(&m);
	m.opts.accel = KTSTR_ACCEL_KVM;
	assert_string_not_equal(key_of(&m), key);
	usual(&m);
	snprintf(m.qemu.version, sizeof(m.qemu.version), "10.0.3");
	assert_string_not_equal(key_of(&m), key);
	usual(&m);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		scratch_text(&scratch, files[i], "other");
		assert_string_not_equal(key_of(&m), key);
		memcpy(key, key_of(&m), sizeof(key));
	}
}

static void impossible_machines_have_none(void **state)
{
	struct ktstr_error err = { 0 };
	char key[SHA256_HEX];
	struct machine m;

	(void)state;
	usual(&m);
	m.opts.accel = KTSTR_ACCEL_AUTO;
	assert_int_equal(template_key_make(&m.opts, m.memory_bytes, NULL, key, &err), -EINVAL);
	usual(&m);
	snprintf(m.initrd, sizeof(m.initrd), "/nowhere");
	assert_int_equal(template_key_make(&m.opts, m.memory_bytes, NULL, key, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_one_run_decides_is_not_in_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(whatever_makes_another_machine_is_in_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(impossible_machines_have_none, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
