// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/telemetry.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { PEAK_TRIES = 1 << 14 };

uint32_t wake_bucket(uint64_t ns)
{
	uint32_t octave, bucket;

	if (ns < WAKE_STEPS)
		return (uint32_t)ns;
	octave = 63 - (uint32_t)__builtin_clzll(ns) - WAKE_STEPS_LOG2;
	bucket = (octave + 1) * WAKE_STEPS + (uint32_t)(ns >> octave & (WAKE_STEPS - 1));
	return bucket < WAKE_BUCKETS ? bucket : WAKE_BUCKETS - 1;
}

uint64_t wake_bucket_end(uint32_t bucket)
{
	uint32_t octave = bucket / WAKE_STEPS, step = bucket % WAKE_STEPS;

	if (bucket >= WAKE_BUCKETS - 1)
		return UINT64_MAX;
	if (octave == 0)
		return step;
	return ((uint64_t)(WAKE_STEPS + step + 1) << (octave - 1)) - 1;
}

#define GET(field)	  atomic_load_explicit(&(field), memory_order_relaxed)
#define PUT(field, value) atomic_store_explicit(&(field), value, memory_order_relaxed)

void work_peak_raise(struct work_peak *peak, uint64_t ns, uint64_t at_ns, uint32_t cpu)
{
	uint32_t version = GET(peak->version);
	struct work_peak_copy *copy = &peak->copies[(version + 1) & 1];

	if (version > 0 && ns <= GET(peak->copies[version & 1].ns))
		return;
	PUT(copy->ns, ns);
	PUT(copy->at_ns, at_ns);
	PUT(copy->cpu, cpu);
	atomic_store_explicit(&peak->version, version + 1, memory_order_release);
}

void work_peak_read(const struct work_peak *peak, struct work_peak_value *ret_value)
{
	uint32_t version;

	for (int i = 0; i < PEAK_TRIES; i++) {
		const struct work_peak_copy *copy;

		version = atomic_load_explicit(&peak->version, memory_order_acquire);
		copy = &peak->copies[version & 1];
		*ret_value = (struct work_peak_value){ .ns = GET(copy->ns),
						       .at_ns = GET(copy->at_ns),
						       .cpu = GET(copy->cpu) };
		atomic_thread_fence(memory_order_acquire);
		if (GET(peak->version) == version)
			return;
	}
}

void work_allowed_set(struct work_allowed *allowed, const uint64_t cpus[WORK_CPU_WORDS],
		      uint64_t from_ns)
{
	uint32_t version = GET(allowed->version);
	struct work_allowed_copy *copy = &allowed->copies[(version + 1) & 1];

	for (int i = 0; i < WORK_CPU_WORDS; i++)
		PUT(copy->cpus[i], cpus[i]);
	PUT(copy->from_ns, from_ns);
	atomic_store_explicit(&allowed->version, version + 1, memory_order_release);
}

void work_allowed_read(const struct work_allowed *allowed, struct work_allowed_value *ret_value)
{
	for (int i = 0; i < PEAK_TRIES; i++) {
		const struct work_allowed_copy *copy;

		ret_value->version = atomic_load_explicit(&allowed->version, memory_order_acquire);
		copy = &allowed->copies[ret_value->version & 1];
		for (int w = 0; w < WORK_CPU_WORDS; w++)
			ret_value->cpus[w] = GET(copy->cpus[w]);
		ret_value->from_ns = GET(copy->from_ns);
		atomic_thread_fence(memory_order_acquire);
		if (GET(allowed->version) == ret_value->version)
			return;
	}
}

int work_futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns)
{
	struct timespec limit = { .tv_sec = (time_t)(timeout_ns / NSEC_PER_SEC),
				  .tv_nsec = (long)(timeout_ns % NSEC_PER_SEC) };

	if (syscall(SYS_futex, word, FUTEX_WAIT, seen, timeout_ns == UINT64_MAX ? NULL : &limit,
		    NULL, 0) == 0)
		return 0;
	return -errno;
}

void work_futex_wake(_Atomic uint32_t *word, int waiters)
{
	syscall(SYS_futex, word, FUTEX_WAKE, waiters, NULL, NULL, 0);
}
