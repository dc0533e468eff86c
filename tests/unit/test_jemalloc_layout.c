// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <elf.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/jemalloc_layout.h"
#include "tests/lib/payloads.h"
#include "tests/lib/scratch.h"

static struct ktstr_error err;

static int open_payload(const char *name, struct jelf *elf)
{
	_cleanup_free_ char *path = payload_path(name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(jelf_read(fd, elf), 0);
	return fd;
}

/* The libjemalloc this machine links against, -1 if there is none. */
static int open_library(struct jelf *elf)
{
	static const char *const paths[] = {
		"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
		"/usr/lib64/libjemalloc.so.2",
		"/usr/lib/libjemalloc.so.2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && jelf_read(fd, elf) == 0)
			return fd;
	}
	print_message("needs libjemalloc.so.2\n");
	skip();
	return -1;
}

static void symbols_lead_to_the_thread_data(void **state)
{
	struct jelf elf;
	_cleanup_close_ int fd = open_payload("ktstr-jemalloc-alloc-worker", &elf);

	(void)state;
	assert_true(fd >= 0);
	assert_true(elf.is_64 && elf.is_static && elf.machine == EM_X86_64);
	assert_true(elf.tsd_found);
	assert_true(elf.tsd_size > 1000 && elf.tsd_value + elf.tsd_size <= elf.tls_memsz);
	assert_true(elf.build_id_len == 0 || elf.build_id_len == 20);
}

/* Its jemalloc is in the table. */
static bool is_debian_12(void)
{
	struct strbuf text = STRBUF_INIT;
	bool is = io_read_file("/etc/os-release", &text, NULL) == 0 &&
		  strstr(strbuf_str(&text), "\nID=debian\n") &&
		  strstr(strbuf_str(&text), "\nVERSION_ID=\"12\"\n");

	strbuf_deinit(&text);
	return is;
}

static void a_stripped_program_is_known_by_its_image(void **state)
{
	struct jelf elf, named;
	_cleanup_close_ int stripped = open_payload("jemalloc-worker-stripped", &elf);
	_cleanup_close_ int full = open_payload("ktstr-jemalloc-alloc-worker", &named);
	struct jemalloc_layout layout;
	uint64_t at;

	(void)state;
	assert_false(elf.tsd_found);
	if (jemalloc_layout_search(stripped, &elf, &at, &layout) < 0) {
		assert_false(is_debian_12());
		print_message("needs a jemalloc that is in the table of known builds\n");
		skip();
	}
	assert_int_equal(at, named.tsd_value);
	assert_true(jemalloc_layout_known(full, &named, named.tsd_value, &layout));
	assert_int_equal(layout.checked_size, named.tsd_size);
	assert_false(jemalloc_layout_known(full, &named, named.tsd_value + 8, &layout));
}

/* Thread data as a build of jemalloc has it in its file. */
struct image {
	unsigned char bytes[6216];
	size_t size;
	uint64_t allocated, deallocated;
	bool is_common; /* any program may have such data, so a name has to stand by it */
};

static void expect_known(const struct image *image)
{
	enum { BEFORE = 16, AT = 8 };
	struct jelf elf = { .tls_file_offset = BEFORE,
			    .tls_filesz = image->size + 2 * AT,
			    .tsd_size = image->size };
	unsigned char bytes[BEFORE + sizeof(image->bytes) + 2 * AT] = { 0 };
	struct jemalloc_layout layout = { 0 };
	struct scratch s;
	uint64_t at = 0;
	int fd;

	scratch_create(&s);
	memcpy(bytes + BEFORE + AT, image->bytes, image->size);
	scratch_write(&s, "image", bytes, BEFORE + elf.tls_filesz, 0644);
	fd = open(scratch_path(&s, "image"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(jemalloc_layout_known(fd, &elf, AT, &layout));
	assert_int_equal(layout.allocated, image->allocated);
	assert_int_equal(layout.deallocated, image->deallocated);
	assert_int_equal(layout.checked_size, 0);
	assert_false(jemalloc_layout_known(fd, &elf, 0, &layout));
	elf.tsd_size = 0;
	assert_int_equal(jemalloc_layout_known(fd, &elf, AT, &layout), !image->is_common);
	assert_int_equal(jemalloc_layout_search(fd, &elf, &at, &layout),
			 image->is_common ? -ENODATA : 0);
	assert_int_equal(at, image->is_common ? 0 : AT);
	elf.tsd_size = image->size;
	assert_int_equal(pwrite(fd, "\1", 1, BEFORE + AT + (off_t)image->size - 1), 1);
	assert_false(jemalloc_layout_known(fd, &elf, AT, &layout));
	assert_int_equal(jemalloc_layout_search(fd, &elf, &at, &layout), -ENODATA);
	close(fd);
	scratch_destroy(&s);
}

/* Zeros but for its state and a shard of bins that is none (255). */
static void the_image_of_5_2_1_is_known(void **state)
{
	struct image image = { .size = 6216, .allocated = 16, .deallocated = 24 };

	(void)state;
	image.bytes[0] = 6;
	image.bytes[456] = 0xff;
	expect_known(&image);
}

/* Zeros but for its state. */
static void the_image_of_5_1_0_is_known_by_name(void **state)
{
	struct image image = {
		.size = 6144, .allocated = 16, .deallocated = 24, .is_common = true
	};

	(void)state;
	image.bytes[0] = 5;
	expect_known(&image);
}

/* Zeros but for its state, a ticker (1000), shards that are none (255), and keys of a cache of 24
 * that are none (1). */
static void the_image_of_5_3_1_is_known(void **state)
{
	static const unsigned char ticker[] = { 0xe8, 3, 0, 0, 0xe8, 3, 0, 0, 0xff, 0xff };
	struct image image = { .size = 1968, .allocated = 928, .deallocated = 944 };

	(void)state;
	memcpy(image.bytes + 208, ticker, sizeof(ticker));
	for (size_t i = 536; i < 920; i += 16)
		image.bytes[i] = 1;
	image.bytes[920] = 6;
	expect_known(&image);
}

static void the_library_itself_proves_the_table(void **state)
{
	struct jemalloc_layout known, asked;
	struct jelf elf;
	_cleanup_close_ int fd = open_library(&elf);

	(void)state;
	assert_true(elf.got_found && !elf.got_ambiguous);
	assert_string_equal(elf.mallctl, "mallctl");
	assert_int_equal(jemalloc_calibrate(fd, &elf, &asked), 0);
	assert_true(asked.deallocated > asked.allocated);
	if (jemalloc_layout_known(fd, &elf, elf.got_value, &known)) {
		assert_int_equal(asked.allocated, known.allocated);
		assert_int_equal(asked.deallocated, known.deallocated);
	}
}

static void the_library_answers_for_a_program_alike(void **state)
{
	struct jemalloc_layout library, program;
	struct jelf elf, own;
	_cleanup_close_ int library_fd = open_library(&elf);
	_cleanup_close_ int fd = open_payload("ktstr-jemalloc-alloc-worker", &own);

	(void)state;
	assert_int_equal(jemalloc_calibrate(library_fd, &elf, &library), 0);
	assert_int_equal(jemalloc_system_layout(fd, &own, &program), 0);
	assert_int_equal(program.allocated, library.allocated);
	own.tsd_size -= 8;
	assert_int_equal(jemalloc_system_layout(fd, &own, &program), -ENODATA);
	own.tsd_size += 8;
	own.tsd_value += 8;
	assert_int_equal(jemalloc_system_layout(fd, &own, &program), -ENODATA);
	close(fd);
	fd = open_payload("jemalloc-dwarf-tsd-stripped", &own);
	assert_int_equal(jemalloc_system_layout(fd, &own, &program), -ENODATA);
}

static void a_library_that_lies_is_not_believed(void **state)
{
	struct jemalloc_layout layout = { 0 };
	struct jelf elf, other;
	_cleanup_close_ int fd = open_library(&elf);
	_cleanup_close_ int no_library = open_payload("ktstr-exit-with", &other);

	(void)state;
	/* Another word taken for the GOT slot. */
	other = elf;
	other.got_address += 8;
	assert_int_equal(jemalloc_calibrate(fd, &other, &layout), -ENODATA);
	other = elf;
	snprintf(other.mallctl, sizeof(other.mallctl), "no_such_mallctl");
	assert_int_equal(jemalloc_calibrate(fd, &other, &layout), -ENODATA);
	other = elf;
	other.got_ambiguous = true;
	assert_int_equal(jemalloc_calibrate(fd, &other, &layout), -ENODATA);
	assert_int_equal(jemalloc_calibrate(no_library, &elf, &layout), -ENODATA);
	assert_int_equal(layout.deallocated, 0);
}

static void debug_information_is_exact(void **state)
{
	struct jemalloc_layout layout;
	struct jelf elf;
	_cleanup_close_ int old = open_payload("jemalloc-dwarf-tsd-old", &elf);
	_cleanup_close_ int with = -1, without = -1;

	(void)state;
	assert_int_equal(jemalloc_dwarf_layout(old, &elf, "/nonexistent", &layout), 0);
	assert_int_equal(layout.allocated, 56);
	assert_int_equal(layout.deallocated, 88);
	with = open_payload("jemalloc-dwarf-tsd", &elf);
	assert_int_equal(jemalloc_dwarf_layout(with, &elf, "/nonexistent", &layout), 0);
	/* Not the member of the same name inside a member, nor those with longer names. */
	assert_int_equal(layout.allocated, 56);
	assert_int_equal(layout.deallocated, 88);
	assert_int_equal(layout.checked_size, 0);
	without = open_payload("jemalloc-dwarf-tsd-stripped", &elf);
	assert_true(elf.tsd_found);
	assert_int_equal(jemalloc_dwarf_layout(without, &elf, "/nonexistent", &layout), -ENODATA);
}

static void separate_debug_information_is_found(void **state)
{
	_cleanup_free_ char *path = payload_path("jemalloc-dwarf-tsd");
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct jemalloc_layout layout;
	struct jelf elf;
	_cleanup_close_ int without = open_payload("jemalloc-dwarf-tsd-stripped", &elf);
	struct scratch s;

	(void)state;
	scratch_create(&s);
	assert_int_equal(io_read_file(path, &bytes, &err), 0);
	scratch_write(&s, ".build-id/12/34abcd.debug", bytes.data, bytes.len, 0644);
	memcpy(elf.build_id, "\x12\x34\xab\xcd", 4);
	elf.build_id_len = 4;
	assert_int_equal(jemalloc_dwarf_layout(without, &elf, s.dir, &layout), 0);
	assert_int_equal(layout.allocated, 56);
	elf.build_id[3]++;
	assert_int_equal(jemalloc_dwarf_layout(without, &elf, s.dir, &layout), -ENODATA);
	scratch_destroy(&s);
}

static const struct jemalloc_events calm = { 0, 1000, 5000, 300, 4000 };
static const struct jemalloc_fast calm_fast = { 0, { 0 }, 2000, 5000, 300, 4000 };

static void calm_counters_are_plausible(void **state)
{
	static const struct jemalloc_events no_events;
	struct jemalloc_fast f = calm_fast;

	(void)state;
	assert_true(jemalloc_plausible(&calm, &f));
	f.allocated_next_fast = f.deallocated_next_fast = 0;
	f.state = 1;
	assert_true(jemalloc_plausible(&calm, &f));
	/* A thread that never allocated. */
	f = (struct jemalloc_fast){ .state = 6 };
	assert_true(jemalloc_plausible(&no_events, &f));
}

#define BREAK(field, value)                               \
	do {                                              \
		struct jemalloc_events e = calm;          \
		struct jemalloc_fast f = calm_fast;       \
		(field) = (value);                        \
		(void)e, (void)f;                         \
		assert_false(jemalloc_plausible(&e, &f)); \
	} while (0)

static void every_broken_rule_is_noticed(void **state)
{
	(void)state;
	BREAK(f.state, 7);
	BREAK(f.state, 6);
	BREAK(f.allocated, 999);
	BREAK(f.allocated, 5000);
	BREAK(f.deallocated, 299);
	BREAK(f.deallocated, 4000);
	BREAK(f.allocated_next_fast, 4999);
	BREAK(f.deallocated_next_fast, 1);
	BREAK(e.allocated_last, 2001);
	BREAK(e.allocated_next, 2000);
	BREAK(e.deallocated_last, 301);
	BREAK(e.deallocated_next, 300);
	BREAK(f.allocated_next_fast, (e.allocated_next = 1000 + (4 << 20) + 1));
}

static void damaged_files_are_no_elf(void **state)
{
	_cleanup_free_ char *path = payload_path("jemalloc-worker-shared");
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct scratch s;
	struct jelf elf;

	(void)state;
	scratch_create(&s);
	assert_int_equal(io_read_file(path, &bytes, &err), 0);
	for (size_t len = 0; len < 4096; len += 61) {
		_cleanup_close_ int fd =
			open(scratch_write(&s, "cut", bytes.data, len, 0644), O_RDONLY | O_CLOEXEC);
		int r = jelf_read(fd, &elf);

		assert_true(r == 0 || r == -ENOEXEC);
		assert_true(len >= 64 || r == -ENOEXEC);
	}
	scratch_destroy(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_lead_to_the_thread_data),
		cmocka_unit_test(a_stripped_program_is_known_by_its_image),
		cmocka_unit_test(the_image_of_5_2_1_is_known),
		cmocka_unit_test(the_image_of_5_1_0_is_known_by_name),
		cmocka_unit_test(the_image_of_5_3_1_is_known),
		cmocka_unit_test(the_library_itself_proves_the_table),
		cmocka_unit_test(the_library_answers_for_a_program_alike),
		cmocka_unit_test(a_library_that_lies_is_not_believed),
		cmocka_unit_test(debug_information_is_exact),
		cmocka_unit_test(separate_debug_information_is_found),
		cmocka_unit_test(calm_counters_are_plausible),
		cmocka_unit_test(every_broken_rule_is_noticed),
		cmocka_unit_test(damaged_files_are_no_elf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
