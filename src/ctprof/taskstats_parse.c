// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/taskstats.h"

/* Where things stand in the kernel's structure, which only ever grew at its end but for one. */
enum {
	AT_VERSION = 0,
	AT_CPU_COUNT = 16,
	AT_CPU_DELAY = 24,
	AT_RUN_TIME = 72,
	AT_MAX = 432,
	BROKEN_VERSION = 15,
	MIN_BYTES = 80
};

/* Count, then total, at the first place; longest, then shortest, at the second. */
static const struct category {
	uint16_t at;
	uint16_t first; /* its metrics follow each other */
} categories[] = {
	{ AT_CPU_COUNT, KTSTR_CTPROF_CPU_DELAY_COUNT }, { 32, KTSTR_CTPROF_BLKIO_DELAY_COUNT },
	{ 48, KTSTR_CTPROF_SWAPIN_DELAY_COUNT },	{ 312, KTSTR_CTPROF_FREEPAGES_DELAY_COUNT },
	{ 328, KTSTR_CTPROF_THRASHING_DELAY_COUNT },	{ 352, KTSTR_CTPROF_COMPACT_DELAY_COUNT },
	{ 400, KTSTR_CTPROF_WPCOPY_DELAY_COUNT },	{ 416, KTSTR_CTPROF_IRQ_DELAY_COUNT },
};

enum { COUNT, TOTAL, MAX, MIN, NR_VALUES, CPU = 0, IRQ = 7 };

_Static_assert(KTSTR_CTPROF_CPU_DELAY_TOTAL == KTSTR_CTPROF_CPU_DELAY_COUNT + TOTAL &&
		       KTSTR_CTPROF_CPU_DELAY_MAX == KTSTR_CTPROF_CPU_DELAY_COUNT + MAX &&
		       KTSTR_CTPROF_CPU_DELAY_MIN == KTSTR_CTPROF_CPU_DELAY_COUNT + MIN,
	       "values of a category stand in this order");

struct delays {
	int64_t values[ARRAY_SIZE(categories)][NR_VALUES];
	bool present[ARRAY_SIZE(categories)][NR_VALUES];
};

static bool number_at(const void *bytes, size_t len, size_t at, int64_t *ret_value)
{
	if (at + sizeof(*ret_value) > len)
		return false;
	memcpy(ret_value, (const char *)bytes + at, sizeof(*ret_value));
	return *ret_value >= 0;
}

static void read_delays(const void *bytes, size_t len, struct delays *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
		size_t places[NR_VALUES] = { categories[i].at, categories[i].at + 8u,
					     AT_MAX + i * 16, AT_MAX + i * 16 + 8 };

		for (int v = 0; v < NR_VALUES; v++)
			d->present[i][v] = number_at(bytes, len, places[v], &d->values[i][v]);
		/* 0 until something is delayed, however often nothing was. */
		if (!d->values[i][MIN])
			d->present[i][MIN] = false;
	}
}

/* Waits for a CPU are counted for every thread, even without delay accounting. */
static bool nobody_counted(const struct delays *d, const struct taskstats_kernel *kernel)
{
	if (!kernel->delays)
		return true;
	if (kernel->since_boot)
		return false;
	for (size_t i = CPU + 1; i < ARRAY_SIZE(categories); i++)
		for (int v = 0; v < NR_VALUES; v++)
			if (d->present[i][v] && d->values[i][v])
				return false;
	return true;
}

int taskstats_parse(const void *bytes, size_t len, const struct taskstats_kernel *kernel,
		    struct ktstr_ctprof_thread *t)
{
	struct delays d = { 0 };
	int64_t run_time;
	uint16_t version;
	bool none;

	if (len < MIN_BYTES)
		return -EINVAL;
	memcpy(&version, (const char *)bytes + AT_VERSION, sizeof(version));
	if (!version || version == BROKEN_VERSION)
		return -EINVAL;
	read_delays(bytes, len, &d);
	none = nobody_counted(&d, kernel);
	if (!d.present[CPU][COUNT] || !d.present[CPU][TOTAL] ||
	    !number_at(bytes, len, AT_RUN_TIME, &run_time))
		return -EINVAL;
	thread_set(t, KTSTR_CTPROF_RUN_TIME, run_time);
	thread_set(t, KTSTR_CTPROF_WAIT_TIME, d.values[CPU][TOTAL]);
	thread_set(t, KTSTR_CTPROF_TIMESLICES, d.values[CPU][COUNT]);
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
		if (i > CPU && none)
			break;
		if (i == IRQ && !kernel->irq && !d.values[IRQ][COUNT])
			break;
		for (int v = 0; v < NR_VALUES; v++)
			if (d.present[i][v])
				thread_set(t, categories[i].first + (unsigned int)v,
					   d.values[i][v]);
	}
	return none ? -ENODATA : 0;
}

bool taskstats_is_asked_for(const char *command_line)
{
	for (const char *word = command_line; (word = strstr(word, "delayacct")); word += 9)
		if ((word == command_line || word[-1] == ' ') &&
		    (word[9] == '\0' || word[9] == ' ' || word[9] == '\n'))
			return true;
	return false;
}

static bool on_command_line(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	return io_read_file("/proc/cmdline", &text, NULL) == 0 &&
	       taskstats_is_asked_for(strbuf_str(&text));
}

struct taskstats_kernel taskstats_kernel(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct taskstats_kernel kernel = { 0 };

	if (io_read_file("/proc/sys/kernel/task_delayacct", &text, NULL) == 0)
		kernel.delays = strbuf_str(&text)[0] == '1';
	kernel.since_boot = kernel.delays && on_command_line();
	kernel.irq = access("/proc/pressure/irq", F_OK) == 0;
	return kernel;
}
