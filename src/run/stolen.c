// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/stolen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strbuf.h"

int stolen_init(struct stolen *s, const char *proc, pid_t pid)
{
	*s = (struct stolen){ .tasks = path_format("%s/%d/task", proc, (int)pid) };
	return s->tasks ? 0 : -ENOMEM;
}

void stolen_deinit(struct stolen *s)
{
	free(s->tasks);
	free(s->samples);
	*s = (struct stolen){ 0 };
}

static int read_task_file(const struct stolen *s, uint32_t tid, const char *name,
			  struct strbuf *ret_text)
{
	_cleanup_free_ char *path = path_format("%s/%u/%s", s->tasks, tid, name);

	return path ? io_read_file(path, ret_text, NULL) : -ENOMEM;
}

static bool is_vcpu(const struct stolen *s, uint32_t tid)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	return read_task_file(s, tid, "comm", &name) == 0 &&
	       (!strncmp(strbuf_str(&name), "CPU ", 4) ||
		!strncmp(strbuf_str(&name), "ALL CPUs", 8));
}

/* The second of three numbers. */
static bool read_delay(const struct stolen *s, uint32_t tid, uint64_t *ret_ns)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char *rest, *word;

	if (read_task_file(s, tid, "schedstat", &text) < 0 || !text.len)
		return false;
	rest = text.data;
	strsep(&rest, " ");
	word = strsep(&rest, " ");
	return word && rest && parse_u64(word, ret_ns) == 0;
}

static struct stolen_thread *thread_of(struct stolen *s, uint32_t tid)
{
	for (size_t i = 0; i < s->nr_threads; i++)
		if (s->threads[i].tid == (pid_t)tid)
			return &s->threads[i];
	if (s->nr_threads == STOLEN_THREADS)
		return NULL;
	s->threads[s->nr_threads] = (struct stolen_thread){ .tid = (pid_t)tid };
	return &s->threads[s->nr_threads++];
}

/* Return: false if something cannot be known. */
static bool ask(struct stolen *s, uint32_t tid, uint64_t *worst_ns)
{
	struct stolen_thread *thread;
	uint64_t delay_ns;

	if (!is_vcpu(s, tid))
		return true;
	thread = thread_of(s, tid);
	if (!thread || !read_delay(s, tid, &delay_ns) || delay_ns < thread->delay_ns)
		return false;
	if (delay_ns - thread->delay_ns > *worst_ns)
		*worst_ns = delay_ns - thread->delay_ns;
	thread->delay_ns = delay_ns;
	thread->seen = true;
	return true;
}

static bool ask_all(struct stolen *s, uint64_t *ret_worst_ns)
{
	_cleanup_closedir_ DIR *dir = opendir(s->tasks);
	struct dirent *entry;
	bool known = true;
	uint32_t tid;
	size_t nr = 0;

	if (!dir)
		return false;
	for (size_t i = 0; i < s->nr_threads; i++)
		s->threads[i].seen = false;
	while ((entry = readdir(dir)))
		if (parse_u32(entry->d_name, &tid) == 0 && !ask(s, tid, ret_worst_ns))
			known = false;
	for (size_t i = 0; i < s->nr_threads; i++)
		nr += s->threads[i].seen;
	return known && nr && nr == s->nr_threads;
}

static bool make_room(struct stolen *s)
{
	size_t size = s->size ? 2 * s->size : 256;
	struct judge_disturbance *samples;

	if (s->nr < s->size)
		return true;
	if (s->nr == STOLEN_SAMPLES)
		return false;
	samples = reallocarray(s->samples, size, sizeof(*samples));
	if (!samples)
		return false;
	s->samples = samples;
	s->size = size;
	return true;
}

void stolen_sample(struct stolen *s, uint64_t now_ns)
{
	size_t nr_before = s->nr_threads;
	uint64_t worst_ns = 0;
	bool known;

	if (!s->tasks || now_ns < s->next_ns)
		return;
	s->next_ns = now_ns + STOLEN_EVERY_NS;
	known = ask_all(s, &worst_ns);

	/* What a thread had waited before it was seen first says nothing of this sample. */
	if (known && s->sampled_ns && nr_before == s->nr_threads && make_room(s))
		s->samples[s->nr++] = (struct judge_disturbance){ s->sampled_ns, now_ns, worst_ns };
	s->sampled_ns = known ? now_ns : 0;
}

void stolen_heard(struct stolen *s, uint64_t guest_ns, uint64_t now_ns)
{
	int64_t offset_ns = (int64_t)(guest_ns - now_ns);

	if (!s->has_offset || offset_ns > s->offset_ns)
		s->offset_ns = offset_ns;
	s->has_offset = true;
}

static uint64_t in_guest(const struct stolen *s, uint64_t host_ns)
{
	int64_t ns = (int64_t)host_ns + s->offset_ns;

	return ns > 0 ? (uint64_t)ns : 0;
}

size_t stolen_conclude(struct stolen *s, const struct judge_disturbance **ret_disturbances)
{
	*ret_disturbances = s->samples;
	if (!s->has_offset)
		return 0;
	for (size_t i = 0; i < s->nr; i++) {
		s->samples[i].from_ns = in_guest(s, s->samples[i].from_ns);
		s->samples[i].to_ns = in_guest(s, s->samples[i].to_ns);
	}
	return s->nr;
}
