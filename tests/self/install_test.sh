#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# An installed copy serves a test program outside the tree: the README's own.
. "$(dirname "$0")/tap.sh"

cd "$top" || exit 1
prefix=$scratch/prefix
unset MAKEFLAGS MAKELEVEL
check "make install PREFIX=" make -s install PREFIX="$prefix"
check "make install DESTDIR=" make -s install PREFIX=/opt/ktstr DESTDIR="$scratch/dest"
check "DESTDIR stays out of the installed files" bash -c \
	"! grep -rI '$scratch/dest' '$scratch/dest' && test -x '$scratch/dest/opt/ktstr/bin/ktstr'"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
check "pkg-config finds ktstr" pkg-config --exists --print-errors ktstr

mkdir "$scratch/outside"
cd "$scratch/outside" || exit 1
awk '/^```c$/ { on = 1; next } /^```$/ { if (on) exit } on' "$top/README.md" >t.c
check "the README has a first test" grep -q KTSTR_TEST t.c
for cc in gcc clang; do
	# shellcheck disable=SC2046
	check "the README's test builds outside the tree with $cc" \
		$cc -Wall -Wextra -Werror t.c $(pkg-config --cflags --libs ktstr) -o "t-$cc"
	name=$(sed -n 's/^KTSTR_TEST(\(.*\)).*/\1/p' t.c | head -n 1)
	expect "it lists its test ($cc)" 0 "$name" "./t-$cc" -l
done
cat >payload.c <<'END'
#include <ktstr/test.h>

static const struct ktstr_payload metrics = {
	.name = "metrics",
	.binary = "ktstr-json-metrics",
	.args = { "seen=42" },
	.output = KTSTR_OUTPUT_JSON,
	.checks = { { .kind = KTSTR_CHECK_AT_LEAST, .metric = "given.seen", .value = 42 } },
};

static void body(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *proc = NULL;

	ASSERT_OK(t, ktstr_payload_run(t, &metrics, NULL, SECS(30), &proc));
}

KTSTR_TEST(installed_payload_is_found) = {
	.about = "a payload that came with the installation",
	.payloads = { &metrics },
	.host_only = true,
	.run = body,
};

KTSTR_MAIN
END
# shellcheck disable=SC2046
check "a test with an installed payload builds" \
	gcc -Wall -Wextra -Werror payload.c $(pkg-config --cflags --libs ktstr) -o payload
expect "it finds and runs the payload" 0 '^ok 1 installed_payload_is_found' \
	env XDG_STATE_HOME="$scratch/state" ./payload
expect "the installed command runs" 0 '^ktstr ' "$prefix/bin/ktstr" --version
finish
