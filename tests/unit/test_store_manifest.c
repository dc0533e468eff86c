// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "vm/store_manifest.h"

#define KEY  "0123abcd"
#define HASH "06b05ab6733a618578af5f94892f3950"

static struct ktstr_error err;

static int add(struct manifest *m, const char *name)
{
	struct manifest_file file = { .bytes = 1 << 20, .allocated_bytes = 4096, .xxh128 = HASH };

	snprintf(file.name, sizeof(file.name), "%s", name);
	return manifest_add(m, &file, &err);
}

static void written(struct strbuf *out)
{
	_cleanup_manifest_ struct manifest m = {
		.about = json_pack("{s:s, s:I}", "qemu", "10.0.2", "memory_bytes",
				   (json_int_t)402653184),
	};

	assert_int_equal(add(&m, "ram0"), 0);
	assert_int_equal(add(&m, "state"), 0);
	assert_int_equal(manifest_format(&m, KEY, out, &err), 0);
}

static int parse(const char *text, size_t len)
{
	_cleanup_manifest_ struct manifest m = { 0 };

	return manifest_parse(text, len, KEY, &m, &err);
}

static void what_was_written_is_read(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_manifest_ struct manifest m = { 0 };

	(void)state;
	written(&text);
	assert_int_equal(manifest_parse(text.data, text.len, KEY, &m, &err), 0);
	assert_int_equal(m.nr_files, 2);
	assert_string_equal(m.files[1].name, "state");
	assert_int_equal(m.files[1].bytes, 1 << 20);
	assert_int_equal(m.files[1].allocated_bytes, 4096);
	assert_string_equal(m.files[1].xxh128, HASH);
	assert_string_equal(json_string_value(json_object_get(m.about, "qemu")), "10.0.2");
}

/* Also those that leave it JSON. */
static void every_flipped_bit_is_seen(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t harmless = 0;

	(void)state;
	written(&text);
	for (size_t i = 0; i < text.len * 8; i++) {
		char *byte = &text.data[i / 8];
		char before = *byte;

		*byte = (char)(before ^ 1 << i % 8);
		/* Blanks between the words of JSON may become other blanks. */
		if (parse(text.data, text.len) == 0) {
			assert_true(strchr(" \n\t\r", before) && strchr(" \n\t\r", *byte));
			harmless++;
		}
		*byte = before;
	}
	assert_true(harmless < text.len);
	assert_int_equal(parse(text.data, text.len), 0);
}

static void every_cut_is_seen(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	written(&text);
	for (size_t len = 0; len < text.len - 1; len++)
		assert_int_equal(parse(text.data, len), -EINVAL);
	assert_int_equal(parse(text.data, text.len), 0);
}

static void another_key_is_refused(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_manifest_ struct manifest m = { 0 };

	(void)state;
	written(&text);
	assert_int_equal(manifest_parse(text.data, text.len, "0123abce", &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "of another entry"));
}

static void limits_hold(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_manifest_ struct manifest m = { .about = json_object() };
	char name[MANIFEST_MAX_NAME + 8];

	(void)state;
	written(&text);
	for (size_t i = text.len; i <= MANIFEST_MAX_BYTES; i++)
		strbuf_addch(&text, ' ');
	assert_int_equal(parse(text.data, text.len), -EINVAL);
	assert_non_null(strstr(err.text, "too large"));

	for (int i = 0; i < MANIFEST_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(add(&m, name), 0);
	}
	assert_int_equal(add(&m, "more"), -E2BIG);
}

static void names_stay_in_the_folder(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "a/b", ".hidden", "a b", MANIFEST_NAME
	};
	_cleanup_manifest_ struct manifest m = { .about = json_object() };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(add(&m, names[i]), -EINVAL);
	assert_int_equal(add(&m, "a"), 0);
	assert_int_equal(add(&m, "a"), -EINVAL);
}

static void about_is_an_object(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_manifest_ struct manifest m = { .about = json_array() };

	(void)state;
	assert_int_equal(manifest_format(&m, KEY, &text, &err), -EINVAL);
}

static void shapes_are_checked(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"{\"version\":2,\"key\":\"" KEY "\",\"about\":{},\"files\":[],\"xxh128\":\"" HASH
		"\"}",
		"{\"version\":1,\"key\":\"" KEY "\",\"about\":[],\"files\":[],\"xxh128\":\"" HASH
		"\"}",
		"{\"version\":1,\"key\":\"" KEY "\",\"about\":{},\"files\":{},\"xxh128\":\"" HASH
		"\"}",
		"{\"version\":1,\"key\":\"" KEY "\",\"about\":{},\"files\":[{}],\"xxh128\":\"" HASH
		"\"}",
		"{\"version\":1,\"key\":\"" KEY "\",\"about\":{},\"files\":[]}",
		"{\"version\":1,\"key\":\"" KEY "\",\"about\":{},\"files\":[],\"xxh128\":\"" HASH
		"\"}",
		"{\"version\":1,\"version\":1,\"key\":\"" KEY "\",\"about\":{},\"files\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(parse(texts[i], strlen(texts[i])), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(every_flipped_bit_is_seen),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(names_stay_in_the_folder),
		cmocka_unit_test(about_is_an_object),
		cmocka_unit_test(shapes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
