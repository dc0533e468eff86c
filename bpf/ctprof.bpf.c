/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctprof.bpf.c - one pass over all tasks, each a record (ctprof_record.h).
 *
 * Runs as a task iterator: the kernel calls it for one task after the other while user space reads.
 * If what it wrote for a task does not fit the buffer any more, the kernel takes all of that back
 * and calls again, so nothing is remembered of a task before its record is written.
 *
 * With CTPROF_OLD, for Linux 5.15 and 5.16: only helpers those have, so no bpf_loop() (5.17) and no
 * bpf_map_lookup_percpu_elem() (5.19), which is for what kernels count per CPU since 6.2.
 */
#include "ctprof_record.h"

#include "ctprof_kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char ctprof_license[] SEC("license") = "Dual BSD/GPL";

/* At least what a struct task_delay_info takes. */
enum { DELAYS_BYTES = 1024 };

/* What is being put together; too large for the stack. */
struct scratch {
	struct ctprof_thread thread;
	__u64 more[CTPROF_MASK_WORDS]; /* of the thread's record */
	struct ctprof_path path;
	struct ctprof_name name;
	__u64 threads; /* of this pass */
	__u32 level;   /* of the reader's pid namespace */
	/* The cgroup of the record written last, and in which pass. */
	__u64 cgroup, cgroup_pass;
	char delays[DELAYS_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ctprof_config);
} config_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_map SEC(".maps");

/* Cgroups whose path is written, and in which pass. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CTPROF_PATHS_KNOWN);
	__type(key, __u64);
	__type(value, __u64);
} paths_map SEC(".maps");

extern const void ext_sched_class __ksym __weak;

/* One pass, one task. */
struct pass {
	struct seq_file *seq;
	struct scratch *s;
	const struct ctprof_config *config;
	__u64 id;
};

static __always_inline void lead(struct ctprof_lead *l, __u16 kind, __u16 bytes)
{
	l->kind = kind;
	l->bytes = bytes;
	l->reserved = 0;
}

/* Which slots are there; by itself, as it stays in registers. */
struct present {
	__u64 words[CTPROF_PRESENT_WORDS];
};

static __always_inline void mark(struct present *p, enum ctprof_slot slot)
{
	p->words[slot / 64] |= 1ull << (slot % 64);
}

/* --- cgroups -------------------------------------------------------------------------------- */
static __always_inline struct kernfs_node *parent_of(const struct kernfs_node *kn)
{
	if (bpf_core_field_exists(kn->__parent))
		return BPF_CORE_READ(kn, __parent);
	return BPF_CORE_READ((const struct kernfs_node___old *)kn, parent);
}

struct climb {
	const struct pass *pass;
	const struct kernfs_node *kn;
	__u64 cgroup;
	__u32 dead;
	__s32 result;
};

static long write_part(__u32 up, struct climb *c)
{
	struct ctprof_path *p = &c->pass->s->path;
	const struct kernfs_node *kn = c->kn, *parent = parent_of(kn);
	__u32 len = 0;
	long n;

	p->flags = (parent ? 0 : CTPROF_PATH_ROOT) | c->dead;
	p->cgroup = c->cgroup;
	p->node = BPF_CORE_READ(kn, id);
	p->up = up;
	p->name[0] = '\0';
	if (parent) {
		n = bpf_probe_read_kernel_str(p->name, sizeof(p->name), BPF_CORE_READ(kn, name));
		len = n > 0 ? (n - 1) & (CTPROF_PART_BYTES - 1) : 0;
	}
	p->len = len;
	lead(&p->lead, CTPROF_KIND_PATH, sizeof(*p));
	c->result = bpf_seq_write(c->pass->seq, p, sizeof(*p));
	c->kn = parent;
	return c->result || !parent;
}

static __always_inline int write_path(const struct pass *pass, const struct cgroup *cgroup,
				      const struct kernfs_node *kn, __u64 id)
{
	struct climb c = { .pass = pass, .kn = kn, .cgroup = id };

	if (!(BPF_CORE_READ(cgroup, self.flags) & CSS_ONLINE))
		c.dead = CTPROF_PATH_DEAD;
#ifdef CTPROF_OLD
	for (__u32 up = 0; up < CTPROF_PATH_PARTS; up++)
		if (write_part(up, &c))
			break;
#else
	bpf_loop(CTPROF_PATH_PARTS, write_part, &c, 0);
#endif
	return c.result;
}

