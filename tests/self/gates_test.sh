#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Each gate is shown one broken input and must refuse it; the whole input must pass all of them.
. "$(dirname "$0")/tap.sh"

spdx='/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */'

good_tree() {
	tree=$scratch/tree
	rm -rf "$tree"
	mkdir -p "$tree"/{include/ktstr,src/{base,vm,kernel},cli,tests/{unit,fuzz/corpus/x},examples}
	cp "$top/.clang-format" "$tree"
	cat >"$tree/include/ktstr/x.h" <<-END
		$spdx
		#ifndef KTSTR_X_H
		#define KTSTR_X_H

		#include <stdint.h>

		/**
		 * ktstr_x_add() - add two numbers.
		 * @left:	any
		 * @right:	any
		 *
		 * Return: the sum.
		 */
		uint32_t ktstr_x_add(uint32_t left, uint32_t right);

		#endif
	END
	printf '%s\n#ifndef KERNEL_K_H\n#define KERNEL_K_H\nint k(void);\n#endif\n' "$spdx" \
		>"$tree/src/kernel/k.h"
	printf '%s\n#include <ktstr/x.h>\n\nuint32_t ktstr_x_add(uint32_t left, uint32_t right)\n{\n\treturn left + right;\n}\n' \
		"$spdx" >"$tree/src/vm/x.c"
	printf '%s\nint LLVMFuzzerTestOneInput(void);\n' "$spdx" >"$tree/tests/fuzz/fuzz_x.c"
	echo seed >"$tree/tests/fuzz/corpus/x/seed"
}

# gate, what is wrong, text that must be said; the breaking is done by the caller on a good tree
refused() {
	expect "$1 refuses $2" 1 "$3" "$top/tools/gates.py" --root "$tree" "$1"
}

body() { # file, lines in the function
	{
		printf '%s\nvoid f(void);\n\nvoid f(void)\n{\n' "$spdx"
		for ((i = 0; i < $2; i++)); do printf '\tf();\n'; done
		echo '}'
	} >"$1"
}

good_tree
expect "a clean tree passes every gate" 0 'ok 1 ' "$top/tools/gates.py" --root "$tree"

good_tree
echo 'int x;' >"$tree/src/vm/y.c"
refused spdx "a file without licence line" 'src/vm/y.c:1'

good_tree
printf '%s\n#include "kernel/k.h"\n' "$spdx" >"$tree/src/vm/y.c"
refused include-law "vm including kernel" 'vm may not include src/kernel/k.h'
good_tree
printf '%s\n#include "kernel/k.h"\n' "$spdx" >"$tree/cli/y.c"
refused include-law "cli including a private header" 'cli may not include'
good_tree
printf '%s\n#include "kernel/k.h"\n' "$spdx" >"$tree/examples/y.c"
refused include-law "an example including a private header" 'examples may not include'
good_tree
mkdir "$tree/schedulers"
printf '%s\n#include "kernel/k.h"\n' "$spdx" >"$tree/schedulers/y.c"
refused include-law "a scheduler including a private header" 'schedulers may not include'
good_tree
printf '%s\n#include "kernel/k.h"\n' "$spdx" >"$tree/tests/unit/test_other.c"
refused include-law "a unit test including a header it does not test" 'may not include'
good_tree
printf '%s\n#include "kernel/gone.h"\n' "$spdx" >"$tree/src/kernel/y.c"
refused include-law "a header that is not there" 'not found'

good_tree
body "$tree/src/vm/y.c" 99
refused function-length "a function of 102 lines" 'f\(\) has 102 lines'
good_tree
body "$tree/src/vm/y.c" 60
expect "function-length only reports 63 lines" 0 'report: src/vm/y.c:4: f\(\) has 63 lines' \
	"$top/tools/gates.py" --root "$tree" function-length

