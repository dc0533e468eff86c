// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/watch_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, NOBODY = -1 };

/* A CPU ran one thread from begin on, until the next turn's begin. */
struct turn {
	uint64_t begin_ns;
	pid_t tid;
	char comm[WATCH_COMM];
};

enum { TALLY_BITS = 7, TALLY_SLOTS = 1 << TALLY_BITS, TALLY_NAMES = TALLY_SLOTS / 2 };

/* Added to at each switch, when there may be a name for each worker. */
struct tally {
	struct watch_holder who[TALLY_NAMES];
	uint8_t slots[TALLY_SLOTS]; /* by name: 1 + its place in who; 0: none */
	uint32_t nr;
	uint64_t ns; /* of all, also those that found no room */
};

struct cpu {
	struct turn turns[WATCH_TURNS];
	uint64_t nr_turns;	   /* since events were lost; the last one goes on */
	uint64_t busy_ns, idle_ns; /* of the window, without the turn that goes on */
	struct tally ran;	   /* in busy_ns */
	bool is_whole;		   /* it was there when the window began, and nothing was lost */
};

enum activity { UNKNOWN, BLOCKED, WAITING, RUNNING };

struct thread {
	pid_t tid; /* 0: free */
	int next;  /* in its bucket */
	enum activity activity;
	uint64_t since_ns;
	uint32_t cpu; /* RUNNING: where */
	uint64_t cpus[WATCH_CPU_WORDS];
	uint64_t near[WATCH_CPU_WORDS];
	uint64_t allowed_ns; /* since when */
	struct watch_wait wait;
};

struct watch_state {
	uint32_t nr_cpus;
	struct cpu *cpus;
	struct thread threads[WATCH_THREADS];
	uint32_t nr_threads; /* slots ever used */
	int buckets[BUCKETS];
	uint64_t begin_ns;
	uint64_t lost;
};

struct watch_state *watch_state_create(uint32_t nr_cpus)
{
	struct watch_state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->nr_cpus = nr_cpus;
	state->cpus = calloc(nr_cpus, sizeof(*state->cpus));
	for (size_t i = 0; i < BUCKETS; i++)
		state->buckets[i] = NOBODY;
	if (state->cpus)
		return state;
	free(state);
	return NULL;
}

void watch_state_destroy(struct watch_state *state)
{
	if (!state)
		return;
	free(state->cpus);
	free(state);
}

static struct thread *find(const struct watch_state *state, pid_t tid)
{
	int i = tid > 0 ? state->buckets[(uint32_t)tid % BUCKETS] : NOBODY;

	while (i != NOBODY && state->threads[i].tid != tid)
		i = state->threads[i].next;
	return i == NOBODY ? NULL : (struct thread *)&state->threads[i];
}

