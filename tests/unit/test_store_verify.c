// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/log.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/store.h"
#include "vm/store_verify.h"

#include "../lib/scratch.h"

#define KEY   "0123abcd"
#define ENTRY "store/" KEY "/"

/* One MiB of memory, the first and third quarter written, and a tail that is no whole block. */
enum { QUARTER = 1 << 18, RAM_BYTES = 4 * QUARTER + 100 };

static struct scratch scratch;
static struct ktstr_error err;
static char logged[2048];

static void note_log(void *arg, enum ktstr_log_level level, const char *text)
{
	(void)arg;
	if (level == KTSTR_LOG_WARN)
		snprintf(logged, sizeof(logged), "%s", text);
}

static const char *at(const char *name)
{
	return scratch_path(&scratch, name);
}

static int acquire(struct store_entry **ret)
{
	const struct store_opts opts = { .root = at("store"), .key = KEY, .cancel_fd = -1 };

	return store_acquire(&opts, ret, &err);
}

static void put(const struct store_entry *e, const char *name, const void *bytes, size_t len)
{
	_cleanup_free_ char *path = path_format("%s/%s", store_entry_dir(e), name);

	if (io_write_file(path, bytes, len, 0644, NULL) < 0)
		abort();
}

static void put_ram(const struct store_entry *e)
{
	_cleanup_free_ char *path = path_format("%s/ram", store_entry_dir(e));
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char *bytes = malloc(QUARTER);

	assert_non_null(bytes);
	memset(bytes, 0x5a, QUARTER);
	assert_int_equal(ftruncate(fd, RAM_BYTES), 0);
	assert_int_equal(pwrite(fd, bytes, QUARTER, 0), QUARTER);
	assert_int_equal(pwrite(fd, bytes, QUARTER, 2 * QUARTER), QUARTER);
	assert_int_equal(pwrite(fd, "end", 3, RAM_BYTES - 3), 3);
	free(bytes);
}

static void make(void)
{
	struct store_entry *e = NULL;

	assert_int_equal(acquire(&e), 0);
	put_ram(e);
	put(e, "state", "device state", 12);
	assert_int_equal(store_commit(e, json_pack("{s:s}", "a", "b"), UINT64_MAX, &err), 0);
	store_release(e);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	logged[0] = '\0';
	ktstr_log_set(note_log, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

/* Bytes that this process has asked files for. */
static unsigned long long bytes_read(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	unsigned long long n;

	assert_int_equal(io_read_file("/proc/self/io", &text, &err), 0);
	assert_int_equal(sscanf(text.data, "rchar: %llu", &n), 1);
	return n;
}

/* Bytes read to get the whole entry. */
static unsigned long long cost_of_use(void)
{
	unsigned long long before = bytes_read();
	struct store_entry *e = NULL;

	assert_int_equal(acquire(&e), 1);
	store_release(e);
	return bytes_read() - before;
}

/* File times may tick coarsely, and what changed just now is never trusted. */
static void let_it_age(void)
{
	_cleanup_store_paths_ struct store_paths paths = { 0 };
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	struct stat st;

	assert_int_equal(store_paths_init(&paths, at("store"), KEY, &err), 0);
	assert_int_equal(stat(paths.seen, &st), 0);
	times[1] = st.st_mtim;
	times[1].tv_sec++;
	assert_int_equal(utimensat(AT_FDCWD, paths.seen, times, 0), 0);
}

static void unchanged_files_are_not_read_again(void **state)
{
	(void)state;
	make();
	let_it_age();
	assert_true(cost_of_use() < QUARTER);
	assert_true(cost_of_use() < QUARTER);
	assert_string_equal(logged, "");
}

static void fresh_files_are_read_again(void **state)
{
	_cleanup_store_paths_ struct store_paths paths = { 0 };
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	struct stat st;

	(void)state;
	make();
	assert_int_equal(stat(at(ENTRY "ram"), &st), 0);
	assert_int_equal(store_paths_init(&paths, at("store"), KEY, &err), 0);
	times[1] = st.st_ctim;
	assert_int_equal(utimensat(AT_FDCWD, paths.seen, times, 0), 0);
	assert_true(cost_of_use() >= 2 * QUARTER);
}

static void holes_are_not_read(void **state)
{
	unsigned long long cost;

	(void)state;
	make();
	unlink(at("store/" KEY ".seen"));
	cost = cost_of_use();
	assert_true(cost >= 2 * QUARTER);
	assert_true(cost < RAM_BYTES);
}

static void touched_files_are_read_again(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	(void)state;
	make();
	let_it_age();
	assert_int_equal(utimensat(AT_FDCWD, at(ENTRY "ram"), times, 0), 0);
	assert_true(cost_of_use() >= 2 * QUARTER);
	let_it_age();
	assert_true(cost_of_use() < QUARTER);
}

static void another_boot_reads_again(void **state)
{
	_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT;
	char *boot;

	(void)state;
	make();
	assert_int_equal(io_read_file(at("store/" KEY ".seen"), &seen, &err), 0);
	boot = strstr(seen.data, "\nboot ");
	assert_non_null(boot);
	boot[6] = boot[6] == '0' ? '1' : '0';
	scratch_write(&scratch, "store/" KEY ".seen", seen.data, seen.len, 0644);
	let_it_age();
	assert_true(cost_of_use() >= 2 * QUARTER);
	let_it_age();
	assert_true(cost_of_use() < QUARTER);
}

static void a_torn_note_reads_again(void **state)
{
	(void)state;
	make();
	assert_int_equal(truncate(at("store/" KEY ".seen"), 40), 0);
	let_it_age();
	assert_true(cost_of_use() >= 2 * QUARTER);
}

static void layout_does_not_matter(void **state)
{
	_cleanup_strbuf_ struct strbuf ram = STRBUF_INIT;

	(void)state;
	make();
	assert_int_equal(io_read_file(at(ENTRY "ram"), &ram, &err), 0);
	assert_int_equal(ram.len, RAM_BYTES);
	/* Zeros instead of holes. */
	scratch_write(&scratch, ENTRY "ram", ram.data, ram.len, 0644);
	assert_true(cost_of_use() >= RAM_BYTES);
	assert_string_equal(logged, "");
}

static void flip(const char *name, off_t where)
{
	_cleanup_close_ int fd = open(at(name), O_RDWR | O_CLOEXEC);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, where), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, where), 1);
}

