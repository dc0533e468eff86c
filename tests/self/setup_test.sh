#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Set-up's decisions, from files instead of this machine; nothing is ever installed here.
. "$(dirname "$0")/tap.sh"

setup=$top/tools/setup.sh
empty=$scratch/bin
etc=$scratch/apt
mkdir -p "$empty" "$etc/sources.list.d"
# The tools the script itself needs; everything a package would bring is missing.
for tool in bash sed head cut grep awk dirname cat env id tail mktemp; do
	ln -s "$(command -v $tool)" "$empty/$tool"
done

os() { # id, like, codename
	printf 'ID=%s\nID_LIKE="%s"\nVERSION_CODENAME=%s\n' "$@" >"$scratch/os"
}
bare() { env PATH="$empty" "$empty/bash" "$setup" --os-release "$scratch/os" --apt-etc "$etc" "$@"; }

os fedora "" ""
expect "Fedora gets a dnf line and exit status 1" 1 \
	'^sudo dnf install gcc glibc-static clang .*libcmocka-devel .*qemu-system-x86-core' bare
os rocky "rhel centos fedora" ""
expect "a relative of Fedora gets a dnf line" 1 '^sudo dnf install gcc' bare
expect "what an example needs comes on top" 1 'dnf install gcc .* munge slurm-slurmctld ' \
	bare --with slurm
os arch "" ""
expect "Arch gets a pacman line" 1 '^sudo pacman -S --needed gcc glibc .*cmocka .*qemu-system-x86' bare
os ubuntu debian noble
expect "Ubuntu gets an apt line" 1 '^sudo apt-get install .* libcmocka-dev' bare
os plan9 "" ""
expect "an unknown system gets a plain list" 1 'gcc libc6-dev clang' bare
expect "nothing is changed elsewhere, and it says so" 1 'nothing was changed' bare

os debian "" bookworm
cat >"$etc/sources.list.d/debian.sources" <<'END'
# a comment
Types: deb deb-src
URIs: http://mirror.invalid/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /keys/archive.gpg

Types: deb
URIs: http://mirror.invalid/security
Suites: bookworm-security
Components: main
END
expect "Debian 12 takes QEMU from backports" 0 'qemu-system-x86/bookworm-backports' bare
expect "backports come from the host's own mirror" 0 '^URIs: http://mirror.invalid/debian$' bare
expect "backports are signed by the same key" 0 '^Signed-By: /keys/archive.gpg$' bare
expect "backports name their suite" 0 '^Suites: bookworm-backports$' bare

sed -i '/^Suites: bookworm /s/$/\nEnabled: no/' "$etc/sources.list.d/debian.sources"
expect "a disabled source is not used" 1 "no source of 'bookworm main'" bare
rm "$etc/sources.list.d/debian.sources"
expect "no source at all is said" 1 "no source of 'bookworm main'" bare

echo 'deb [arch=amd64 signed-by=/keys/b.gpg] http://old.invalid/debian bookworm main non-free # x' \
	>"$etc/sources.list"
expect "a one-line source is read" 0 '^URIs: http://old.invalid/debian$' bare
expect "a one-line source's key is read" 0 '^Signed-By: /keys/b.gpg$' bare
echo 'deb http://old.invalid/debian bookworm main' >"$etc/sources.list"
check "a source without key gives none" bash -c \
	"! env PATH='$empty' '$empty/bash' '$setup' --os-release '$scratch/os' --apt-etc '$etc' | grep Signed-By"
cat >"$etc/sources.list.d/key.sources" <<'END'
Types: deb
URIs: http://key.invalid/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
END
expect "a key written into the source is kept" 0 '^ abc$' bare
rm "$etc/sources.list.d/key.sources"

expect "an example's packages on Debian" 0 '^would install: .*slurmctld slurmd slurm-client' \
	bare --with slurm

expect "a browser is installed only if asked for" 0 '^would install: .*chromium' bare --with chromium
no_browser() { ! bare | grep chromium; }
check "and not otherwise" no_browser

os debian "" trixie
expect "Debian 13 takes its own QEMU" 0 'libcmocka-dev .*qemu-system-x86$' bare

expect "an unknown option is a usage error" 2 'unknown option' "$setup" --nonsense
expect "a missing argument is a usage error" 2 'needs an argument' "$setup" --os-release
expect "an example without needs of its own is a usage error" 2 'known: slurm' "$setup" --with nothing

if [ -r /etc/debian_version ]; then
	check "a second run finds everything and touches nothing" "$setup"
else
	skip "a second run finds everything and touches nothing" "Debian"
fi
finish
