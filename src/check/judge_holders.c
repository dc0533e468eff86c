// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/judge_private.h"

/* Names that are collected, and those that a sentence has room for. */
enum { SPENT_NAMES = 64, SPENT_SHOWN = 5, CPUS_TEXT = 128 };
/* What rounds to nothing is left out. */
#define LEAST_PERCENT 0.5
/* An idle CPU is worth a word from here on. */
#define IDLE_PERMILLE 50
#define LEAST_IDLE_NS NSEC_PER_MSEC

/* How CPUs spent some time, all of them together. */
struct spent {
	struct rec_holder who[SPENT_NAMES]; /* "idle" too */
	size_t nr;
	uint64_t all_ns, known_ns; /* known_ns may have parts without a name */
	const struct rec_cpu *idlest;
};

static void add_who(struct spent *spent, const char *who, uint64_t ns)
{
	for (size_t i = 0; i < spent->nr; i++) {
		if (strcmp(spent->who[i].who, who) != 0)
			continue;
		spent->who[i].ns += ns;
		return;
	}
	if (spent->nr < SPENT_NAMES)
		spent->who[spent->nr++] = (struct rec_holder){ who, ns };
}

static int by_time(const void *a, const void *b)
{
	const struct rec_holder *left = a, *right = b;

	if (left->ns != right->ns)
		return left->ns < right->ns ? 1 : -1;
	return strcmp(left->who, right->who);
}

static void add_share(struct strbuf *out, const char **separator, const char *who, double percent)
{
	if (percent <= LEAST_PERCENT)
		return;
	strbuf_addf(out, "%s%s (%.0f %%)", *separator, who, percent);
	*separator = ", ";
}

static void add_cpus(struct strbuf *out, const struct cpuset *cpus)
{
	char text[CPUS_TEXT];

	strbuf_addf(out, "CPU%s %s", cpuset_count(cpus) == 1 ? "" : "s",
		    cpuset_format(cpus, text, sizeof(text)));
}

static void add_shares(struct strbuf *out, struct spent *spent)
{
	uint64_t shown_ns = 0;
	const char *separator = " ";
	double percent_ns = (double)spent->all_ns / 100;

	qsort(spent->who, spent->nr, sizeof(spent->who[0]), by_time);
	for (size_t i = 0; i < spent->nr && i < SPENT_SHOWN; i++) {
		add_share(out, &separator, spent->who[i].who,
			  (double)spent->who[i].ns / percent_ns);
		shown_ns += spent->who[i].ns;
	}
	if (spent->known_ns > shown_ns)
		add_share(out, &separator, "others",
			  (double)(spent->known_ns - shown_ns) / percent_ns);
	if (spent->all_ns > spent->known_ns)
		add_share(out, &separator, "not known",
			  (double)(spent->all_ns - spent->known_ns) / percent_ns);
}

static void add_ran(struct strbuf *out, const struct cpuset *cpus, struct spent *spent)
{
	/* CPUs are looked at a moment after the step has ended. */
	if (spent->all_ns < spent->known_ns)
		spent->all_ns = spent->known_ns;
	add_cpus(out, cpus);
	strbuf_addstr(out, " ran");
	add_shares(out, spent);
}

/* --- of a wait --- */

static void add_idle_beside(struct strbuf *out, const struct rec_wait *wait)
{
	if (wait->idle_ns < wait->wait_ns / 1000 * IDLE_PERMILLE || wait->idle_ns < LEAST_IDLE_NS ||
	    !wait->idle_cpu.known)
		return;
	strbuf_addf(out, "; CPU %u was idle for ", (unsigned int)wait->idle_cpu.value);
	text_add_duration(out, wait->idle_ns);
	strbuf_addstr(out, " at a stretch while it waited");
}

