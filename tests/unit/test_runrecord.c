// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/runrecord.h"
#include "tests/lib/scratch.h"

#define HASH(digit) digit digit digit digit digit digit digit digit
#define HASH64(d)   HASH(d d d d d d d d)

static struct runrecord a_record(void)
{
	return (struct runrecord){
		.item = "loses@1#2",
		.program = "t",
		.test = "loses",
		.seed = UINT64_MAX,
		.perturb = PERTURB_HEAVY,
		.timeout_ns = SECS(60),
		.wall_limit_ns = SECS(1200),
		.kernel_path = "/k/vmlinux",
		.qemu = "10.0.2 (Debian)",
		.kernel = "7.3.4",
		.kernel_sha256 = HASH64("a"),
		.image_sha256 = HASH64("b"),
		.files_sha256 = HASH64("c"),
		.job_sha256 = HASH64("d"),
		.topology = "1n1l4c1t",
		.memory_bytes = MIB(384),
		.exact = true,
		.engine = RUNRECORD_ENGINE,
		.accel = KTSTR_ACCEL_TCG,
		.cloned = true,
		.verdict = KTSTR_FAIL,
		.end = "checks",
		.nr_events = 17,
		.virtual_ns = 123456789,
		.events_sha256 = HASH64("e"),
	};
}

static int decode(json_t *object, struct runrecord *ret_record, struct ktstr_error *err)
{
	char *text = json_dumps(object, 0);
	int r;

	assert_non_null(text);
	r = runrecord_decode(text, strlen(text), ret_record, err);
	free(text);
	return r;
}

static void what_is_written_reads_the_same(void **state)
{
	struct runrecord record = a_record(), again;
	struct ktstr_error err;
	struct scratch dir;

	(void)state;
	scratch_create(&dir);
	assert_int_equal(runrecord_write(dir.dir, &record, &err), 0);
	memset(&again, 0xff, sizeof(again));
	assert_int_equal(runrecord_read(dir.dir, &again, &err), 0);
	assert_memory_equal(&again, &record, sizeof(record));
	record.events_sha256[0] = '\0';
	memset(record.events_sha256, 0, sizeof(record.events_sha256));
	memcpy(record.kernel_args, "isolcpus=1", sizeof("isolcpus=1"));
	record.exact = false;
	record.accel = KTSTR_ACCEL_KVM;
	assert_int_equal(runrecord_write(dir.dir, &record, &err), 0);
	assert_int_equal(runrecord_read(dir.dir, &again, &err), 0);
	assert_memory_equal(&again, &record, sizeof(record));
	scratch_destroy(&dir);
}

/* Each row breaks one key of a good record. */
static void what_is_not_as_documented_is_refused(void **state)
{
	static const struct {
		const char *key, *value; /* JSON; NULL: taken away */
		bool is_input;
	} rows[] = {
		{ "type", "\"result\"", false },
		{ "item", "\"../x\"", false },
		{ "item", "\".\"", false },
		{ "item", "\"\"", false },
		{ "seed", "\"12\"", false },
		{ "seed", "12", false },
		{ "perturb", "\"much\"", false },
		{ "timeout_ns", "-1", false },
		{ "events", "1.5", false },
		{ "verdict", "\"OK\"", false },
		{ "end", "\"0123456789012345678901234567890123456789\"", false },
		{ "events_sha256", "\"E\"", false },
		{ "other", "1", false },
		{ "cloned", NULL, false },
		{ "kernel_sha256", "\"/etc/passwd\"", true },
		{ "image_sha256", "\"\"", true },
		{ "files_sha256", NULL, true },
		{ "mode", "\"auto\"", true },
		{ "accelerator", "\"kvm\"", true },
		{ "memory_bytes", "0", true },
		{ "kernel_args", "\"console=x\"", true },
		{ "kernel_args", "1", true },
		{ "engine", "-1", true },
		{ "engine", "\"1\"", true },
		{ "other", "1", true },
	};
	struct runrecord record = a_record(), again;
	struct ktstr_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *object = runrecord_to_json(&record);
		json_t *into = rows[i].is_input ? json_object_get(object, "inputs") : object;

		if (rows[i].value)
			json_object_set_new(into, rows[i].key,
					    json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(into, rows[i].key);
		if (decode(object, &again, &err) != -EINVAL)
			fail_msg("row %zu (%s) was not refused", i, rows[i].key);
		json_decref(object);
	}
}

static void another_version_is_named(void **state)
{
	struct runrecord record = a_record(), again;
	json_t *object = runrecord_to_json(&record);
	struct ktstr_error err;

	(void)state;
	json_object_set_new(object, "version", json_integer(2));
	assert_int_equal(decode(object, &again, &err), -EPROTO);
	assert_non_null(strstr(err.text, "version 2"));
	json_decref(object);
}

static void no_object_is_no_record(void **state)
{
	struct runrecord again;

	(void)state;
	assert_int_equal(runrecord_decode("", 0, &again, NULL), -EINVAL);
	assert_int_equal(runrecord_decode("[]", 2, &again, NULL), -EINVAL);
	assert_int_equal(runrecord_read("/nowhere", &again, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(what_is_not_as_documented_is_refused),
		cmocka_unit_test(another_version_is_named),
		cmocka_unit_test(no_object_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
