// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/registry.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include <ktstr/vm.h>

enum { NEAR_NAMES = 3 };

static int by_name(const void *a, const void *b)
{
	const struct ktstr_entry *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int refuse_twins(const struct registry *registry, struct ktstr_error *err)
{
	for (size_t i = 1; i < registry->nr; i++) {
		const struct ktstr_entry *a = registry->entries[i - 1], *b = registry->entries[i];

		if (!strcmp(a->name, b->name))
			return ktstr_error_set(
				err, -EEXIST,
				"two tests are called '%s': %s:%u and %s:%u; rename one", a->name,
				a->file, a->line, b->file, b->line);
	}
	return 0;
}

int registry_load(const struct ktstr_entry *const *first, const struct ktstr_entry *const *end,
		  struct registry *ret_registry, struct ktstr_error *err)
{
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;
	size_t slots = first ? (size_t)(end - first) : 0;
	int r;

	registry.entries = calloc(slots + 1, sizeof(*registry.entries));
	registry.selected = calloc(slots + 1, sizeof(*registry.selected));
	if (!registry.entries || !registry.selected)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < slots; i++) {
		if (!first[i])
			continue; /* some linkers leave gaps */
		registry.selected[registry.nr] = true;
		registry.entries[registry.nr++] = first[i];
	}
	if (registry.nr)
		qsort(registry.entries, registry.nr, sizeof(*registry.entries), by_name);
	r = refuse_twins(&registry, err);
	if (r < 0)
		return r;
	*ret_registry = registry;
	registry = (struct registry)REGISTRY_INIT;
	return 0;
}

void registry_deinit(struct registry *registry)
{
	free(registry->entries);
	free(registry->selected);
	*registry = (struct registry)REGISTRY_INIT;
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein distance, names being short. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[KTSTR_TEST_NAME + 1];
	size_t len_b = strnlen(b, KTSTR_TEST_NAME);

	for (size_t j = 0; j <= len_b; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; a[i] && i < KTSTR_TEST_NAME; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i + 1;
		for (size_t j = 1; j <= len_b; j++) {
			unsigned int up = row[j];

			row[j] = least(up + 1, row[j - 1] + 1, diagonal + (a[i] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[len_b];
}

static bool is_near(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	return (len >= 3 && strstr(name, pattern)) || distance(pattern, name) <= len / 4 + 1;
}

static int refuse_pattern(const struct registry *registry, const char *pattern,
			  struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf near = STRBUF_INIT;
	unsigned int nr = 0;

	for (size_t i = 0; i < registry->nr && nr < NEAR_NAMES; i++)
		if (is_near(pattern, registry->entries[i]->name))
			strbuf_addf(&near, "%s'%s'", nr++ ? ", " : "", registry->entries[i]->name);
	if (nr)
		return ktstr_error_set(err, -ENOENT, "no test matches '%s'; near: %s", pattern,
				       strbuf_str(&near));
	return ktstr_error_set(err, -ENOENT, "no test matches '%s'; -l lists all %zu", pattern,
			       registry->nr);
}

int registry_select(struct registry *registry, const char *const *patterns, size_t nr,
		    struct ktstr_error *err)
{
	int selected = 0;

	for (size_t i = 0; i < registry->nr; i++)
		registry->selected[i] = nr == 0;
	for (size_t p = 0; p < nr; p++) {
		bool matched = false;

		for (size_t i = 0; i < registry->nr; i++) {
			if (fnmatch(patterns[p], registry->entries[i]->name, 0) != 0)
				continue;
			registry->selected[i] = true;
			matched = true;
		}
		if (!matched)
			return refuse_pattern(registry, patterns[p], err);
	}
	for (size_t i = 0; i < registry->nr; i++)
		selected += registry->selected[i];
	return selected;
}

const struct ktstr_entry *registry_find(const struct registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->nr; i++)
		if (!strcmp(registry->entries[i]->name, name))
			return registry->entries[i];
	return NULL;
}

static bool is_file_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < KTSTR_TEST_NAME && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       len;
}

static int check_payloads(const struct ktstr_test *test, struct ktstr_error *err)
{
	for (size_t i = 0; i < KTSTR_TEST_PAYLOADS; i++) {
		const struct ktstr_payload *payload = test->payloads[i];

		if (payload && (!payload->name || !payload->binary))
			return ktstr_error_set(err, -EINVAL, "payload %zu has no %s", i,
					       payload->name ? "binary" : "name");
	}
	return 0;
}

int registry_check(const struct ktstr_entry *entry, struct ktstr_error *err)
{
	int r;

	if (entry->abi != KTSTR_TEST_ABI || entry->test_size != sizeof(struct ktstr_test))
		return ktstr_error_set(
			err, -EBADMSG,
			"built against other headers (ABI %u, test of %u bytes; this "
			"library has %d and %zu): compile it again",
			entry->abi, entry->test_size, KTSTR_TEST_ABI, sizeof(struct ktstr_test));
	if (!is_file_name(entry->name))
		return ktstr_error_set(err, -EINVAL,
				       "a test's name has 1 to %d letters, digits, '_', '-' or '.'",
				       KTSTR_TEST_NAME - 1);
	if (!entry->test->run && !entry->test->scenario)
		return ktstr_error_set(err, -EINVAL,
				       "it has no .run and no .scenario: nothing would be tested");
	r = ktstr_topology_check(&entry->test->topology, err);
	if (r < 0)
		return ktstr_error_wrap(err, r, "topology");
	if (entry->test->kernel_args && ktstr_kernel_args_check(entry->test->kernel_args, err) < 0)
		return -EINVAL;
	return check_payloads(entry->test, err);
}
