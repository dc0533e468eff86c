// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/io.h"
#include "ctprof/bpf_load.h"
#include "ctprof/collect.h"

static int fill_with(struct collect *c, const struct collector *collector, struct ktstr_error *err)
{
	struct builder *b = c->builder;
	int r = collector->fill(c, err);

	if (r < 0)
		return r;
	b->head.collector = builder_intern(b, collector->name, strlen(collector->name));
	return b->head.collector ? 0 : ktstr_error_nomem(err);
}

/* How many there are to be read, roughly; 0: unknown. */
static uint64_t count_threads(const struct collect *c)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(256);
	unsigned int threads;
	const char *slash;
	struct stat st;
	char path[32];

	if (c->opts->pid) {
		snprintf(path, sizeof(path), "%d/task", (int)c->opts->pid);
		return fstatat(c->proc_fd, path, &st, 0) < 0 ? 0 : st.st_nlink - 2;
	}
	if (io_read_file_at(c->proc_fd, "loadavg", &text) < 0)
		return 0;
	slash = strchr(strbuf_str(&text), '/');
	return slash && sscanf(slash, "/%u", &threads) == 1 ? threads : 0;
}

/* Loading costs as much as reading many threads by procfs.  Return: 0; -EOPNOTSUPP with the
 * reason. */
static int check_bpf_pays(const struct collect *c, struct ktstr_error *err)
{
	uint64_t threads = count_threads(c);
	struct utsname uts;

	uname(&uts);
	if (!threads || threads >= bpf_pays_from(uts.release))
		return 0;
	return ktstr_error_set(err, -EOPNOTSUPP,
			       "the BPF collector was not used: loading it costs more than reading "
			       "the files of %" PRIu64 " threads",
			       threads);
}

/* Copies of /proc are no machine, so nobody is told that BPF cannot see them. */
int collect_threads(struct collect *c, struct ktstr_error *err)
{
	enum ktstr_ctprof_collector wanted = c->opts->collector;
	struct ktstr_error why = { 0 };
	int r;

	if (wanted == KTSTR_COLLECTOR_BPF)
		return fill_with(c, &bpf_collector, err);
	if (wanted == KTSTR_COLLECTOR_PROCFS || !c->live)
		return fill_with(c, &procfs_collector, err);
	r = check_bpf_pays(c, &why);
	if (r == 0)
		r = fill_with(c, &bpf_collector, &why);
	if (r == 0)
		return 0;
	if (r != -EOPNOTSUPP) {
		if (err)
			*err = why;
		return r;
	}
	if (builder_warn(c->builder, "%s", why.text) < 0)
		return ktstr_error_nomem(err);
	return fill_with(c, &procfs_collector, err);
}
