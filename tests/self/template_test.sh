#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Templates as tests use them: made once by ten runners, never used when damaged or of another
# machine, done without where there is no place for them.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
empty=$top/build/tests/vm/empty
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/ktstr/kernels
# The one that is taken where none is asked for.
kernel=$("$ktstr" kernel info | sed -n 's/^vmlinux *//p')
export XDG_CACHE_HOME=$scratch/cache
ours=$XDG_CACHE_HOME/ktstr
templates=$ours/templates
mkdir -p "$ours" && ln -s "$kernels" "$ours/kernels"
NR_RUNNERS=10

runs=0
run() { # option...: a short test; says what it did, exit status of the run
	runs=$((runs + 1))
	"$empty" --topology 1n1l1c1t -v --run-dir "$scratch/run$BASHPID.$runs" "$@" 2>&1 </dev/null
}
count() { # state
	"$ktstr" template list --json | grep -c "\"state\":\"$1\",\"in_use\":false"
}
entries() { (cd "$templates" && ls -d ./* | tr '\n' ' '); }
said() { grep -q -- "$1" <<<"$out"; }
made() { said 'ktstr: booting a template$'; }
cold() { said 'no template can be used, so each guest boots: '"${1:-}"; }
# Lines about a template that was made or is done without.
told() { grep -c 'booting a template$\|no template can be used' <<<"$out"; }
size_of_first() {
	"$ktstr" template list --json | sed -n "s/.*\"key\":\"$key\".*\"disk_bytes\":\([0-9]*\).*/\1/p"
}
# A run that must pass; what it says is in $out.
tell_unless() { "$@" || sed 's/^/# /' <<<"$out"; }
passes() { # what, option...
	out=$(run "${@:2}")
	status=$?
	check "$1" [ "$status" = 0 ]
	tell_unless [ "$status" = 0 ]
}

# --- once, whoever asks -------------------------------------------------------------------------
pids=()
for ((i = 0; i < NR_RUNNERS; i++)); do
	run >"$scratch/race$i" &
	pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do
	wait "$pid" || failed=$((failed + 1))
done
check "ten runners at once on an empty cache pass" [ "$failed" = 0 ]
[ "$failed" = 0 ] || tail -n 5 "$scratch"/race* | sed 's/^/# /'
check "one of them made the template" \
	[ "$(cat "$scratch"/race* | grep -c 'booting a template$')" = 1 ]
check "one whole template is there" [ "$(count whole)" = 1 ]
check "and nothing else" [ "$(ls "$templates" | wc -l)" = 3 ]
first=$(entries)
key=$(basename "$(ls -d "$templates"/*.lock)" .lock)
passes "it is used again"
check "... and not made again" [ "$(told)" = 0 ]
passes "--no-template boots" --no-template
check "... with no template and no complaint" [ "$(told)" = 0 ]

# --- damage ---------------------------------------------------------------------------------------
change() { # file, offset: another byte there
	python3 - "$@" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0]
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte ^ 1]))
PY
}
mended() { # what, what is wrong with it
	expect "$1 is seen by 'template list'" 0 "^${key:0:12} .* damaged: $2" "$ktstr" template list
	passes "$1: the next run passes"
	check "... it says what was wrong" said "is damaged and will be made anew: $2"
	check "... it made the template anew" made
	check "... the same one" [ "$(entries)" = "$first" ]
}
change "$templates/$key/ram0" 16777300
mended "a byte of memory" "'ram0' has another content"
change "$templates/$key/state" 5000
mended "a byte of the devices' state" "'state' has another content"
truncate -s 300 "$templates/$key/manifest.json"
mended "a truncated manifest" ".*manifest.json is damaged"

# --- another machine ------------------------------------------------------------------------------
cp "$kernel" "$(dirname "$kernel")/config" "$scratch/"
passes "a copy of the kernel boots" --kernel "$scratch/vmlinux"
check "... from the same template" [ "$(told)" = 0 ]
printf x >>"$scratch/vmlinux"
passes "a changed kernel boots" --kernel "$scratch/vmlinux"
check "... from a template of its own" [ "$(count whole)" = 2 ]
cat >"$scratch/qemu" <<'SH'
#!/bin/sh
[ "$1" != --version ] || { echo 'QEMU emulator version 10.99.1'; exit 0; }
exec qemu-system-x86_64 "$@"
SH
chmod +x "$scratch/qemu"
passes "another version of QEMU boots" --qemu "$scratch/qemu"
check "... from a template of its own" [ "$(count whole)" = 3 ]
sed -i s/10.99.1/10.99.2/ "$scratch/qemu"
passes "an updated QEMU boots" --qemu "$scratch/qemu"
check "... from a template of its own" [ "$(count whole)" = 4 ]
passes "the first one is still there"
check "... and not made again" [ "$(told)" = 0 ]
expect "the least recently used are removed by size" 0 '^removed 3, .* kept 1, ' \
	"$ktstr" template prune --max-size "$(($(size_of_first) + 1000000))"
