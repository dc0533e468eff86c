#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# make bench, told to end in the midst of the exact runs: its busy loops and test programs end with it.
. "$(dirname "$0")/tap.sh"
export fake=$scratch/build
export TMPDIR=$scratch/tmp
mkdir -p "$fake/tests/vm" "$TMPDIR"
# Passes at once, but with busy loops beside it never ends.
cat >"$fake/tests/vm/exact_mix" <<'SH'
#!/bin/sh
echo run >>"$fake/calls"
if [ "$(wc -l <"$fake/calls")" -gt 3 ]; then
	# As QEMU does, its child knows nothing of it.
	tail -f /dev/null &
	wait
fi
while [ "$1" != --repeat ]; do shift; done
for i in $(seq "$2"); do
	echo '{"type":"result","verdict":"PASS","events_sha256":"0"}'
done
SH
chmod +x "$fake/tests/vm/exact_mix"

descendants() { # pid
	local pid
	for pid in $(pgrep -P "$1"); do
		echo "$pid"
		descendants "$pid"
	done
}
all_there() { # 8 loops, the program and its child
	pids=$(descendants "$bench")
	[ "$(wc -w <<<"$pids")" = 10 ] && pgrep -P "$(pgrep -P "$bench" -f exact_mix)" -x tail
}
all_gone() {
	local pid
	for pid in $pids; do
		! kill -0 "$pid" || return
	done
}
ended_by() { # signal, exit status
	rm -f "$fake/calls"
	"$top/tools/bench.py" -b "$fake" -o "$scratch/bench.json" exact >"$scratch/out" 2>&1 </dev/null &
	bench=$!
	until_true "$bench" all_there >/dev/null
	check "busy loops and a test program run" [ $? = 0 ]
	kill "-$1" "$bench"
	wait "$bench"
	check "SIG$1 ends the bench with $2" [ $? = "$2" ]
	check "... and all that it started" until_true $$ all_gone
	check "... and its folders" [ -z "$(ls "$TMPDIR")" ]
	# shellcheck disable=SC2086
	all_gone 2>/dev/null || kill -KILL $pids
}
ended_by TERM 143
ended_by HUP 129
finish
