#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# A test program in N shards, each a 'ktstr run' of its own under GNU parallel, and one report.
#
# usage: shards.sh N DIR PROGRAM [OPTION]...
#
# DIR must not exist; it keeps the run folders, one per shard.  Standard output is the merged report
# and the exit status is that of the merge: a shard that died or never started is named there.  130 after
# Ctrl-C.
# $PARALLEL may hold further options for GNU parallel.  Other machines: PARALLEL='--sshlogin a,b,:
# --workdir .' if program, DIR and ktstr have the same paths everywhere.
set -u
[ $# -ge 3 ] && [[ $1 =~ ^[1-9][0-9]*$ ]] || { sed -n '/^# usage/s/^# //p' "$0" >&2; exit 2; }
shards=$1
mkdir -p "$(dirname "$2")" && mkdir "$2" || exit 2
dir=$(realpath "$2")
program=$(realpath "$3")
shift 3

# What shards print is merged below; their summaries are shown as they come.  When interrupted, they
# are told to end and have time to keep their results before they are killed; what there is is merged.
interrupted=
trap interrupted=130 INT
seq "$shards" | parallel --quote --line-buffer --tagstring 'shard {}' --termseq TERM,10000,KILL,25 \
	ktstr run "$program" --partition "slice:{}/$shards" --run-dir "$dir/{}" "$@" >/dev/null
ktstr merge "$dir"/*
exit "${interrupted:-$?}"
