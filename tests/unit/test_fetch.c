// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/kernel.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/strbuf.h"

#include "../lib/fake_archive.h"
#include "../lib/scratch.h"

#define EXT	"CONFIG_SCHED_CLASS_EXT=y\nCONFIG_HZ=250\n"
#define NO_EXT	"CONFIG_HZ=250\n"
#define MODULES "CONFIG_VIRTIO_CONSOLE=m\n"

static struct scratch scratch;
static struct ktstr_error err;
static struct ktstr_kernel kernel;
static struct strbuf said = STRBUF_INIT;

static void hear(void *arg, const char *text)
{
	(void)arg;
	strbuf_addf(&said, "%s\n", text);
}

static int fetch(const char *version)
{
	memset(&err, 0, sizeof(err));
	memset(&kernel, 0, sizeof(kernel));
	strbuf_clear(&said);
	return ktstr_kernel_fetch(version, hear, NULL, &kernel, &err);
}

static void add_new_layout(const char *suite, const char *version, const char *config)
{
	char release[64], name[128], package_version[64];
	struct fake_package p = { .suite = suite,
				  .release = release,
				  .name = name,
				  .version = package_version,
				  .config = config };

	snprintf(release, sizeof(release), "%s-cloud-amd64", version);
	snprintf(package_version, sizeof(package_version), "%s-1", version);
	snprintf(name, sizeof(name), "linux-binary-%s", release);
	p.has_image = true;
	fake_archive_add(&scratch, &p);
	snprintf(name, sizeof(name), "linux-base-%s", release);
	p.has_image = false;
	p.has_config = true;
	fake_archive_add(&scratch, &p);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	if (!fake_archive_create(&scratch)) {
		print_message("needs apt and dpkg-deb\n");
		scratch_destroy(&scratch);
		exit(0);
	}
	add_new_layout("sid", "9.2.0", NO_EXT);
	fake_archive_index(&scratch, "sid");
	add_new_layout("bookworm-backports", "9.1.5", EXT);
	add_new_layout("bookworm-backports", "9.1.12", EXT);
	fake_archive_index(&scratch, "bookworm-backports");
	fake_archive_add(&scratch, &(struct fake_package){
					   .suite = "bookworm",
					   .name = "linux-image-6.1.0-50-cloud-amd64-unsigned",
					   .version = "6.1.176-1",
					   .release = "6.1.0-50-cloud-amd64",
					   .old_layout = true,
					   .has_image = true,
					   .has_config = true,
					   .config = MODULES,
				   });
	fake_archive_index(&scratch, "bookworm");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	strbuf_deinit(&said);
	scratch_destroy(&scratch);
	return 0;
}

static int empty_cache(void **state)
{
	(void)state;
	if (access(scratch_path(&scratch, "away"), F_OK) == 0)
		assert_int_equal(
			rename(scratch_path(&scratch, "away"), scratch_path(&scratch, "repo")), 0);
	assert_int_equal(path_remove_tree(scratch_path(&scratch, "cache"), &err), 0);
	return 0;
}

