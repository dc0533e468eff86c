// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <ktstr/template.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/store.h"

#include "../lib/scratch.h"

#define ROOT "ktstr/templates"

enum { RAM_BYTES = 256 << 10 };

static struct scratch scratch;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	setenv("XDG_CACHE_HOME", scratch.dir, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

/* Stays in use. */
static struct store_entry *make_used(const char *key)
{
	static const char ram[RAM_BYTES] = "not all zeros";
	const struct store_opts opts = { .root = scratch_path(&scratch, ROOT),
					 .key = key,
					 .cancel_fd = -1 };
	struct store_entry *e = NULL;
	_cleanup_free_ char *path = NULL;
	json_t *about;

	assert_int_equal(store_acquire(&opts, &e, &err), 0);
	path = path_format("%s/ram0", store_entry_dir(e));
	assert_int_equal(io_write_file(path, ram, sizeof(ram), 0644, &err), 0);
	about = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:i}", "qemu", "10.0.2", "kernel",
			  "7.3.4", "topology", "1n1l2c1t", "memory_bytes", (json_int_t)402653184,
			  "mode", "exact", "made_at", "2026-01-02T03:04:05Z", "ktstr", 7);
	assert_int_equal(store_commit(e, about, UINT64_MAX, &err), 0);
	return e;
}

static void make(const char *key, long used)
{
	const struct timespec times[2] = { { .tv_sec = used }, { .tv_sec = used } };
	char lock[128];

	store_release(make_used(key));
	snprintf(lock, sizeof(lock), ROOT "/%s.lock", key);
	assert_int_equal(utimensat(AT_FDCWD, scratch_path(&scratch, lock), times, 0), 0);
}

static int count(void)
{
	_cleanup_free_ struct ktstr_template *templates = NULL;

	return ktstr_template_list(&templates, &err);
}

static void an_empty_cache_has_none(void **state)
{
	struct ktstr_template *templates = (void *)1;
	struct ktstr_template_pruned pruned = { .removed = 1 };
	struct ktstr_template_store store = { .nr = 1 };

	(void)state;
	assert_int_equal(ktstr_template_list(&templates, &err), 0);
	assert_null(templates);
	assert_int_equal(ktstr_template_prune(0, &pruned, &err), 0);
	assert_int_equal(pruned.removed, 0);
	assert_int_equal(ktstr_template_usage(&store, &err), 0);
	assert_int_equal(store.nr, 0);
	assert_string_equal(store.path, scratch_path(&scratch, ROOT));
	assert_int_equal(access(scratch_path(&scratch, "ktstr"), F_OK), -1);
}

static void what_it_was_made_from_is_listed(void **state)
{
	_cleanup_free_ struct ktstr_template *templates = NULL;

	(void)state;
	make("aa", 1000);
	assert_int_equal(ktstr_template_list(&templates, &err), 1);
	assert_string_equal(templates[0].key, "aa");
	assert_int_equal(templates[0].state, KTSTR_TEMPLATE_WHOLE);
	assert_string_equal(templates[0].qemu, "10.0.2");
	assert_string_equal(templates[0].kernel, "7.3.4");
	assert_string_equal(templates[0].topology, "1n1l2c1t");
	assert_string_equal(templates[0].mode, "exact");
	assert_string_equal(templates[0].made_at, "2026-01-02T03:04:05Z");
	/* Not a text, so not told. */
	assert_string_equal(templates[0].ktstr, "");
	assert_int_equal(templates[0].memory_bytes, 402653184);
	assert_int_equal(templates[0].used_ns, 1000000000000);
	assert_true(templates[0].disk_bytes >= RAM_BYTES);
}

static void a_prefix_means_one_or_none(void **state)
{
	char key[KTSTR_TEMPLATE_KEY] = "untouched";

	(void)state;
	make("abc1", 1000);
	make("abc2", 2000);
	make("abc", 3000);
	assert_int_equal(ktstr_template_remove("ab", key, &err), -ENOTUNIQ);
	assert_string_equal(err.text, "'ab' could be 3 templates: abc, abc2, abc1");
	assert_int_equal(ktstr_template_remove("abd", key, &err), -ENOENT);
	assert_int_equal(ktstr_template_remove("", key, &err), -EINVAL);
	assert_int_equal(ktstr_template_remove("ABC1", key, &err), -EINVAL);
	assert_string_equal(key, "untouched");
	/* A whole key is that one, whatever else begins so. */
	assert_int_equal(ktstr_template_remove("abc", key, &err), 0);
	assert_string_equal(key, "abc");
	assert_int_equal(ktstr_template_remove("abc2", NULL, &err), 0);
	assert_int_equal(ktstr_template_remove("a", key, &err), 0);
	assert_string_equal(key, "abc1");
	assert_int_equal(count(), 0);
}

static void one_in_use_stays(void **state)
{
	struct store_entry *used;
	struct ktstr_template_pruned pruned;

	(void)state;
	used = make_used("aa");
	make("bb", 1000);
	assert_int_equal(ktstr_template_remove("aa", NULL, &err), -EBUSY);
	assert_int_equal(ktstr_template_prune(0, &pruned, &err), 0);
	assert_int_equal(pruned.removed, 1);
	assert_int_equal(pruned.kept, 1);
	assert_true(pruned.kept_bytes >= RAM_BYTES && pruned.freed_bytes >= RAM_BYTES);
	store_release(used);
	assert_int_equal(ktstr_template_remove("aa", NULL, &err), 0);
}

static void pruning_takes_damage_first(void **state)
{
	struct ktstr_template_pruned pruned;
	struct ktstr_template_store store;

	(void)state;
	make("aa", 1000);
	make("bb", 2000);
	make("cc", 3000);
	scratch_text(&scratch, ROOT "/cc/ram0", "damage");
	assert_int_equal(ktstr_template_prune(UINT64_MAX, &pruned, &err), 0);
	assert_int_equal(pruned.removed, 1);
	assert_int_equal(pruned.kept, 2);
	assert_int_equal(ktstr_template_prune(3 * RAM_BYTES / 2, &pruned, &err), 0);
	assert_int_equal(pruned.removed, 1);
	assert_int_equal(ktstr_template_usage(&store, &err), 0);
	assert_int_equal(store.nr, 1);
	assert_int_equal(store.disk_bytes, pruned.kept_bytes);
	assert_int_equal(ktstr_template_remove("bb", NULL, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_cache_has_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_it_was_made_from_is_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_prefix_means_one_or_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_in_use_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pruning_takes_damage_first, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
