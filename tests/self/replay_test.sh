#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Recorded runs are repeated bit for bit, here and elsewhere, and whatever was changed is noticed.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
cd "$scratch" || exit 1

replay() { "$ktstr" replay "$@"; }
# A copy of the run "run" to break.
copy_run() {
	rm -rf copy
	cp -r run copy
}
object_of() { sed -n "s/.*\"$1\": \"\([0-9a-f]*\)\".*/\1/p" run/fails/run.json; }

"$guests" --mode exact --run-dir run --test-timeout 2s \
	-t fails -t sees_its_cpus -t waits_long >first 2>&1
check "failing runs are recorded" test -s run/fails/run.json -a -s run/waits_long/run.json
check "a passing run is recorded too" test -s run/sees_its_cpus/run.json \
	-a -s run/sees_its_cpus/records.bin -a -s run/sees_its_cpus/job.json
check_python "a record has what it depends on" run/fails/run.json run/results.jsonl <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["inputs"]["mode"] == "exact" and len(r["events_sha256"]) == 64, r
line = [l for l in map(json.loads, open(sys.argv[2])) if l.get("test") == "fails"][0]
assert line["inputs"] == r["inputs"] and line["events_sha256"] == r["events_sha256"], line
PY

replay run >all 2>&1
expect "what did not pass is repeated" 0 '^2$' grep -c identical all
expect "... and nothing else" 1 '' grep sees_its_cpus all
expect "three of three repetitions are identical, with the verdict's exit code" 1 \
	'^fails: 3 of 3 identical$' replay run/fails --repeat 3
expect "... and show the reasons" 1 '^    seen 42; wanted 41$' replay run/fails
expect "a cold boot gives the same" 1 '^fails: FAIL \(checks\): identical: [0-9]+ events' \
	replay run/fails --no-template
expect "a passing run is repeated when asked for" 0 '^sees_its_cpus: PASS .*identical' \
	replay run/sees_its_cpus
expect "a run that passed leaves nothing to repeat" 4 'nothing to repeat: all 1 recorded' \
	bash -c "mkdir some && cp -r run/sees_its_cpus some && '$ktstr' replay some"
check "nothing is left behind" test -z "$(ls state/ktstr/runs 2>/dev/null)"

copy_run
printf X | dd of="copy/objects/$(object_of image_sha256)" bs=1 seek=5000 conv=notrunc 2>/dev/null
expect "a changed guest image is noticed" 70 'cannot be repeated: .* has been changed' \
	replay copy/fails
copy_run
printf X | dd of="copy/objects/$(object_of files_sha256)" bs=1 seek=5000 conv=notrunc 2>/dev/null
expect "a changed archive is noticed" 70 'has been changed' replay copy/fails
copy_run
sed -i 's/0000000000000001/0000000000000002/g' copy/fails/job.json
expect "a changed job is noticed" 70 'job.json. has been changed' replay copy/fails
copy_run
sed -i 's/"seed": /"sed": /' copy/fails/run.json
expect "a record that is not one is noticed" 70 'run record of .*copy/fails' replay copy/fails
copy_run
check_python "the fourth event's text is changed, with a good checksum" copy/fails/records.bin <<'PY'
import struct, sys, zlib
path = sys.argv[1]
data, at, seq = bytearray(open(path, "rb").read()), 0, 0
while at < len(data):
    magic, kind, flags, length, crc = struct.unpack_from("<IHHII", data, at)
    seq += 1
    if seq == 4:
        data[at + 32 + length - 2] ^= 1
        struct.pack_into("<I", data, at + 12, zlib.crc32(data[at + 32:at + 32 + length]))
    at += 32 + length
open(path, "wb").write(data)
PY
expect "changed events part where they were changed" 70 \
	'parted at event 4 \([A-Z]+ at [0-9.]+ s\): then .*, now ' replay copy/fails
check "... and the files of that run are kept" bash -c "ls -d state/ktstr/runs/*/fails"
rm -rf state
copy_run
printf X | dd of=copy/fails/records.bin bs=1 seek=40 conv=notrunc 2>/dev/null
expect "damaged events part where they are damaged" 70 \
	'parted at event 1 .*: then record 1, byte 0: damaged' replay copy/fails
copy_run
sed -i "s/$(object_of events_sha256)/$(object_of kernel_sha256)/" copy/fails/run.json
expect "another hash than that of the events is noticed" 70 'not those of the recorded hash' \
	replay copy/fails
copy_run
sed -i "s/$(object_of kernel_sha256)/$(object_of image_sha256)/" copy/fails/run.json
expect "a kernel that is missing is named, with the way to it" 70 \
	"kernel '.*' with the SHA-256 .* is neither at .* nor in the cache; (run: ktstr kernel fetch|give)" \
	replay copy/fails
rm -rf state

copy_run
sed -i 's/"engine": [0-9]*/"engine": 999/' copy/fails/run.json
expect "another engine is refused" 70 'it ran on engine 999 of ktstr' replay copy/fails

