// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/aside.h"
#include "ctprof/cgroup_text.h"

enum { READERS = 4 };

/* A capture that comes to its pass. */
struct scene {
	struct ktstr_ctprof_opts opts;
	struct cgroup_mounts mounts;
	struct builder builder;
	struct collect collect;
	struct aside aside;
};

static void begin(struct scene *s)
{
	s->collect = (struct collect){ .opts = &s->opts,
				       .builder = &s->builder,
				       .proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				       .cgroup_mounts = &s->mounts,
				       .live = true };
	assert_true(s->collect.proc_fd >= 0);
}

static void end(struct scene *s)
{
	aside_deinit(&s->aside);
	builder_deinit(&s->builder);
	close(s->collect.proc_fd);
}

static void both_parts_are_read(void **state)
{
	(void)state;
	for (unsigned int readers = 1; readers <= READERS; readers++) {
		struct scene s = { 0 };
		const struct ktstr_ctprof_host *host = &s.builder.head.host;
		const char *kernel;

		begin(&s);
		aside_begin(&s.aside, &s.collect, readers, true);
		aside_begin(&s.aside, &s.collect, readers, false);
		assert_false(s.collect.host_known);
		assert_int_equal(s.builder.nr_threads, 0);
		assert_int_equal(aside_end(&s.aside, &s.collect, true), 0);
		assert_true(s.collect.host_known);
		assert_true(ktstr_ctprof_host_get(host, KTSTR_CTPROF_HOST_UPTIME, &(int64_t){ 0 }));
		kernel = host->texts[KTSTR_CTPROF_HOST_TEXT_VERSION];
		assert_ptr_equal(kernel, builder_intern(&s.builder, kernel, strlen(kernel)));
		assert_true(s.builder.nr_threads > 0);
		assert_int_equal(s.builder.head.summary.processes, 1);
		for (size_t i = 0; i < s.builder.nr_threads; i++)
			assert_int_equal(s.builder.threads[i].tgid, 1);
		end(&s);
	}
}

static void what_is_not_taken_is_dropped(void **state)
{
	(void)state;
	for (unsigned int readers = 1; readers <= READERS; readers++)
		for (unsigned int wanted = 0; wanted <= 1; wanted++) {
			struct scene s = { 0 };

			begin(&s);
			aside_begin(&s.aside, &s.collect, readers, wanted);
			assert_int_equal(aside_end(&s.aside, &s.collect, !wanted), 0);
			assert_true(s.collect.host_known);
			assert_int_equal(s.builder.nr_threads, 0);
			assert_int_equal(s.builder.head.summary.processes, 0);
			end(&s);
		}
}

/* A capture that fails lets its helpers end, and nothing is left. */
static void a_capture_may_end_early(void **state)
{
	(void)state;
	for (unsigned int readers = 1; readers <= READERS; readers++) {
		struct scene s = { 0 };

		begin(&s);
		assert_int_equal(aside_end(&s.aside, &s.collect, true), 0);
		assert_false(s.collect.host_known);
		aside_begin(&s.aside, &s.collect, readers, true);
		aside_deinit(&s.aside);
		assert_true(atomic_load(&s.aside.shift.stop));
		assert_false(s.aside.begun);
		assert_false(s.collect.host_known);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parts_are_read),
		cmocka_unit_test(what_is_not_taken_is_dropped),
		cmocka_unit_test(a_capture_may_end_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
