// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/aside.h"

#include <errno.h>
#include <string.h>

static int read_part(void *member, size_t part)
{
	struct aside *aside = member;
	struct collect *c = &aside->collects[part];

	return part == ASIDE_HOST ? collect_host(c) : collect_process(c, 1, NULL);
}

void aside_begin(struct aside *aside, const struct collect *c, unsigned int readers,
		 bool wants_first)
{
	unsigned int parts = wants_first ? ASIDE_NR_PARTS : ASIDE_FIRST_PROCESS;

	if (aside->begun)
		return;
	aside->begun = true;
	for (unsigned int i = 0; i < parts; i++) {
		aside->collects[i] = *c;
		aside->collects[i].builder = &aside->builders[i];
	}
	aside->crew =
		(struct crew){ .work = read_part, .nr_members = parts + 1, .nr_pieces = parts };
	for (unsigned int i = 0; i < aside->crew.nr_members; i++)
		aside->crew.members[i] = aside;
	crew_begin(&aside->shift, &aside->crew, readers - 1);
}

static int take_host(struct builder *b, const struct ktstr_ctprof_host *from)
{
	struct ktstr_ctprof_host *to = &b->head.host;

	*to = *from;
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_HOST_TEXTS; i++) {
		if (!from->texts[i])
			continue;
		to->texts[i] = builder_intern(b, from->texts[i], strlen(from->texts[i]));
		if (!to->texts[i])
			return -ENOMEM;
	}
	return 0;
}

int aside_end(struct aside *aside, struct collect *c, bool takes_first)
{
	int r;

	if (!aside->begun)
		return 0;
	aside->begun = false;
	r = crew_end(&aside->shift);
	if (r == 0)
		r = take_host(c->builder, &aside->builders[ASIDE_HOST].head.host);
	c->host_known = r == 0;
	if (r == 0 && takes_first)
		r = builder_join(c->builder, &aside->builders[ASIDE_FIRST_PROCESS]);
	return r;
}

void aside_deinit(struct aside *aside)
{
	if (aside->begun)
		crew_abandon(&aside->shift);
	for (unsigned int i = 0; i < ASIDE_NR_PARTS; i++)
		builder_deinit(&aside->builders[i]);
	aside->begun = false;
}