check "the first one stays" [ "$(entries)" = "$first" ]

# --- no place for one -----------------------------------------------------------------------------
with_mount() { # options of a file system on a new cache, command...
	unshare "${unshare[@]}" bash -c 'mkdir -p "$1" && mount -t tmpfs -o "$2" none "$1" && shift 2 && "$@"' \
		bash "$scratch/small" "$@"
}
run_on_small() {
	mkdir -p "$scratch/small/ktstr" && ln -s "$kernels" "$scratch/small/ktstr/kernels"
	XDG_CACHE_HOME=$scratch/small run
}
fill_while_made() {
	mkdir -p "$scratch/small/ktstr" && ln -s "$kernels" "$scratch/small/ktstr/kernels"
	XDG_CACHE_HOME=$scratch/small run >"$scratch/filled" &
	filling=$!
	until_true $filling eval 'compgen -G "$scratch/small/ktstr/templates/*.new/ram0" >/dev/null'
	head -c 1G /dev/zero >"$scratch/small/filler" 2>/dev/null
	wait $filling
	status=$?
	cat "$scratch/filled"
	ls -A "$scratch/small/ktstr/templates" | sed 's/^/left over: /'
	return $status
}
ends_in_fill() {
	mkdir -p "$scratch/small/ktstr" && ln -s "$kernels" "$scratch/small/ktstr/kernels"
	XDG_CACHE_HOME=$scratch/small run --qemu "$scratch/filling-qemu"
}
read_only() { # option...
	mount --bind "$scratch/ro" "$scratch/ro" && mount -o remount,bind,ro "$scratch/ro" || return
	XDG_CACHE_HOME=$scratch/ro run "$@"
}
make_two() {
	run_on_small && XDG_CACHE_HOME=$scratch/small run --memory 400M || return
	ls "$scratch/small/ktstr/templates"/*.lock | wc -l | sed 's/^/templates: /'
}
export -f run run_on_small make_two fill_while_made ends_in_fill read_only until_true
export scratch empty kernels runs
# Fills the disk where a template is made, and ends with words that do not say so.
cat >"$scratch/filling-qemu" <<'SH'
#!/bin/sh
case $* in
*mem-path=*.new/ram*)
	echo 'QEMU is out of luck' >&2
	head -c 1G /dev/zero >"$XDG_CACHE_HOME/filler" 2>/dev/null
	exit 1 ;;
esac
exec qemu-system-x86_64 "$@"
SH
chmod +x "$scratch/filling-qemu"
: >"$scratch/file"
under_a_file() { XDG_CACHE_HOME=$scratch/file run --kernel "$kernel"; }
out=$(under_a_file)
check "a cache under a file: the run passes" [ $? = 0 ]
check "... and says that it does without templates" cold
unshare=(-m)
unshare -m true 2>/dev/null || unshare=(-rm)
if unshare "${unshare[@]}" true 2>/dev/null; then
	out=$(with_mount size=64m run_on_small)
	check "a small disk: the run passes" [ $? = 0 ]
	check "... and says that there is no room" cold 'a template needs '
	out=$(with_mount size=330m make_two)
	check "a disk with room for one template: two runs pass" [ $? = 0 ]
	check "... each with its own" [ "$(grep -c 'booting a template$' <<<"$out") $(told)" = "2 2" ]
	check "... and the first has made room" said '^templates: 1$'
	tell_unless said '^templates: 1$'
	out=$(with_mount size=320m fill_while_made)
	check "a disk that fills up while a template is made: the run passes" [ $? = 0 ]
	check "... and says that there is no room" cold '.*no room left on the disk '
	tell_unless cold '.*no room left on the disk '
	check "... and leaves nothing of it" [ "$(grep -c '^left over: .*\.new' <<<"$out")" = 0 ]
	out=$(with_mount size=320m ends_in_fill)
	check "a disk that is full when QEMU fails: the run passes" [ $? = 0 ]
	check "... and says both" cold 'no room left on the disk of .*: QEMU says: QEMU is out of luck'
	tell_unless cold 'no room left on the disk of .*: QEMU says: QEMU is out of luck'
	mkdir -p "$scratch/ro/ktstr" && ln -s "$kernels" "$scratch/ro/ktstr/kernels"
	out=$(unshare "${unshare[@]}" bash -c read_only)
	check "a read-only cache without templates: the run passes" [ $? = 0 ]
	check "... and says that it cannot be written to" cold '.*Read-only file system'
	cp -a "$templates" "$scratch/ro/ktstr/"
	out=$(unshare "${unshare[@]}" bash -c read_only)
	check "a read-only cache with the template: the run passes" [ $? = 0 ]
	check "... and uses it" [ "$(told)" = 0 ]
	tell_unless [ "$(told)" = 0 ]
else
	skip "small, full and read-only disks" "mounts of one's own"
fi
check "no process is left" until_true $$ no_process "$scratch[/]"
finish
