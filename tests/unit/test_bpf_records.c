// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/bpf_records.h"

static const struct bpf_units units = { .page_bytes = 4096, .has_statistics = true };

/* A thread with one word of CPUs. */
struct whole {
	struct ctprof_thread thread;
	ctprof_u64 mask[1];
};

static struct whole whole_thread(void)
{
	struct whole w = {
		.thread = { .lead = { .kind = CTPROF_KIND_THREAD, .bytes = sizeof(w) },
			    .tid = 8,
			    .tgid = 7,
			    .nr_values = CTPROF_NR_SLOTS,
			    .mask_words = 1,
			    .comm = "worker" },
		.mask = { 0x10f },
	};

	return w;
}

static void put(struct ctprof_thread *r, enum ctprof_slot slot, uint64_t value)
{
	r->values[slot] = value;
	r->present[slot / 64] |= 1ull << (slot % 64);
}

static int parse(const void *bytes, size_t len, struct bpf_record *r)
{
	const unsigned char *at = bytes;

	return bpf_next_record(&at, &len, r);
}

static void records_are_cut_off_one_by_one(void **state)
{
	struct {
		struct ctprof_head head;
		struct whole whole;
		struct ctprof_tail tail;
	} stream = {
		.head = { .lead = { .kind = CTPROF_KIND_HEAD, .bytes = sizeof(stream.head) } },
		.whole = whole_thread(),
		.tail = { .lead = { .kind = CTPROF_KIND_TAIL, .bytes = sizeof(stream.tail) } },
	};
	const unsigned char *at = (const unsigned char *)&stream;
	size_t len = sizeof(stream);
	struct bpf_record r;

	(void)state;
	assert_int_equal(bpf_next_record(&at, &len, &r), 1);
	assert_int_equal(r.kind, CTPROF_KIND_HEAD);
	assert_int_equal(bpf_next_record(&at, &len, &r), 1);
	assert_int_equal(r.thread->tid, 8);
	assert_true(r.has_values);
	assert_int_equal(r.mask[0], 0x10f);
	assert_int_equal(bpf_next_record(&at, &len, &r), 1);
	assert_ptr_equal(r.tail, &stream.tail);
	assert_int_equal(bpf_next_record(&at, &len, &r), 0);
}

static void identities_have_no_values(void **state)
{
	struct whole w = whole_thread();
	struct bpf_record r;

	(void)state;
	w.thread.lead.bytes = offsetof(struct ctprof_thread, present);
	assert_int_equal(parse(&w, w.thread.lead.bytes, &r), 1);
	assert_false(r.has_values);
	assert_null(r.mask);
}

/* Without statistics and delays; made as small as it is, so that a sanitizer sees who reads on. */
static void what_a_record_ends_before_is_absent(void **state)
{
	enum { VALUES_AT = offsetof(struct ctprof_thread, values) };
	struct ctprof_thread w = whole_thread().thread;
	volatile size_t bytes = VALUES_AT + (CTPROF_STATISTICS + 1) * sizeof(ctprof_u64);
	const ctprof_u64 mask = 0x30f;
	struct ktstr_ctprof_thread t = { 0 };
	struct ctprof_thread *cut = malloc(bytes);
	struct bpf_record r;
	int64_t v;

	(void)state;
	assert_non_null(cut);
	w.lead.bytes = (ctprof_u16)bytes;
	w.nr_values = CTPROF_STATISTICS;
	put(&w, CTPROF_MINFLT, 5);
	put(&w, CTPROF_EXT_ENABLED, 1);
	memcpy(cut, &w, bytes);
	memcpy((char *)cut + bytes - sizeof(mask), &mask, sizeof(mask));
	assert_int_equal(parse(cut, bytes, &r), 1);
	assert_int_equal(r.mask[0], mask);
	bpf_set_values(cut, &units, &t);
	assert_true(ktstr_ctprof_get(&t, KTSTR_CTPROF_MINFLT, &v) && v == 5);
	assert_true(ktstr_ctprof_get(&t, KTSTR_CTPROF_EXT_ENABLED, &v) && v == 1);
	assert_false(ktstr_ctprof_get(&t, KTSTR_CTPROF_VOLUNTARY_SLEEP, &v));
	for (unsigned int slot = CTPROF_STATISTICS; slot < CTPROF_NR_SLOTS; slot++) {
		cut->present[slot / 64] |= 1ull << (slot % 64);
		assert_int_equal(parse(cut, bytes, &r), -EBADMSG);
		cut->present[slot / 64] &= ~(1ull << (slot % 64));
	}
	free(cut);
}

