// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "scenario/file.h"
#include <ktstr/test.h>

static struct ktstr_error err;
static struct ktstr_catalogue *built_in;

static int load(void **state)
{
	(void)state;
	if (ktstr_catalogue_load(NULL, &built_in, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	ktstr_catalogue_destroy(built_in);
	return 0;
}

static void every_file_is_built_in(void **state)
{
	const struct file_embedded *file;
	glob_t found;
	size_t nr = 0;

	(void)state;
	while ((file = file_embedded(nr))) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		char path[128];

		snprintf(path, sizeof(path), "scenarios/%s", file->name);
		assert_int_equal(io_read_file(path, &text, &err), 0);
		assert_int_equal(text.len, file->end - file->text);
		assert_memory_equal(text.data, file->text, text.len);
		nr++;
	}
	assert_int_equal(glob("scenarios/*.yaml", 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, nr);
	globfree(&found);
}

static bool fits_anywhere(const struct ktstr_scenario *s)
{
	const struct ktstr_preset *p;

	for (size_t i = 0; (p = ktstr_preset(i)); i++)
		if (ktstr_scenario_check(s, &p->topology, &err) == 0)
			return true;
	return false;
}

static void every_scenario_can_be_run(void **state)
{
	const struct ktstr_scenario *s;
	size_t nr = 0;

	(void)state;
	for (; (s = ktstr_catalogue_scenario(built_in, nr)); nr++) {
		if (!fits_anywhere(s))
			fail_msg("%s: %s", s->name, err.text);
		assert_true(s->checks[0].check != KTSTR_JUDGE_none);
		assert_non_null(strchr(ktstr_catalogue_place(built_in, nr), ':'));
		if (s->steps[0].until)
			continue;
		if (ktstr_scenario_time_ns(s) < MSECS(300) || ktstr_scenario_time_ns(s) > SECS(6))
			fail_msg("%s takes too short or too long", s->name);
	}
	assert_true(nr >= 40);
	assert_int_equal(nr, ktstr_catalogue_nr(built_in));
	assert_null(ktstr_catalogue_place(built_in, nr));
}

/* The longest of the steps that a demand looks at. */
static uint64_t watched_ns(const struct ktstr_scenario *s, const char *step)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < KTSTR_SCENARIO_STEPS; i++)
		if (s->steps[i].hold_ns > longest &&
		    (!step || (s->steps[i].name && !strcmp(s->steps[i].name, step))))
			longest = s->steps[i].hold_ns;
	return longest;
}

/* What cannot be seen is not judged. */
static void no_bound_is_longer_than_what_is_seen(void **state)
{
	const struct ktstr_scenario *s;

	(void)state;
	for (size_t i = 0; (s = ktstr_catalogue_scenario(built_in, i)); i++)
		for (size_t j = 0; j < KTSTR_SCENARIO_CHECKS && s->checks[j].check; j++) {
			const struct ktstr_demand *d = &s->checks[j];

			if (strcmp(ktstr_check_info(d->check)->unit, "ns") || d->off)
				continue;
			if (d->bound * 1.1 > (double)watched_ns(s, d->step))
				fail_msg("%s: a bound of %.0f ms", s->name, d->bound / 1e6);
		}
}

static bool uses_op(const struct ktstr_scenario *s, enum ktstr_step_op_kind kind)
{
	for (size_t i = 0; i < KTSTR_SCENARIO_STEPS; i++)
		for (size_t j = 0; j < KTSTR_STEP_OPS; j++)
			if (s->steps[i].ops[j].kind == kind)
				return true;
	return false;
}

static bool needs_op(const struct ktstr_scenario *s, const char *op)
{
	for (size_t i = 0; i < KTSTR_SCENARIO_NEEDS_OPS && s->needs_ops[i]; i++)
		if (!strcmp(s->needs_ops[i], op))
			return true;
	return false;
}

static bool has_cgroup_with(const struct ktstr_scenario *s, size_t offset, size_t size)
{
	static const char zero[sizeof(void *)];

	for (size_t i = 0; i < KTSTR_SCENARIO_STEPS; i++)
		for (size_t j = 0; j < KTSTR_STEP_CGROUPS; j++)
			if (memcmp((const char *)&s->steps[i].cgroups[j] + offset, zero, size) != 0)
				return true;
	return false;
}

