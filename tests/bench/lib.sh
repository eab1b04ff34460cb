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

calc() { awk "BEGIN { printf \"%.4g\", ($1) }"; }

median() { # NUMBER…
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# roof f32|bf16: GF/s of multiply-adds in registers on all CPUs, 0 where `make bench` was not built.
roof() {
	local bench=$R/build/cpu/tests/bench/bench_kernels
	[ -x "$bench" ] || { echo 0; return; }
	"$bench" none | sed -n "s/^roof: \\([0-9]*\\) GF.s f32, \\([0-9]*\\) bf16.*/\\1 \\2/p" | cut -d' ' -f"$([ "$1" = f32 ] && echo 1 || echo 2)"
}

# step_work MODEL TOKENS RANK: GF of one pass over pairs, forward and backward, with an adapter of that rank on seven
# projections; each prompt once, attention not counted.
step_work() {
	local per
	per=$(jq -r --argjson r "$3" '(.head_dim // (.hidden_size / .num_attention_heads)) as $h
		| ($h * .num_attention_heads) as $q | ($h * .num_key_value_heads) as $kv | .hidden_size as $d | .intermediate_size as $f
		| "\(.num_hidden_layers * (4 * (2 * $d * $q + 2 * $d * $kv + 3 * $d * $f)
			+ 6 * $r * (2 * ($d + $q) + 2 * ($d + $kv) + 3 * ($d + $f)))) \(4 * .vocab_size * $d)"' "$1/config.json")
	mpcat "$2" | jq -r '"\(.prompt_ids | length) \(.chosen_ids | length) \(.rejected_ids | length)"' |
		awk -v token="${per% *}" -v label="${per#* }" '{ n += $1 + $2 + $3; l += $2 + $3 } END { print (n * token + l * label) / 1e9 }'
}

# What else kept the machine busy makes a figure worthless: said with every table.
machine() {
	echo "$(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1 /proc/loadavg)"
}
