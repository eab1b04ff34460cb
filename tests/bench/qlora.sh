#!/usr/bin/env bash
# QLoRA: DPO of a LoRA (r 16, alpha 32, seven projections, paged 8-bit AdamW) on a model in double NF4, beside the same on the
# float model, and beside a peer on the same quantised files.
#   BENCH_MODEL=DIR          a float model with its tokenizer
#   BENCH_ROWS=FILE          JSON lines of prompt, chosen, rejected: strings, taken as they are
#   BENCH_PEER_DPO=COMMAND   a peer that takes -m --data --pairs --batch --max-length --precision --weights and prints a
#                            line of JSON with pairs_per_s_whole, peak_rss_mb, train_cpu_s (optional, once)
#   BENCH_PAIRS=8 BENCH_BATCH=4 BENCH_MAX_LENGTH=512 BENCH_PRECISION=bf16 BENCH_ROUNDS=3
#   BENCH_MAX_MEMORY=SIZE    for train-step (optional)
# Seconds are of all steps, loading not, the median of the rounds.
. "$(dirname "$0")/lib.sh"
need BENCH_MODEL "a model directory"
need BENCH_ROWS "a file of preference rows"
pairs=${BENCH_PAIRS:-8} batch=${BENCH_BATCH:-4} length=${BENCH_MAX_LENGTH:-512} precision=${BENCH_PRECISION:-bf16}

head -n "$pairs" "$BENCH_ROWS" >"$T/rows.jsonl"
quant -q -m "$BENCH_MODEL" -t nf4 --double-quant -o "$T/nf4"
tmpl -q -m "$BENCH_MODEL" "$T/rows.jsonl" | tok -q -m "$BENCH_MODEL" --max-length "$length" --skip-bad >"$T/tokens.mp"
kept=$(mpcat -c "$T/tokens.mp" | grep -oE '[0-9]+' | tail -1)
declare -A base=([float]=$BENCH_MODEL [nf4]=$T/nf4) seconds=() peaks=() cpus=()
for kind in float nf4; do
	refscore -q -m "${base[$kind]}" --precision "$precision" "$T/tokens.mp" >"$T/$kind.ref.mp"
done
for ((i = 0; i < ${BENCH_ROUNDS:-3}; i++)); do
	for kind in float nf4; do
		measure train-step -q -m "${base[$kind]}" --precision "$precision" --loss dpo --lora-r 16 --lora-alpha 32 \
			--num-train-epochs 1 --batch-size "$batch" --max-length "$length" --optim paged_adamw_8bit \
			${BENCH_MAX_MEMORY:+--max-memory "$BENCH_MAX_MEMORY"} --timing "$T/timing" "$T/$kind.ref.mp" >/dev/null
		seconds[$kind]+=" $(jq -s 'map(.seconds) | add' "$T/timing")" peaks[$kind]=$rss cpus[$kind]=$cpu
	done
done

echo "QLoRA, DPO, $kept pairs in batches of $batch, at most $length tokens, $precision, median of ${BENCH_ROUNDS:-3} ($(machine))"
row() { printf '%-20s %8s s %10s s CPU %8s MB\n' "$@"; }
declare -A steps=()
for kind in float nf4; do
	# shellcheck disable=SC2086
	steps[$kind]=$(median ${seconds[$kind]})
	row "sluice, $kind" "${steps[$kind]}" "${cpus[$kind]}" "${peaks[$kind]}"
done
work=$(step_work "$BENCH_MODEL" "$T/nf4.ref.mp" 16) most=$(roof "$precision")
echo "  4 bits: $(calc "${steps[nf4]} / ${steps[float]}") times the float step, $(calc "${peaks[nf4]} / ${peaks[float]}") of its memory;" \
	"$(calc "$work / ${steps[nf4]}") GF/s, $(calc "$most > 0 ? $work / ${steps[nf4]} / $most : 0") of the roof ($most GF/s, $precision)"
[ -n "${BENCH_PEER_DPO:-}" ] || exit 0
$BENCH_PEER_DPO -m "$T/nf4" --data "$T/rows.jsonl" --pairs "$pairs" --batch "$batch" --max-length "$length" \
	--precision "$precision" --weights bfloat16 >"$T/peer.json" 2>"$T/peer.err" || { tail -3 "$T/peer.err"; exit 1; }
field() { jq "$1" "$T/peer.json"; }
row "peer, nf4" "$(calc "$(field .pairs) / $(field .pairs_per_s_whole)")" "$(field .train_cpu_s)" "$(field .peak_rss_mb)"
echo "  sluice: $(calc "${peaks[nf4]} / $(field .peak_rss_mb)") of its memory," \
	"$(calc "$kept / ${steps[nf4]} / $(field .pairs_per_s_whole)") times its pairs/s"
