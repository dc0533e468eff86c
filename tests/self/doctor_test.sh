#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# ktstr doctor on machines that lack something: each gap has its line, its remedy, its exit status.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
export XDG_STATE_HOME=$scratch/state
mkdir -p "$scratch/bin" "$scratch/old"
bin=$scratch/bin
ln -s "$(command -v apt-get || command -v true)" "$bin/apt-get"
printf '#!/bin/sh\necho "QEMU emulator version 6.2.0"\n' >"$scratch/old/qemu-system-x86_64"
chmod +x "$scratch/old/qemu-system-x86_64"

on() { env PATH="$1" "$ktstr" doctor "${@:2}"; }

expect "no QEMU is missing, exit status 70" 70 '^missing  qemu' on "$bin"
expect "no QEMU names the package" 70 '-> sudo apt-get install .*qemu-system-x86' on "$bin"
expect "an old QEMU is missing and its version is said" 70 '^missing  qemu .*6\.2' on "$scratch/old:$bin"
expect "no busybox limits" 70 '^limited  busybox' on "$bin"
expect "without package manager the package is still named" 70 'install qemu-system-x86 with' \
	on "$scratch/old/none"
if [ -r "/boot/vmlinuz-$(uname -r)" ]; then
	skip "no kernel is missing and names the command" "a host without readable kernel"
else
	expect "no kernel is missing and names the command" 70 '-> ktstr kernel fetch' \
		env XDG_CACHE_HOME="$scratch/none" PATH="$bin" "$ktstr" doctor
fi
expect "it says that tests cannot run" 70 '^tests cannot run here$' on "$bin"
touch "$scratch/file"
expect "a cache folder that is a file is missing" 70 '^missing  cache-folder' \
	env XDG_CACHE_HOME="$scratch/file" "$ktstr" doctor
expect "JSON says whether tests can run" 70 '"can_run":false' on "$bin" --json
expect "JSON carries the remedy" 70 '"remedy":"sudo apt-get' on "$bin" --json
expect "an unknown option is a usage error" 2 "nonsense" "$ktstr" doctor --nonsense
expect "an operand is a usage error" 2 "" "$ktstr" doctor operand
expect "help goes to stdout" 0 'usage: ktstr doctor' "$ktstr" doctor --help
check "a full disk for its output is told" bash -c "! '$ktstr' doctor --json >/dev/full"

if command -v qemu-system-x86_64 >/dev/null && "$ktstr" kernel list --json 2>/dev/null | grep -q '"name"'; then
	expect "this machine can run tests" 0 '^tests can run here' "$ktstr" doctor
else
	skip "this machine can run tests" "QEMU and a cached kernel"
fi
finish
