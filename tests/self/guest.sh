# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Sourced after tap.sh by self tests that boot guests.  Without what that takes, the whole file is
# one skip, as 'ktstr doctor' says why.
ktstr=$top/build/ktstr
guests=$top/build/tests/self/guests
export XDG_STATE_HOME=$scratch/state

if ! "$ktstr" doctor >"$scratch/doctor" 2>&1; then
	skip "guests boot" "$(sed -n 's/^missing */needs /p' "$scratch/doctor" | head -n 1)"
	finish
fi
