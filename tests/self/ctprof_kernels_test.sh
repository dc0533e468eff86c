#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Both collectors agree on older kernels too, whose structures have other fields in other places.
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/guest.sh"

program=$top/build/tests/vm/ctprof_both
need_built "$program"

for version in 6.1 6.12; do
	if "$top/build/ktstr" kernel list 2>/dev/null | grep -q "^$version\."; then
		expect "both collectors agree on Linux $version" 0 "0 failed, 0 errors" \
			"$program" --kernel "$version"
	else
		skip "both collectors agree on Linux $version" \
			"needs kernel $version; try: ktstr kernel fetch $version"
	fi
done
finish