/* --- what a kernel thread is called ----------------------------------------------------------- */
static __always_inline const struct kthread *kthread_of(struct task_struct *t)
{
	if (bpf_core_field_exists(t->worker_private))
		return BPF_CORE_READ(t, worker_private);
	return (const void *)BPF_CORE_READ(t, set_child_tid);
}

static int write_name(const struct pass *pass, struct task_struct *t)
{
	struct ctprof_name *n = &pass->s->name;
	const struct kthread *k = kthread_of(t);
	const char *full = 0;
	const struct worker *w;

	if (bpf_core_field_exists(k->full_name))
		full = BPF_CORE_READ(k, full_name);
	n->full[0] = n->desc[0] = '\0';
	n->is_worker = n->is_busy = 0;
	if (full)
		bpf_probe_read_kernel_str(n->full, sizeof(n->full), full);
	w = t->flags & PF_WQ_WORKER ? BPF_CORE_READ(k, data) : 0;
	if (w && BPF_CORE_READ(w, pool)) {
		n->is_worker = 1;
		n->is_busy = BPF_CORE_READ(w, current_work) != 0;
		bpf_probe_read_kernel_str(n->desc, sizeof(n->desc),
					  __builtin_preserve_access_index(&w->desc));
	}
	if (!full && !n->is_worker)
		return 0;
	lead(&n->lead, CTPROF_KIND_NAME, sizeof(*n));
	return bpf_seq_write(pass->seq, n, sizeof(*n));
}

/* --- memory ----------------------------------------------------------------------------------- */
#ifdef CTPROF_OLD
static __always_inline __s64 kept_pages(struct mm_struct *mm, __u64 cpus)
{
	return 0;
}
#else
/* One place of memory that each CPU has its own of: tells where a CPU has what is its own. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} anchor_map SEC(".maps");

/* The verifier lets nobody reckon with the addresses of maps, so they are read off the stack. */
static __always_inline __u64 address_of(const void **pointer)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), pointer);
	return address;
}

struct sum {
	__u64 counters[3];
	__u64 anchor;
	__s64 total;
};

static long add_cpu(__u32 cpu, struct sum *s)
{
	__u32 zero = 0;
	const void *anchor = bpf_map_lookup_percpu_elem(&anchor_map, &zero, cpu);
	__u64 place;

	if (!anchor)
		return 0;
	place = address_of(&anchor);
	for (int i = 0; i < 3; i++) {
		__s32 part = 0;

		bpf_probe_read_kernel(&part, sizeof(part),
				      (const void *)(s->counters[i] + place - s->anchor));
		s->total += part;
	}
	return 0;
}

/* Where the anchor is for all CPUs, before a CPU's own offset. */
static __u64 anchor_place(void)
{
	const void *map = &anchor_map;

	return (__u64)BPF_CORE_READ((const struct bpf_array *)address_of(&map), pptrs[0]);
}

/* What the CPUs keep to themselves. */
static __s64 kept_pages(struct mm_struct *mm, __u64 cpus)
{
	struct sum s = { .anchor = anchor_place() };

	s.counters[0] = (__u64)BPF_CORE_READ(mm, rss_stat[0].counters);
	s.counters[1] = (__u64)BPF_CORE_READ(mm, rss_stat[1].counters);
	s.counters[2] = (__u64)BPF_CORE_READ(mm, rss_stat[3].counters);
	bpf_loop(cpus, add_cpu, &s, 0);
	return s.total;
}
#endif

/* As get_mm_counter() of the kernel until Linux 6.1. */
#define OLD_COUNTER(mm, i)                                                      \
	({                                                                      \
		__s64 pages = BPF_CORE_READ((mm), rss_stat.count[(i)].counter); \
		pages > 0 ? pages : 0;                                          \
	})

/* Pages of files, anonymous and shared: MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES. */
static __s64 resident_pages(const struct pass *pass, struct mm_struct *mm, __u64 hiwater)
{
	const struct mm_struct___old *old = (const void *)mm;
	__u64 cpus = pass->config->nr_cpus, batch = cpus > 16 ? 2 * cpus : 32;
	__s64 total;

	if (bpf_core_field_exists(old->rss_stat.count))
		return OLD_COUNTER(old, 0) + OLD_COUNTER(old, 1) + OLD_COUNTER(old, 3);
	total = BPF_CORE_READ(mm, rss_stat[0].count) + BPF_CORE_READ(mm, rss_stat[1].count) +
		BPF_CORE_READ(mm, rss_stat[3].count);
	/* What the CPUs keep to themselves cannot lift it above the peak. */
	if (total + (__s64)(3 * cpus * batch) < (__s64)hiwater)
		return total;
	return total + kept_pages(mm, cpus);
}