static void what_the_kernel_does_not_write_is_refused(void **state)
{
	struct whole good = whole_thread(), w;
	struct ctprof_path path = { .lead = { .kind = CTPROF_KIND_PATH, .bytes = sizeof(path) } };
	struct bpf_record r;

	(void)state;
	assert_int_equal(parse(&good, sizeof(good), &r), 1);
	assert_int_equal(parse(&good, sizeof(good) - 8, &r), -EBADMSG);
	assert_int_equal(parse(&good, 4, &r), -EBADMSG);
	for (unsigned int bytes = 0; bytes <= sizeof(w); bytes++) {
		w = good;
		w.thread.lead.bytes = (ctprof_u16)bytes;
		if (bytes != sizeof(w) && bytes != offsetof(struct ctprof_thread, present))
			assert_int_equal(parse(&w, sizeof(w), &r), -EBADMSG);
	}
	w = good;
	w.thread.lead.kind = CTPROF_NR_KINDS;
	assert_int_equal(parse(&w, sizeof(w), &r), -EBADMSG);
	w = good;
	w.thread.mask_words = 2;
	assert_int_equal(parse(&w, sizeof(w), &r), -EBADMSG);
	w.thread.mask_words = 0;
	w.thread.nr_values = CTPROF_NR_SLOTS + 1;
	assert_int_equal(parse(&w, sizeof(w), &r), -EBADMSG);
	w = good;
	w.thread.tid = 0;
	assert_int_equal(parse(&w, sizeof(w), &r), -EBADMSG);
	w = good;
	memset(w.thread.comm, 'x', sizeof(w.thread.comm));
	assert_int_equal(parse(&w, sizeof(w), &r), -EBADMSG);
	assert_int_equal(parse(&path, sizeof(path), &r), 1);
	path.len = CTPROF_PART_BYTES;
	assert_int_equal(parse(&path, sizeof(path), &r), -EBADMSG);
}

static int64_t value(const struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric metric)
{
	int64_t v = -1000;

	assert_true(ktstr_ctprof_get(t, metric, &v));
	return v;
}

static bool is_there(const struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric metric)
{
	int64_t v;

	return ktstr_ctprof_get(t, metric, &v);
}

static void absent_fields_stay_absent(void **state)
{
	struct ktstr_ctprof_thread t = { 0 };
	struct whole w = whole_thread();

	(void)state;
	for (unsigned int i = 0; i < CTPROF_NR_SLOTS; i++)
		w.thread.values[i] = 77;
	bpf_set_values(&w.thread, &units, &t);
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++)
		assert_false(is_there(&t, m));
}

