// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The operations of an attached scheduler are read from the kernel. */
#include <errno.h>
#include <string.h>

#include <ktstr/test.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kernel/ops_offsets.h"
#include "sched/attach.h"
#include "sched/implemented.h"

static const struct ktstr_payload ktstr_sched = { .name = "ktstr-sched", .binary = "ktstr-sched" };
static const struct ktstr_payload odd = { .name = "odd-sched", .binary = "odd-sched" };

static void destroy(struct scheduler **s)
{
	scheduler_destroy(*s);
}

static void unref(json_t **value)
{
	json_decref(*value);
}

/* The host takes them from the kernel's file; it is the same BTF. */
static json_t *read_offsets(struct ktstr *t)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT_LIMIT(64 << 20);
	struct ktstr_error err;
	json_t *offsets = NULL;

	if (!EXPECT_OK(t, io_read_file("/sys/kernel/btf/vmlinux", &bytes, &err)))
		return NULL;
	EXPECT_OK(t, ops_offsets_from_btf(bytes.data, bytes.len, &offsets, &err));
	return offsets;
}

static void expect_ops(struct ktstr *t, const struct ktstr_scheduler *scheduler,
		       const json_t *offsets, const char *wanted)
{
	const struct scheduler_opts opts = { .scheduler = scheduler,
					     .sysfs = "/sys",
					     .kmsg = "/dev/kmsg" };
	__attribute__((cleanup(destroy))) struct scheduler *s = NULL;
	__attribute__((cleanup(unref))) json_t *names = NULL, *nothing = NULL;
	_cleanup_free_ char *text = NULL;
	struct ktstr_error err;

	ASSERT_EQ(t, scheduler_start(&opts, &s, &err), 1);
	ASSERT_OK(t, implemented_ops(offsets, scheduler_story(s)->ops, &names, &err));
	text = json_dumps(names, JSON_COMPACT);
	EXPECT_STREQ(t, text, wanted);
	EXPECT_ERR(t, implemented_ops(offsets, "no such scheduler", &nothing, &err), -ENODATA);
	ASSERT_OK(t, scheduler_stop(s, &err));
	EXPECT_ERR(t, implemented_ops(offsets, scheduler_story(s)->ops, &nothing, &err), -ENODATA);
}

static void ops_are_read(struct ktstr *t)
{
	static const struct ktstr_scheduler own = { .name = "ktstr-sched",
						    .binary = "/bin/ktstr-sched" };
	static const struct ktstr_scheduler simple = { .name = "odd",
						       .binary = "/bin/odd-sched",
						       .args = { "well" } };
	__attribute__((cleanup(unref))) json_t *offsets = read_offsets(t);

	ASSERT_NOT_NULL(t, offsets);
	/* As schedulers/sched.bpf.c lists them. */
	expect_ops(t, &own, offsets,
		   "[\"cgroup_exit\",\"cgroup_init\",\"cgroup_move\",\"cgroup_set_bandwidth\","
		   "\"cgroup_set_idle\",\"cgroup_set_weight\",\"cpu_offline\",\"cpu_online\","
		   "\"dispatch\",\"enable\",\"enqueue\",\"exit\",\"init\","
		   "\"init_task\",\"quiescent\",\"runnable\",\"running\",\"select_cpu\","
		   "\"set_cpumask\",\"set_weight\",\"stopping\",\"tick\",\"yield\"]");
	expect_ops(t, &simple, offsets, "[\"enqueue\",\"init\"]");
}

KTSTR_TEST(sched_ops_are_read_from_the_kernel) = {
	.about = "the operations that a scheduler implements are found, and no others",
	.topology = { .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.payloads = { &ktstr_sched, &odd },
	.run = ops_are_read,
};

KTSTR_MAIN
