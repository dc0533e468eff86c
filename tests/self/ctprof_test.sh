#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The tests of ctprof notice captures that are broken on purpose, each in its own words.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

program=$top/build/tests/self/ctprof_faults
need_built "$program"
one() { "$program" --json -t "$1" 2>/dev/null | grep '"type":"result"'; return "${PIPESTATUS[0]}"; }

expect "counters at a wrong offset give no number" 1 \
	'"FAIL".*implausible' one wrong_offset_must_fail
expect "kernel threads with counters fail" 1 \
	'"FAIL".*kernel_threads_must_fail|kernel_threads_must_fail.*"FAIL"' one kernel_threads_must_fail
expect "a leader that was dropped is missed" 1 \
	'"FAIL".*leader tid=[0-9]+ of the worker is missing' one leader_dropped_must_fail
expect "a build that is not known is calibrated in the guest" 0 '"PASS"' \
	one unknown_build_is_calibrated
finish
