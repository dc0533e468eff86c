// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/self.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define GET(field)	  atomic_load_explicit(&(field), memory_order_relaxed)
#define PUT(field, value) atomic_store_explicit(&(field), value, memory_order_relaxed)

static void add(_Atomic uint64_t *field, uint64_t more)
{
	PUT(*field, GET(*field) + more);
}

bool work_is_stopped(const struct work_self *self)
{
	return self->shared->stop || self->troubled;
}

bool work_goes_on(const struct work_self *self)
{
	return !work_is_stopped(self) &&
	       (self->work->iterations == 0 || self->done < self->work->iterations);
}

void work_did_many(struct work_self *self, uint64_t iterations)
{
	self->done += iterations;
	add(&self->slot->iterations, iterations);
}

void work_did(struct work_self *self)
{
	work_did_many(self, 1);
}

void work_finish(struct work_self *self)
{
	self->finished = !work_is_stopped(self);
}

void work_trouble(struct work_self *self, const char *what, int error)
{
	if (self->troubled)
		return;
	self->troubled = true;
	snprintf(self->seat->trouble, sizeof(self->seat->trouble), "%s: %s", what, strerror(error));
}

static void follow_phase(struct work_self *self)
{
	uint32_t phase = atomic_load_explicit(&self->shared->phase, memory_order_acquire);
	uint64_t begin_ns;

	if (phase == self->phase)
		return;
	begin_ns = GET(self->shared->phase_begin_ns[phase]);
	self->phase = phase;
	self->slot = &self->seat->slots[phase];
	if (self->since_ns < begin_ns)
		self->since_ns = begin_ns;
	if (self->sign_ns < begin_ns)
		self->sign_ns = begin_ns;
}

static void follow_allowed(struct work_self *self)
{
	if (GET(self->seat->allowed.version) != self->allowed.version)
		work_allowed_read(&self->seat->allowed, &self->allowed);
}

bool work_allowed(struct work_self *self, uint64_t cpus[WORK_CPU_WORDS])
{
	follow_allowed(self);
	if (self->allowed.version == 0)
		return false;
	memcpy(cpus, self->allowed.cpus, sizeof(self->allowed.cpus));
	return true;
}

static void look_outside(struct work_self *self, uint64_t now_ns, uint32_t cpu)
{
	uint64_t from_ns;

	follow_allowed(self);
	if (self->allowed.version == 0 || now_ns < self->allowed.from_ns ||
	    (self->allowed.cpus[cpu / 64] >> cpu % 64 & 1))
		return;
	from_ns = self->sign_ns > self->allowed.from_ns ? self->sign_ns : self->allowed.from_ns;
	if (self->since_ns > from_ns)
		from_ns = self->since_ns;
	PUT(self->slot->outside[cpu / 64], GET(self->slot->outside[cpu / 64]) | 1ull << cpu % 64);
	add(&self->slot->outside_ns, now_ns > from_ns ? now_ns - from_ns : 0);
}

static void note_cpu(struct work_self *self, uint64_t now_ns)
{
	uint32_t cpu = (uint32_t)sched_getcpu();
	struct work_slot *slot = self->slot;

	if (cpu >= WORK_CPU_WORDS * 64)
		return;
	if (cpu != self->cpu) {
		if (self->cpu != UINT32_MAX)
			add(&slot->migrations, 1);
		self->cpu = cpu;
		PUT(self->seat->cpu, cpu);
	}
	if (!(GET(slot->cpus[cpu / 64]) >> cpu % 64 & 1))
		PUT(slot->cpus[cpu / 64], GET(slot->cpus[cpu / 64]) | 1ull << cpu % 64);
	look_outside(self, now_ns, cpu);
}

static uint64_t sign_at(struct work_self *self, uint64_t now_ns)
{
	follow_phase(self);
	/* It may have stood still between reading the clock and the phase, frozen or not picked. */
	if (now_ns < self->since_ns)
		now_ns = self->since_ns;
	note_cpu(self, now_ns);
	if (GET(self->slot->first_ns) == 0)
		PUT(self->slot->first_ns, now_ns);
	PUT(self->slot->last_ns, now_ns);
	if (now_ns > self->since_ns)
		work_peak_raise(&self->slot->gap, now_ns - self->since_ns, self->since_ns,
				self->cpu);
	self->since_ns = self->sign_ns = now_ns;
	PUT(self->seat->wants_ns, now_ns);
	return now_ns;
}

uint64_t work_sign(struct work_self *self)
{
	return sign_at(self, clock_mono_ns());
}

void work_begin(struct work_self *self)
{
	self->phase = UINT32_MAX;
	self->cpu = UINT32_MAX;
	self->since_ns = self->sign_ns = GET(self->shared->go_ns);
	work_sign(self);
}

