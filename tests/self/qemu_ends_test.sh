#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What can happen to a guest from outside: QEMU killed or stopped, and a machine of another shape.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

waiting_guest() { # name, option...: start a test that waits; its QEMU is $qemu
	"$guests" --mode live --run-dir "$scratch/$1" "${@:2}" waits_long >"$scratch/$1.out" 2>&1 </dev/null &
	runner=$!
	until_true "$runner" grep -qsa '"ok":true' "$scratch/$1/waits_long/records.bin"
	qemu=$(pgrep -f -- "^[^ ]*qemu.*$scratch/$1/waits_long/" | head -n 1)
	[ -n "$qemu" ] && return
	kill "$runner"
	return 1
}
status_is() { # what, status
	wait "$runner"
	status=$?
	check "$1: exit $2" [ "$status" = "$2" ]
}

waiting_guest killed && kill -KILL "$qemu"
status_is "QEMU killed" 70
check "... ERROR with the signal" grep -q '# ERROR QEMU was killed by signal 9' "$scratch/killed.out"
waiting_guest stopped && kill -STOP "$qemu"
status_is "QEMU stopped" 5
check "... UNDECIDED: the host starved the guest" \
	grep -q '# SKIP UNDECIDED: the host starved the guest: no sign of life for 2' "$scratch/stopped.out"

# Its own clock goes on while it is stopped, so the guest finds its limit passed when it wakes up.
waiting_guest frozen --test-timeout 5s && kill -STOP "$qemu"
read -rt 6 <> <(:)
kill -CONT "$qemu"
status_is "QEMU stopped for longer than the test's limit" 5
check "... UNDECIDED: not the body's fault" \
	grep -q '# SKIP UNDECIDED: .* the host did not let QEMU run for ' "$scratch/frozen.out"

# A machine that is not the one asked for.
cat >"$scratch/half-qemu" <<'SH'
#!/bin/bash
words=()
for word; do
	case $word in 2,*cores=2*) word=1,sockets=1,dies=1,cores=1,threads=1 ;; esac
	words+=("$word")
done
exec qemu-system-x86_64 "${words[@]}"
SH
chmod +x "$scratch/half-qemu"
expect "fewer CPUs than asked for: exit 70" 70 '# ERROR the guest has not the topology that was asked' \
	"$guests" --qemu "$scratch/half-qemu" --run-dir "$scratch/half" sees_its_cpus
check "... both shapes are shown" grep -q '^  *wanted .*2c1t\|wanted 1n1l2c1t' "$scratch/half/results.jsonl"
finish
