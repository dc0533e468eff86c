#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr ctprof metrics: the list of all values, and the document made of it.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
need_built "$ktstr"
document=$top/docs/reference/ctprof-metrics.md

is_current() { diff <("$ktstr" ctprof metrics --markdown) "$1"; }
check "the document is what the program prints: ktstr ctprof metrics --markdown > docs/reference/ctprof-metrics.md" \
	is_current "$document"
sed 's/Time on a CPU/Time off a CPU/' "$document" >"$scratch/other.md"
is_other() { ! is_current "$scratch/other.md"; }
check "a document that says something else is noticed" is_other

count() { "$ktstr" ctprof metrics "$@" | grep -c "$pattern"; }
pattern='^  [a-z]'
same_count() {
	local text json document_rows
	text=$(pattern='^  [a-z]' count)
	json=$(pattern='"name":' count --json)
	document_rows=$(pattern='^| `' count --markdown)
	[ "$text" -gt 300 ] && [ "$text" = "$json" ] && [ "$text" = "$document_rows" ]
}
check "all three forms have as many values" same_count
expect "a value is explained" 0 '^  wait_sum_ns +ns +counter +sum +sched: Time runnable and waiting. \[kernel.sched_schedstats' \
	"$ktstr" ctprof metrics
expect "one form at a time" 2 'exclude each other' "$ktstr" ctprof metrics --json --markdown
finish