good_tree
printf '%s\nint f(int a, int b, int c, int d, int e, int g)\n{\n\treturn a;\n}\n' "$spdx" >"$tree/src/vm/y.c"
expect "parameters reports six of them" 0 'report: .* takes 6 parameters' \
	"$top/tools/gates.py" --root "$tree" parameters

good_tree
printf '%s\nvoid f(void)\n{\n\t\t\t\tif (1)\n\t\t\t\t\tf();\n}\n' "$spdx" >"$tree/src/vm/y.c"
expect "nesting reports the fourth level" 0 'report: src/vm/y.c:4: nested deeper' \
	"$top/tools/gates.py" --root "$tree" nesting

good_tree
{ echo "$spdx"; yes 'int a;' | head -n 1000; } >"$tree/src/vm/y.c"
refused file-length "1001 lines" '1001 lines'

good_tree
printf '%s\n// one\n// two\nint a; // not counted\nint b;\nint c = "//"[0];\n' "$spdx" >"$tree/src/vm/y.c"
refused comment-ratio "two comment lines to three of code" '2 comment lines to 3 of code'

good_tree
sed -i '/stdint/d' "$tree/include/ktstr/x.h"
if command -v gcc >/dev/null && command -v clang >/dev/null; then
	refused headers-alone "a header that needs another first (gcc)" 'not self-contained for gcc'
	refused headers-alone "a header that needs another first (clang)" 'not self-contained for clang'
	good_tree
	printf '%s\nstruct twice {\n\tint x;\n};\n' "$spdx" >"$tree/include/ktstr/y.h"
	refused headers-alone "a header without include guard" 'redefinition'
else
	skip "headers-alone" "gcc and clang"
fi

good_tree
sed -i '/@right/d' "$tree/include/ktstr/x.h"
refused documented "a parameter nobody explains" '@right is not explained'
good_tree
sed -i '/Return:/d' "$tree/include/ktstr/x.h"
refused documented "a result nobody explains" "no 'Return:'"
good_tree
sed -i 's,^/\*\*$,/*,' "$tree/include/ktstr/x.h"
refused documented "a function without doc block" 'has no doc block'

good_tree
printf '%s\nvoid f(char *p)\n{\n\tstrcpy(p, "x");\n}\n' "$spdx" >"$tree/src/vm/y.c"
refused banned "strcpy" 'strcpy\(\) is banned'
good_tree
printf '%s\nvoid f(void)\n{\n\tgetenv("X");\n}\n' "$spdx" >"$tree/src/vm/y.c"
refused banned "getenv outside its file" 'getenv\(\) is banned'
good_tree
printf '%s\n/* strcpy(a, b) */\nint a = sizeof("system(x)");\n' "$spdx" >"$tree/src/vm/y.c"
expect "banned ignores comments and strings" 0 'ok 1' "$top/tools/gates.py" --root "$tree" banned

good_tree
printf '%s\nint   a;\n' "$spdx" >"$tree/src/vm/y.c"
if clang-format-14 --version >/dev/null 2>&1 || clang-format --version 2>/dev/null | grep -q ' 14\.'; then
	refused formatting "three spaces" 'src/vm/y.c:2'
else
	skip "formatting" "clang-format 14"
fi

good_tree
printf '%s\nint a; // /%s/user/x\n' "$spdx" home >"$tree/src/vm/y.c"
refused no-machine-paths "a home folder" 'path of one machine'
good_tree
printf "see %s//mirror.unknown.net/x\n" https: >"$tree/README.md"
refused no-machine-paths "an unknown link" 'host mirror.unknown.net'

good_tree
printf '%s\nKTSTR_TEST(%s) = {};\n' "$spdx" a_name_that_is_much_longer_than_forty_letters \
	>"$tree/examples/y.c"
refused test-names "45 characters" '45 characters'

good_tree
rm -r "$tree/tests/fuzz/corpus"
refused test-files "a fuzz target without seeds" 'no seeds'

expect "an unknown gate is a usage error" 2 "unknown gate" "$top/tools/gates.py" nonsense
finish
