// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/collect.h"

#include <errno.h>
#include <fnmatch.h>

bool collect_wants_process(const struct collect *c, uint32_t tgid)
{
	return !c->opts->pid || tgid == (uint32_t)c->opts->pid;
}

static bool matches(const char *glob, const char *text)
{
	return !glob || (text && fnmatch(glob, text, 0) == 0);
}

bool collect_wants_comm(const struct collect *c, const char *comm, const char *pcomm)
{
	return matches(c->opts->comm_glob, comm) || (pcomm && matches(c->opts->comm_glob, pcomm));
}

bool collect_wants_cgroup(const struct collect *c, const char *path)
{
	return matches(c->opts->cgroup_glob, path);
}

bool collect_wants_thread(const struct collect *c, const struct ktstr_ctprof_thread *t)
{
	return collect_wants_process(c, t->tgid) &&
	       collect_wants_comm(c, t->texts[KTSTR_CTPROF_TEXT_COMM],
				  t->texts[KTSTR_CTPROF_TEXT_PCOMM]) &&
	       collect_wants_cgroup(c, t->texts[KTSTR_CTPROF_TEXT_CGROUP]);
}

void collect_apply_filters(struct collect *c)
{
	struct builder *b = c->builder;
	size_t kept = 0;

	if (!c->opts->pid && !c->opts->comm_glob && !c->opts->cgroup_glob)
		return;
	for (size_t i = 0; i < b->nr_threads; i++)
		if (collect_wants_thread(c, &b->threads[i]))
			builder_copy_thread(b, kept++, i);
	b->nr_threads = kept;
}

enum ktstr_ctprof_reason collect_reason(int error)
{
	switch (-error) {
	case ESRCH:
		return KTSTR_CTPROF_REASON_VANISHED;
	case EACCES:
	case EPERM:
		return KTSTR_CTPROF_REASON_PERMISSION;
	case EINVAL:
		return KTSTR_CTPROF_REASON_UNPARSABLE;
	case ENOENT:
	case ENODATA:
		return KTSTR_CTPROF_REASON_MISSING;
	default:
		return KTSTR_CTPROF_REASON_OTHER;
	}
}
