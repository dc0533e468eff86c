// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/work_rows.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"

void rows_pause(void)
{
	poll(NULL, 0, 1);
}

struct work_row *rows_start(const struct ktstr_work *work, uint32_t count)
{
	const struct work_row_opts opts = { .work = work, .count = count, .seed = 7 };
	struct work_row *row = NULL;
	struct ktstr_error err = { .code = 0 };

	if (work_row_start(&opts, &row, &err) < 0)
		fail_msg("%s", err.text);
	return row;
}

struct work_row *rows_run(const struct ktstr_work *work, uint32_t count)
{
	struct work_row *row = rows_start(work, count);

	work_row_go(row, 0);
	rows_await_end(row);
	for (uint32_t i = 0; i < count; i++) {
		struct work_end end = rows_look(row, i);

		if (end.state != WORK_ENDED || !end.finished)
			fail_msg("%s/%u: state %d, exit %d, signal %d, %s", work->name, i,
				 (int)end.state, end.exit_code, end.signal, end.trouble);
	}
	return row;
}

void rows_await(const struct work_row *row, uint32_t index, uint64_t iterations)
{
	while (rows_read(row, index).iterations < iterations) {
		struct work_end end = rows_look(row, index);

		if (end.state > WORK_STOPPED && rows_read(row, index).iterations < iterations)
			fail_msg("worker %u: state %d: %s", index, (int)end.state, end.trouble);
		rows_pause();
	}
}

void rows_await_end(const struct work_row *row)
{
	while (!work_row_is_done(row))
		rows_pause();
}

void rows_await_state(const struct work_row *row, uint32_t index, enum work_state state)
{
	while (rows_look(row, index).state != state)
		rows_pause();
}

static struct work_reading read_at(const struct work_row *row, uint32_t index, uint32_t phase,
				   uint64_t now_ns)
{
	struct work_reading reading;

	assert_int_equal(work_row_read(row, index, phase, now_ns, &reading), 0);
	return reading;
}

struct work_reading rows_read(const struct work_row *row, uint32_t index)
{
	return read_at(row, index, 0, 0);
}

struct work_reading rows_read_now(const struct work_row *row, uint32_t index, uint32_t phase)
{
	return read_at(row, index, phase, clock_mono_ns());
}

struct work_end rows_look(const struct work_row *row, uint32_t index)
{
	struct work_end end;

	assert_int_equal(work_row_look(row, index, &end), 0);
	return end;
}

static void read_proc(pid_t pid, const char *file, struct strbuf *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	assert_int_equal(io_read_file(path, text, NULL), 0);
}

static uint64_t field(const struct strbuf *text, const char *name)
{
	const char *at = strstr(strbuf_str(text), name);
	unsigned long long value;

	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(name), "%llu", &value), 1);
	return value;
}

struct rows_task rows_task(const struct work_row *row, uint32_t index)
{
	_cleanup_strbuf_ struct strbuf stat = STRBUF_INIT, status = STRBUF_INIT;
	struct rows_task task = { .nice = 0 };
	unsigned long long faults, child_faults;
	const char *name, *rest;
	unsigned int policy;

	read_proc(work_row_pid(row, index), "stat", &stat);
	read_proc(work_row_pid(row, index), "status", &status);
	name = strchr(strbuf_str(&stat), '(');
	rest = strrchr(strbuf_str(&stat), ')');
	assert_true(name && rest);
	snprintf(task.comm, sizeof(task.comm), "%.*s", (int)(rest - name - 1), name + 1);
	/* Fields 10, 11, 19 and 41 of proc(5). */
	assert_int_equal(
		sscanf(rest + 2,
		       "%c %*d %*d %*d %*d %*d %*u %llu %llu %*u %*u %*u %*u %*d %*d %*d "
		       "%d %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u "
		       "%*u %*u %*d %*d %*u %u",
		       &task.state, &faults, &child_faults, &task.nice, &policy),
		5);
	task.minor_faults = faults;
	task.child_faults = child_faults;
	task.policy = (int)policy;
	task.voluntary = field(&status, "\nvoluntary_ctxt_switches:");
	task.involuntary = field(&status, "\nnonvoluntary_ctxt_switches:");
	return task;
}
