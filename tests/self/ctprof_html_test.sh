#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The pages of ktstr ctprof compare and show, in a browser.  usage: ctprof_html_test.sh [FOLDER FOR SCREENSHOTS]
shots=${1:-}
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
self=$top/tests/self
need_built "$ktstr"

mkfifo "$scratch/ready" "$scratch/end"
python3 "$self/html_names.py" <"$scratch/end" >"$scratch/ready" &
names=$!
exec 8>"$scratch/end"
read -r <"$scratch/ready"
trap 'exec 8>&-; wait "$names"; rm -rf "$scratch"' EXIT

cd "$scratch" || exit 1
capture() { "$ktstr" ctprof capture --pid "$names" -o "$@"; }
check "a series is captured" capture series.ctprof.zst -i 200ms -n 6
check "a moment is captured" capture before.ctprof.zst
check "another moment is captured" capture after.ctprof.zst
# As if a kernel had not told the CPU time of the threads called idle-N.
partial() {
	zstd -qdc before.ctprof.zst | python3 -c '
import json, sys
record = json.loads(sys.stdin.readline())
comm = 3 + record["texts"].index("comm")
run = 3 + len(record["texts"]) + record["metrics"].index("run_time_ns")
for row in record["threads"]:
    if record["strings"][row[comm]].startswith("idle-"):
        row[run] = None
print(json.dumps(record))' | zstd -qc >partial.ctprof.zst
}
check "a record with values missing is made" partial
page() { "$ktstr" ctprof "$@" && [ -s "${*: -1}" ]; }
check "compare saves a page" page compare -g name before.ctprof.zst after.ctprof.zst --html compare.html
check "compare saves a page of it" page compare -g name partial.ctprof.zst after.ctprof.zst --html partial.html
check "show saves a page" page show -g name before.ctprof.zst --html show.html
check "a series gives a page with curves" page compare -g name series.ctprof.zst --html series.html
no_address() { ! sed 's,http://www.w3.org/2000/svg,,' compare.html | grep -oE '(https?:)?//[a-z0-9.-]+\.[a-z]{2,}'; }
check "a page names no address" no_address
check "a page is the same each time" cmp <("$ktstr" ctprof compare before.ctprof.zst after.ctprof.zst --html /dev/stdout) \
	<("$ktstr" ctprof compare before.ctprof.zst after.ctprof.zst --html /dev/stdout)
expect "a page and JSON at once" 2 'exclude each other' \
	"$ktstr" ctprof compare before.ctprof.zst after.ctprof.zst --json --html x.html
expect "a folder that is not there" 2 'nonexistent' \
	"$ktstr" ctprof show before.ctprof.zst --html nonexistent/x.html

in_browser() { # what, page, test
	if [ -z "$browser" ]; then
		skip "$1" "chromium: tools/setup.sh --with chromium"
	else
		check "$1" python3 "$self/html_page.py" "$2" "$3" ${shots:+"$shots"}
	fi
}
browser=$(command -v chromium chromium-browser google-chrome chrome | head -n 1)
in_browser "a table is sorted by click and by key" compare.html sorts
in_browser "a table is filtered" compare.html filters
in_browser "names are text, whatever they look like" compare.html hostile
in_browser "absent values are dashes, partial ones say of how many" partial.html presence
in_browser "bars are as long as they say" compare.html picture
in_browser "it fits wide and narrow, light and dark" compare.html shapes
in_browser "it can be read without JavaScript" compare.html plain
in_browser "a record alone is sorted" show.html sorts
in_browser "a record alone is filtered" show.html filters
in_browser "a record alone is a picture" show.html picture
in_browser "a series has curves" series.html curves
in_browser "a series fits wide and narrow" series.html shapes
finish
