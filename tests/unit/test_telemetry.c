// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "work/telemetry.h"

static void every_time_has_its_bucket(void **state)
{
	uint32_t before = 0;

	(void)state;
	for (uint64_t ns = 0; ns < UINT64_C(1) << 38; ns += ns / 64 + 1) {
		uint32_t bucket = wake_bucket(ns);
		uint64_t end_ns = wake_bucket_end(bucket);

		assert_true(bucket < WAKE_BUCKETS);
		assert_true(bucket == before || bucket == before + 1);
		assert_true(ns <= end_ns);
		if (bucket < WAKE_BUCKETS - 1)
			assert_true(end_ns - ns <= ns / 16);
		if (bucket != before)
			assert_true(wake_bucket_end(before) < ns);
		before = bucket;
	}
	assert_int_equal(before, WAKE_BUCKETS - 1);
	assert_int_equal(wake_bucket(UINT64_MAX), WAKE_BUCKETS - 1);
	assert_true(wake_bucket_end(WAKE_BUCKETS - 1) == UINT64_MAX);
}

static void ends_of_buckets_belong_to_them(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < WAKE_BUCKETS - 1; i++) {
		assert_int_equal(wake_bucket(wake_bucket_end(i)), i);
		assert_int_equal(wake_bucket(wake_bucket_end(i) + 1), i + 1);
	}
}

static void peak_only_rises(void **state)
{
	struct work_peak peak = { .version = 0 };
	struct work_peak_value value;

	(void)state;
	work_peak_read(&peak, &value);
	assert_int_equal(value.ns, 0);
	work_peak_raise(&peak, 5, 100, 3);
	work_peak_raise(&peak, 5, 200, 4);
	work_peak_raise(&peak, 4, 300, 5);
	work_peak_read(&peak, &value);
	assert_int_equal(value.ns, 5);
	assert_int_equal(value.at_ns, 100);
	assert_int_equal(value.cpu, 3);
	work_peak_raise(&peak, 6, 400, 0);
	work_peak_read(&peak, &value);
	assert_int_equal(value.ns, 6);
	assert_int_equal(value.at_ns, 400);
	assert_int_equal(value.cpu, 0);
}

enum { RAISES = 200000 };

static void *raise_it(void *arg)
{
	for (uint64_t i = 1; i <= RAISES; i++)
		work_peak_raise(arg, i, i * 2, (uint32_t)i);
	return NULL;
}

static void peak_is_read_whole(void **state)
{
	struct work_peak peak = { .version = 0 };
	struct work_peak_value value = { .ns = 0 };
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, raise_it, &peak), 0);
	while (value.ns < RAISES) {
		work_peak_read(&peak, &value);
		assert_true(value.at_ns == value.ns * 2 && value.cpu == value.ns);
	}
	pthread_join(writer, NULL);
}

static void allowed_cpus_are_read_as_set(void **state)
{
	const uint64_t first[WORK_CPU_WORDS] = { 1, 2, 3, 4 }, second[WORK_CPU_WORDS] = { 5 };
	struct work_allowed allowed = { .version = 0 };
	struct work_allowed_value value;

	(void)state;
	work_allowed_read(&allowed, &value);
	assert_int_equal(value.version, 0);
	work_allowed_set(&allowed, first, 77);
	work_allowed_read(&allowed, &value);
	assert_int_equal(value.version, 1);
	assert_memory_equal(value.cpus, first, sizeof(first));
	assert_int_equal(value.from_ns, 77);
	work_allowed_set(&allowed, second, 78);
	work_allowed_read(&allowed, &value);
	assert_memory_equal(value.cpus, second, sizeof(second));
	assert_int_equal(value.from_ns, 78);
}

static void futex_says_why_it_returned(void **state)
{
	_Atomic uint32_t word = 1;

	(void)state;
	assert_int_equal(work_futex_wait(&word, 0, UINT64_MAX), -EAGAIN);
	assert_int_equal(work_futex_wait(&word, 1, 1000), -ETIMEDOUT);
	work_futex_wake(&word, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_time_has_its_bucket),
		cmocka_unit_test(ends_of_buckets_belong_to_them),
		cmocka_unit_test(peak_only_rises),
		cmocka_unit_test(peak_is_read_whole),
		cmocka_unit_test(allowed_cpus_are_read_as_set),
		cmocka_unit_test(futex_says_why_it_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
