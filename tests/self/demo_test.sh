#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# 'make demo' with everything it runs put in place: a signal to the script alone ends what runs.
. "$(dirname "$0")/tap.sh"

mkdir "$scratch/tools" "$scratch/build"
cp "$top/tools/demo.sh" "$scratch/tools/"
printf 'all:\n\t@:\n' >"$scratch/Makefile"
printf '#!/bin/sh\nexit 0\n' >"$scratch/tools/setup.sh"
cat >"$scratch/build/ktstr" <<'SH'
#!/bin/sh
case $1 in
kernel) echo '{"sched_ext":true}' ;;
run) [ -e waits ] && exec tail -f waits; echo "ran $2" ;;
check) echo "checked $*"; [ "${*%cpuset-ignored}" = "$*" ] ;;
esac
SH
chmod +x "$scratch/tools/setup.sh" "$scratch/build/ktstr"

demo() { "$scratch/tools/demo.sh"; }
expect "it runs the tests" 0 '^ran build/examples/hello_topology$' demo
expect "it judges a scheduler with a bug" 0 '^checked check .*--fault cpuset-ignored$' demo
sed 's/cpuset-ignored/nothing/' "$scratch/build/ktstr" >"$scratch/blind"
cp "$scratch/build/ktstr" "$scratch/sees"
cp "$scratch/blind" "$scratch/build/ktstr"
expect "a bug that is not found is a failure" 1 'put in was not found \(exit status 0\)' demo
cp "$scratch/sees" "$scratch/build/ktstr"

waiting() { pgrep -P "$pid" tail >/dev/null; }
touch "$scratch/waits"
"$scratch/tools/demo.sh" >"$scratch/out" 2>&1 </dev/null &
pid=$!
until_true "$pid" waiting
inner=$(pgrep -P "$pid" tail)
kill -TERM "$pid"
wait "$pid"
status=$?
check "a signal ends it" [ "$status" = 143 ]
check "... and what it was running" bash -c "[ -n '$inner' ] && ! kill -0 '$inner'"
check "... and it says so" grep -qx 'demo: interrupted' "$scratch/out"
finish
