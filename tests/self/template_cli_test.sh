#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The template commands on bad input and on stores in every state but whole.  No VM.
. "$(dirname "$0")/tap.sh"

ktstr=$top/build/ktstr
export XDG_CACHE_HOME=$scratch/cache
templates=$XDG_CACHE_HOME/ktstr/templates

damaged() { # key
	mkdir -p "$templates/$1"
	head -c 100000 /dev/urandom >"$templates/$1/ram0"
	: >"$templates/$1.lock"
}
leftover() { # key
	mkdir -p "$templates/$1.new"
	head -c 100000 /dev/urandom >"$templates/$1.new/ram0"
	: >"$templates/$1.lock"
}
empty() { rmdir "$templates"; }
# A command while a test holds KEY's lock.
while_locked() { # -s|-x, key, command...
	flock "$1" "$templates/$2.lock" "${@:3}"
}
under_a_file() {
	: >"$scratch/file"
	XDG_CACHE_HOME=$scratch/file "$ktstr" template "$@"
}

# Whether this machine can run tests is not asked here.
doctor_row() { "$ktstr" doctor | grep ' templates '; }
doctor_under_a_file() { XDG_CACHE_HOME=$scratch/file doctor_row; }

expect "no command is refused" 2 "missing command, try 'ktstr template --help'" "$ktstr" template
expect "an unknown command is refused" 2 "unknown command 'foo'" "$ktstr" template foo
expect "help of the group lists its commands" 0 '^  prune ' "$ktstr" template --help
expect "help of a command shows its options" 0 '^ +--max-size SIZE' \
	"$ktstr" template prune --help
expect "a missing key is named" 2 'usage: ktstr template rm .* KEY' "$ktstr" template rm
expect "list takes no argument" 2 "unexpected argument 'x'" "$ktstr" template list x
expect "a nonsense size is refused" 2 "max-size" "$ktstr" template prune --max-size many
expect "--all and --max-size exclude each other" 2 'exclude each other' \
	"$ktstr" template prune --all --max-size 1G
expect "a key is hexadecimal" 2 "'../../precious' is not how the key" \
	"$ktstr" template rm ../../precious
expect "an empty key is refused" 2 "'' is not how the key" "$ktstr" template rm ''

expect "an empty store is no error" 0 'no template is cached' "$ktstr" template list
check "an empty store is no line of JSON" bash -c "[ -z \"\$('$ktstr' template list --json)\" ]"
expect "pruning an empty store removes nothing" 0 '^removed 0, freed 0 MiB; kept 0' \
	"$ktstr" template prune --all
expect "what is not there cannot be removed" 2 "no template 'ab' in the cache" \
	"$ktstr" template rm ab
check "none of that made a folder" test ! -e "$XDG_CACHE_HOME"
expect "a cache under a file is an error with its path" 70 "$scratch/file/ktstr/templates" \
	under_a_file list

damaged abcd1111
damaged abcd2222
leftover ef01
expect "damage is shown, with what is wrong" 0 \
	"^abcd1111 .* damaged: 'manifest.json' is missing$" "$ktstr" template list
expect "a leftover is shown" 0 '^ef01 .* leftover$' "$ktstr" template list
expect "so they are in JSON" 0 '"key":"abcd2222","state":"damaged","in_use":false,"qemu":null' \
	"$ktstr" template list --json
expect "sizes are what the disk gives" 0 '"disk_bytes":1[01][0-9]{4},' "$ktstr" template list --json
expect "doctor counts them" 0 '/ktstr/templates: 2 of them take 0 of at most 8192 MiB$' doctor_row
expect "doctor says what a cache that cannot be written to costs" 0 \
	'^limited .*: every test boots its own machine$' doctor_under_a_file
expect "an ambiguous key names what it could be" 2 \
	"'abcd' could be 2 templates: .*abcd[12]+, abcd[12]+$" "$ktstr" template rm abcd
expect "one in use is shown" 0 '^abcd1111 .*, in use: ' while_locked -s abcd1111 "$ktstr" template list
expect "one in use is not removed" 70 "template 'abcd1111' is in use" \
	while_locked -s abcd1111 "$ktstr" template rm abcd1
expect "one in the making is shown" 0 '^ef01 .* making$' \
	while_locked -x ef01 "$ktstr" template list
expect "one in use stays when all others go" 0 '^removed 1, freed 0 MiB; kept 1' \
	while_locked -s abcd1111 "$ktstr" template prune --all
check "it is there, and nothing else" test "$(ls "$templates" | tr '\n' ' ')" = "abcd1111 abcd1111.lock "
damaged abcd2222
expect "several are removed at once, each tells" 2 "no template 'ffff'" \
	"$ktstr" template rm abcd1 ffff abcd2
check "those that were there are gone" empty

damaged aa
leftover bb
expect "pruning takes damage and leftovers in any case" 0 '"removed":1,"freed_bytes":2[0-9]{5},"kept":0' \
	"$ktstr" template prune --json --max-size 100G
check "nothing is left" empty
damaged aa
chmod 000 "$templates/aa/ram0"
check "what nobody may read is removed as well" "$ktstr" template rm aa
ln -s "$scratch" "$templates/cc"
expect "a link is damage" 0 '^cc .* damaged: ' "$ktstr" template list
check "it is removed, not what it points to" bash -c \
	"'$ktstr' template rm cc && [ ! -L '$templates/cc' ] && [ -d '$scratch' ]"
finish
