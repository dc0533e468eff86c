// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read can be reported, and is the same once it was written and read again. */
static void check(const json_t *object)
{
	struct result result = { 0 }, again = { 0 };
	struct strbuf out = STRBUF_INIT;
	struct ktstr_error err;
	json_t *first, *second;

	if (result_from_json(object, &result, &err) < 0)
		return;
	ktap_result(&out, 1, &result);
	junit_case(&out, "p", &result);
	summary_result(&out, &result, &(struct summary_style){ .details = true });
	first = result_to_json(&result);
	if (!first || result_from_json(first, &again, &err) < 0)
		abort();
	second = result_to_json(&again);
	if (!json_equal(first, second))
		abort();
	json_decref(first);
	json_decref(second);
	strbuf_deinit(&out);
	result_deinit(&result);
	result_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *object = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (object)
		check(object);
	json_decref(object);
	return 0;
}
