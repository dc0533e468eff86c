// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/crew.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/io.h"

struct shift {
	const struct crew *crew;
	atomic_size_t next;
	atomic_bool stop;
};

struct member {
	struct shift *shift;
	unsigned int index;
	int result;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct member *m = arg;
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

int crew_run(const struct crew *crew)
{
	struct shift shift = { .crew = crew };
	struct member members[CREW_MAX];
	unsigned int started = 1;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned int i = 0; i < crew->nr_members; i++)
		members[i] = (struct member){ .shift = &shift, .index = i };
	while (started < crew->nr_members && started < crew->nr_pieces &&
	       pthread_create(&members[started].thread, NULL, work, &members[started]) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	work(&members[0]);
	for (unsigned int i = 1; i < started; i++)
		pthread_join(members[i].thread, NULL);
	for (unsigned int i = 0; i < started; i++)
		if (members[i].result < 0)
			return members[i].result;
	return 0;
}

unsigned int crew_share(unsigned int online, unsigned int running)
{
	unsigned int most = online / 2 + 1 < CREW_MAX ? online / 2 + 1 : CREW_MAX;
	unsigned int others = running ? running - 1 : 0;

	if (others + 1 >= online)
		return 1;
	return online - others < most ? online - others : most;
}

unsigned int crew_size(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	unsigned int running;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    io_read_file("/proc/loadavg", &text, NULL) < 0 ||
	    sscanf(strbuf_str(&text), "%*s %*s %*s %u/", &running) != 1)
		return 1;
	return crew_share((unsigned int)CPU_COUNT(&cpus), running);
}
