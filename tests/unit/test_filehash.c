// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/path.h"
#include "vm/filehash.h"

#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define REMEMBERED    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct scratch scratch;

static const char *hash_of(const char *path, const char *cache)
{
	static char hex[SHA256_HEX];
	struct ktstr_error err = { 0 };

	memset(hex, 0, sizeof(hex));
	if (filehash_sha256(path, cache, hex, &err) < 0)
		fail_msg("%s", err.text);
	return hex;
}

/* What an earlier run would have left about the file as it is now. */
static void plant(const char *path, long more_bytes, const char *hex)
{
	struct sha256 s;
	char key[SHA256_HEX], name[64];
	struct stat st;
	char *text;

	assert_int_equal(stat(path, &st), 0);
	sha256_init(&s);
	sha256_update(&s, path, strlen(path));
	sha256_final_hex(&s, key);
	snprintf(name, sizeof(name), "cache/hashes/%.16s", key);
	text = path_format("ktstr hash 1\n%llu %llu %llu %lld%09ld %lld%09ld %s\n%s\n",
			   (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
			   (unsigned long long)(st.st_size + more_bytes),
			   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			   (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, path, hex);
	assert_non_null(text);
	scratch_text(&scratch, name, text);
	free(text);
}

static void content_decides(void **state)
{
	const char *path = scratch_text(&scratch, "f", "abc");
	char cache[512];

	(void)state;
	snprintf(cache, sizeof(cache), "%s", scratch_path(&scratch, "cache"));
	assert_string_equal(hash_of(path, NULL), SHA256_OF_ABC);
	assert_string_equal(hash_of(path, cache), SHA256_OF_ABC);
	/* It is too young to be told from what it may become within the same clock tick. */
	assert_int_equal(access(cache, F_OK), -1);
}

static void what_is_remembered_counts(void **state)
{
	const char *path = scratch_text(&scratch, "f", "abc");
	char cache[512];

	(void)state;
	snprintf(cache, sizeof(cache), "%s", scratch_path(&scratch, "cache"));
	plant(path, 0, REMEMBERED);
	assert_string_equal(hash_of(path, cache), REMEMBERED);
	assert_string_equal(hash_of(path, NULL), SHA256_OF_ABC);
}

static void what_is_remembered_of_another_file_does_not(void **state)
{
	static const char *const damaged[] = { "", "0123", (REMEMBERED "0"), ("x" REMEMBERED) };
	const char *path = scratch_text(&scratch, "f", "abc");
	char cache[512];

	(void)state;
	snprintf(cache, sizeof(cache), "%s", scratch_path(&scratch, "cache"));
	plant(path, 1, REMEMBERED);
	assert_string_equal(hash_of(path, cache), SHA256_OF_ABC);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		plant(path, 0, damaged[i]);
		assert_string_equal(hash_of(path, cache), SHA256_OF_ABC);
	}
}

static void a_missing_file_is_named(void **state)
{
	struct ktstr_error err = { 0 };
	char hex[SHA256_HEX];

	(void)state;
	assert_int_equal(filehash_sha256("/nowhere/f", NULL, hex, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/f"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(content_decides, scratch),
		SCRATCH_TEST(what_is_remembered_counts, scratch),
		SCRATCH_TEST(what_is_remembered_of_another_file_does_not, scratch),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