static void first_byte(void)
{
	flip(ENTRY "ram", 0);
}

static void last_byte(void)
{
	flip(ENTRY "ram", RAM_BYTES - 1);
}

static void byte_in_a_hole(void)
{
	flip(ENTRY "ram", QUARTER * 3 / 2);
}

static void state_byte(void)
{
	flip(ENTRY "state", 3);
}

/* The same content one block further on. */
static void moved_block(void)
{
	_cleanup_close_ int fd = open(at(ENTRY "ram"), O_RDWR | O_CLOEXEC);
	char block[4096], zeros[4096] = { 0 };

	assert_int_equal(pread(fd, block, sizeof(block), 0), sizeof(block));
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros));
	assert_int_equal(pwrite(fd, block, sizeof(block), QUARTER), sizeof(block));
}

static void shorter(void)
{
	assert_int_equal(truncate(at(ENTRY "ram"), RAM_BYTES - 1), 0);
}

static void longer_by_a_hole(void)
{
	assert_int_equal(truncate(at(ENTRY "ram"), RAM_BYTES + 4096), 0);
}

static void file_gone(void)
{
	assert_int_equal(unlink(at(ENTRY "state")), 0);
}

static void file_more(void)
{
	scratch_text(&scratch, ENTRY "more", "more");
}

static void link_to_itself_elsewhere(void)
{
	assert_int_equal(rename(at(ENTRY "ram"), at("ram")), 0);
	assert_int_equal(symlink(at("ram"), at(ENTRY "ram")), 0);
}

static void folder_for_file(void)
{
	assert_int_equal(unlink(at(ENTRY "state")), 0);
	assert_int_equal(mkdir(at(ENTRY "state"), 0777), 0);
}

static void pipe_for_file(void)
{
	assert_int_equal(unlink(at(ENTRY "state")), 0);
	assert_int_equal(mkfifo(at(ENTRY "state"), 0666), 0);
}

static void manifest_gone(void)
{
	assert_int_equal(unlink(at(ENTRY "manifest.json")), 0);
}

static void manifest_cut(void)
{
	assert_int_equal(truncate(at(ENTRY "manifest.json"), 100), 0);
}

static void manifest_empty(void)
{
	assert_int_equal(truncate(at(ENTRY "manifest.json"), 0), 0);
}

static void manifest_huge(void)
{
	assert_int_equal(truncate(at(ENTRY "manifest.json"), 1 << 20), 0);
}

static void manifest_link(void)
{
	assert_int_equal(rename(at(ENTRY "manifest.json"), at("m")), 0);
	assert_int_equal(symlink(at("m"), at(ENTRY "manifest.json")), 0);
}

static void manifest_says_otherwise(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char *b;

	assert_int_equal(io_read_file(at(ENTRY "manifest.json"), &text, &err), 0);
	b = strstr(text.data, "\"b\"");
	assert_non_null(b);
	b[1] = 'c';
	scratch_write(&scratch, ENTRY "manifest.json", text.data, text.len, 0644);
}

static void folder_is_a_link(void)
{
	assert_int_equal(rename(at("store/" KEY), at("elsewhere")), 0);
	assert_int_equal(symlink(at("elsewhere"), at("store/" KEY)), 0);
}

static void folder_is_a_file(void)
{
	assert_int_equal(rename(at("store/" KEY), at("elsewhere")), 0);
	scratch_text(&scratch, "store/" KEY, "file");
}