static void values_are_as_proc_shows_them(void **state)
{
	struct ktstr_ctprof_thread t = { 0 };
	struct whole w = whole_thread();

	(void)state;
	put(&w.thread, CTPROF_RAW_PRIO, 90);
	put(&w.thread, CTPROF_RAW_STATIC_PRIO, 101);
	put(&w.thread, CTPROF_RAW_STATE, 0x402 & 0x7f);
	put(&w.thread, CTPROF_RAW_START, 12349999999);
	put(&w.thread, CTPROF_RAW_PEAK_RSS_PAGES, 3);
	put(&w.thread, CTPROF_RAW_SLEEP_SUM, 100);
	put(&w.thread, CTPROF_BLOCK_SUM, 30);
	put(&w.thread, CTPROF_TIMESLICES, 5);
	put(&w.thread, CTPROF_WAIT_TIME, 6);
	put(&w.thread, CTPROF_RCHAR, 1000);
	put(&w.thread, CTPROF_FAIR_SLICE, 2800000);
	put(&w.thread, CTPROF_POLICY, 0);
	put(&w.thread, CTPROF_BLKIO_DELAY_MIN, 0);
	put(&w.thread, CTPROF_BLKIO_DELAY_MAX, 0);
	put(&w.thread, CTPROF_IRQ_DELAY_COUNT, 0);
	bpf_set_values(&w.thread, &units, &t);
	assert_int_equal(value(&t, KTSTR_CTPROF_PRIORITY), -10);
	assert_int_equal(value(&t, KTSTR_CTPROF_NICE), -19);
	assert_int_equal(value(&t, KTSTR_CTPROF_STATE), 'D');
	assert_int_equal(value(&t, KTSTR_CTPROF_START_TIME), 1234);
	assert_int_equal(value(&t, KTSTR_CTPROF_HIWATER_RSS), 12288);
	assert_int_equal(value(&t, KTSTR_CTPROF_VOLUNTARY_SLEEP), 70);
	assert_int_equal(value(&t, KTSTR_CTPROF_CPU_DELAY_COUNT), 5);
	assert_int_equal(value(&t, KTSTR_CTPROF_CPU_DELAY_TOTAL), 6);
	assert_int_equal(value(&t, KTSTR_CTPROF_RCHAR), 1000);
	assert_int_equal(value(&t, KTSTR_CTPROF_FAIR_SLICE), 2800000);
	assert_int_equal(value(&t, KTSTR_CTPROF_BLKIO_DELAY_MAX), 0);
	assert_false(is_there(&t, KTSTR_CTPROF_BLKIO_DELAY_MIN));
	assert_false(is_there(&t, KTSTR_CTPROF_IRQ_DELAY_COUNT));
}

static void states_are_letters(void **state)
{
	static const struct {
		uint64_t bits;
		char letter;
	} rows[] = { { 0, 'R' },    { 1, 'S' },	   { 2, 'D' },	  { 4, 'T' },	 { 8, 't' },
		     { 0x10, 'X' }, { 0x20, 'Z' }, { 0x30, 'Z' }, { 0x40, 'P' }, { 0x80, 'I' } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_ctprof_thread t = { 0 };
		struct whole w = whole_thread();

		put(&w.thread, CTPROF_RAW_STATE, rows[i].bits);
		bpf_set_values(&w.thread, &units, &t);
		assert_int_equal(value(&t, KTSTR_CTPROF_STATE), rows[i].letter);
	}
}

static void statistics_need_their_switch(void **state)
{
	const struct bpf_units off = { .page_bytes = 4096 };
	struct ktstr_ctprof_thread t = { 0 };
	struct whole w = whole_thread();

	(void)state;
	put(&w.thread, CTPROF_WAIT_SUM, 4);
	put(&w.thread, CTPROF_NR_MIGRATIONS, 4);
	bpf_set_values(&w.thread, &off, &t);
	assert_false(is_there(&t, KTSTR_CTPROF_WAIT_SUM));
	assert_int_equal(value(&t, KTSTR_CTPROF_NR_MIGRATIONS), 4);
}

static void slices_are_of_fair_policies(void **state)
{
	struct ktstr_ctprof_thread t = { 0 };
	struct whole w = whole_thread();

	(void)state;
	put(&w.thread, CTPROF_FAIR_SLICE, 4);
	put(&w.thread, CTPROF_POLICY, 1);
	bpf_set_values(&w.thread, &units, &t);
	assert_false(is_there(&t, KTSTR_CTPROF_FAIR_SLICE));
}

