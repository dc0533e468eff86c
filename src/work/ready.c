// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/ready.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/payload_check.h"

enum { MARKER_BYTES = 64, WORDS_BYTES = 256 };

struct ready {
	struct proc *proc;
	const struct ktstr_payload *payload;
	pid_t pid;
	char marker[MARKER_BYTES];
};

static bool is_marked(const struct ready *w)
{
	struct stat st;

	if (lstat(w->marker, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	return (uint64_t)st.st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)st.st_mtim.tv_nsec >=
	       proc_started_real_ns(w->proc);
}

static int ended(const struct ready *w, struct ktstr_error *err)
{
	char words[WORDS_BYTES], end[256];

	payload_describe_end(w->payload, proc_result(w->proc), end, sizeof(end));
	proc_last_words(w->proc, words, sizeof(words));
	return ktstr_error_set(err, -ECHILD, "payload '%s' (pid %d) %s %s ready marker '%s'; %s%s",
			       w->payload->name, (int)w->pid, end,
			       is_marked(w) ? "right after it wrote its" : "before it wrote its",
			       w->marker, words[0] ? "last on stderr: " : "nothing on stderr",
			       words);
}

static int timed_out(const struct ready *w, uint64_t timeout_ns, struct ktstr_error *err)
{
	char words[WORDS_BYTES];

	proc_last_words(w->proc, words, sizeof(words));
	return ktstr_error_set(err, -ETIMEDOUT,
			       "payload '%s' (pid %d) did not write its ready marker '%s' within "
			       "%llu ms and still runs; %s%s",
			       w->payload->name, (int)w->pid, w->marker,
			       (unsigned long long)(timeout_ns / NSEC_PER_MSEC),
			       words[0] ? "last on stderr: " : "nothing on stderr", words);
}

int ready_wait(struct proc *proc, const struct ktstr_payload *payload, uint64_t timeout_ns,
	       struct ktstr_error *err)
{
	struct ready w = { .proc = proc, .payload = payload, .pid = proc_pid(proc) };
	uint64_t start = clock_mono_ns();
	int r;

	if (w.pid < 0)
		return ktstr_error_set(err, -ESRCH, "payload '%s' has ended and was collected",
				       payload->name);
	snprintf(w.marker, sizeof(w.marker), READY_MARKER_FORMAT, (int)w.pid);
	for (;;) {
		bool late = clock_mono_ns() - start >= timeout_ns;
		bool marked = is_marked(&w);

		r = proc_wait(proc, marked || late ? 0 : READY_POLL_MS * NSEC_PER_MSEC);
		if (r != -ETIMEDOUT)
			return ended(&w, err);
		if (marked)
			return 0;
		if (late)
			return timed_out(&w, timeout_ns, err);
	}
}

void ready_forget(pid_t pid)
{
	char marker[MARKER_BYTES];

	snprintf(marker, sizeof(marker), READY_MARKER_FORMAT, (int)pid);
	unlink(marker);
}
