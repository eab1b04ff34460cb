# shellcheck shell=bash
# For benchmarks: source it. $T is a scratch directory (BENCH_DIR chooses its file system). Figures of one
# command, measured by GNU time: $wall and $cpu in seconds, $rss in MB.
R=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PATH=$(cd "$R/${SLUICE_BIN:-bin}" && pwd):$PATH
export LC_ALL=C
set -euo pipefail
T=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bench.XXXXXX")
trap 'rm -rf "$T"' EXIT

# need NAME WHAT: a setting without which there is nothing to measure.
need() {
	[ -n "${!1:-}" ] && return
	echo "$(basename "$0"): skipped: set $1 ($2)"
	exit 0
}

measure() { # COMMAND…: its output is the command's own
	command time -o "$T/time" -f '%e %U %S %M' "$@"
	read -r wall user sys kb <"$T/time"
	cpu=$(calc "$user + $sys") rss=$(calc "$kb / 1024")
}

calc() { awk "BEGIN { printf \"%.4g\", $1 }"; }

median() { # NUMBER…
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# What else kept the machine busy makes a figure worthless: said with every table.
machine() {
	echo "$(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1 /proc/loadavg)"
}
