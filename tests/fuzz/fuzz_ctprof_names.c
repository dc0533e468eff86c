// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Names of one bucket have one pattern, and so has its label unless it is a name. */
static void check(const struct text_set *names, enum names_rule rule, struct arena *arena)
{
	_cleanup_(buckets_deinit) struct buckets b = { 0 };

	must(buckets_make(names, rule, arena, &b) == 0);
	must(b.nr <= names->nr);
	for (size_t i = 0; i < names->nr; i++) {
		_cleanup_strbuf_ struct strbuf mine = STRBUF_INIT, first = STRBUF_INIT;

		must(b.of[i] < b.nr);
		names_pattern(&mine, rule, names->texts[i]);
		for (size_t j = 0; j < i; j++) {
			strbuf_clear(&first);
			names_pattern(&first, rule, names->texts[j]);
			must((b.of[i] == b.of[j]) ==
			     !strcmp(strbuf_str(&mine), strbuf_str(&first)));
		}
	}
}

/* A name per line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(text_set_deinit) struct text_set names = { 0 };
	_cleanup_arena_ struct arena arena = { 0 };
	_cleanup_free_ char *text = malloc(size + 1);
	char *save = NULL;

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line && names.nr < 30;
	     line = strtok_r(NULL, "\n", &save)) {
		uint32_t number = text_set_add(&names, line);

		must(number != NAMES_NONE && text_set_find(&names, line) == number);
	}
	for (int rule = NAMES_EXACT; rule <= NAMES_CGROUP_IDS; rule++)
		check(&names, (enum names_rule)rule, &arena);
	return 0;
}
