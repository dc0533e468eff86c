// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/settle.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

bool settle_is_asked(const char *cmdline)
{
	static const char blanks[] = " \t\n";
	size_t len;

	for (const char *word = cmdline; *word; word += len) {
		word += strspn(word, blanks);
		len = strcspn(word, blanks);
		if (len == strlen(SETTLE_WORD) && memcmp(word, SETTLE_WORD, len) == 0)
			return true;
	}
	return false;
}

uint64_t settle_target_ns(uint64_t now_ns, uint64_t step_ns)
{
	return (now_ns / step_ns + 1) * step_ns + step_ns / 2 + SETTLE_PHASE_NS;
}

void settle_until(uint64_t target_ns)
{
	const struct timespec when = { (time_t)(target_ns / NSEC_PER_SEC),
				       (long)(target_ns % NSEC_PER_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		continue;
}

void settle(uint64_t step_ns)
{
	settle_until(settle_target_ns(clock_mono_ns(), step_ns));
}
