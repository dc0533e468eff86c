// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/bpf_records.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const size_t sizes[CTPROF_NR_KINDS] = {
	[CTPROF_KIND_HEAD] = sizeof(struct ctprof_head),
	[CTPROF_KIND_PATH] = sizeof(struct ctprof_path),
	[CTPROF_KIND_NAME] = sizeof(struct ctprof_name),
	[CTPROF_KIND_TAIL] = sizeof(struct ctprof_tail),
};

#define IS_TERMINATED(array) (memchr(array, '\0', sizeof(array)) != NULL)

static bool has_beyond(const struct ctprof_thread *t)
{
	for (unsigned int i = 0; i < CTPROF_PRESENT_WORDS; i++) {
		unsigned int first = i * 64;

		if (t->nr_values < first + 64 &&
		    t->present[i] >> (t->nr_values > first ? t->nr_values - first : 0))
			return true;
	}
	return false;
}

static int check_thread(struct bpf_record *r)
{
	const struct ctprof_thread *t = r->thread;

	r->has_values = t->lead.bytes != offsetof(struct ctprof_thread, present);
	r->mask = NULL;
	if (!IS_TERMINATED(t->comm) || !t->tid || !t->tgid)
		return -EBADMSG;
	if (!r->has_values)
		return 0;
	if (t->mask_words > CTPROF_MASK_WORDS || t->nr_values > CTPROF_NR_SLOTS ||
	    t->lead.bytes != offsetof(struct ctprof_thread, values) +
				     (t->nr_values + t->mask_words) * sizeof(ctprof_u64) ||
	    has_beyond(t))
		return -EBADMSG;
	r->mask = bpf_mask(t);
	return 0;
}

static int check_record(struct bpf_record *r)
{
	switch (r->kind) {
	case CTPROF_KIND_THREAD:
		return check_thread(r);
	case CTPROF_KIND_PATH:
		return r->path->len < CTPROF_PART_BYTES &&
				       strnlen(r->path->name, CTPROF_PART_BYTES) == r->path->len
			       ? 0
			       : -EBADMSG;
	case CTPROF_KIND_NAME:
		return IS_TERMINATED(r->name->full) && IS_TERMINATED(r->name->desc) ? 0 : -EBADMSG;
	default:
		return 0;
	}
}

int bpf_next_record(const unsigned char **bytes, size_t *len, struct bpf_record *ret_record)
{
	const struct ctprof_lead *lead = (const void *)*bytes;
	struct bpf_record r = { 0 };
	size_t least;

	if (!*len)
		return 0;
	if (*len < sizeof(*lead) || lead->kind < CTPROF_KIND_HEAD || lead->kind >= CTPROF_NR_KINDS)
		return -EBADMSG;
	least = lead->kind == CTPROF_KIND_THREAD ? offsetof(struct ctprof_thread, present)
						 : sizes[lead->kind];
	if (lead->bytes > *len || lead->bytes % 8 || lead->bytes < least ||
	    (lead->kind != CTPROF_KIND_THREAD && lead->bytes != least))
		return -EBADMSG;
	r.kind = (enum ctprof_kind)lead->kind;
	r.head = (const void *)lead;
	if (check_record(&r) < 0)
		return -EBADMSG;
	*bytes += lead->bytes;
	*len -= lead->bytes;
	*ret_record = r;
	return 1;
}

/* As wq_worker_comm() and get_kthread_comm() of the kernel put it together. */
void bpf_comm(const struct ctprof_thread *thread, const struct ctprof_name *name,
	      char ret_comm[static BPF_COMM_BYTES])
{
	char text[CTPROF_FULL_NAME_BYTES + CTPROF_DESC_BYTES];
	const char *base = thread->comm;
	bool is_numbered;
	size_t len;

	if (name) {
		is_numbered = !strncmp(name->full, "kworker/", 8);
		if (name->full[0] && (!name->is_worker || is_numbered))
			base = name->full;
	}
	len = strlen(base);
	if (name && name->is_worker && name->desc[0]) {
		memcpy(text, base, len);
		text[len++] = name->is_busy ? '+' : '-';
		memcpy(text + len, name->desc, strlen(name->desc));
		len += strlen(name->desc);
		base = text;
	}
	len = len < BPF_COMM_BYTES ? len : BPF_COMM_BYTES - 1;
	memcpy(ret_comm, base, len);
	ret_comm[len] = '\0';
}

size_t bpf_mask_text(const ctprof_u64 *mask, unsigned int nr_cpus, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int cpu = 0; cpu < nr_cpus;) {
		unsigned int first = cpu;
		int n;

		while (cpu < nr_cpus && mask[cpu / 64] >> (cpu % 64) & 1)
			cpu++;
		if (cpu == first) {
			cpu++;
			continue;
		}
		n = snprintf(buf + len, size - len, cpu - first > 1 ? "%s%u-%u" : "%s%u",
			     len ? "," : "", first, cpu - 1);
		if (n < 0 || (size_t)n >= size - len) {
			buf[len] = '\0';
			break;
		}
		len += (size_t)n;
	}
	return len;
}
