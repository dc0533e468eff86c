// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Thread data in this process's own memory, read as that of another one. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/jemalloc_layout.h"

enum { TSD_BYTES = 2632, THREADS = 200, STATE_NOMINAL = 0, STATE_UNINITIALIZED = 6 };
enum { ALLOCATED_AT = 824, DEALLOCATED_AT = 840 };

/* Thread data below a thread pointer, of a known build. */
struct place {
	_Alignas(16) unsigned char tsd[TSD_BYTES];
};

static const struct jemalloc_process known = {
	.tsd_offset = -TSD_BYTES,
	.layout = { ALLOCATED_AT, DEALLOCATED_AT, TSD_BYTES },
};

static const struct jemalloc_process unknown = {
	.tsd_offset = -TSD_BYTES,
	.layout = { ALLOCATED_AT, DEALLOCATED_AT, 0 },
};

static void plant(struct place *p, uint64_t allocated, uint64_t deallocated)
{
	struct jemalloc_events events = { .allocated_last = allocated,
					  .allocated_next = allocated + 100,
					  .deallocated_last = deallocated,
					  .deallocated_next = deallocated + 100 };
	struct jemalloc_fast fast = { .state = STATE_NOMINAL,
				      .allocated = allocated,
				      .allocated_next_fast = allocated + 100,
				      .deallocated = deallocated,
				      .deallocated_next_fast = deallocated + 100 };

	memcpy(p->tsd + JEMALLOC_EVENTS_AT, &events, sizeof(events));
	memcpy(p->tsd + JEMALLOC_COUNTERS_AT, &fast, sizeof(fast));
}

static void point_at(struct jemalloc_running *threads, struct place *places, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		threads[i] = (struct jemalloc_running){
			.thread_pointer = (uint64_t)(uintptr_t)&places[i] + TSD_BYTES
		};
}

static void many_threads_are_read(void **state)
{
	const struct jemalloc_process *processes[] = { &known, &unknown };
	_cleanup_free_ struct place *places = calloc(THREADS, sizeof(*places));
	_cleanup_free_ struct jemalloc_running *threads = calloc(THREADS, sizeof(*threads));

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		plant(&places[i], 1000 + i, i);
	for (size_t k = 0; k < ARRAY_SIZE(processes); k++) {
		point_at(threads, places, THREADS);
		jemalloc_read_running(processes[k], (uint32_t)getpid(), threads, THREADS);
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(threads[i].tag, KTSTR_JEMALLOC_OK);
			assert_int_equal(threads[i].counters.allocated, 1000 + i);
			assert_int_equal(threads[i].counters.deallocated, i);
		}
	}
}

static void one_unmapped_thread_costs_itself_only(void **state)
{
	_cleanup_free_ struct place *places = calloc(THREADS, sizeof(*places));
	_cleanup_free_ struct jemalloc_running *threads = calloc(THREADS, sizeof(*threads));
	void *hole = mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		plant(&places[i], 1000 + i, i);
	point_at(threads, places, THREADS);
	threads[0].thread_pointer = threads[70].thread_pointer = threads[199].thread_pointer =
		(uint64_t)(uintptr_t)hole + 8192;
	threads[71].thread_pointer = 0;
	jemalloc_read_running(&known, (uint32_t)getpid(), threads, THREADS);
	for (size_t i = 0; i < THREADS; i++) {
		bool is_bad = i == 0 || i == 70 || i == 71 || i == 199;

		assert_int_equal(threads[i].tag,
				 is_bad ? KTSTR_JEMALLOC_READ_FAILED : KTSTR_JEMALLOC_OK);
		if (!is_bad)
			assert_int_equal(threads[i].counters.allocated, 1000 + i);
	}
	munmap(hole, 1 << 16);
}

static void what_breaks_the_rules_is_no_number(void **state)
{
	struct place places[3] = { 0 };
	struct jemalloc_running threads[3];
	uint64_t beyond = 5000;

	(void)state;
	plant(&places[0], 1000, 10);
	memcpy(places[0].tsd + ALLOCATED_AT, &beyond, sizeof(beyond));
	plant(&places[1], 1000, 10);
	places[1].tsd[JEMALLOC_COUNTERS_AT] = 9;
	plant(&places[2], 1000, 10);
	point_at(threads, places, 3);
	jemalloc_read_running(&known, (uint32_t)getpid(), threads, 3);
	assert_int_equal(threads[0].tag, KTSTR_JEMALLOC_IMPLAUSIBLE);
	assert_int_equal(threads[1].tag, KTSTR_JEMALLOC_IMPLAUSIBLE);
	assert_int_equal(threads[2].tag, KTSTR_JEMALLOC_OK);
}

static void threads_that_never_allocated_have_zero(void **state)
{
	struct jemalloc_running thread;
	struct place place = { 0 };

	(void)state;
	place.tsd[JEMALLOC_COUNTERS_AT] = STATE_UNINITIALIZED;
	point_at(&thread, &place, 1);
	jemalloc_read_running(&known, (uint32_t)getpid(), &thread, 1);
	assert_int_equal(thread.tag, KTSTR_JEMALLOC_OK);
	assert_int_equal(thread.counters.allocated, 0);
}

static void processes_that_ended_are_gone(void **state)
{
	struct jemalloc_running thread;
	struct place place = { 0 };
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	point_at(&thread, &place, 1);
	jemalloc_read_running(&known, (uint32_t)pid, &thread, 1);
	assert_int_equal(thread.tag, KTSTR_JEMALLOC_THREAD_GONE);
}

/* Counters that run through what a copy in halves would show. */
static struct place busy;
static bool is_over;

static void *count(void *unused)
{
	uint64_t *allocated = (uint64_t *)(busy.tsd + ALLOCATED_AT);
	uint64_t *deallocated = (uint64_t *)(busy.tsd + DEALLOCATED_AT);

	(void)unused;
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(allocated, 0xff, __ATOMIC_RELAXED);
		__atomic_fetch_add(deallocated, 0xfffffff, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void busy_counters_are_never_torn(void **state)
{
	uint64_t last_allocated = 0, last_deallocated = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, count, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		struct jemalloc_running r;

		point_at(&r, &busy, 1);
		jemalloc_read_running(&unknown, (uint32_t)getpid(), &r, 1);
		assert_int_equal(r.tag, KTSTR_JEMALLOC_OK);
		assert_true(r.counters.allocated >= last_allocated);
		assert_true(r.counters.deallocated >= last_deallocated);
		assert_int_equal(r.counters.allocated % 0xff, 0);
		assert_int_equal(r.counters.deallocated % 0xfffffff, 0);
		last_allocated = r.counters.allocated;
		last_deallocated = r.counters.deallocated;
	}
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_are_read),
		cmocka_unit_test(one_unmapped_thread_costs_itself_only),
		cmocka_unit_test(what_breaks_the_rules_is_no_number),
		cmocka_unit_test(threads_that_never_allocated_have_zero),
		cmocka_unit_test(processes_that_ended_are_gone),
		cmocka_unit_test(busy_counters_are_never_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