cat >other-qemu <<'SH'
#!/bin/bash
if [ "$*" = --version ]; then
	echo 'QEMU emulator version 99.0.0'
else
	exec qemu-system-x86_64 "$@"
fi
SH
chmod 755 other-qemu
expect "another QEMU is refused" 70 'it ran on QEMU .* and here is 99.0.0.*--any-qemu tries it' \
	replay run/fails --qemu ./other-qemu
expect "... unless any will do" 1 'warning: QEMU is 99.0.0.*events may differ' \
	replay run/fails --qemu ./other-qemu --any-qemu

expect "no record is no run" 2 "no run is recorded in '.*some/nothing'" \
	bash -c "mkdir some/nothing && '$ktstr' replay some/nothing"
expect "no folder is no run" 2 'No such file' replay nowhere
expect "what is no exported file is refused" 2 'no exported run' replay first

expect "a run is exported" 0 "^'run.ktstr': 2 runs" replay run --export run.ktstr
head -c 100000 run.ktstr >short
expect "an exported file that cannot be made is said at once" 2 "^ktstr: write 'none/run': No such" \
	replay run --export none/run
expect "half an exported file is refused" 2 'cut short' replay short
check_python "an archive that leads elsewhere is made" <<'PY'
import os
def entry(name, data, mode=0o100644):
    head = "070701" + "".join("%08X" % v for v in
        (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
    out = (head + name + "\0").encode()
    out += b"\0" * (-len(out) % 4) + data
    return out + b"\0" * (-len(data) % 4)
mark = entry("ktstr-parcel", b"1\n")
end = entry("TRAILER!!!", b"", 0)
for name, body in (("up", entry("../up", b"x")), ("link", entry("x", b"/tmp", 0o120777)),
                   ("other", entry("x/other", b"x")), ("deep", entry("a/b/run.json", b"x"))):
    with open(name + ".cpio", "wb") as f:
        f.write(mark + body + end)
PY
if command -v zstd >/dev/null; then
	for name in up link other deep; do
		zstd -q "$name.cpio"
		expect "an exported file that holds '$name' is refused" 2 "'$name.cpio.zst': " \
			replay "$name.cpio.zst"
	done
else
	skip "an exported file that leads elsewhere is refused" "zstd"
fi

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 777 elsewhere
	chmod 711 .
	cp "$ktstr" run.ktstr elsewhere
	chmod 644 elsewhere/run.ktstr
	expect "it repeats in another folder as another user with an empty cache" 1 \
		'^fails: FAIL \(checks\): identical' \
		setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH="$PATH" \
		HOME="$scratch/elsewhere" bash -c 'cd ~ && ./ktstr replay run.ktstr'
	check "... and leaves nothing of it but templates and checksums" \
		bash -c '[ -z "$(find elsewhere -name kernels -o -name objects -o -name run.json)" ]'
else
	skip "it repeats in another folder as another user with an empty cache" "root and setpriv"
fi

# Held for a debugger: replay says where, gdb looks around and ends the guest.
debug() { # WHEN, line to wait for
	local pid status
	"$ktstr" replay run/fails --gdb "$1" --run-dir "gdb-$1" >"held-$1" 2>&1 &
	pid=$!
	until_true "$pid" grep -q "$2" "held-$1"
	gdb -nx -batch -ex "target remote gdb-$1/gdb" -ex 'print $rip' -ex kill 2>&1
	wait "$pid"
	status=$?
	cat "held-$1"
	return "$status"
}
if command -v gdb >/dev/null; then
	expect "gdb finds the guest at its start" 0 '^\$1 = ' debug start 'Ctrl-C here ends'
	expect "gdb finds the guest where it failed" 0 '^\$1 = ' debug fail 'stopped at event'
	expect "a debugger takes one run" 2 'has 2 to repeat: name one as RUN/ITEM' \
		replay run --gdb start
	expect "it stops at an event only if one made it fail" 70 'no event made the run fail' \
		replay run/sees_its_cpus --gdb fail
else
	skip "gdb finds the guest at its start and where it failed" "gdb"
fi
expect "--gdb wants to know when" 2 "start or fail is meant" replay run --gdb now

expect "a runaway in exact mode ends on this machine's clock, undecided" 5 \
	'UNDECIDED: the guest reached .* of virtual time in the 4.00 s of the host.s' \
	"$guests" --mode exact --wall-limit 4s --run-dir runaway -t spins_long
expect "... and is repeated as far as it came" 5 \
	'^spins_long: UNDECIDED .*identical: .*the recorded run was cut short \(wall-limit\)$' \
	replay runaway

"$guests" --mode live --run-dir live -t fails >/dev/null 2>&1
expect "a live run is repeated, and said not to be exact" 1 \
	'^fails: FAIL \(checks\): as it was; live runs do not repeat exactly$' replay live
finish