/* What lies in the folder of kernels, hidden files too. */
static const char *cached(void)
{
	static struct strbuf text = STRBUF_INIT;
	struct dirent **names = NULL;
	int nr = scandir(scratch_path(&scratch, "cache/ktstr/kernels"), &names, NULL, alphasort);

	strbuf_clear(&text);
	for (int i = 0; i < nr; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0)
			strbuf_addf(&text, "%s%s", text.len ? " " : "", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return strbuf_str(&text);
}

static void expect_said(const char *part)
{
	if (!strstr(strbuf_str(&said), part))
		fail_msg("'%s' was not said: %s", part, strbuf_str(&said));
}

static void offers_come_from_every_suite(void **state)
{
	_cleanup_free_ struct ktstr_kernel_offer *offers = NULL;

	(void)state;
	strbuf_clear(&said);
	assert_int_equal(ktstr_kernel_offers(hear, NULL, &offers, &err), 4);
	assert_string_equal(offers[0].version, "9.2.0");
	assert_string_equal(offers[1].version, "9.1.12");
	assert_string_equal(offers[2].version, "9.1.5");
	assert_string_equal(offers[3].version, "6.1.176");
	assert_string_equal(offers[3].suite, "bookworm");
	expect_said("skipping suite trixie:");
	assert_string_equal(cached(), "");
}

static void latest_has_sched_ext(void **state)
{
	(void)state;
	assert_int_equal(fetch(NULL), 0);
	assert_string_equal(kernel.name, "9.1.12-cloud-amd64");
	assert_int_equal(kernel.sched_ext, KTSTR_KERNEL_YES);
	assert_true(kernel.pvh);
	expect_said("kernel 9.2.0-cloud-amd64 has no sched_ext, trying an older one");
	assert_string_equal(cached(), "9.1.12-cloud-amd64 9.2.0-cloud-amd64");
}

static void a_second_fetch_needs_no_archive(void **state)
{
	char repo[512], away[512];

	(void)state;
	assert_int_equal(fetch("9.1.5"), 0);
	snprintf(repo, sizeof(repo), "%s", scratch_path(&scratch, "repo"));
	snprintf(away, sizeof(away), "%s", scratch_path(&scratch, "away"));
	assert_int_equal(rename(repo, away), 0);
	assert_int_equal(fetch("9.1"), 0);
	assert_string_equal(kernel.version, "9.1.5");
	expect_said("cannot ask for newer kernels, keeping 9.1.5-cloud-amd64");
	assert_int_equal(fetch("6.1"), -EIO);
	assert_int_equal(rename(away, repo), 0);
	assert_int_equal(fetch("9.1"), 0);
	assert_string_equal(kernel.version, "9.1.12");
	assert_int_equal(rename(repo, away), 0);
	assert_int_equal(fetch("9.1"), 0);
	assert_string_equal(strbuf_str(&said), "");
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(fetch("9.1.5"), 0);
	assert_int_equal(fetch("9.1.12-cloud-amd64"), 0);
	unsetenv("PATH"); /* the usual folders */
	assert_int_equal(rename(away, repo), 0);
}

static void age_lists(void)
{
	static const char *const suites[] = { "sid", "bookworm", "bookworm-backports" };
	const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		char path[200];

		snprintf(path, sizeof(path), "cache/ktstr/apt/%s/packages", suites[i]);
		assert_int_equal(utimensat(-1, scratch_path(&scratch, path), times, 0), 0);
	}
}

static void without_archive_the_cached_one_is_kept(void **state)
{
	char repo[512], away[512];

	(void)state;
	assert_int_equal(fetch("6.1"), 0);
	assert_int_equal(fetch("latest"), 0);
	age_lists();
	snprintf(repo, sizeof(repo), "%s", scratch_path(&scratch, "repo"));
	snprintf(away, sizeof(away), "%s", scratch_path(&scratch, "away"));
	assert_int_equal(rename(repo, away), 0);
	assert_int_equal(fetch("latest"), 0);
	assert_string_equal(kernel.name, "9.1.12-cloud-amd64");
	expect_said("cannot ask for newer kernels, keeping 9.1.12-cloud-amd64");
	assert_int_equal(rename(away, repo), 0);
}

static void modules_are_kept_in_order(void **state)
{
	(void)state;
	assert_int_equal(fetch("6.1"), 0);
	assert_string_equal(kernel.name, "6.1.0-50-cloud-amd64");
	assert_string_equal(kernel.version, "6.1.176");
	assert_int_equal(kernel.sched_ext, KTSTR_KERNEL_NO);
	assert_true(kernel.modules_path[0]);
	assert_int_equal(
		access(scratch_path(&scratch, "cache/ktstr/kernels/6.1.0-50-cloud-amd64/modules/"
					      "01-virtio_console.ko"),
		       R_OK),
		0);
}

