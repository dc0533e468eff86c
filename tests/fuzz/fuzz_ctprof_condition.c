// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ktstr/ctprof_condition.h>

#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct ktstr_ctprof_comparison *nothing(const char *sort)
{
	static const struct ktstr_ctprof empty;
	static const struct ktstr_ctprof_side side = { .snapshot = &empty };
	struct ktstr_ctprof_compare_opts opts = { .group_by = KTSTR_CTPROF_BY_MACHINE,
						  .metrics = "nice",
						  .sort = sort };
	struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;
	int r = ktstr_ctprof_compare(&side, &side, &opts, &c, &err);

	must(r == 0 || (r == -EINVAL && !c && strlen(err.text)));
	return c;
}

/* Whatever is understood is about a metric there is, and cannot be decided without data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	static struct ktstr_ctprof_comparison *empty;
	char finding[KTSTR_CTPROF_FINDING_BYTES];
	struct ktstr_ctprof_condition condition;
	struct ktstr_error err;
	int r;

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!empty)
		empty = nothing("wait_sum,wait_max,rchar");
	r = ktstr_ctprof_condition_parse(text, &condition, &err);
	must(r == 0 || (r == -EINVAL && strlen(err.text)));
	if (r == 0) {
		must(strlen(condition.metric) > 0);
		must(condition.number == condition.number);
		must(ktstr_ctprof_condition_check(&condition, empty, finding) ==
		     KTSTR_CTPROF_UNDECIDED);
		must(strlen(finding) > 0);
	}
	ktstr_ctprof_comparison_destroy(nothing(text));
	return 0;
}