/* Ticks of 10 ms: utime, stime; measured run time; what was shown before; what is shown now. */
static void times_are_stretched_as_the_kernel_does(void **state)
{
	static const struct {
		uint64_t utime, stime, run, shown_utime, shown_stime;
		int64_t want_utime, want_stime;
	} rows[] = {
		{ 300, 100, 800, 0, 0, 600, 200 },     /* in proportion */
		{ 0, 0, 50, 0, 0, 50, 0 },	       /* no tick met it */
		{ 0, 4, 50, 0, 0, 0, 50 },	       /* only in the kernel */
		{ 300, 100, 800, 0, 300, 500, 300 },   /* never less than was shown */
		{ 300, 100, 800, 700, 0, 700, 100 },   /* of either */
		{ 300, 100, 400, 350, 100, 350, 100 }, /* shown beyond what was measured since */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_ctprof_thread t = { 0 };
		struct whole w = whole_thread();
		const uint64_t tick = 10000000;

		put(&w.thread, CTPROF_RAW_UTIME, rows[i].utime * tick);
		put(&w.thread, CTPROF_RAW_STIME, rows[i].stime * tick);
		put(&w.thread, CTPROF_RUN_TIME, rows[i].run * tick);
		put(&w.thread, CTPROF_RAW_PREV_UTIME, rows[i].shown_utime * tick);
		put(&w.thread, CTPROF_RAW_PREV_STIME, rows[i].shown_stime * tick);
		bpf_set_values(&w.thread, &units, &t);
		assert_int_equal(value(&t, KTSTR_CTPROF_UTIME), rows[i].want_utime);
		assert_int_equal(value(&t, KTSTR_CTPROF_STIME), rows[i].want_stime);
	}
}

static void kernel_threads_have_long_names(void **state)
{
	static const struct {
		struct ctprof_name name;
		const char *comm, *want;
	} rows[] = {
		{ { .full = "" }, "kthreadd", "kthreadd" },
		{ { .full = "rcu_exp_gp_kthread_worker" },
		  "rcu_exp_gp_kthr",
		  "rcu_exp_gp_kthread_worker" },
		{ { .is_worker = 1, .desc = "events" }, "kworker/0:1", "kworker/0:1-events" },
		{ { .is_worker = 1, .is_busy = 1, .desc = "events" },
		  "kworker/0:1",
		  "kworker/0:1+events" },
		{ { .is_worker = 1 }, "kworker/0:1", "kworker/0:1" },
		{ { .is_worker = 1, .full = "kworker/u1024:12345", .desc = "writeback" },
		  "kworker/u1024:1",
		  "kworker/u1024:12345-writeback" },
		{ { .is_worker = 1,
		    .full = "kworker/R-a_name_that_has_all_the_bytes_it_can_possibly_have_x",
		    .desc = "and_a_description_of_31_bytes__" },
		  "kworker/R-a_nam",
		  "kworker/R-a_name_that_has_all_the_bytes_it_can_possibly_have_x-" },
	};
	char comm[BPF_COMM_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ctprof_thread t = { 0 };

		snprintf(t.comm, sizeof(t.comm), "%s", rows[i].comm);
		bpf_comm(&t, &rows[i].name, comm);
		assert_string_equal(comm, rows[i].want);
		bpf_comm(&t, NULL, comm);
		assert_string_equal(comm, rows[i].comm);
	}
}

static void sets_of_cpus_are_lists(void **state)
{
	const ctprof_u64 some[] = { 0x8000000000000f05, 0x3 }, all[] = { UINT64_MAX, UINT64_MAX };
	char text[64];

	(void)state;
	assert_int_equal(bpf_mask_text(some, 128, text, sizeof(text)), 14);
	assert_string_equal(text, "0,2,8-11,63-65");
	bpf_mask_text(some, 9, text, sizeof(text));
	assert_string_equal(text, "0,2,8");
	bpf_mask_text(all, 4, text, sizeof(text));
	assert_string_equal(text, "0-3");
	bpf_mask_text(some, 128, text, 6);
	assert_string_equal(text, "0,2");
	bpf_mask_text((const ctprof_u64[]){ 0 }, 64, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_cut_off_one_by_one),
		cmocka_unit_test(identities_have_no_values),
		cmocka_unit_test(what_a_record_ends_before_is_absent),
		cmocka_unit_test(what_the_kernel_does_not_write_is_refused),
		cmocka_unit_test(absent_fields_stay_absent),
		cmocka_unit_test(values_are_as_proc_shows_them),
		cmocka_unit_test(states_are_letters),
		cmocka_unit_test(statistics_need_their_switch),
		cmocka_unit_test(slices_are_of_fair_policies),
		cmocka_unit_test(times_are_stretched_as_the_kernel_does),
		cmocka_unit_test(kernel_threads_have_long_names),
		cmocka_unit_test(sets_of_cpus_are_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