bool words_add_wait_holders(struct strbuf *out, const struct rec_wait *wait)
{
	struct spent spent = { .all_ns = wait ? wait->wait_ns * cpuset_count(&wait->allowed) : 0 };

	if (!spent.all_ns || !wait->nr_holders)
		return false;
	for (size_t i = 0; i < wait->nr_holders; i++) {
		add_who(&spent, wait->holders[i].who, wait->holders[i].ns);
		spent.known_ns += wait->holders[i].ns;
	}
	if (wait->held_ns.known && wait->held_ns.value > spent.known_ns)
		spent.known_ns = wait->held_ns.value;
	strbuf_addstr(out, " while ");
	add_ran(out, &wait->allowed, &spent);
	return true;
}

void words_add_longest_wait(struct strbuf *out, const struct judge *j, const struct rec_wait *wait)
{
	text_add_duration(out, wait->wait_ns);
	words_add_when(out, j, wait->begin_ns);
	if (wait->open)
		strbuf_addstr(out, " until the end of the step");
}

void words_add_holders(struct strbuf *out, const struct judge *j, const struct rec_worker *w)
{
	if (words_add_wait_holders(out, w->wait))
		add_idle_beside(out, w->wait);
	else
		words_add_cpus(out, j, w->step, &w->allowed);
}

void words_add_longest_held(struct strbuf *out, const struct judge *j, const struct rec_worker *w,
			    const char *lead)
{
	if (w->wait && w->wait->nr_holders) {
		strbuf_addstr(out, lead);
		words_add_longest_wait(out, j, w->wait);
	}
	words_add_holders(out, j, w);
}

/* --- of a step --- */

static void add_cpu(struct spent *spent, const struct rec_cpu *cpu)
{
	if (!cpu->busy_ns.known || !cpu->idle_ns.known)
		return;
	spent->known_ns += (cpu->ran_known ? cpu->busy_ns.value : 0) + cpu->idle_ns.value;
	add_who(spent, "idle", cpu->idle_ns.value);
	for (size_t i = 0; i < cpu->nr_ran; i++)
		add_who(spent, cpu->ran[i].who, cpu->ran[i].ns);
	if (!spent->idlest || cpu->idle_ns.value > spent->idlest->idle_ns.value)
		spent->idlest = cpu;
}

static void add_idlest(struct strbuf *out, const struct rec_cpu *cpu)
{
	uint64_t idle_ns = cpu->idle_ns.value, all_ns = idle_ns + cpu->busy_ns.value;

	if (!idle_ns || idle_ns < all_ns / 1000 * IDLE_PERMILLE)
		return;
	strbuf_addf(out, "; CPU %u was idle for ", (unsigned int)cpu->cpu);
	text_add_duration(out, idle_ns);
	strbuf_addstr(out, " of ");
	text_add_duration(out, all_ns);
}

void words_add_cpus(struct strbuf *out, const struct judge *j, uint64_t step,
		    const struct cpuset *cpus)
{
	const struct rec_step *when = judge_step(j, step);
	struct spent spent = { .nr = 0 };

	if (!cpuset_count(cpus))
		return;
	for (size_t i = 0; i < j->r->nr_cpu_records; i++) {
		const struct rec_cpu *cpu = &j->r->cpus[i];

		if (cpu->step == step && cpuset_has(cpus, (uint32_t)cpu->cpu))
			add_cpu(&spent, cpu);
	}
	strbuf_addstr(out, "; ");
	if (!spent.known_ns) {
		strbuf_addstr(out, "the records do not say what ran on ");
		add_cpus(out, cpus);
		return;
	}
	spent.all_ns = cpuset_count(cpus) * (when->end_ns - when->begin_ns);
	strbuf_addstr(out, "in that step ");
	add_ran(out, cpus, &spent);
	add_idlest(out, spent.idlest);
}

void words_add_online(struct strbuf *out, const struct judge *j, uint64_t step)
{
	struct cpuset cpus = { { 0 } };

	for (size_t i = 0; i < j->r->nr_cpu_records; i++) {
		const struct rec_cpu *cpu = &j->r->cpus[i];

		if (cpu->step == step && (cpu->online || cpu->busy_ns.known))
			cpuset_add(&cpus, (uint32_t)cpu->cpu);
	}
	words_add_cpus(out, j, step, &cpus);
}
