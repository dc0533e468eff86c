#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Exploring seeds finds a real race, and its replay shows it again every time.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"
cd "$scratch" || exit 1

"$top/build/tests/self/lost_wakeup" --mode exact --seeds 200 --fail-fast --run-dir run >out 2>err
check "a seed of 200 loses a wake-up" test $? = 1
check "most seeds do not" test "$(grep -c '^ok' out)" -gt "$(grep -c '^not ok' out)"
check "the finding says what happened" grep -q 'consumer overslept: item [0-9]* lay in the mailbox' err
found=$(sed -n 's/^not ok [0-9]* \(consumer_never_oversleeps@[0-9]*\).*/\1/p' out | head -n 1)
expect "20 of 20 replays show it again" 1 '20 of 20 identical$' \
	"$ktstr" replay "run/$found" --repeat 20
expect "... of the same item" 1 "$(grep -o 'consumer overslept: item [0-9]* ' err | head -n 1)" \
	"$ktstr" replay "run/$found"
echo "# $found after $(grep -c '^ok' out) that passed"
finish
