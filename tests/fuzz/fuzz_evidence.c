// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ktstr_test test = { .about = "fuzz" };
static const struct ktstr_entry entry = {
	.name = "t",
	.test_size = sizeof(struct ktstr_test),
	.test = &test,
};

/* Records are lines, the first byte being the type; all reports are made of what comes of them. */
static void add_records(struct evidence *e, const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	while (data < end) {
		const uint8_t *newline = memchr(data, '\n', (size_t)(end - data));
		const uint8_t *stop = newline ? newline : end;
		struct record record = { .type = RECORD_HELLO + *data % (RECORD_TYPES - 1) };
		char *payload;

		if (stop > data) {
			record.length = (size_t)(stop - data) - 1;
			payload = strndup((const char *)data + 1, record.length);
			record.length = strlen(payload);
			record.payload = payload;
			evidence_add(e, &record);
			free(payload);
		}
		data = stop + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf out = STRBUF_INIT;
	struct result result = { 0 };
	struct evidence e;
	json_t *object;

	if (evidence_init(&e) < 0)
		abort();
	add_records(&e, data, size);
	if (result_from_evidence(&e, &entry, &result) < 0)
		abort();
	/* Without a start, a body and its end, nothing passes. */
	if (result.verdict == KTSTR_PASS && !(e.done && e.bye && e.nr_checks && !e.nr_failed))
		abort();
	ktap_result(&out, 1, &result);
	junit_case(&out, "p", &result);
	summary_result(&out, &result, &(struct summary_style){ .details = true });
	object = result_to_json(&result);
	if (!object)
		abort();
	json_decref(object);
	strbuf_deinit(&out);
	result_deinit(&result);
	evidence_deinit(&e);
	return 0;
}
