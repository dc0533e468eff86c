// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/store.h"

#include "../lib/scratch.h"

enum { RAM_BYTES = 256 << 10 };

static struct scratch scratch;
static struct ktstr_error err;

static const char *at(const char *name)
{
	return scratch_path(&scratch, name);
}

static int acquire(const char *key, struct store_entry **ret)
{
	const struct store_opts opts = { .root = at("store"), .key = key, .cancel_fd = -1 };

	return store_acquire(&opts, ret, &err);
}

/* Of RAM_BYTES and a little more; stays in use. */
static struct store_entry *make_used(const char *key, uint64_t max_bytes)
{
	static const char bytes[RAM_BYTES] = "not all zeros";
	struct store_entry *e = NULL;
	_cleanup_free_ char *path = NULL;

	assert_int_equal(acquire(key, &e), 0);
	path = path_format("%s/ram", store_entry_dir(e));
	assert_int_equal(io_write_file(path, bytes, sizeof(bytes), 0644, &err), 0);
	assert_int_equal(store_commit(e, json_pack("{s:s}", "name", key), max_bytes, &err), 0);
	return e;
}

/* Last used @used seconds after the epoch. */
static void make(const char *key, long used)
{
	const struct timespec times[2] = { { .tv_sec = used }, { .tv_sec = used } };
	char lock[64];

	store_release(make_used(key, UINT64_MAX));
	snprintf(lock, sizeof(lock), "store/%s.lock", key);
	assert_int_equal(utimensat(AT_FDCWD, at(lock), times, 0), 0);
}

static bool is_there(const char *key)
{
	char name[80];

	snprintf(name, sizeof(name), "store/%s", key);
	return access(at(name), F_OK) == 0;
}

static int nr_names(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *de;
	int nr = 0;

	while (dir && (de = readdir(dir)))
		nr += de->d_name[0] != '.';
	return nr;
}

static void least_recently_used_goes_first(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	make("aa", 3000);
	make("bb", 1000);
	make("cc", 2000);
	/* Using one keeps it. */
	assert_int_equal(acquire("bb", &e), 1);
	store_release(e);
	assert_int_equal(store_prune(at("store"), 5 * RAM_BYTES / 2, &err), 1);
	assert_true(is_there("aa") && is_there("bb") && !is_there("cc"));
	assert_int_equal(store_prune(at("store"), 3 * RAM_BYTES / 2, &err), 1);
	assert_true(!is_there("aa") && is_there("bb"));
	assert_int_equal(store_prune(at("store"), 3 * RAM_BYTES / 2, &err), 0);
	assert_int_equal(nr_names(at("store")), 3);
}

static void making_one_makes_room(void **state)
{
	(void)state;
	make("aa", 2000);
	make("bb", 1000);
	store_release(make_used("cc", 5 * RAM_BYTES / 2));
	assert_true(is_there("aa") && !is_there("bb") && is_there("cc"));
}

static void the_one_just_made_stays(void **state)
{
	(void)state;
	make("aa", 1000);
	store_release(make_used("bb", 0));
	assert_true(!is_there("aa") && is_there("bb"));
}

static void what_is_in_use_stays(void **state)
{
	struct store_entry *used;

	(void)state;
	used = make_used("aa", UINT64_MAX);
	make("bb", 1000);
	assert_int_equal(store_prune(at("store"), 0, &err), 1);
	assert_true(is_there("aa") && !is_there("bb"));
	store_release(used);
	assert_int_equal(store_prune(at("store"), 0, &err), 1);
	assert_int_equal(nr_names(at("store")), 0);
}

static void what_is_being_made_stays(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	assert_int_equal(acquire("aa", &e), 0);
	assert_int_equal(store_prune(at("store"), 0, &err), 0);
	assert_int_equal(access(store_entry_dir(e), F_OK), 0);
	store_release(e);
}

