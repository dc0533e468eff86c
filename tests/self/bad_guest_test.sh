#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What keeps a guest from being started: each cause has its own message, and is an ERROR.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
cd "$scratch" || exit 1
export XDG_STATE_HOME=$scratch/state
mkdir bin

error() { # what, regex, options...
	expect "$1: exit 70" 70 "$2" "$guests" -t sees_its_cpus "${@:3}"
}

# --- kernel --------------------------------------------------------------------------------------
error "kernel that is not there" "# ERROR .*no-such-kernel" --kernel no-such-kernel
error "kernel file that is not there" "# ERROR .*'?\./no-such-file" --kernel ./no-such-file
echo "no kernel at all" >text
error "kernel file that is text" "# ERROR .*text.*not a kernel|# ERROR .*not a kernel" --kernel ./text
: >empty
error "kernel file that is empty" "# ERROR .*empty" --kernel ./empty
if [ -r "/boot/vmlinuz-$(uname -r)" ]; then
	skip "no kernel anywhere" "a host without readable kernel"
else
	no_kernel() { XDG_CACHE_HOME=$scratch/cache "$guests" sees_its_cpus; }
	expect "no kernel anywhere names the command: exit 70" 70 '# ERROR .*ktstr kernel fetch' no_kernel
fi

# --- cache that cannot be written ----------------------------------------------------------------
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ktstr
# A copy of the image outside the cache has to be unpacked into it.
image=$(ls "$cache"/kernels/*/bzImage 2>/dev/null | head -n 1)
read_only() {
	unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' \
		"$cache" "$@"
}
if [ -d "$cache" ] && read_only true 2>/dev/null; then
	expect "a kernel in a read-only cache can be used" 0 '^ok 1 sees_its_cpus$' \
		read_only "$guests" sees_its_cpus
	if [ -n "$image" ] && { cat "$image" && echo tail; } >other-image; then
		expect "a kernel outside of a read-only cache: exit 70" 70 '# ERROR .*Read-only file system' \
			read_only "$guests" --kernel ./other-image sees_its_cpus
	else
		skip "a kernel outside of a read-only cache" "a bzImage in the cache"
	fi
else
	skip "read-only cache" "the right to mount"
fi

# --- QEMU ----------------------------------------------------------------------------------------
error "QEMU that is not there" "# ERROR .*/none/qemu" --qemu /none/qemu
printf '#!/bin/sh\necho "QEMU emulator version 4.2.1"\n' >bin/old-qemu
printf '#!/bin/sh\necho hello\n' >bin/strange-qemu
printf '#!/bin/sh\necho "QEMU emulator version 10.0.2"; [ "$1" = --version ] && exit 0\necho "cannot do that" >&2\nexit 3\n' >bin/failing-qemu
touch bin/no-exec-qemu
chmod +x bin/old-qemu bin/strange-qemu bin/failing-qemu
error "QEMU that is too old" "# ERROR .*4\.2\.1" --qemu "$scratch/bin/old-qemu"
error "QEMU that is something else" "# ERROR .*strange-qemu" --qemu "$scratch/bin/strange-qemu"
error "QEMU that may not be executed" "# ERROR .*no-exec-qemu" --qemu "$scratch/bin/no-exec-qemu"
error "QEMU that fails: its status and stderr" "cannot do that" --qemu "$scratch/bin/failing-qemu"
no_qemu() { PATH=$scratch/bin "$guests" sees_its_cpus; }
expect "no QEMU in PATH names the package: exit 70" 70 '# ERROR .*qemu-system-x86' no_qemu
expect "exec without QEMU: exit 70" 70 "/none/qemu" "$ktstr" exec --qemu /none/qemu -- true

# --- payloads and files --------------------------------------------------------------------------
payload() { expect "$1: exit 70" 70 "$2" "$guests" -t "$3"; }
payload "payload that is missing" "# ERROR payload 'missing': .*'\./missing'" payload_is_missing
echo '#!/bin/sh' >not-executable
payload "payload that is not executable" "# ERROR payload 'not_executable': .*not-executable'" \
	payload_is_not_executable
echo 'int in_library(void) { return 0; }' >library.c
echo 'int in_library(void); int main(void) { return in_library(); }' >program.c
if command -v cc >/dev/null; then
	check "a program with a library is built" bash -c \
		'cc -shared -fPIC -o libktstr-self-test.so library.c && cc -o lacks-library program.c -L. -lktstr-self-test'
	rm -f libktstr-self-test.so
	payload "payload that lacks a library: both are named" \
		"# ERROR payload 'lacks_library': .*libktstr-self-test.so" payload_lacks_library
else
	skip "payload that lacks a library" "a C compiler"
fi
payload "declared file that is missing" "# ERROR .*'\./no-such-file'" file_is_missing
expect "one broken test does not stop the others" 70 '^ok [12] a_first_one$' \
	"$guests" payload_is_missing a_first_one

# --- a disk without room -------------------------------------------------------------------------
small=$scratch/small
mkdir "$small"
trap 'umount "$small" 2>/dev/null; rm -rf "$scratch"' EXIT
filling_up() {
	local runner
	# Little is left to fill when the guest is there, which does not live long.
	head -c 44M /dev/zero >"$small/filled" 2>/dev/null
	"$guests" --run-dir "$small/run" fails &
	runner=$!
	until_true "$runner" test -e "$small/run/fails/console.log"
	cat /dev/zero >"$small/fill" 2>/dev/null
	wait "$runner"
}
if mount -t tmpfs -o size=64k tmpfs "$small" 2>/dev/null; then
	error "run folder without room for the guest's files" \
		"# ERROR .*No space left on device; free space there or choose .* --run-dir" \
		--run-dir "$small/run"
	mount -o remount,size=64m "$small"
	rm -rf "$small/run"
	expect "run folder that fills up while the guest runs: no verdict, exit 70" 70 \
		'# ERROR the disk of the run folder is full' filling_up
	umount "$small"
else
	skip "run folder without room" "the right to mount a tmpfs"
fi

# --- topology ------------------------------------------------------------------------------------
error "memory too small for the topology" "# ERROR " --memory 16M
finish
