#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The kernel commands on bad input: each with its message and exit code.  No network, no VM.
. "$(dirname "$0")/tap.sh"

ktstr=${B:-$top/build}/ktstr
export XDG_CACHE_HOME=$scratch/cache

with_stdout_closed() { "$ktstr" --help >&-; }
with_full_stdout() { "$ktstr" --help >/dev/full; }
with_reader_gone() {
	mkfifo "$scratch/pipe"
	# Read and write first: opening only to write would wait for a reader.
	exec 8<>"$scratch/pipe" 9>"$scratch/pipe" 8<&-
	"$ktstr" --help >&9
}
without_apt() { PATH=/nonexistent "$ktstr" kernel fetch; }
without_cache() { XDG_CACHE_HOME=/sys "$ktstr" kernel fetch; }
without_home() { env -u HOME XDG_CACHE_HOME=relative "$ktstr" kernel list; }

expect "help lists the commands" 0 '^  kernel  ' "$ktstr" --help
expect "help of a group lists its commands" 0 '^  fetch  ' "$ktstr" kernel --help
expect "help of a command shows its options" 0 '^  -l, --list' "$ktstr" kernel fetch --help
expect "the version is known" 0 '^ktstr [0-9]+\.[0-9]+\.[0-9]+$' "$ktstr" --version

expect "no command is refused" 2 "^ktstr: missing command, try 'ktstr --help'$" "$ktstr"
expect "an unknown command is refused" 2 "^ktstr: unknown command 'foo', try" "$ktstr" foo
expect "... and a near one named" 2 "^ktstr: unknown command 'chekc'; did you mean 'check'\\?" "$ktstr" chekc
expect "an unknown option is refused" 2 "unknown option '--foo', try" "$ktstr" --foo
expect "an unknown option gets a suggestion" 2 "'--jsn', did you mean '--json'\?" \
	"$ktstr" kernel list --jsn
expect "a missing argument is named" 2 'usage: ktstr kernel rm .* NAME' "$ktstr" kernel rm
expect "an argument too many is named" 2 "unexpected argument '2'" "$ktstr" kernel fetch 1 2
expect "--list takes no version" 2 "--list takes no version, got '6.1'" \
	"$ktstr" kernel fetch --list 6.1

expect "an empty cache is no error" 0 'no kernel is cached; run: ktstr kernel fetch' \
	"$ktstr" kernel list
expect "what is not cached cannot be removed" 2 "no kernel 'x' in the cache" "$ktstr" kernel rm x
expect "a name cannot leave the cache" 2 'not a name a kernel can have' \
	"$ktstr" kernel rm ../../precious
expect "an unknown version names the command to run" 2 'run: ktstr kernel fetch 9.99' \
	"$ktstr" kernel info 9.99
expect "a nonsense version is refused without asking anybody" 70 'is not a kernel version' \
	"$ktstr" kernel fetch newest
expect "without apt the way out is named" 70 'give one with --kernel FILE' without_apt
expect "an unwritable cache names XDG_CACHE_HOME" 70 'set XDG_CACHE_HOME' without_cache
expect "without HOME the password database decides" 0 '' without_home

expect "a program is not a kernel" 2 'ordinary ELF program, not a kernel' \
	"$ktstr" kernel info "$ktstr"
expect "a script is not a kernel" 2 'is not a kernel but a script' "$ktstr" kernel info "$0"
expect "a folder without kernel is named" 2 'holds neither vmlinux nor' \
	"$ktstr" kernel info "$scratch"
: >"$scratch/empty"
expect "an empty file is named" 2 'is empty' "$ktstr" kernel info "$scratch/empty"
{
	head -c 497 /dev/zero
	printf '\x01\0\0\xff\xff\0\0'
	head -c 6 /dev/zero
	printf '\x55\xaaxxHdrS\x0f\x02'
	head -c 1000 /dev/zero
} >"$scratch/cut"
expect "a truncated image says so" 2 'is truncated: .* its header promises' \
	"$ktstr" kernel info "$scratch/cut"
{
	printf '\x7fELF\x02\x01\x01'
	head -c 9 /dev/zero
	printf '\x02\0\xb7\0'
	head -c 100 /dev/zero
} >"$scratch/arm"
expect "another architecture is named" 2 'is for arm64, but the VM is x86-64' \
	"$ktstr" kernel info "$scratch/arm"

expect "a closed stdout is an error" 70 'write to standard output: Bad file descriptor' \
	with_stdout_closed
expect "a full stdout is an error" 70 'write to standard output: No space left' with_full_stdout
expect "a reader that went away is an error" 70 'write to standard output: Broken pipe' \
	with_reader_gone
finish