static void write_memory(const struct pass *pass, struct mm_struct *mm)
{
	struct ctprof_thread *r = &pass->s->thread;
	__u64 peak = BPF_CORE_READ(mm, hiwater_rss), total = BPF_CORE_READ(mm, total_vm);
	__s64 now = resident_pages(pass, mm, peak);

	r->values[CTPROF_RAW_PEAK_RSS_PAGES] = now > (__s64)peak ? (__u64)now : peak;
	peak = BPF_CORE_READ(mm, hiwater_vm);
	r->values[CTPROF_RAW_PEAK_VM_PAGES] = total > peak ? total : peak;
}

/* --- numbers ---------------------------------------------------------------------------------- */
#define PUT(slot, value)                            \
	do {                                        \
		r->values[CTPROF_##slot] = (value); \
		mark(p, CTPROF_##slot);             \
	} while (0)

#define PUT_IF(slot, member, path)                 \
	if (bpf_core_field_exists((member)->path)) \
		PUT(slot, (member)->path);

static __always_inline void put_fields(struct ctprof_thread *r, struct present *p,
				       struct task_struct *t)
{
#define FIELD(slot, member) PUT_IF(slot, t, member)
#define RAW(slot, member)   PUT_IF(slot, t, member)
#include "ctprof_fields.def"
}

static __always_inline void put_statistics(struct ctprof_thread *r, struct present *p,
					   struct task_struct *t)
{
	struct task_struct___old *old = (struct task_struct___old *)t;

	if (bpf_core_field_exists(t->stats)) {
#define STATISTIC(slot, member) PUT_IF(slot, &t->stats, member)
#define RAW_STATISTIC		STATISTIC
#include "ctprof_fields.def"
	} else {
#define STATISTIC(slot, member) PUT_IF(slot, &old->se.statistics, member)
#define RAW_STATISTIC		STATISTIC
#include "ctprof_fields.def"
	}
}

/* Read as a whole: one call instead of one for each number. */
#define DELAY_AT(member) \
	(s->delays + __builtin_preserve_field_info(d->member, BPF_FIELD_BYTE_OFFSET))

/* Return: whether it has any. */
static __always_inline bool put_delays(struct scratch *s, struct present *p, struct task_struct *t)
{
	struct ctprof_thread *r = &s->thread;
	struct task_delay_info *d = 0;

	if (bpf_core_field_exists(t->delays))
		d = BPF_CORE_READ(t, delays);
	if (!d || bpf_core_type_size(struct task_delay_info) > DELAYS_BYTES ||
	    bpf_probe_read_kernel(s->delays, bpf_core_type_size(struct task_delay_info), d))
		return false;
#define DELAY(slot, member)                   \
	if (bpf_core_field_exists(d->member)) \
		PUT(slot, *(typeof(d->member) *)DELAY_AT(member));
#include "ctprof_fields.def"
	return true;
}

/* As task_state_index() of the kernel, which gives the number of the highest bit. */
static __always_inline __u64 state_of(struct task_struct *t)
{
	__u32 state = t->__state;

	if (state & TASK_LOOKS_UNINTERRUPTIBLE)
		return TASK_UNINTERRUPTIBLE;
	if ((state & TASK_IDLE) == TASK_IDLE)
		return TASK_REPORT_IDLE;
	return (state | (__u32)t->exit_state) & TASK_REPORT;
}

static __always_inline void put_rest(const struct pass *pass, struct present *p,
				     struct task_struct *t)
{
	struct task_struct___old *old = (struct task_struct___old *)t;
	struct ctprof_thread *r = &pass->s->thread;

	PUT(RAW_STATE, state_of(t));
	if (bpf_core_field_exists(t->thread_info.cpu))
		PUT(PROCESSOR, t->thread_info.cpu);
	else if (bpf_core_field_exists(old->cpu))
		PUT(PROCESSOR, old->cpu);
	if (&ext_sched_class)
		PUT(EXT_ENABLED, BPF_CORE_READ(t, sched_class) == &ext_sched_class);
	if (r->tid != r->tgid)
		return;
	PUT(NR_THREADS, BPF_CORE_READ(t, signal, nr_threads));
	if (!r->memory)
		return;
	write_memory(pass, (struct mm_struct *)r->memory);
	mark(p, CTPROF_RAW_PEAK_RSS_PAGES);
	mark(p, CTPROF_RAW_PEAK_VM_PAGES);
}

/* --- identity --------------------------------------------------------------------------------- */
static __always_inline __u32 number_in(struct pid *pid, __u32 level)
{
	__u32 nr = 0;

	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (const char *)__builtin_preserve_access_index(&pid->numbers) +
				      level * bpf_core_type_size(struct upid));
	return nr;
}

/* Directly, as two numbers: no call. */
static __always_inline void copy_comm(struct ctprof_thread *r, struct task_struct *t)
{
	const __u64 *comm = (const void *)__builtin_preserve_access_index(&t->comm);

	_Static_assert(sizeof(r->comm) == 2 * sizeof(*comm), "two numbers");
	((__u64 *)r->comm)[0] = comm[0];
	((__u64 *)r->comm)[1] = comm[1];
}

/* @level: of the reader's pid namespace. */
static __always_inline void identify(struct ctprof_thread *r, struct task_struct *t, __u32 level)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);

	r->tid = t->pid;
	r->tgid = t->tgid;
	if (level) {
		r->tid = number_in(BPF_CORE_READ(t, thread_pid), level);
		r->tgid = number_in(BPF_CORE_READ(t, group_leader, thread_pid), level);
	}
	r->flags = 0;
	r->born_ns = t->start_boottime;
	r->execs = t->self_exec_id;
	r->memory = r->thread_pointer = 0;
	if (t->flags & PF_KTHREAD) {
		r->flags = CTPROF_KERNEL_THREAD;
	} else if (mm) {
		r->memory = (__u64)mm;
		if (r->tid == r->tgid && bpf_core_field_exists(mm->task_size) &&
		    BPF_CORE_READ(mm, task_size) < 1ull << 32)
			r->flags |= CTPROF_32_BIT;
		if (bpf_core_field_exists(t->thread.fsbase)) {
			r->flags |= CTPROF_HAS_POINTER;
			r->thread_pointer = t->thread.fsbase;
		}
	}
	copy_comm(r, t);
}

