#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# array.sbatch in a real Slurm cluster of one node, this one, on the loopback address.
#
# usage: try-on-one-machine.sh [-n SHARDS] [-o DIR] [PROGRAM [OPTION]...]
#   -n SHARDS   tasks of the array (3)
#   -o DIR      keep the shards' run folders there (they go away with the cluster)
#   PROGRAM     a test program, with options for it (build/examples/hello_topology)
#
# Installs Slurm and MUNGE with tools/setup.sh if they are missing (Debian), writes a configuration
# into a temporary folder, starts munged, slurmctld and slurmd with it, submits the array, waits,
# merges, and prints the merged report.  The three daemons, all jobs and the folder are gone when it
# ends, however it ends.  A Slurm that runs here already is left alone: ports, keys, sockets and
# state are the temporary cluster's own.
#
# Exit status: that of 'ktstr merge'; 2 usage; 70 the cluster did not work; 130 interrupted.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/examples/slurm
export PATH=$top/build:$PATH:/usr/sbin:/sbin
shards=3
out=
dir=
submitted= # the waiting sbatch
pids=()    # munged, slurmctld, slurmd

say() { echo "try: $*" >&2; }

die() {
	say "$*"
	for log in "$dir"/log/*; do
		[ ! -s "$log" ] || { echo "--- ${log##*/}" && tail -n 8 "$log"; } >&2
	done
	exit 70
}

usage() {
	sed -n '/^# usage:/,/^# Installs/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' >&2
	exit 2
}

# Wait for a command to succeed: at most 30 s, and only as long as the daemons live.
until_true() { # command...
	local tries pid
	for ((tries = 0; tries < 300; tries++)); do
		"$@" >/dev/null 2>&1 && return 0
		for pid in "${pids[@]}"; do
			kill -0 "$pid" 2>/dev/null || return 1
		done
		sleep 0.1
	done
	return 1
}

# --- the end ----------------------------------------------------------------------------------
no_jobs() { [ -z "$(squeue --noheader)" ]; }

# Processes that hold a file of the cluster open: a job's supervisor outlives slurmd.
holders() {
	find /proc/[0-9]*/fd -lname "$dir/*" 2>/dev/null | cut -d/ -f3 | sort -u | grep -vx $$
}

end_cluster() {
	local i pid
	trap '' INT TERM HUP
	[ -z "$submitted" ] || kill "$submitted" 2>/dev/null
	if [ ${#pids[@]} = 3 ] && ! no_jobs; then
		scancel --full --signal=TERM --user="$(id -un)" 2>/dev/null
		scancel --user="$(id -un)" 2>/dev/null
		until_true no_jobs
	fi
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[i]}" 2>/dev/null
		wait "${pids[i]}" 2>/dev/null
	done
	for pid in $(holders); do
		say "ending $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline"))"
		kill -KILL "$pid"
	done
	rm -rf "$dir"
}

# --- the cluster ------------------------------------------------------------------------------
two_free_ports() {
	python3 - <<-'PY'
		import socket
		s = [socket.socket() for _ in range(2)]
		for one in s:
		    one.bind(("127.0.0.1", 0))
		print(*(one.getsockname()[1] for one in s))
	PY
}

# No cgroups and no accounting: it works in a container and without systemd.
write_config() {
	local host ports memory
	host=$(hostname -s)
	read -ra ports < <(two_free_ports)
	memory=$(awk '/^MemTotal/ { print int($2 / 1024 * 0.95) }' /proc/meminfo)
	cat >"$dir/slurm.conf" <<-END
		ClusterName=try
		SlurmctldHost=$host(127.0.0.1)
		SlurmUser=$(id -un)
		SlurmdUser=$(id -un)
		SlurmctldPort=${ports[0]}
		SlurmdPort=${ports[1]}
		AuthType=auth/munge
		AuthInfo=socket=$dir/munge/socket
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool
		SlurmctldPidFile=$dir/slurmctld.pid
		SlurmdPidFile=$dir/slurmd.pid
		SlurmctldLogFile=$dir/log/slurmctld
		SlurmdLogFile=$dir/log/slurmd
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core_Memory
		SchedulerParameters=sched_min_interval=100000
		ReturnToService=2
		KillWait=10
		NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc --all) RealMemory=$memory
		PartitionName=all Nodes=$host Default=YES State=UP
	END
}

# A daemon in the foreground, as a child that goes down with this script even if that is killed, and
# in a session of its own: Ctrl-C is for the script, which still needs the daemons to end the jobs.
start() { # log, command...
	local log=$dir/log/$1
	shift
	setsid setpriv --pdeathsig TERM "$@" >"$log.out" 2>&1 </dev/null &
	pids+=($!)
}

start_cluster() {
	umask 022
	dir=$(mktemp -d /tmp/ktstr-slurm.XXXXXX) || exit 70
	trap end_cluster EXIT
	trap 'exit 130' INT TERM HUP
	chmod 755 "$dir"
	mkdir -m 755 "$dir"/{log,munge,state,spool}
	write_config
	export SLURM_CONF=$dir/slurm.conf
	(umask 077 && head -c 128 /dev/urandom >"$dir/munge/key")
	start munged munged --foreground --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
		--pid-file="$dir/munge/pid" --seed-file="$dir/munge/seed"
	until_true munge --socket="$dir/munge/socket" --no-input || die "munged does not answer"
	start slurmctld slurmctld -D
	until_true scontrol ping || die "slurmctld does not answer"
	start slurmd slurmd -D
	until_true eval '[ "$(sinfo --noheader --format=%t)" = idle ]' || die "the node does not come up"
}

# --- the run ----------------------------------------------------------------------------------
main() {
	local status
	while getopts n:o: option; do
		case $option in
		n) shards=$OPTARG ;;
		o) out=$OPTARG ;;
		*) usage ;;
		esac
	done
	shift $((OPTIND - 1))
	[[ $shards =~ ^[1-9][0-9]{0,2}$ ]] || usage
	[ $# -gt 0 ] || set -- "$top/build/examples/hello_topology"
	"$top/tools/setup.sh" --with slurm || exit 70
	[ -x "$1" ] || { say "'$1' cannot be run; build it first, such as with make"; exit 2; }
	set -- "$(realpath "$1")" "${@:2}"

	say "starting munged, slurmctld and slurmd"
	start_cluster
	out=${out:-$dir/shards}
	mkdir -p "$out" && out=$(realpath "$out") || exit 70
	say "$(sinfo --version): an array of $shards for $1"
	sbatch --wait --array="1-$shards" --cpus-per-task=1 --mem=1G --chdir="$dir" \
		--output="$dir/log/%x-%A_%a" "$here/array.sbatch" "$1" "$out" "${@:2}" >&2 &
	submitted=$!
	wait $submitted
	status=$?
	submitted=
	say "the array is through, its highest exit status is $status; merging"
	compgen -G "$out/*" >/dev/null || die "no shard has left a run folder"
	ktstr merge "$out"/*
	status=$?
	say "merged: exit status $status"
	[ $status = 0 ] || [[ $out != "$dir"/* ]] || say "the files named above go away now; -o DIR keeps them"
	exit $status
}

main "$@"
