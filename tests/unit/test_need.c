// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/need.h"

static struct settings settings;
static struct machine machine;
static struct ktstr_test test;
static const struct ktstr_entry entry = { .name = "t", .test = &test };

static int set_up(void **state)
{
	(void)state;
	settings = (struct settings){ 0 };
	machine = (struct machine){ .accel = KTSTR_ACCEL_TCG };
	test = (struct ktstr_test){ .topology = { .llcs = 2, .cores_per_llc = 4 } };
	return 0;
}

static struct admission_need need(void)
{
	return need_of(&(struct need_opts){ .settings = &settings,
					    .machine = &machine,
					    .program_bytes = MIB(3),
					    .host_cpus = 4 },
		       &entry);
}

static void a_clone_is_counted_with_what_it_adds(void **state)
{
	(void)state;
	test.memory_bytes = GIB(2);
	assert_int_equal(need().memory_bytes, NEED_WORKER_BYTES + NEED_CLONE_BYTES + MIB(6));
	assert_int_equal(need().address_bytes, GIB(2));
	/* It cannot use more than it has. */
	test.memory_bytes = MIB(64);
	assert_int_equal(need().memory_bytes, NEED_WORKER_BYTES + MIB(64));
	/* The command line goes before the declaration. */
	settings.memory_bytes = MIB(96);
	assert_int_equal(need().memory_bytes, NEED_WORKER_BYTES + MIB(96));
}

static void a_booted_guest_is_counted_whole(void **state)
{
	(void)state;
	settings.no_template = true;
	test.memory_bytes = GIB(2);
	assert_int_equal(need().memory_bytes, NEED_WORKER_BYTES + GIB(2));
	/* What a guest gets that asks for nothing is not nothing. */
	test.memory_bytes = 0;
	assert_true(need().memory_bytes > MIB(128));
	assert_int_equal(need().address_bytes, need().memory_bytes - NEED_WORKER_BYTES);
}

static void only_kvm_runs_cpus_side_by_side(void **state)
{
	(void)state;
	assert_int_equal(need().cpus, 1);
	machine.accel = KTSTR_ACCEL_KVM;
	assert_int_equal(need().cpus, 4);
	settings.has_topology = true;
	settings.topology = (struct ktstr_topology){ .llcs = 1, .cores_per_llc = 2 };
	assert_int_equal(need().cpus, 2);
}

static void a_body_on_the_host_needs_little(void **state)
{
	(void)state;
	machine.accel = KTSTR_ACCEL_KVM;
	test.host_only = true;
	test.memory_bytes = GIB(2);
	assert_int_equal(need().cpus, 1);
	assert_int_equal(need().memory_bytes, NEED_WORKER_BYTES);
	assert_int_equal(need().address_bytes, NEED_WORKER_BYTES);
}

static void a_refusal_says_what_there_is(void **state)
{
	const struct admission_room room = { .cpus = 4,
					     .memory_bytes = MIB(900),
					     .available_bytes = MIB(300),
					     .address_bytes = MIB(1000) };
	struct admission_need wanted = { .cpus = 1, .memory_bytes = MIB(400) };
	struct ktstr_error text;

	(void)state;
	need_explain(&wanted, &room, &text);
	assert_non_null(strstr(text.text, "it needs 1 CPU and 400 MiB of memory; there are 4 CPUs "
					  "and 300 MiB"));
	wanted.address_bytes = MIB(2000);
	need_explain(&wanted, &room, &text);
	assert_non_null(strstr(text.text, "2000 MiB of memory; there are 4 CPUs and 1000 MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_clone_is_counted_with_what_it_adds, set_up),
		cmocka_unit_test_setup(a_booted_guest_is_counted_whole, set_up),
		cmocka_unit_test_setup(only_kvm_runs_cpus_side_by_side, set_up),
		cmocka_unit_test_setup(a_body_on_the_host_needs_little, set_up),
		cmocka_unit_test(a_refusal_says_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
