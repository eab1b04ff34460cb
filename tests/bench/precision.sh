#!/usr/bin/env bash
# DPO steps of a LoRA (r 16, alpha 32, seven projections) in f32 and bf16, on a float base and on the same in double NF4.
#   BENCH_MODEL=DIR              a model with its tokenizer, and chat_template.jinja if rows are to be templated
#   BENCH_ROWS=FILE              JSON lines of prompt, chosen, rejected
#   BENCH_PAIRS=8 BENCH_BATCH=4 BENCH_MAX_LENGTH=512
# Seconds are of the steps after the first, which waits for memory and the file; CPU and peak memory of the whole program.
. "$(dirname "$0")/lib.sh"
need BENCH_MODEL "a model directory"
need BENCH_ROWS "a file of preference rows"
pairs=${BENCH_PAIRS:-8} batch=${BENCH_BATCH:-4} length=${BENCH_MAX_LENGTH:-512} as=()
[ -e "$BENCH_MODEL/chat_template.jinja" ] && as=(--as-messages)

tmpl -q -m "$BENCH_MODEL" "${as[@]}" "$BENCH_ROWS" 2>"$T/err" | tok -q -m "$BENCH_MODEL" --max-length "$length" --skip-bad 2>"$T/err" |
	mpcat --head "$pairs" -s >"$T/tokens.mp"
quant -q -t nf4 --double-quant -m "$BENCH_MODEL" -o "$T/nf4"

echo "DPO, $pairs pairs in batches of $batch, at most $length tokens ($(machine))"
declare -A step
for base in float nf4; do
	model=$BENCH_MODEL
	[ $base = nf4 ] && model=$T/nf4
	for precision in f32 bf16; do
		measure train-step -q -m "$model" --precision $precision --loss dpo --lora-r 16 --lora-alpha 32 --batch-size "$batch" \
			--num-train-epochs 1 --max-length "$length" --learning-rate 1e-4 --timing "$T/timing.jsonl" "$T/tokens.mp" >"$T/train.mp"
		step[$base-$precision]=$(jq -s '.[1:] | map(.seconds) | add / length' "$T/timing.jsonl")
		printf '%-6s %-5s %8.3g s a step %8.4g s of CPU %6.0f MB\n' $base $precision "${step[$base-$precision]}" "$cpu" "$rss"
	done
done
echo "bf16 over f32: $(calc "${step[float-f32]} / ${step[float-bf16]}") times as fast; NF4 over float: $(calc \
	"${step[nf4-f32]} / ${step[float-f32]}") of the step in f32, $(calc "${step[nf4-bf16]} / ${step[float-bf16]}") in bf16"
