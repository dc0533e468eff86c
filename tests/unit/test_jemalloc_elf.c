// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <link.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/jemalloc_elf.h"
#include "ctprof/procfs.h"

static struct ktstr_error err;

/* As lld links: what lies at an offset is not mapped at that address. */
static const struct jelf two_texts = {
	.nr_texts = 2,
	.texts = { { .offset = 0x1234, .size = 0x2000, .vaddr = 0x2234 },
		   { .offset = 0x5000, .size = 0x800, .vaddr = 0x9000 } },
};

static void code_tells_what_to_add(void **state)
{
	uint64_t bias = 1;

	(void)state;
	assert_int_equal(jelf_bias(&two_texts, 0x7f0000002000, 0x1000, &bias), 0);
	assert_true(bias == 0x7f0000000000);
	assert_int_equal(jelf_bias(&two_texts, 0x7f0000009000, 0x5000, &bias), 0);
	assert_true(bias == 0x7f0000000000);
}

static void any_part_of_code_tells_it(void **state)
{
	uint64_t bias = 1;

	(void)state;
	assert_int_equal(jelf_bias(&two_texts, 0x7f0000004000, 0x3000, &bias), 0);
	assert_true(bias == 0x7f0000000000);
}

static void other_offsets_tell_nothing(void **state)
{
	const struct jelf none = { 0 };
	uint64_t bias = 1;

	(void)state;
	assert_int_equal(jelf_bias(&two_texts, 0x7f0000000000, 0, &bias), -ENOENT);
	assert_int_equal(jelf_bias(&two_texts, 0x7f0000004000, 0x4000, &bias), -ENOENT);
	assert_int_equal(jelf_bias(&two_texts, 0x7f0000006000, 0x6000, &bias), -ENOENT);
	assert_int_equal(jelf_bias(&none, 0x7f0000000000, 0, &bias), -ENOENT);
	assert_true(bias == 1);
}

struct search {
	struct span maps;
	unsigned int seen;
};

/* The linker's own number of it. */
static int compare_bias(struct dl_phdr_info *info, size_t size, void *context)
{
	struct search *s = context;
	struct span maps = s->maps;
	_cleanup_close_ int fd = -1;
	struct procfs_map map;
	struct jelf elf;
	struct stat st;

	(void)size;
	/* The program itself and the vDSO have no name of a file. */
	fd = open(info->dlpi_name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(jelf_read(fd, &elf), 0);
	while (procfs_next_map(&maps, &map)) {
		uint64_t bias;

		if (!map.executable || map.inode != st.st_ino)
			continue;
		assert_int_equal(jelf_bias(&elf, map.start, map.offset, &bias), 0);
		assert_true(bias == info->dlpi_addr);
		s->seen++;
	}
	return 0;
}

static void libraries_are_where_the_linker_put_them(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct search s = { 0 };

	(void)state;
	assert_int_equal(io_read_file("/proc/self/maps", &text, &err), 0);
	s.maps = (struct span){ strbuf_str(&text), text.len };
	dl_iterate_phdr(compare_bias, &s);
	assert_true(s.seen >= 2); /* libc and libcmocka */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_tells_what_to_add),
		cmocka_unit_test(any_part_of_code_tells_it),
		cmocka_unit_test(other_offsets_tell_nothing),
		cmocka_unit_test(libraries_are_where_the_linker_put_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