static void leftovers_go_and_strangers_stay(void **state)
{
	(void)state;
	make("aa", 1000);
	scratch_text(&scratch, "store/bb.new/ram", "half");
	scratch_text(&scratch, "store/bb.lock", "");
	scratch_text(&scratch, "store/cc.seen", "seen");
	scratch_text(&scratch, "store/README", "a person's");
	scratch_text(&scratch, "store/dd.txt", "a person's");
	assert_int_equal(store_prune(at("store"), UINT64_MAX, &err), 0);
	/* aa, its lock and its note, and what is none of ours. */
	assert_int_equal(nr_names(at("store")), 5);
}

static void no_store_is_an_empty_one(void **state)
{
	struct store_info *infos = NULL;

	(void)state;
	assert_int_equal(store_prune(at("store"), 0, &err), 0);
	assert_int_equal(store_list(at("store"), &infos, &err), 0);
	store_list_free(infos, 0);
	assert_int_equal(store_remove(at("store"), "aa", &err), -ENOENT);
	assert_int_equal(access(at("store"), F_OK), -1);
}

static void the_list_says_what_there_is(void **state)
{
	struct store_entry *used, *making = NULL;
	struct store_info *infos = NULL;

	(void)state;
	make("aa", 1000);
	make("bb", 2000);
	scratch_text(&scratch, "store/aa/ram", "damage");
	used = make_used("cc", UINT64_MAX);
	scratch_text(&scratch, "store/dd.new/ram", "half");
	assert_int_equal(acquire("ee", &making), 0);
	scratch_text(&scratch, "store/ff.lock", "");

	assert_int_equal(store_list(at("store"), &infos, &err), 5);
	for (int i = 0; i < 5; i++) {
		const struct store_info *info = &infos[i];

		switch (info->key[0]) {
		case 'a':
			assert_int_equal(i, 4);
			assert_int_equal(info->state, STORE_DAMAGED);
			assert_non_null(strstr(info->why, "'ram' has another size"));
			assert_null(info->about);
			break;
		case 'b':
			assert_int_equal(info->state, STORE_WHOLE);
			assert_false(info->in_use);
			assert_true(info->disk_bytes >= RAM_BYTES);
			assert_true(info->disk_bytes < 2 * RAM_BYTES);
			assert_int_equal(info->used_ns, 2000000000000);
			assert_string_equal(json_string_value(json_object_get(info->about, "name")),
					    "bb");
			break;
		case 'c':
			assert_int_equal(info->state, STORE_WHOLE);
			assert_true(info->in_use);
			break;
		case 'd':
			assert_int_equal(info->state, STORE_LEFTOVER);
			assert_false(info->in_use);
			break;
		case 'e':
			assert_int_equal(info->state, STORE_MAKING);
			assert_true(info->in_use);
			break;
		default:
			fail();
		}
	}
	store_list_free(infos, 5);
	store_release(making);
	store_release(used);
}

static void removal_is_whole(void **state)
{
	(void)state;
	make("aa", 1000);
	assert_int_equal(store_remove(at("store"), "ab", &err), -ENOENT);
	assert_int_equal(store_remove(at("store"), "aa", &err), 0);
	assert_int_equal(nr_names(at("store")), 0);
	scratch_text(&scratch, "store/bb.new/ram", "half");
	assert_int_equal(store_remove(at("store"), "bb", &err), 0);
	assert_int_equal(nr_names(at("store")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(least_recently_used_goes_first, scratch),
		SCRATCH_TEST(making_one_makes_room, scratch),
		SCRATCH_TEST(the_one_just_made_stays, scratch),
		SCRATCH_TEST(what_is_in_use_stays, scratch),
		SCRATCH_TEST(what_is_being_made_stays, scratch),
		SCRATCH_TEST(leftovers_go_and_strangers_stay, scratch),
		SCRATCH_TEST(no_store_is_an_empty_one, scratch),
		SCRATCH_TEST(the_list_says_what_there_is, scratch),
		SCRATCH_TEST(removal_is_whole, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
