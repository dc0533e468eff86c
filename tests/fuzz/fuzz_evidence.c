// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/evidence.h"
#include "run/protocol.h"
#include "run/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Records of any content: one byte of type, two of length, then the payload.  Nothing that a guest
 * says may pass unless it also said that its body returned after a check that held. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence e;
	struct verdict verdict = VERDICT_INIT;
	uint64_t seq = 1;

	if (evidence_init(&e) < 0)
		return 0;
	while (size >= 3) {
		size_t length = (size_t)data[1] | (size_t)data[2] << 8;
		char *payload;

		if (length > size - 3)
			length = size - 3;
		payload = malloc(length + 1);
		if (!payload)
			break;
		memcpy(payload, data + 3, length);
		payload[length] = '\0';
		evidence_add(&e, &(struct record){ .type = 1 + data[0] % (RECORD_TYPES - 1),
						   .seq = seq++,
						   .payload = payload,
						   .length = length });
		free(payload);
		data += 3 + length;
		size -= 3 + length;
	}
	verdict_judge(&e, &verdict);
	if (verdict.verdict == KTSTR_PASS && (!e.done || !e.nr_checks || e.nr_failed))
		abort();
	verdict_deinit(&verdict);
	evidence_deinit(&e);
	return 0;
}
