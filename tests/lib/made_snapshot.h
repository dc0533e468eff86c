/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * made_snapshot.h - snapshots put together by hand.
 *
 *	struct made *m = made_create();
 *	struct ktstr_ctprof_thread *t = made_thread(m, 10, 11, "proc", "worker-1", "/a.slice");
 *	made_put(m, t, KTSTR_CTPROF_RUN_TIME, 5000000);
 *	... made_snapshot(m) ...
 *	made_destroy(m);
 *
 * Threads are added in the order of (tgid, tid), cgroups by path.  Texts are borrowed.
 * Whatever fails to be allocated ends the program.
 */
#ifndef KTSTR_TESTS_MADE_SNAPSHOT_H
#define KTSTR_TESTS_MADE_SNAPSHOT_H

#include <ktstr/ctprof_compare.h>

enum { MADE_THREADS = 32768, MADE_CGROUPS = 256 };

struct made;

struct made *made_create(void);
void made_destroy(struct made *m);
/* Born at tick 100 + @tid; NULL texts are absent.  The address stays valid. */
struct ktstr_ctprof_thread *made_thread(struct made *m, uint32_t tgid, uint32_t tid,
					const char *pcomm, const char *comm, const char *cgroup);
void made_put(struct made *m, struct ktstr_ctprof_thread *t, unsigned int metric, int64_t value);
void made_drop(struct ktstr_ctprof_thread *t, unsigned int metric);
struct ktstr_ctprof_cgroup *made_group(struct made *m, const char *path);
void made_group_put(struct ktstr_ctprof_cgroup *c, unsigned int metric, int64_t value);
void made_host_put(struct made *m, unsigned int metric, int64_t value);
void made_host_text(struct made *m, unsigned int text, const char *value);
/* Seconds since an arbitrary moment. */
void made_at(struct made *m, double seconds);
/* Borrowed; may be asked for again after changes. */
const struct ktstr_ctprof *made_snapshot(struct made *m);

/* Compares records named "a" and "b"; @b NULL: one alone. */
struct ktstr_ctprof_comparison *made_compare(struct made *a, struct made *b,
					     const struct ktstr_ctprof_compare_opts *opts);

/* A test of cmocka that has two empty records, before and after: *state is a struct made_pair. */
#define MADE_TEST(test) cmocka_unit_test_setup_teardown(test, made_set_up, made_tear_down)

struct made_pair {
	struct made *a, *b;
};

int made_set_up(void **state);
int made_tear_down(void **state);

#endif
