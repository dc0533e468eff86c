// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/ops_offsets.h"

#include "../lib/fake_btf.h"
#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct fake_btf bytes;

static int set_up(void **state)
{
	(void)state;
	fake_btf(&bytes);
	return 0;
}

static int from_btf(void)
{
	json_t *offsets = NULL;
	int r = ops_offsets_from_btf(&bytes, sizeof(bytes), &offsets, NULL);

	json_decref(offsets);
	return r;
}

static void pointers_and_the_name_are_listed(void **state)
{
	json_t *offsets;
	char *text;

	(void)state;
	assert_int_equal(ops_offsets_from_btf(&bytes, sizeof(bytes), &offsets, NULL), 0);
	text = json_dumps(offsets, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"sched_ext_ops\":6,\"sched_ext_ops.dispatch\":72,"
				  "\"sched_ext_ops.enqueue\":64,\"sched_ext_ops.name\":88}");
	free(text);
	json_decref(offsets);
}

static void kernels_without_it_are_told(void **state)
{
	struct ktstr_error err;
	json_t *offsets;

	(void)state;
	bytes.value.name_off = 1;
	assert_int_equal(ops_offsets_from_btf(&bytes, sizeof(bytes), &offsets, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "no struct sched_ext_ops"));
}

static void damage_is_refused(void **state)
{
	(void)state;
	bytes.parts[1].name_off = 1; /* no "data" */
	assert_int_equal(from_btf(), -EBADMSG);
	fake_btf(&bytes);
	bytes.parts[1].type = 1;
	assert_int_equal(from_btf(), -EBADMSG);
	fake_btf(&bytes);
	bytes.parts[1].offset = 513;
	assert_int_equal(from_btf(), -EBADMSG);
	fake_btf(&bytes);
	bytes.members[0].offset = UINT32_MAX - 7;
	assert_int_equal(from_btf(), -EBADMSG);
}

static struct scratch folder;

static void files_are_told_apart(void **state)
{
	const struct scratch *s = *state;
	struct strbuf module = STRBUF_INIT;
	struct ktstr_error err;
	json_t *offsets;

	assert_int_equal(ops_offsets_read(scratch_path(s, "none"), &offsets, &err), -ENOENT);
	scratch_text(s, "text",
		     "no ELF file, and longer than the header of one would be: "
		     "0123456789");
	assert_int_equal(ops_offsets_read(scratch_path(s, "text"), &offsets, &err), -EINVAL);
	fake_module("", &module);
	scratch_write(s, "elf", module.data, module.len, 0644);
	assert_int_equal(ops_offsets_read(scratch_path(s, "elf"), &offsets, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "has no BTF"));
	strbuf_deinit(&module);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pointers_and_the_name_are_listed, set_up),
		cmocka_unit_test_setup(kernels_without_it_are_told, set_up),
		cmocka_unit_test_setup(damage_is_refused, set_up),
		SCRATCH_TEST(files_are_told_apart, folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
