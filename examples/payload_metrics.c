// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// A program runs in the guest and prints JSON; its numbers become metrics with declared bounds.
#include <ktstr/test.h>

static const struct ktstr_payload spin = {
	.name = "spin",
	.binary = "busybox",
	.args = { "sh", "-c",
		  "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; "
		  "echo \"{\\\"loops\\\": {\\\"done\\\": $i}}\"" },
	.output = KTSTR_OUTPUT_JSON,
	.checks = {
		{ .kind = KTSTR_CHECK_EXIT, .value = 0 },
		{ .kind = KTSTR_CHECK_AT_LEAST, .metric = "loops.done", .value = 20000 },
	},
	.metrics = {
		{ .name = "loops.done", .unit = "", .direction = KTSTR_HIGHER_IS_BETTER },
	},
};

static void spin_to_the_end(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;
	double loops = 0;

	ASSERT_OK(t, ktstr_payload_run(t, &spin, NULL, SECS(30), &proc));
	ASSERT_OK(t, ktstr_proc_metric(proc, "loops.done", &loops));
	ktstr_measured(t, "loops", loops, "");
	EXPECT_EQ(t, ktstr_proc_result(proc)->exit_code, 0);
}

KTSTR_TEST(payload_reports_its_loops) = {
	.about = "a shell loop runs to its end and says how far it came",
	.payloads = { &spin },
	.run = spin_to_the_end,
};

KTSTR_MAIN
