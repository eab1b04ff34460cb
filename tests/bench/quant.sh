#!/usr/bin/env bash
# quant and a plain copy of the model, in turn, each until the data are on the disk; and a peer.
#   BENCH_MODEL=DIR          what to quantise
#   BENCH_PEER_QUANT=COMMAND a peer that takes -m DIR --type TYPE -o DIR, the whole job (optional, once)
#   BENCH_PEER_RATE=COMMAND  a peer that takes -m DIR and prints a line of JSON with quant_gb_s, GB of source a second in
#                            memory, nothing read or written (optional)
#   BENCH_ROUNDS=3  BENCH_DIR=DIR  a directory on the file system to measure
. "$(dirname "$0")/lib.sh"
need BENCH_MODEL "a model directory"

runs=("-t nf4" "-t nf4 --double-quant" "-t fp4" "-t int8")
declare -A walls=() cpus=() peaks=()
copies=()
for ((i = 0; i < ${BENCH_ROUNDS:-3}; i++)); do
	rm -rf "$T/out" && sync
	measure sh -c "cp -rL '$BENCH_MODEL' '$T/out' && sync"
	copies+=("$wall")
	for run in "${runs[@]}"; do
		rm -rf "$T/out" && sync
		# shellcheck disable=SC2086
		measure quant -q -m "$BENCH_MODEL" $run -o "$T/out"
		walls[$run]+=" $wall" cpus[$run]=$cpu peaks[$run]=$rss
	done
done

copy=$(median "${copies[@]}")
gb=$(calc "($(stat -Lc %s "$BENCH_MODEL"/*.safetensors | paste -sd+)) / 1e9")
echo "quantising $(du -Lsh "$BENCH_MODEL" | cut -f1), median of ${#copies[@]}, synced ($(machine))"
row() { printf '%-24s %8s s %8s × cp %8s GB/s %8s s CPU %10s MB\n' "$@"; }
row "cp" "$copy" 1 "$(calc "$gb / $copy")" - -
for run in "${runs[@]}"; do
	# shellcheck disable=SC2086
	wall=$(median ${walls[$run]})
	row "quant $run" "$wall" "$(calc "$wall / $copy")" "$(calc "$gb / $wall")" "${cpus[$run]}" "${peaks[$run]}"
	[ "$run" != "-t nf4" ] || nf4=$wall
done
if [ -n "${BENCH_PEER_RATE:-}" ]; then
	peer=$($BENCH_PEER_RATE -m "$BENCH_MODEL" 2>"$T/peer.err" | jq .quant_gb_s)
	echo "the peer quantises $peer GB/s in memory: quant -t nf4 from disk to disk is $(calc "$gb / $nf4 / $peer") times as fast"
fi
if [ -n "${BENCH_PEER_QUANT:-}" ]; then
	rm -rf "$T/out" && sync
	# shellcheck disable=SC2086
	measure $BENCH_PEER_QUANT -m "$BENCH_MODEL" --type nf4 -o "$T/out" >"$T/peer.out" 2>&1
	row "peer nf4" "$wall" "$(calc "$wall / $copy")" "$(calc "$gb / $wall")" "$cpu" "$rss"
	echo "the peer takes $(calc "$wall / $nf4") times as long as quant -t nf4"
fi
