// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/btf.h"

#include "../lib/fake_btf.h"

static struct fake_btf bytes;

static int set_up(void **state)
{
	(void)state;
	fake_btf(&bytes);
	return 0;
}

static int init(size_t length)
{
	struct btf_types btf;
	int r = btf_types_init(&btf, &bytes, length, NULL);

	if (r == 0)
		btf_types_deinit(&btf);
	return r;
}

static void structs_are_found(void **state)
{
	_cleanup_btf_types_ struct btf_types btf = { 0 };
	struct btf_field field;

	(void)state;
	assert_int_equal(btf_types_init(&btf, &bytes, sizeof(bytes), NULL), 0);
	assert_int_equal(btf.nr, FAKE_BTF_VALUE);
	assert_int_equal(btf_find_struct(&btf, "sched_ext_ops"), FAKE_BTF_OPS);
	assert_int_equal(btf_find_struct(&btf, "int"), 0);
	assert_int_equal(btf_find_struct(&btf, "none"), 0);
	assert_int_equal(btf_get_field(&btf, FAKE_BTF_OPS, 1, &field), 0);
	assert_string_equal(field.name, "dispatch");
	assert_int_equal(field.bit_offset, 64);
	assert_int_equal(btf_get_field(&btf, FAKE_BTF_OPS, 4, &field), -ENOENT);
	assert_int_equal(btf_get_field(&btf, FAKE_BTF_INT, 0, &field), -EBADMSG);
	assert_int_equal(btf_get_field(&btf, 0, 0, &field), -EBADMSG);
	assert_int_equal(btf_get_field(&btf, 7, 0, &field), -EBADMSG);
	assert_true(btf_is_function_pointer(&btf, FAKE_BTF_POINTER));
	assert_true(btf_is_function_pointer(&btf, FAKE_BTF_POINTER + 1));
	assert_false(btf_is_function_pointer(&btf, FAKE_BTF_INT));
	assert_false(btf_is_function_pointer(&btf, 0));
}

static void bitfields_have_their_offset(void **state)
{
	_cleanup_btf_types_ struct btf_types btf = { 0 };
	struct btf_field field;

	(void)state;
	bytes.ops.info |= 1u << 31;
	bytes.members[2].offset = 3u << 24 | 128;
	assert_int_equal(btf_types_init(&btf, &bytes, sizeof(bytes), NULL), 0);
	assert_int_equal(btf_get_field(&btf, FAKE_BTF_OPS, 2, &field), 0);
	assert_int_equal(field.bit_offset, 128);
}

static void circles_end(void **state)
{
	_cleanup_btf_types_ struct btf_types btf = { 0 };

	(void)state;
	bytes.alias.type = FAKE_BTF_POINTER + 1;
	assert_int_equal(btf_types_init(&btf, &bytes, sizeof(bytes), NULL), 0);
	assert_false(btf_is_function_pointer(&btf, FAKE_BTF_POINTER + 1));
}

static void damage_is_refused(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(bytes); length++)
		assert_int_equal(init(length), -EBADMSG);
	bytes.header.magic = 0x9feb;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.header.hdr_len = UINT32_MAX;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.header.type_off = UINT32_MAX;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.header.type_len -= 4;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.proto.info = 31u << 24;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.proto.info = 0;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.value.info |= 0xffff;
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
	fake_btf(&bytes);
	bytes.names[FAKE_BTF_NAMES - 1] = 'x';
	assert_int_equal(init(sizeof(bytes)), -EBADMSG);
}

static void names_stay_inside(void **state)
{
	_cleanup_btf_types_ struct btf_types btf = { 0 };
	struct btf_field field;

	(void)state;
	bytes.members[0].name_off = FAKE_BTF_NAMES;
	bytes.ops.name_off = UINT32_MAX;
	assert_int_equal(btf_types_init(&btf, &bytes, sizeof(bytes), NULL), 0);
	assert_int_equal(btf_get_field(&btf, FAKE_BTF_OPS, 0, &field), -EBADMSG);
	assert_int_equal(btf_find_struct(&btf, "sched_ext_ops"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(structs_are_found, set_up),
		cmocka_unit_test_setup(bitfields_have_their_offset, set_up),
		cmocka_unit_test_setup(circles_end, set_up),
		cmocka_unit_test_setup(damage_is_refused, set_up),
		cmocka_unit_test_setup(names_stay_inside, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
