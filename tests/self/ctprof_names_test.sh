#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Names of threads that are not ASCII: shown where the locale can, and columns keep their places.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
self=$top/tests/self
need_built "$ktstr"

mkfifo "$scratch/in" "$scratch/out"
exec 8<>"$scratch/in"
python3 "$self/named_threads.py" <"$scratch/in" >"$scratch/out" &
named=$!
trap 'kill "$named" 2>/dev/null; rm -rf "$scratch"' EXIT
read -r <"$scratch/out"

"$ktstr" ctprof capture --pid "$named" --no-jemalloc -o "$scratch/x.ctprof.zst"
show() { LC_ALL=$1 "$ktstr" ctprof show -n 0 -w "$scratch/x.ctprof.zst"; }
rows() { LC_ALL=$1 "$ktstr" ctprof watch -i 50ms -n 1 -l 0 -g thread --pid "$named"; }
compared() {
	LC_ALL=$1 "$ktstr" ctprof compare -n 0 -w -g name "$scratch/x.ctprof.zst" "$scratch/x.ctprof.zst"
}

for command in show rows compared; do
	$command C.UTF-8 >"$scratch/$command.utf8" 2>"$scratch/err"
	$command C >"$scratch/$command.ascii" 2>>"$scratch/err"
	check_python "$command: names as UTF-8 where it is the locale, in columns" "$self" "$scratch/$command" <<'PY'
import sys
from unicodedata import east_asian_width
sys.path.insert(0, sys.argv[1])
from named_threads import NAMES

def columns(text):
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)

lines = open(sys.argv[2] + ".utf8", encoding="utf-8").read().splitlines()
plain = open(sys.argv[2] + ".ascii", encoding="ascii").read().splitlines()
ends = set()
for name, shown in NAMES.items():
    found = [line for line in lines if shown in line]
    assert len(found) == 1, (shown, lines)
    escaped = "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in name)
    assert len([line for line in plain if escaped in line]) == 1, (escaped, plain)
    before, after = found[0].split(shown)
    assert "\x1b" not in found[0] and "\u202e" not in found[0]
    # What stands right of a name ends in the same column in each line.
    ends.add(columns(found[0]) if after else 0)
assert len(ends) == 1, (ends, lines)
PY
done
expect "JSON of a locale is that of another" 0 '' cmp \
	<(LC_ALL=C "$ktstr" ctprof show --json "$scratch/x.ctprof.zst") \
	<(LC_ALL=C.UTF-8 "$ktstr" ctprof show --json "$scratch/x.ctprof.zst")
for width in 30 25 26 27 28 29 31 36 80; do
	check "a terminal of $width columns is not run over" \
		env LC_ALL=C.UTF-8 python3 "$self/watch_terminal.py" "$ktstr" "$named" "names_$width"
done
finish