static void unknown_versions_are_named(void **state)
{
	(void)state;
	assert_int_equal(fetch("4.19"), -ENOENT);
	assert_non_null(strstr(err.text, "no kernel '4.19' on offer; see: ktstr kernel fetch"));
	assert_int_equal(fetch("newest"), -ENOENT);
	assert_non_null(strstr(err.text, "'newest' is not a kernel version"));
	assert_string_equal(cached(), "");
}

/* @arg: a pipe that counts how often a kernel was unpacked. */
static void count_unpacking(void *arg, const char *text)
{
	const int *fd = arg;

	if (strstr(text, "unpacking kernel") && write(*fd, "u", 1) != 1)
		_exit(2);
}

static void parallel_fetches_share_the_work(void **state)
{
	enum { NR = 6 };
	pid_t pids[NR];
	char bytes[NR];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < NR; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(ktstr_kernel_fetch("9.1.5", count_unpacking, &fds[1], &kernel, &err) <
				      0 ||
			      ktstr_kernel_verify(&kernel, NULL) < 0);
	}
	for (int i = 0; i < NR; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), 1);
	close(fds[0]);
	assert_string_equal(cached(), "9.1.5-cloud-amd64");
}

static void a_changed_package_is_refused(void **state)
{
	char deb[512];
	FILE *f;

	(void)state;
	snprintf(deb, sizeof(deb), "%s",
		 scratch_path(&scratch,
			      "repo/pool/linux-base-9.1.5-cloud-amd64_bookworm-backports.deb"));
	f = fopen(deb, "r+e");
	assert_non_null(f);
	assert_int_equal(fseek(f, -10, SEEK_END), 0);
	assert_true(fputs("xxxx", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(fetch("9.1.5"), -EIO);
	assert_non_null(strstr(err.text, "Hash Sum mismatch"));
	assert_string_equal(cached(), "");
}

static void interrupt_me(void *arg, const char *text)
{
	if (strstr(text, arg))
		ktstr_kernel_interrupt();
}

static void kill_me(void *arg, const char *text)
{
	if (strstr(text, arg))
		kill(getpid(), SIGKILL);
}

/* Return: the wait status of a process that fetches 9.1.12 with @progress. */
static int fetch_in_child(ktstr_kernel_progress_fn progress, const char *when)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int r = ktstr_kernel_fetch("9.1.12", progress, (void *)when, &kernel, &err);

		_exit(r == -EINTR ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void an_interrupted_fetch_leaves_nothing(void **state)
{
	static const char *const moments[] = { "reading package lists", "downloading linux-base",
					       "unpacking kernel" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		empty_cache(NULL);
		assert_int_equal(fetch_in_child(interrupt_me, moments[i]), 0);
		assert_string_equal(cached(), "");
	}
	assert_int_equal(fetch("9.1.12"), 0);
}

static void a_killed_fetch_is_cleaned_up_after(void **state)
{
	(void)state;
	assert_int_equal(fetch_in_child(kill_me, "unpacking kernel"), SIGKILL);
	assert_non_null(strstr(cached(), ".tmp-"));
	assert_int_equal(fetch("9.1.12"), 0);
	assert_string_equal(cached(), "9.1.12-cloud-amd64");
}

static void an_unwritable_cache_is_named(void **state)
{
	(void)state;
	setenv("XDG_CACHE_HOME", "/sys", 1);
	assert_true(fetch(NULL) < 0);
	assert_non_null(strstr(err.text, "set XDG_CACHE_HOME to a folder that can"));
	setenv("XDG_CACHE_HOME", scratch_path(&scratch, "cache"), 1);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_cache)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(offers_come_from_every_suite),
		TEST(latest_has_sched_ext),
		TEST(a_second_fetch_needs_no_archive),
		TEST(without_archive_the_cached_one_is_kept),
		TEST(modules_are_kept_in_order),
		TEST(unknown_versions_are_named),
		TEST(parallel_fetches_share_the_work),
		TEST(an_interrupted_fetch_leaves_nothing),
		TEST(a_killed_fetch_is_cleaned_up_after),
		TEST(an_unwritable_cache_is_named),
		TEST(a_changed_package_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
