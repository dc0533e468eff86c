// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/taskstats.h"

enum { V13_BYTES = 416, V14_BYTES = 432, V16_BYTES = 560, V17_BYTES = 688 };

static const struct taskstats_kernel all = { .delays = true, .since_boot = true, .irq = true };

struct image {
	_Alignas(8) unsigned char bytes[1024];
};

static void put(struct image *image, size_t at, uint64_t value)
{
	memcpy(image->bytes + at, &value, sizeof(value));
}

static struct image make(uint16_t version)
{
	struct image image = { 0 };

	memcpy(image.bytes, &version, sizeof(version));
	put(&image, 16, 11);   /* cpu count */
	put(&image, 24, 2222); /* cpu delay */
	put(&image, 72, 3333); /* run time */
	return image;
}

static int64_t value(const struct ktstr_ctprof_thread *t, unsigned int metric)
{
	int64_t v = -1;

	assert_true(ktstr_ctprof_get(t, metric, &v));
	return v;
}

static bool absent(const struct ktstr_ctprof_thread *t, unsigned int metric)
{
	return !ktstr_ctprof_get(t, metric, &(int64_t){ 0 });
}

static void a_new_kernel_has_everything(void **state)
{
	static const uint16_t at[] = { 16, 32, 48, 312, 328, 352, 400, 416 };
	struct image image = make(17);
	struct ktstr_ctprof_thread t = { 0 };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		put(&image, at[i], i + 1);
		put(&image, at[i] + 8u, 100 * (i + 1));
		put(&image, 432 + i * 16, 50 + i);
		put(&image, 440 + i * 16, 5 + i);
	}
	assert_int_equal(taskstats_parse(image.bytes, V17_BYTES, &all, &t), 0);
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int m = KTSTR_CTPROF_CPU_DELAY_COUNT + 4 * i;

		assert_int_equal(value(&t, m), i + 1);
		assert_int_equal(value(&t, m + 1), 100 * (i + 1));
		assert_int_equal(value(&t, m + 2), 50 + i);
		assert_int_equal(value(&t, m + 3), 5 + i);
	}
	assert_string_equal(ktstr_ctprof_metric_info(KTSTR_CTPROF_CPU_DELAY_COUNT + 31)->name,
			    "irq_delay_min_ns");
	assert_int_equal(value(&t, KTSTR_CTPROF_RUN_TIME), 3333);
	assert_int_equal(value(&t, KTSTR_CTPROF_WAIT_TIME), 100);
	assert_int_equal(value(&t, KTSTR_CTPROF_TIMESLICES), 1);
}

static void older_kernels_lack_fields(void **state)
{
	struct image image = make(13);
	struct ktstr_ctprof_thread t = { 0 }, t14 = { 0 };

	(void)state;
	put(&image, 416, 77); /* beyond the end */
	assert_int_equal(taskstats_parse(image.bytes, V13_BYTES, &all, &t), 0);
	assert_int_equal(value(&t, KTSTR_CTPROF_WPCOPY_DELAY_COUNT), 0);
	assert_true(absent(&t, KTSTR_CTPROF_IRQ_DELAY_COUNT));
	assert_true(absent(&t, KTSTR_CTPROF_CPU_DELAY_MAX));
	assert_int_equal(taskstats_parse(image.bytes, V14_BYTES, &all, &t14), 0);
	assert_int_equal(value(&t14, KTSTR_CTPROF_IRQ_DELAY_COUNT), 77);
	assert_true(absent(&t14, KTSTR_CTPROF_IRQ_DELAY_MAX));
}

static void the_shortest_of_none_is_absent(void **state)
{
	struct image image = make(16);
	struct ktstr_ctprof_thread t = { 0 };

	(void)state;
	put(&image, 440, 9);
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &all, &t), 0);
	assert_int_equal(value(&t, KTSTR_CTPROF_CPU_DELAY_MIN), 9);
	assert_true(absent(&t, KTSTR_CTPROF_BLKIO_DELAY_MIN));
	assert_int_equal(value(&t, KTSTR_CTPROF_BLKIO_DELAY_MAX), 0);
}

static void what_nobody_counted_is_absent(void **state)
{
	const struct taskstats_kernel off = { .irq = true }, late = { .delays = true };
	struct image image = make(16);
	struct ktstr_ctprof_thread t = { 0 }, t2 = { 0 }, t3 = { 0 };

	(void)state;
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &off, &t), -ENODATA);
	assert_int_equal(value(&t, KTSTR_CTPROF_CPU_DELAY_TOTAL), 2222);
	assert_int_equal(value(&t, KTSTR_CTPROF_RUN_TIME), 3333);
	assert_true(absent(&t, KTSTR_CTPROF_BLKIO_DELAY_COUNT));
	assert_true(absent(&t, KTSTR_CTPROF_IRQ_DELAY_TOTAL));
	/* Switched on after boot: zeros may mean that this thread is older. */
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &late, &t2), -ENODATA);
	assert_true(absent(&t2, KTSTR_CTPROF_BLKIO_DELAY_COUNT));
	put(&image, 400, 1);
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &late, &t3), 0);
	assert_int_equal(value(&t3, KTSTR_CTPROF_BLKIO_DELAY_COUNT), 0);
	assert_true(absent(&t3, KTSTR_CTPROF_IRQ_DELAY_COUNT));
}

static void what_is_not_understood_sets_nothing(void **state)
{
	struct image image = make(15);
	struct ktstr_ctprof_thread t = { 0 };

	(void)state;
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &all, &t), -EINVAL);
	image = make(16);
	assert_int_equal(taskstats_parse(image.bytes, 79, &all, &t), -EINVAL);
	put(&image, 72, UINT64_MAX);
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &all, &t), -EINVAL);
	image = make(0);
	assert_int_equal(taskstats_parse(image.bytes, V16_BYTES, &all, &t), -EINVAL);
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_THREAD_METRICS; m++)
		assert_true(absent(&t, m));
}

static void only_the_whole_word_switches_it_on(void **state)
{
	(void)state;
	assert_true(taskstats_is_asked_for("delayacct"));
	assert_true(taskstats_is_asked_for("delayacct\n"));
	assert_true(taskstats_is_asked_for("quiet delayacct ro\n"));
	assert_true(taskstats_is_asked_for("delayaccts nodelayacct ro delayacct\n"));
	assert_false(taskstats_is_asked_for(""));
	assert_false(taskstats_is_asked_for("quiet ro\n"));
	assert_false(taskstats_is_asked_for("nodelayacct\n"));
	assert_false(taskstats_is_asked_for("delayacct=0 delayacctx\n"));
	assert_false(taskstats_is_asked_for("x.delayacct delayacc\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_kernel_has_everything),
		cmocka_unit_test(older_kernels_lack_fields),
		cmocka_unit_test(the_shortest_of_none_is_absent),
		cmocka_unit_test(what_nobody_counted_is_absent),
		cmocka_unit_test(what_is_not_understood_sets_nothing),
		cmocka_unit_test(only_the_whole_word_switches_it_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