__attribute__((noinline)) uint64_t work_unit(uint64_t x)
{
	for (int i = 0; i < SPIN_UNIT; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

void work_count_unit(struct work_self *self)
{
	add(&self->slot->units, 1);
	work_sign(self);
}

static uint64_t burn_one(struct work_self *self)
{
	self->spun = work_unit(self->spun);
	work_count_unit(self);
	return self->sign_ns;
}

void work_burn(struct work_self *self, uint64_t units)
{
	for (uint64_t i = 0; i < units && !work_is_stopped(self); i++)
		burn_one(self);
}

void work_burn_until(struct work_self *self, uint64_t end_ns)
{
	while (burn_one(self) < end_ns && !work_is_stopped(self))
		;
}

/* It runs again, and has wanted to since @woken_ns. */
static void wake_up(struct work_self *self, uint64_t now_ns, uint64_t woken_ns)
{
	uint64_t late_ns;
	uint32_t bucket;

	self->since_ns = woken_ns < now_ns ? woken_ns : now_ns;
	follow_phase(self);
	late_ns = now_ns > self->since_ns ? now_ns - self->since_ns : 0;
	bucket = wake_bucket(late_ns);
	PUT(self->slot->wakes[bucket], GET(self->slot->wakes[bucket]) + 1);
	work_peak_raise(&self->slot->wake, late_ns, now_ns, self->cpu);
}

void work_sleep_until(struct work_self *self, uint64_t due_ns)
{
	struct timespec due = { .tv_sec = (time_t)(due_ns / NSEC_PER_SEC),
				.tv_nsec = (long)(due_ns % NSEC_PER_SEC) };
	uint64_t now_ns = work_sign(self);

	if (due_ns <= now_ns || work_is_stopped(self))
		return;
	PUT(self->seat->wants_ns, due_ns);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR &&
	       !work_is_stopped(self))
		;
	now_ns = clock_mono_ns();
	if (now_ns >= due_ns)
		wake_up(self, now_ns, due_ns);
	else
		self->since_ns = now_ns;
	sign_at(self, now_ns);
}

void work_wait_begin(struct work_self *self)
{
	work_sign(self);
	atomic_store(&self->seat->wants_ns, WORK_NEVER);
}

void work_wait_end(struct work_self *self)
{
	uint64_t woken_ns = atomic_load(&self->seat->wants_ns), now_ns = clock_mono_ns();

	if (woken_ns != WORK_NEVER)
		wake_up(self, now_ns, woken_ns);
	else
		self->since_ns = now_ns;
	sign_at(self, now_ns);
}

void work_note_wake(struct work_self *self, uint32_t member)
{
	struct work_seat *seat = self->seat - self->member + member;
	uint64_t never = WORK_NEVER;

	if (atomic_load(&seat->wants_ns) == WORK_NEVER)
		atomic_compare_exchange_strong(&seat->wants_ns, &never, clock_mono_ns());
}

void work_ring(struct work_self *self, struct work_bell *bell, uint32_t member)
{
	work_note_wake(self, member);
	atomic_fetch_add(&bell->rings, 1);
	work_futex_wake(&bell->rings, 1);
}

bool work_wait_bell(struct work_self *self, struct work_bell *bell)
{
	bool rang = work_wait_word(self, &bell->rings, bell->taken);

	bell->taken = atomic_load(&bell->rings);
	return rang;
}

void work_call_all(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	work_futex_wake(word, INT_MAX);
}

bool work_wait_word(struct work_self *self, _Atomic uint32_t *word, uint32_t seen)
{
	if (atomic_load(word) == seen) {
		work_wait_begin(self);
		while (atomic_load(word) == seen && !work_is_stopped(self))
			work_futex_wait(word, seen, UINT64_MAX);
		work_wait_end(self);
	}
	return atomic_load(word) != seen;
}

bool work_lock(struct work_self *self, struct work_lock *lock)
{
	struct work_bell *bell = &lock->bells[self->member];
	uint32_t ticket = atomic_fetch_add(&lock->next, 1);

	atomic_store(&lock->asked[ticket % WORK_GROUP_MAX], (uint64_t)ticket << 32 | self->member);
	while (atomic_load(&lock->serving) != ticket && !work_is_stopped(self))
		work_wait_bell(self, bell);
	return atomic_load(&lock->serving) == ticket;
}

void work_unlock(struct work_self *self, struct work_lock *lock)
{
	uint32_t ticket = atomic_fetch_add(&lock->serving, 1) + 1;
	uint64_t asked = atomic_load(&lock->asked[ticket % WORK_GROUP_MAX]);
	uint32_t member = (uint32_t)asked;

	/* One that has drawn its ticket but has not told yet looks at serving before it waits. */
	if (asked >> 32 == ticket && atomic_load(&lock->next) != ticket)
		work_ring(self, &lock->bells[member], member);
}
