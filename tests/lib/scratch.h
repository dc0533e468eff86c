/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* scratch.h - a folder for one unit test, and files in it.  A failure ends the program. */
#ifndef KTSTR_TESTS_SCRATCH_H
#define KTSTR_TESTS_SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

struct scratch {
	char dir[256]; /* absolute */
};

void scratch_create(struct scratch *s);
void scratch_destroy(struct scratch *s);

/* A test of cmocka that has a new @folder (a struct scratch), which goes with it. */
#define SCRATCH_TEST(test, folder) \
	cmocka_unit_test_prestate_setup_teardown(test, scratch_set_up, scratch_tear_down, &(folder))
int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* "DIR/NAME" in one of a few static buffers that are used in turn. */
const char *scratch_path(const struct scratch *s, const char *name);
/* Writes a file and its missing parents.  Return: its path, as above. */
const char *scratch_write(const struct scratch *s, const char *name, const void *bytes, size_t len,
			  mode_t mode);
/* The same with text and mode 0644. */
const char *scratch_text(const struct scratch *s, const char *name, const char *text);

#endif