/* A scheduler without these operations promises nothing about them. */
static void what_only_some_promise_is_needed(void **state)
{
	const struct ktstr_scenario *s;

	(void)state;
	for (size_t i = 0; (s = ktstr_catalogue_scenario(built_in, i)); i++) {
		if (uses_op(s, KTSTR_OP_set_weight) ||
		    has_cgroup_with(s, offsetof(struct ktstr_cgroup, weight), sizeof(uint32_t)))
			assert_true(needs_op(s, "cgroup_set_weight"));
		if (uses_op(s, KTSTR_OP_set_quota) ||
		    has_cgroup_with(s, offsetof(struct ktstr_cgroup, quota), sizeof(char *)))
			assert_true(needs_op(s, "cgroup_set_bandwidth"));
		if (uses_op(s, KTSTR_OP_set_idle) ||
		    has_cgroup_with(s, offsetof(struct ktstr_cgroup, idle), sizeof(bool)))
			assert_true(needs_op(s, "cgroup_set_idle"));
		if (uses_op(s, KTSTR_OP_cpu_offline))
			assert_true(needs_op(s, "cpu_offline") && needs_op(s, "cpu_online"));
	}
}

static void every_work_type_is_used(void **state)
{
	bool used[KTSTR_WORK_TYPES] = { 0 };
	const struct ktstr_scenario *s;

	(void)state;
	for (size_t i = 0; (s = ktstr_catalogue_scenario(built_in, i)); i++)
		for (size_t j = 0; j < KTSTR_SCENARIO_STEPS; j++)
			for (size_t k = 0; k < KTSTR_STEP_WORKS; k++)
				if (s->steps[j].works[k].name)
					used[s->steps[j].works[k].type] = true;
	for (int i = 0; i < KTSTR_WORK_TYPES; i++)
		if (!used[i] && i != KTSTR_WORK_program && i != KTSTR_WORK_custom)
			fail_msg("%s is in no scenario",
				 ktstr_work_info((enum ktstr_work_type)i)->name);
}

static void scenarios_are_found_by_name(void **state)
{
	const struct ktstr_scenario *s = ktstr_catalogue_find(built_in, "two_each", &err);

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->group, "basic");
	assert_null(ktstr_catalogue_find(built_in, "tow_each", &err));
	assert_string_equal(err.text, "no scenario 'tow_each'; did you mean 'two_each'?");
	assert_true(ktstr_catalogue_matches(s, "two_*"));
	assert_true(ktstr_catalogue_matches(s, "*"));
	assert_true(ktstr_catalogue_matches(s, "basic:*"));
	assert_true(ktstr_catalogue_matches(s, "basic:two_each"));
	assert_false(ktstr_catalogue_matches(s, "two"));
	assert_false(ktstr_catalogue_matches(s, "cpuset:*"));
}

static void files_of_users_are_read(void **state)
{
	static const char text[] = "ktstr: 1\ngroup: own\nscenarios:\n"
				   "  mine: {about: it holds, steps: [{hold: 2s}, {hold: 1s}]}\n";
	char path[] = "/tmp/ktstr-scenario-XXXXXX";
	const char *const paths[] = { path, NULL };
	const char *const missing[] = { "/does/not/exist.yaml", NULL };
	struct ktstr_catalogue *c = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
	assert_int_equal(ktstr_catalogue_load(paths, &c, &err), 0);
	assert_int_equal(ktstr_catalogue_nr(c), 1);
	assert_int_equal(ktstr_scenario_time_ns(ktstr_catalogue_scenario(c, 0)), SECS(3));
	ktstr_catalogue_destroy(c);
	unlink(path);
	assert_int_equal(ktstr_catalogue_load(missing, &c, &err), -ENOENT);
}

static void presets_are_topologies(void **state)
{
	const struct ktstr_preset *p;
	struct ktstr_topology t;

	(void)state;
	for (size_t i = 0; (p = ktstr_preset(i)); i++) {
		assert_int_equal(ktstr_topology_check(&p->topology, &err), 0);
		assert_int_equal(ktstr_preset_find(p->name, &t, &err), 0);
		assert_memory_equal(&t, &p->topology, sizeof(t));
		if (i)
			assert_true(ktstr_topology_nr_cpus(&ktstr_preset(i - 1)->topology) <=
				    ktstr_topology_nr_cpus(&p->topology));
	}
	assert_int_equal(ktstr_preset_find("2n4l2c1t", &t, &err), 0);
	assert_int_equal(t.llcs, 4);
	assert_int_equal(ktstr_preset_find("tiny-2lcl", &t, &err), -ENOENT);
	assert_string_equal(err.text, "no preset 'tiny-2lcl'; did you mean 'tiny-2llc'?");
	assert_int_equal(ktstr_preset_find("2n3l", &t, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_built_in),
		cmocka_unit_test(every_scenario_can_be_run),
		cmocka_unit_test(no_bound_is_longer_than_what_is_seen),
		cmocka_unit_test(what_only_some_promise_is_needed),
		cmocka_unit_test(every_work_type_is_used),
		cmocka_unit_test(scenarios_are_found_by_name),
		cmocka_unit_test(files_of_users_are_read),
		cmocka_unit_test(presets_are_topologies),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