static void damage_is_seen_and_mended(void **state)
{
	static const struct {
		void (*harm)(void);
		const char *said;
	} ways[] = {
		{ first_byte, "'ram' has another content" },
		{ last_byte, "'ram' has another content" },
		{ byte_in_a_hole, "'ram' has another content" },
		{ moved_block, "'ram' has another content" },
		{ state_byte, "'state' has another content" },
		{ shorter, "'ram' has another size" },
		{ longer_by_a_hole, "'ram' has another size" },
		{ file_gone, "'state' is missing" },
		{ file_more, "'more' is not in its manifest" },
		{ link_to_itself_elsewhere, "'ram' " },
		{ folder_for_file, "'state' " },
		{ pipe_for_file, "'state' " },
		{ manifest_gone, "'manifest.json' is missing" },
		{ manifest_cut, "manifest.json is damaged" },
		{ manifest_empty, "manifest.json is damaged" },
		{ manifest_huge, "'manifest.json': " },
		{ manifest_link, "'manifest.json' is no regular file" },
		{ manifest_says_otherwise, "its content does not match its hash" },
		{ folder_is_a_link, "open it: " },
		{ folder_is_a_file, "open it: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct store_entry *e = NULL;

		make();
		ways[i].harm();
		assert_int_equal(acquire(&e), 0);
		if (!strstr(logged, ways[i].said))
			fail_msg("way %zu: wanted \"%s\" in: %s", i, ways[i].said, logged);
		assert_non_null(strstr(logged, "will be made anew"));
		store_release(e);
		assert_int_equal(access(at("store/" KEY), F_OK), -1);
		assert_int_equal(path_remove_tree(at("elsewhere"), NULL), 0);
		unlink(at("ram"));
		unlink(at("m"));
	}
}

static void files_of_another_user_are_not_trusted(void **state)
{
	struct store_entry *e = NULL;

	(void)state;
	make();
	if (chown(at(ENTRY "state"), 54321, (gid_t)-1) < 0) {
		assert_int_equal(errno, EPERM);
		print_message("needs the right to give files away\n");
		skip();
	}
	assert_int_equal(acquire(&e), 0);
	assert_non_null(strstr(logged, "'state' belongs to another user"));
	store_release(e);
	make();
	assert_int_equal(chown(at("store/" KEY), 54321, (gid_t)-1), 0);
	assert_int_equal(acquire(&e), 0);
	assert_non_null(strstr(logged, "belongs to another user"));
	store_release(e);
}

/* As root of a user namespace, where one's own files stay one's own. */
static bool own_namespace(void)
{
	char uids[32], gids[32];

	if (unshare(CLONE_NEWNS) == 0)
		return true;
	snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
	snprintf(gids, sizeof(gids), "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       io_write_sysfs("/proc/self/uid_map", uids) == 0 &&
	       io_write_sysfs("/proc/self/setgroups", "deny") == 0 &&
	       io_write_sysfs("/proc/self/gid_map", gids) == 0;
}

/* Exit status of @body in a child with mounts of its own; -1 where that is not allowed. */
static int with_own_mounts(int (*body)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		if (!own_namespace() || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(77);
		_exit(body());
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("needs mounts of one's own\n");
		skip();
	}
	return WEXITSTATUS(status);
}

static int use_read_only(void)
{
	const char *store = at("store");
	const struct store_opts other = { .root = store, .key = "ffff", .cancel_fd = -1 };
	struct store_entry *e = NULL, *again = NULL;

	if (mount(store, store, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, store, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 77;
	if (acquire(&e) != 1 || acquire(&again) != 1)
		return 1;
	store_release(again);
	store_release(e);
	if (store_acquire(&other, &e, &err) != -EROFS)
		return 2;
	if (store_remove(store, KEY, &err) != -EROFS)
		return 3;
	return 0;
}

static int use_read_only_damaged(void)
{
	struct store_entry *e = NULL;

	flip(ENTRY "ram", 0);
	if (use_read_only() != 1)
		return 1;
	return acquire(&e) == -EROFS ? 0 : 2;
}

static void a_read_only_store_is_used(void **state)
{
	(void)state;
	make();
	assert_int_equal(with_own_mounts(use_read_only), 0);
	assert_int_equal(with_own_mounts(use_read_only_damaged), 0);
}

static int fill_disk(void)
{
	_cleanup_free_ char *bytes = calloc(1, 4 << 20), *path = NULL;
	struct store_entry *e = NULL;
	int fd;

	if (mkdir(at("store"), 0777) < 0 || !bytes)
		return 5;
	if (mount("none", at("store"), "tmpfs", 0, "size=1m") < 0)
		return 77;
	if (acquire(&e) != 0)
		return 1;
	path = path_format("%s/ram", store_entry_dir(e));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	memset(bytes, 1, 4 << 20);
	if (io_write_all(fd, bytes, 4 << 20) != -ENOSPC)
		return 2;
	close(fd);
	if (store_commit(e, json_object(), UINT64_MAX, &err) != -ENOSPC)
		return 3;
	return rmdir(at("store/" KEY ".new")) < 0 && errno == ENOENT && acquire(&e) == 0 ? 0 : 4;
}

static void a_full_disk_is_told_and_left_clean(void **state)
{
	(void)state;
	assert_int_equal(with_own_mounts(fill_disk), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unchanged_files_are_not_read_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(fresh_files_are_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holes_are_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(touched_files_are_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_boot_reads_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_torn_note_reads_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(layout_does_not_matter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_seen_and_mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_of_another_user_are_not_trusted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_read_only_store_is_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_left_clean, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
