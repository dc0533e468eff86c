#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# One guest for a command or a shell: output, exit status, files, terminal.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
cd "$scratch" || exit 1

expect "exec: output and exit status of a command" 7 '^1 guest$' \
	"$ktstr" exec -- sh -c 'echo 1 guest; exit 7'
apart() { "$ktstr" exec -- sh -c 'echo out; echo err >&2' 2>"$scratch/err"; }
expect "exec: stdout and stderr stay apart" 0 '^out$' apart
check "... stderr has its own" grep -qx err "$scratch/err"
printf '#!/bin/sh\necho "included $*"\n' >tool
chmod +x tool
expect "exec: a folder that cannot be made" 2 "^ktstr: folder for the run: .*'/proc/none'" \
	"$ktstr" exec --keep /proc/none -- true
expect "exec: an included file is found by name" 0 '^included a b$' \
	"$ktstr" exec --include ./tool --topology 1n1l2c1t -- tool a b
expect "exec: a signal is 128 + its number" 137 '' "$ktstr" exec -- sh -c 'kill -9 $$'
expect "exec: a command that is not there is 127" 127 'nothing-here' "$ktstr" exec -- nothing-here
expect "exec: more words for the kernel" 0 '^1$' "$ktstr" exec --kernel-args 'quiet isolcpus=1' \
	--topology 1n1l2c1t -- cat /sys/devices/system/cpu/isolated
expect "exec: words for the kernel that are the runner's" 2 "'init=/x' is for the runner to say" \
	"$ktstr" exec --kernel-args 'a=1 init=/x' -- true
expect "exec: a limit is exit 124" 124 'did not finish within 1000 ms' \
	"$ktstr" exec --timeout 1s -- sleep 1000
endless() { { "$ktstr" exec -- yes 2>"$scratch/endless.err"; echo "status $?" >"$scratch/endless"; } | head -n 1; }
expect "exec: a reader that has enough ends the command" 0 '^y$' endless
check "... with exit 70" grep -qx 'status 70' "$scratch/endless"
check "... and the reason" grep -q 'Broken pipe' "$scratch/endless.err"
expect "exec: an included file that is not there" 70 "'\./nope': No such file" \
	"$ktstr" exec --include ./nope -- true
truncate -s 513M large
expect "exec: files beyond what a guest takes" 70 'more than 512 MiB' "$ktstr" exec --include ./large -- true
check "nothing is left of these guests" bash -c "! ls $scratch/state/ktstr/runs/*/*.cpio 2>/dev/null"
piped() { printf 'echo sum $((40 + 2))\nexit 3\n' | "$ktstr" shell; }
expect "shell: commands on stdin, exit status of the shell" 3 '^sum 42' piped
without_exit() { printf 'cat\nsum' | "$ktstr" shell --timeout 600s; }
expect "shell: it ends with its input" 0 '^sum' without_exit
no_input() { "$ktstr" shell --timeout 600s </dev/null; }
expect "shell: no input at all" 0 '' no_input
if python3 -c 'import pty' 2>/dev/null; then
	expect "shell: size of the terminal, window changes, Ctrl-C, terminal restored" 0 '^ok$' \
		python3 "$top/tests/self/terminal.py" "$ktstr"
	expect "shell: SIGTERM restores the terminal too" 0 '^ok$' \
		python3 "$top/tests/self/terminal.py" "$ktstr" TERM
else
	skip "shell on a terminal" "Python's pty module"
fi
finish
