/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctprof_record.h - what the BPF collector writes and user space reads.
 *
 * One pass gives: a head, then for each thread the paths and names that are new with it and its
 * record, at last a tail.  A record begins with a lead that says its kind and length, a multiple
 * of 8; all that belongs to one thread comes whole.  Numbers are the machine's own.
 *
 * A pass that only identifies (CTPROF_IDENTIFY) writes threads without values, cut after comm.
 */
#ifndef KTSTR_BPF_CTPROF_RECORD_H
#define KTSTR_BPF_CTPROF_RECORD_H

#ifndef __bpf__
#include <stdint.h>
typedef uint16_t ctprof_u16;
typedef uint32_t ctprof_u32;
typedef uint64_t ctprof_u64;
typedef int64_t ctprof_s64;
#else
typedef unsigned short ctprof_u16;
typedef unsigned int ctprof_u32;
typedef unsigned long long ctprof_u64;
typedef long long ctprof_s64;
#endif

enum ctprof_slot {
#define FIELD(slot, member)	    CTPROF_##slot,
#define STATISTIC(slot, member)	    CTPROF_##slot,
#define DELAY(slot, member)	    CTPROF_##slot,
#define VALUE(slot)		    CTPROF_##slot,
#define RAW(slot, member)	    CTPROF_##slot,
#define RAW_STATISTIC(slot, member) CTPROF_##slot,
#define RAW_VALUE(slot)		    CTPROF_##slot,
#include "ctprof_fields.def"
	CTPROF_NR_SLOTS,
	/* Where the groups begin that a record may end before. */
	CTPROF_STATISTICS = CTPROF_NR_WAKEUPS,
	CTPROF_DELAYS = CTPROF_BLKIO_DELAY_COUNT
};

enum ctprof_kind {
	CTPROF_KIND_HEAD = 1,
	CTPROF_KIND_PATH,
	CTPROF_KIND_NAME,
	CTPROF_KIND_THREAD,
	CTPROF_KIND_TAIL,
	CTPROF_NR_KINDS
};

enum {
	CTPROF_PRESENT_WORDS = (CTPROF_NR_SLOTS + 63) / 64,
	CTPROF_COMM_BYTES = 16,
	CTPROF_FULL_NAME_BYTES = 64,
	CTPROF_DESC_BYTES = 32,
	CTPROF_PART_BYTES = 256, /* of a path; NAME_MAX and its NUL */
	CTPROF_PATH_PARTS = 64,	 /* deeper cgroups have no path */
	CTPROF_MASK_WORDS = 128, /* 8192 CPUs */
	CTPROF_PATHS_KNOWN = 16384
};

/* What user space wants; the only element of the map "config". */
struct ctprof_config {
	ctprof_u32 mode; /* enum ctprof_mode */
	ctprof_u32 tgid; /* this process only; 0: all */
	ctprof_u32 nr_cpus;
	ctprof_u32 mask_words;	   /* of an affinity, 1 to CTPROF_MASK_WORDS */
	ctprof_u32 has_statistics; /* kernel.sched_schedstats is on; else they are left out */
	ctprof_u32 reserved;
};

enum ctprof_mode { CTPROF_RECORD, CTPROF_IDENTIFY };

struct ctprof_lead {
	ctprof_u16 kind;
	ctprof_u16 bytes; /* with this lead */
	ctprof_u32 reserved;
};

struct ctprof_head {
	struct ctprof_lead lead;
	ctprof_u64 root_cgroup;	   /* of the reader's cgroup namespace; 0: none */
	ctprof_s64 boot_offset_ns; /* of the reader's time namespace */
};

/* One name of a cgroup's path, the leaf first; the root of the tree has none. */
struct ctprof_path {
	struct ctprof_lead lead;
	ctprof_u64 cgroup; /* whose path */
	ctprof_u64 node;   /* the one this names; inode number in cgroupfs */
	ctprof_u16 flags;
	ctprof_u16 len; /* without the NUL */
	ctprof_u32 up;	/* 0 for the leaf */
	char name[CTPROF_PART_BYTES];
};

enum {
	CTPROF_PATH_ROOT = 1, /* the last part: the root of the tree, nameless */
	CTPROF_PATH_DEAD = 2  /* the cgroup was removed */
};

/* What a kernel thread is called beside its comm, right before its record. */
struct ctprof_name {
	struct ctprof_lead lead;
	ctprof_u32 is_worker; /* of a work queue */
	ctprof_u32 is_busy;
	char full[CTPROF_FULL_NAME_BYTES];
	char desc[CTPROF_DESC_BYTES];
};

struct ctprof_thread {
	struct ctprof_lead lead;
	ctprof_u32 tid, tgid; /* in the reader's pid namespace */
	ctprof_u32 flags;
	ctprof_u16 nr_values;  /* that are there; then the affinity follows */
	ctprof_u16 mask_words; /* of the affinity */
	ctprof_u64 born_ns;    /* start_boottime */
	ctprof_u64 memory; /* which address space: a number that says only same or other; 0: none */
	ctprof_u64 execs;  /* changes with each exec */
	ctprof_u64 thread_pointer;
	ctprof_u64 cgroup;
	char comm[CTPROF_COMM_BYTES];
	/* Not in a pass that only identifies. */
	ctprof_u64 present[CTPROF_PRESENT_WORDS];
	ctprof_u64 values[CTPROF_NR_SLOTS];
};

enum { CTPROF_KERNEL_THREAD = 1, CTPROF_32_BIT = 2, CTPROF_HAS_POINTER = 4, CTPROF_HAS_CGROUP = 8 };

struct ctprof_tail {
	struct ctprof_lead lead;
	ctprof_u64 threads; /* records written */
};

#endif
