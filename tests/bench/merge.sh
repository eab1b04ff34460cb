#!/usr/bin/env bash
# merge-lora, a plain copy of the model, and a peer's merge, in turn, each until the data are on the disk; then the same
# adapter into the model in double NF4, as bfloat16 and as codes again.
#   BENCH_MODEL=DIR BENCH_ADAPTER=DIR   what to merge
#   BENCH_PEER_MERGE=COMMAND            a peer that takes -m DIR --adapter DIR -o DIR --sync and prints a line
#                                       of JSON with wall_s and peak_rss_mb (optional)
#   BENCH_ROUNDS=3  BENCH_DIR=DIR       a directory on the file system to measure
. "$(dirname "$0")/lib.sh"
need BENCH_MODEL "a model directory"
need BENCH_ADAPTER "a PEFT directory for it"

quant -q -m "$BENCH_MODEL" -t nf4 --double-quant -o "$T/nf4"
copies=() merges=() peers=() floats=() codes=()
for ((i = 0; i < ${BENCH_ROUNDS:-3}; i++)); do
	rm -rf "$T/out" && sync
	measure sh -c "cp -rL '$BENCH_MODEL' '$T/out' && sync"
	copies+=("$wall")
	rm -rf "$T/out" && sync
	measure merge-lora -q -m "$BENCH_MODEL" -o "$T/out" "$BENCH_ADAPTER"
	merges+=("$wall") merge_cpu=$cpu merge_rss=$rss
	rm -rf "$T/out" && sync
	measure merge-lora -q -m "$T/nf4" --dtype bfloat16 -o "$T/out" "$BENCH_ADAPTER"
	floats+=("$wall") floats_rss=$rss
	rm -rf "$T/out" && sync
	measure merge-lora -q -m "$T/nf4" --requantize -o "$T/out" "$BENCH_ADAPTER" >"$T/table"
	codes+=("$wall") codes_rss=$rss
	rm -rf "$T/out" && sync
	if [ -n "${BENCH_PEER_MERGE:-}" ]; then
		$BENCH_PEER_MERGE -m "$BENCH_MODEL" --adapter "$BENCH_ADAPTER" -o "$T/out" --sync >"$T/peer.json" 2>"$T/peer.err" || {
			tail -3 "$T/peer.err"
			exit 1
		}
		peers+=("$(jq .wall_s "$T/peer.json")") peer_rss=$(jq .peak_rss_mb "$T/peer.json")
	fi
done

copy=$(median "${copies[@]}") merge=$(median "${merges[@]}")
float=$(median "${floats[@]}") code=$(median "${codes[@]}")
echo "merge of $(du -Lsh "$BENCH_MODEL" | cut -f1), median of ${#merges[@]}, synced ($(machine))"
row() { printf '%-18s %8s s %8s × cp %10s MB\n' "$@"; }
row "cp" "$copy" 1 -
row "merge-lora" "$merge" "$(calc "$merge / $copy")" "$merge_rss"
row "NF4 to bfloat16" "$float" "$(calc "$float / $copy")" "$floats_rss"
row "NF4 to NF4" "$code" "$(calc "$code / $copy")" "$codes_rss"
echo "merge-lora's CPU time: $merge_cpu s; of the deltas NF4 loses: $(tail -1 "$T/table" | cut -f1)"
if [ ${#peers[@]} -gt 0 ]; then
	peer=$(median "${peers[@]}")
	row "peer" "$peer" "$(calc "$peer / $copy")" "$peer_rss"
	echo "the peer takes $(calc "$peer / $merge") times as long, and $(calc "$peer_rss / $merge_rss") times the memory"
fi
