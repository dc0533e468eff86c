// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "run/merge_tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every id has one result, and what was read can be read again. */
static void check(const struct merge *merge, const struct merge_program *program)
{
	json_t *run = merge_run_line(program);
	struct merge_course course = { 0 };
	struct strbuf text = STRBUF_INIT;
	json_t *list = json_array();
	struct merge_tally tally;
	char seeds[48];
	struct results_run again;
	struct ktstr_error err;

	if (!run || results_run_read(run, &again, &err) < 0)
		abort();
	json_decref(run);
	merge_seeds(program, seeds);
	if (merge_tally_init(&tally, program) < 0)
		abort();
	for (uint32_t i = 0; i < program->nr; i++) {
		struct result result = { 0 };

		if (merge_load(merge, program, i, &result) < 0)
			abort();
		if (strcmp(result.id, program->ids[i]) != 0 ||
		    merge_find(program, result.id) != i ||
		    !result_is_id(result.id, strlen(result.id)))
			abort();
		if (!program->slots[i].len && strcmp(result.end, MERGE_NO_RESULT) != 0)
			abort();
		if (merge_course_check(&course, &result) < 0)
			abort();
		merge_tally_add(&tally, i, &result);
		result_deinit(&result);
	}
	merge_tally_end(&tally, &text, list);
	merge_tally_deinit(&tally);
	json_decref(list);
	strbuf_deinit(&text);
	merge_course_deinit(&course);
}

static int add(struct merge *merge, const char *name, int fd)
{
	struct ktstr_error err;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return merge_add(merge, name, path, &err);
}

static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("results", MFD_CLOEXEC);

	if (fd < 0 || io_write_all(fd, data, size) < 0)
		abort();
	return fd;
}

/* The input is two files: what stands before the first empty line, and what stands behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *middle = memmem(data, size, "\n\n", 2);
	size_t first = middle ? (size_t)(middle - data) + 1 : size;
	size_t second = middle ? first + 1 : size;
	int a = file_of(data, first), b = file_of(data + second, size - second);
	struct merge merge = { 0 };

	if (add(&merge, "a", a) == 0 && add(&merge, "b", b) == 0) {
		merge_conclude(&merge);
		for (uint32_t i = 0; i < merge.nr_programs; i++)
			check(&merge, &merge.programs[i]);
		for (uint32_t i = 0; i < merge.nr_notices; i++)
			if (strchr(merge.notices[i].text, '\n'))
				abort();
	}
	merge_deinit(&merge);
	close(a);
	close(b);
	return 0;
}
