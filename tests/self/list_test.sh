#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The lists of scenarios, presets and tables, and scenario files that are damaged.  No VM.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
list() { "$ktstr" list "$@"; }
# A file of scenarios with one line put in the place of its line N.
file_with() { # N LINE
	printf '%s\n' 'ktstr: 1' 'group: own' 'scenarios:' '  mine:' '    about: it holds' \
		'    steps:' '      - works: {hogs: spin}' '        hold: 1s' '    checks:' \
		'      - gap <= 50ms for hogs' >"$scratch/x.yaml"
	[ $# -eq 0 ] || sed -i "$1s/.*/$2/" "$scratch/x.yaml"
}
listed_with() {
	file_with "$@"
	(cd "$scratch" && list scenarios --scenario-file x.yaml)
}
rows() { list "$@" --json | wc -l; }
valid_json() { list "$@" --json | python3 -c 'import json,sys
for line in sys.stdin: json.loads(line)["about"]'; }

expect "scenarios are listed with what they promise" 0 '^two_each +basic +1s .*none falls behind' \
	list scenarios
expect "a pattern picks some" 0 '^nice_shares +weight' list scenarios 'nice_*'
expect "a pattern of a group picks some" 0 '^cpus_flap +hotplug' list scenarios 'hotplug:*'
expect "a pattern that nothing is like is refused" 2 'none of the scenarios is like that' \
	list scenarios 'x*'
expect "presets have topologies" 0 '^tiny-2llc +1n2l2c1t +4' list presets
expect "work types have parameters" 0 '^bursty +1 +burn_us=2000 sleep_us=5000' list work
expect "operations have targets" 0 '^set_cpus +CGROUP +CPUS' list ops
expect "checks have bounds" 0 '^gap_ns +timing +<= ns +worker' list checks
expect "metrics have units" 0 '^memory_current_bytes +cgroup +bytes' list metrics
for table in scenarios presets work ops checks metrics; do
	expect "$table are JSON if asked for" 0 '' valid_json "$table"
done
expect "a JSON row for each work type" 0 "^$(grep -c '^WORK_TYPE(' "$top/include/ktstr/work_types.def")\$" \
	rows work
expect "a program is still listed" 2 "no such|cannot|not found|No such" list "$scratch/none"
expect "a file goes with scenarios only" 2 'goes with' list work --scenario-file x

expect "a file of one's own is listed" 0 '^mine +own +1s' listed_with
expect "a file that is not there is named" 2 "none.yaml'?: No such file" \
	list scenarios --scenario-file none.yaml
expect "no version" 2 '^ktstr: x.yaml:2: the file does not say its version' listed_with 1 '# x'
expect "another version" 2 '^ktstr: x.yaml:1: this program reads files of version 1' \
	listed_with 1 'ktstr: 7'
expect "an unknown key" 2 "^ktstr: x.yaml:6: a scenario has no 'stops'; did you mean 'steps'" \
	listed_with 6 '    stops:'
expect "an unknown work type" 2 "^ktstr: x.yaml:7: no work type 'spni'; did you mean 'spin'" \
	listed_with 7 '      - works: {hogs: spni}'
expect "a step without end" 2 '^ktstr: x.yaml:7: step .endless.: it never ends' \
	listed_with 8 '        name: endless'
expect "a time without unit" 2 '^ktstr: x.yaml:8: a time is expected' listed_with 8 '        hold: 1'
expect "an unknown check" 2 "^ktstr: x.yaml:10: no check 'gop'; did you mean 'gap_ns'|no check 'gop'" \
	listed_with 10 '      - gop <= 50ms'
expect "a work that is not there" 2 "^ktstr: x.yaml:10: check gap_ns: there is no work 'hog'" \
	listed_with 10 '      - gap <= 50ms for hog'
expect "more workers than a guest holds" 2 'x.yaml:7: .* a guest holds 1024' \
	listed_with 7 '      - works: {hogs: {count: 5000}}'
expect "damaged YAML" 2 '^ktstr: x.yaml:[0-9]+: ' listed_with 7 '      - works: {hogs: [spin}'
expect "an alias" 2 "^ktstr: x.yaml:5: aliases" listed_with 5 '    about: *x'

finish
