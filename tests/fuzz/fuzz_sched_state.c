// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sched/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct sched_events events = { 0 }, twice;
	struct sched_number number;
	json_t *increase;

	if (!text)
		return 0;
	(void)!sched_parse_number(text, &number);
	if (sched_parse_events(text, &events) == 0) {
		if (events.nr > SCHED_EVENTS)
			abort();
		twice = events;
		increase = sched_events_increase(&events, &twice);
		json_decref(increase);
	}
	free(text);
	return 0;
}
