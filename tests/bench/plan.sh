#!/usr/bin/env bash
# What train-step says it will hold against what it held, on rows as long as --max-length lets them be. Ends with 1 where
# they are further apart than 5% and 32 MB, which is promised from the 135M shape up.
#   BENCH_MODEL=DIR              a model of that size or larger
#   BENCH_MAX_LENGTH=512
. "$(dirname "$0")/lib.sh"
need BENCH_MODEL "a model directory"
length=${BENCH_MAX_LENGTH:-512} bad=0

# Two sides that share one token.
jq -nc --argjson n $((length - 1)) '{prompt_ids: [5], chosen_ids: [range($n) | . % 90 + 9], rejected_ids: [range($n) | . % 80 + 9]}' >"$T/dpo.jsonl"
jq -c 'range(8) as $i | .rejected_ids = [9] | .prompt_ids = [$i]' "$T/dpo.jsonl" >"$T/sft.jsonl"

echo "planned and real peak of train-step, rows of $length tokens ($(machine))"
run() { # ROWS OPTION…
	local rows=$1 plan
	shift
	plan=$(train-step -q -m "$base" --max-length "$length" --plan "$@" | sed -n 's/^total //p')
	measure train-step -q -m "$base" --max-length "$length" --max-steps 1 -o "$T/out" --force "$@" "$rows" >/dev/null
	awk -v plan="$plan" -v real=$((kb * 1024)) -v what="$*" 'BEGIN {
		off = real > plan ? real - plan : plan - real
		printf "%8.0f %8.0f MB  %s\n", plan / 1e6, real / 1e6, what
		exit off > 0.05 * real + 32e6 }' || bad=1
}
# The least that will do, which it says when it is given less, does.
run_least() { # ROWS OPTION…
	local rows=$1 least
	shift
	least=$({ train-step -q -m "$base" --max-length "$length" --plan "$@" --max-memory 1 2>&1 || true; } | sed -n 's/.*least \([0-9]*\) bytes.*/\1/p')
	run "$rows" "$@" --max-memory "$least"
}
base=$BENCH_MODEL
run "$T/dpo.jsonl" --loss dpo
run "$T/dpo.jsonl" --loss orpo --optim paged_adamw_8bit
run "$T/dpo.jsonl" --loss orpo --use-dora --lora-dropout 0.05
run "$T/dpo.jsonl" --loss orpo --lora-target-modules q_proj,v_proj --modules-to-save embed_tokens,lm_head
run "$T/sft.jsonl" --loss sft --full --optim adamw_8bit
run_least "$T/dpo.jsonl" --loss dpo
run_least "$T/sft.jsonl" --loss sft --full --optim paged_adamw_8bit
base=$T/nf4
quant -q -m "$BENCH_MODEL" -t nf4 --double-quant -o "$base"
echo "the same model in double NF4"
run "$T/dpo.jsonl" --loss dpo --optim paged_adamw_8bit
run_least "$T/dpo.jsonl" --loss dpo --optim paged_adamw_8bit
exit $bad