static __always_inline int write_identity(const struct pass *pass)
{
	struct ctprof_thread *r = &pass->s->thread;

	r->cgroup = 0;
	r->nr_values = r->mask_words = 0;
	lead(&r->lead, CTPROF_KIND_THREAD, __builtin_offsetof(struct ctprof_thread, present));
	return bpf_seq_write(pass->seq, r, __builtin_offsetof(struct ctprof_thread, present));
}

/* --- one task --------------------------------------------------------------------------------- */
/* The affinity, behind @nr values.  Return: how many words. */
static __always_inline __u32 put_mask(const struct pass *pass, struct task_struct *t, __u32 nr)
{
	__u32 words = pass->config->mask_words;
	__u64 *mask = &pass->s->thread.values[nr];

	if (words > bpf_core_field_size(t->cpus_mask) / 8)
		words = bpf_core_field_size(t->cpus_mask) / 8;
	if (words > CTPROF_MASK_WORDS)
		words = CTPROF_MASK_WORDS;
	if (words == 1)
		mask[0] = t->cpus_mask.bits[0];
	else
		bpf_probe_read_kernel(mask, words * 8,
				      __builtin_preserve_access_index(&t->cpus_mask));
	return words;
}

static int write_record(const struct pass *pass, struct task_struct *t)
{
	struct ctprof_thread *r = &pass->s->thread;
	struct present present = { 0 };
	__u32 nr = CTPROF_STATISTICS, words, bytes;

	put_fields(r, &present, t);
	put_rest(pass, &present, t);
	if (pass->config->has_statistics) {
		put_statistics(r, &present, t);
		nr = CTPROF_DELAYS;
	}
	if (put_delays(pass->s, &present, t))
		nr = CTPROF_NR_SLOTS;
	for (int i = 0; i < CTPROF_PRESENT_WORDS; i++)
		r->present[i] = present.words[i];
	words = put_mask(pass, t, nr);
	r->nr_values = nr;
	r->mask_words = words;
	bytes = __builtin_offsetof(struct ctprof_thread, values) + (nr + words) * 8;
	lead(&r->lead, CTPROF_KIND_THREAD, bytes);
	return bpf_seq_write(pass->seq, r, bytes);
}

