// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/crew.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/io.h"

static void *work(void *arg)
{
	struct crew_member *m = arg;
	const struct crew *crew = m->shift->crew;

	while (!atomic_load(&m->shift->stop)) {
		size_t piece = atomic_fetch_add(&m->shift->next, 1);

		if (piece >= crew->nr_pieces)
			break;
		m->result = crew->work(crew->members[m->index], piece);
		if (m->result < 0)
			atomic_store(&m->shift->stop, true);
	}
	return NULL;
}

void crew_begin(struct crew_shift *shift, const struct crew *crew, unsigned int helpers)
{
	struct crew_member *members = shift->members;
	sigset_t all, old;

	shift->crew = crew;
	shift->started = 1;
	atomic_init(&shift->next, 0);
	atomic_init(&shift->stop, false);
	for (unsigned int i = 0; i < crew->nr_members; i++)
		members[i] = (struct crew_member){ .shift = shift, .index = i };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (shift->started < crew->nr_members && shift->started <= helpers &&
	       pthread_create(&members[shift->started].thread, NULL, work,
			      &members[shift->started]) == 0)
		shift->started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void await_helpers(struct crew_shift *shift)
{
	for (unsigned int i = 1; i < shift->started; i++)
		pthread_join(shift->members[i].thread, NULL);
}

void crew_abandon(struct crew_shift *shift)
{
	atomic_store(&shift->stop, true);
	await_helpers(shift);
}

int crew_end(struct crew_shift *shift)
{
	work(&shift->members[0]);
	await_helpers(shift);
	for (unsigned int i = 0; i < shift->started; i++)
		if (shift->members[i].result < 0)
			return shift->members[i].result;
	return 0;
}

int crew_run(const struct crew *crew)
{
	size_t helpers = crew->nr_pieces ? crew->nr_pieces - 1 : 0;
	struct crew_shift shift;

	crew_begin(&shift, crew, helpers < CREW_MAX ? (unsigned int)helpers : CREW_MAX);
	return crew_end(&shift);
}

unsigned int crew_share(unsigned int online, unsigned int running)
{
	unsigned int most = online / 2 + 1 < CREW_MAX ? online / 2 + 1 : CREW_MAX;
	unsigned int others = running ? running - 1 : 0;

	if (others + 1 >= online)
		return 1;
	return online - others < most ? online - others : most;
}

int crew_look(struct crew_machine *ret_machine)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(256);
	unsigned int running, threads;
	cpu_set_t cpus;
	int r;

	CPU_ZERO(&cpus);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return -errno;
	r = io_read_file("/proc/loadavg", &text, NULL);
	if (r < 0)
		return r;
	if (sscanf(strbuf_str(&text), "%*s %*s %*s %u/%u", &running, &threads) != 2)
		return -EINVAL;
	*ret_machine =
		(struct crew_machine){ .size = crew_share((unsigned int)CPU_COUNT(&cpus), running),
				       .threads = threads };
	return 0;
}

unsigned int crew_size(void)
{
	struct crew_machine machine;

	return crew_look(&machine) < 0 ? 1 : machine.size;
}