static bool has(const uint64_t cpus[WATCH_CPU_WORDS], uint32_t cpu)
{
	return cpus[cpu / 64] >> (cpu % 64) & 1;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t from_to(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static const struct turn *current(const struct cpu *cpu)
{
	return cpu->nr_turns ? &cpu->turns[(cpu->nr_turns - 1) % WATCH_TURNS] : NULL;
}

static bool is_idle(const struct cpu *cpu)
{
	const struct turn *turn = current(cpu);

	return turn && turn->tid == 0;
}

/* --- while one waits, another CPU is idle ----------------------------------------------------- */
static void note_idle(struct watch_wait *wait, uint32_t cpu, uint64_t from, uint64_t to)
{
	uint64_t ns = from_to(from, to);

	if (ns <= wait->idle_ns)
		return;
	wait->idle_ns = ns;
	wait->idle_begin_ns = from;
	wait->idle_cpu = cpu;
}

static void note_idle_cpus(const struct watch_state *state, const struct thread *thread,
			   uint64_t now_ns, struct watch_wait *wait)
{
	for (uint32_t c = 0; c < state->nr_cpus; c++) {
		const struct cpu *cpu = &state->cpus[c];

		if (has(thread->cpus, c) && is_idle(cpu))
			note_idle(wait, c,
				  later(later(current(cpu)->begin_ns, thread->since_ns),
					thread->allowed_ns),
				  now_ns);
	}
}

static void note_waiters(struct watch_state *state, uint32_t c, uint64_t idle_ns, uint64_t now_ns)
{
	for (uint32_t i = 0; i < state->nr_threads; i++) {
		struct thread *thread = &state->threads[i];

		if (thread->tid && thread->activity == WAITING && has(thread->cpus, c))
			note_idle(&thread->wait, c,
				  later(later(idle_ns, thread->since_ns), thread->allowed_ns),
				  now_ns);
	}
}

/* --- who held the CPUs ------------------------------------------------------------------------ */
/* Names are filled up with zeros, so that they compare as numbers do. */
static uint8_t *slot_of(struct tally *tally, const char name[static WATCH_COMM])
{
	uint64_t part[2];
	uint32_t at;

	_Static_assert(sizeof(part) == WATCH_COMM, "two numbers");
	memcpy(part, name, sizeof(part));
	at = (uint32_t)(((part[0] ^ part[1] * 31) * UINT64_C(0x9e3779b97f4a7c15)) >>
			(64 - TALLY_BITS));
	while (tally->slots[at] &&
	       memcmp(tally->who[tally->slots[at] - 1].who, name, WATCH_COMM) != 0)
		at = (at + 1) % TALLY_SLOTS;
	return &tally->slots[at];
}

static void add_holder(struct tally *tally, const struct turn *turn, uint64_t ns)
{
	static const char idle[WATCH_COMM] = "idle";
	const char *name = turn->tid ? turn->comm : idle;
	uint8_t *slot;

	if (!ns)
		return;
	tally->ns += ns;
	slot = slot_of(tally, name);
	if (!*slot) {
		if (tally->nr == TALLY_NAMES)
			return;
		memcpy(tally->who[tally->nr].who, name, WATCH_COMM);
		tally->who[tally->nr].ns = 0;
		*slot = (uint8_t)++tally->nr;
	}
	tally->who[*slot - 1].ns += ns;
}

static void tally_clear(struct tally *tally)
{
	memset(tally->slots, 0, sizeof(tally->slots));
	tally->nr = 0;
	tally->ns = 0;
}

/* Back from the latest turn, as far as they are remembered. */
static void add_holders(const struct cpu *cpu, uint64_t from, uint64_t to, struct tally *tally)
{
	uint64_t end = to, nr = cpu->nr_turns;
	uint64_t oldest = nr > WATCH_TURNS ? nr - WATCH_TURNS : 0;

	while (nr > oldest) {
		const struct turn *turn = &cpu->turns[--nr % WATCH_TURNS];
		uint64_t begin = later(turn->begin_ns, from);

		if (begin < end)
			add_holder(tally, turn, end - begin);
		if (turn->begin_ns <= from)
			return;
		if (turn->begin_ns < end)
			end = turn->begin_ns;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct watch_holder *left = a, *right = b;

	if (left->ns != right->ns)
		return left->ns < right->ns ? 1 : -1;
	return strncmp(left->who, right->who, WATCH_COMM);
}

static uint32_t keep_longest(struct tally *tally, struct watch_holder *to, uint32_t limit)
{
	uint32_t nr = tally->nr < limit ? tally->nr : limit;

	qsort(tally->who, tally->nr, sizeof(tally->who[0]), by_time);
	memcpy(to, tally->who, nr * sizeof(tally->who[0]));
	return nr;
}

static void name_holders(const struct watch_state *state, const struct thread *thread, uint64_t to,
			 struct watch_wait *wait)
{
	struct tally tally;

	tally_clear(&tally);
	for (uint32_t c = 0; c < state->nr_cpus; c++)
		if (has(thread->cpus, c))
			add_holders(&state->cpus[c], wait->begin_ns, to, &tally);
	wait->held_ns = tally.ns;
	wait->nr_holders = keep_longest(&tally, wait->holders, WATCH_HOLDERS);
}

/* Short waits are of no interest until they are the longest, and then nobody asks for what held CPUs. */
static void note_wait(const struct watch_state *state, const struct thread *thread, uint64_t to,
		      struct watch_wait *wait)
{
	uint64_t ns = from_to(thread->since_ns, to);

	wait->waits_ns += from_to(later(thread->since_ns, state->begin_ns), to);
	note_idle_cpus(state, thread, to, wait);
	if (ns <= wait->wait_ns)
		return;
	wait->wait_ns = ns;
	wait->begin_ns = thread->since_ns;
	if (ns >= 1000000)
		name_holders(state, thread, to, wait);
	else
		wait->nr_holders = 0;
}

static void note_run(const struct watch_state *state, const struct thread *thread, uint64_t to,
		     struct watch_wait *wait)
{
	uint64_t from = later(thread->since_ns, state->begin_ns);

	wait->ran_ns += from_to(from, to);
	if (has(thread->near, thread->cpu))
		wait->near_ns += from_to(from, to);
	from = later(from, thread->allowed_ns + WATCH_GRACE_NS);
	if (has(thread->cpus, thread->cpu) || from >= to)
		return;
	wait->outside[thread->cpu / 64] |= UINT64_C(1) << (thread->cpu % 64);
	wait->outside_ns += to - from;
}

/* --- events ----------------------------------------------------------------------------------- */
static void become(struct thread *thread, enum activity activity, uint64_t time_ns)
{
	thread->activity = activity;
	thread->since_ns = time_ns;
}

static void leave(struct watch_state *state, pid_t tid, const struct watch_switch *event)
{
	struct thread *thread = find(state, tid);

	if (!thread)
		return;
	if (thread->activity == RUNNING)
		note_run(state, thread, event->time_ns, &thread->wait);
	become(thread, event->prev_waits ? WAITING : BLOCKED, event->time_ns);
}

static void enter(struct watch_state *state, const struct watch_switch *event)
{
	struct thread *thread = find(state, event->next);

	if (!thread)
		return;
	if (thread->activity == WAITING)
		note_wait(state, thread, event->time_ns, &thread->wait);
	become(thread, RUNNING, event->time_ns);
	thread->cpu = event->cpu;
	thread->wait.seen = true;
	thread->wait.switches++;
}

static void end_turn(struct watch_state *state, uint32_t c, uint64_t now_ns)
{
	struct cpu *cpu = &state->cpus[c];
	const struct turn *turn = current(cpu);
	uint64_t ns;

	if (!turn)
		return;
	ns = from_to(later(turn->begin_ns, state->begin_ns), now_ns);
	if (turn->tid) {
		cpu->busy_ns += ns;
		add_holder(&cpu->ran, turn, ns);
	} else {
		cpu->idle_ns += ns;
		note_waiters(state, c, turn->begin_ns, now_ns);
	}
}

void watch_state_switch(struct watch_state *state, const struct watch_switch *event)
{
	struct cpu *cpu;
	struct turn *turn;

	if (event->cpu >= state->nr_cpus)
		return;
	cpu = &state->cpus[event->cpu];
	end_turn(state, event->cpu, event->time_ns);
	if (!cpu->nr_turns && cpu->is_whole && !event->prev)
		cpu->idle_ns += from_to(state->begin_ns, event->time_ns);
	leave(state, event->prev, event);
	turn = &cpu->turns[cpu->nr_turns++ % WATCH_TURNS];
	*turn = (struct turn){ .begin_ns = event->time_ns, .tid = event->next };
	memcpy(turn->comm, event->next_comm, strnlen(event->next_comm, WATCH_COMM - 1));
	enter(state, event);
}

void watch_state_wake(struct watch_state *state, pid_t tid, uint64_t time_ns)
{
	struct thread *thread = find(state, tid);

	/* Woken before it left its CPU: it goes on running. */
	if (!thread || thread->activity == RUNNING || thread->activity == WAITING)
		return;
	become(thread, WAITING, time_ns);
	thread->wait.seen = true;
}

void watch_state_lost(struct watch_state *state, uint64_t events)
{
	state->lost += events;
	for (uint32_t i = 0; i < state->nr_threads; i++)
		state->threads[i].activity = UNKNOWN;
	for (uint32_t c = 0; c < state->nr_cpus; c++)
		watch_state_cpu_gone(state, c);
}

void watch_state_cpu_gone(struct watch_state *state, uint32_t cpu)
{
	if (cpu >= state->nr_cpus)
		return;
	state->cpus[cpu].nr_turns = 0;
	state->cpus[cpu].is_whole = false;
}

/* --- what is asked for ------------------------------------------------------------------------ */
static struct thread *add_thread(struct watch_state *state, pid_t tid)
{
	uint32_t bucket = (uint32_t)tid % BUCKETS, i = 0;

	while (i < state->nr_threads && state->threads[i].tid)
		i++;
	if (i == WATCH_THREADS)
		return NULL;
	if (i == state->nr_threads)
		state->nr_threads++;
	state->threads[i] = (struct thread){ .tid = tid, .next = state->buckets[bucket] };
	state->buckets[bucket] = (int)i;
	return &state->threads[i];
}

int watch_state_track(struct watch_state *state, pid_t tid, const uint64_t cpus[WATCH_CPU_WORDS],
		      uint64_t now_ns)
{
	struct thread *thread = find(state, tid);

	if (!thread)
		thread = add_thread(state, tid);
	if (!thread)
		return -ENOSPC;
	memcpy(thread->cpus, cpus, sizeof(thread->cpus));
	thread->allowed_ns = now_ns;
	return 0;
}

void watch_state_forget(struct watch_state *state, pid_t tid)
{
	struct thread *thread = find(state, tid);
	int *link = &state->buckets[(uint32_t)tid % BUCKETS];

	if (!thread)
		return;
	while (&state->threads[*link] != thread)
		link = &state->threads[*link].next;
	*link = thread->next;
	thread->tid = 0;
}

void watch_state_begin(struct watch_state *state, uint64_t now_ns)
{
	state->begin_ns = now_ns;
	state->lost = 0;
	for (uint32_t i = 0; i < state->nr_threads; i++)
		state->threads[i].wait = (struct watch_wait){ 0 };
	for (uint32_t c = 0; c < state->nr_cpus; c++) {
		struct cpu *cpu = &state->cpus[c];

		cpu->busy_ns = cpu->idle_ns = 0;
		tally_clear(&cpu->ran);
		cpu->is_whole = true;
	}
}

int watch_state_near(struct watch_state *state, pid_t tid, const uint64_t cpus[WATCH_CPU_WORDS])
{
	struct thread *thread = find(state, tid);

	if (!thread)
		return -ESRCH;
	memcpy(thread->near, cpus, sizeof(thread->near));
	return 0;
}

int watch_state_read(const struct watch_state *state, pid_t tid, uint64_t now_ns,
		     struct watch_wait *ret_wait)
{
	const struct thread *thread = find(state, tid);

	if (!thread)
		return -ESRCH;
	*ret_wait = thread->wait;
	ret_wait->lost = state->lost;
	if (thread->activity == WAITING) {
		uint64_t before = ret_wait->wait_ns;

		note_wait(state, thread, now_ns, ret_wait);
		ret_wait->open = ret_wait->wait_ns > before;
	} else if (thread->activity == RUNNING) {
		ret_wait->seen = true;
		note_run(state, thread, now_ns, ret_wait);
	}
	return 0;
}

int watch_state_read_cpu(const struct watch_state *state, uint32_t cpu, uint64_t now_ns,
			 struct watch_cpu *ret_cpu)
{
	const struct cpu *c = cpu < state->nr_cpus ? &state->cpus[cpu] : NULL;
	const struct turn *turn = c ? current(c) : NULL;
	struct tally ran;
	uint64_t ns;

	if (!turn || state->lost)
		return -ENODATA;
	ran = c->ran;
	ns = from_to(later(turn->begin_ns, state->begin_ns), now_ns);
	if (turn->tid)
		add_holder(&ran, turn, ns);
	*ret_cpu = (struct watch_cpu){ .busy_ns = c->busy_ns + (turn->tid ? ns : 0),
				       .idle_ns = c->idle_ns + (turn->tid ? 0 : ns) };
	ret_cpu->nr_ran = keep_longest(&ran, ret_cpu->ran, WATCH_RAN);
	return 0;
}