static __always_inline bool is_unknown(const struct pass *pass, __u64 cgroup)
{
	const __u64 *known = bpf_map_lookup_elem(&paths_map, &cgroup);

	return !known || *known != pass->id;
}

static int write_all(const struct pass *pass, struct task_struct *t)
{
	struct ctprof_thread *r = &pass->s->thread;
	struct cgroup *cgroup;
	struct kernfs_node *kn;
	bool is_new = false;
	__u64 id = 0;
	int result = 0;

	if (bpf_core_field_exists(t->cgroups)) {
		cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp);
		kn = BPF_CORE_READ(cgroup, kn);
		id = BPF_CORE_READ(kn, id);
		is_new = id && (id != pass->s->cgroup || pass->id != pass->s->cgroup_pass) &&
			 is_unknown(pass, id);
		if (is_new)
			result = write_path(pass, cgroup, kn, id);
	}
	r->cgroup = id;
	r->flags |= id ? CTPROF_HAS_CGROUP : 0;
	if (result == 0 && r->flags & CTPROF_KERNEL_THREAD)
		result = write_name(pass, t);
	if (result == 0)
		result = write_record(pass, t);
	/* A full map costs repeated paths, nothing else. */
	if (result == 0 && is_new)
		bpf_map_update_elem(&paths_map, &id, &pass->id, 0);
	if (result == 0) {
		pass->s->cgroup = id;
		pass->s->cgroup_pass = pass->id;
	}
	return result;
}

static int write_head(const struct pass *pass)
{
	struct task_struct *reader = (struct task_struct *)bpf_get_current_task();
	struct nsproxy *ns = BPF_CORE_READ(reader, nsproxy);
	struct ctprof_head h = { 0 };
	struct kernfs_node *kn;
	struct cgroup *root;
	int result;

	lead(&h.lead, CTPROF_KIND_HEAD, sizeof(h));
	if (bpf_core_field_exists(ns->time_ns) &&
	    bpf_core_field_exists(ns->time_ns->offsets.boottime.tv_sec))
		h.boot_offset_ns =
			BPF_CORE_READ(ns, time_ns, offsets.boottime.tv_sec) * 1000000000ll +
			BPF_CORE_READ(ns, time_ns, offsets.boottime.tv_nsec);
	pass->s->threads = 0;
	pass->s->level = BPF_CORE_READ(reader, thread_pid, level);
	if (!bpf_core_field_exists(ns->cgroup_ns))
		return bpf_seq_write(pass->seq, &h, sizeof(h));
	root = BPF_CORE_READ(ns, cgroup_ns, root_cset, dfl_cgrp);
	kn = BPF_CORE_READ(root, kn);
	h.root_cgroup = BPF_CORE_READ(kn, id);
	result = bpf_seq_write(pass->seq, &h, sizeof(h));
	return result ? result : write_path(pass, root, kn, h.root_cgroup);
}

static __always_inline int write_tail(const struct pass *pass)
{
	struct ctprof_tail tail = { .threads = pass->s->threads };

	lead(&tail.lead, CTPROF_KIND_TAIL, sizeof(tail));
	bpf_seq_write(pass->seq, &tail, sizeof(tail));
	return 0;
}

/* Since the kernel chose it, a thread may have ended and given its numbers in a namespace back. */
static __always_inline bool is_wanted(const struct pass *pass)
{
	const struct ctprof_thread *r = &pass->s->thread;

	return r->tid && r->tgid && (!pass->config->tgid || r->tgid == pass->config->tgid);
}

SEC("iter/task")
int ctprof_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	__u32 zero = 0;
	struct pass pass = { .seq = ctx->meta->seq, .id = ctx->meta->session_id };
	int result = 0;

	pass.s = bpf_map_lookup_elem(&scratch_map, &zero);
	pass.config = bpf_map_lookup_elem(&config_map, &zero);
	if (!pass.s || !pass.config)
		return 0;
	if (ctx->meta->seq_num == 0)
		result = write_head(&pass);
	if (!t)
		return write_tail(&pass);
	identify(&pass.s->thread, t, pass.s->level);
	if (result || !is_wanted(&pass))
		return 0;
	result = pass.config->mode == CTPROF_IDENTIFY ? write_identity(&pass) : write_all(&pass, t);
	if (result == 0)
		pass.s->threads++;
	return 0;
}
