#!/usr/bin/env bash
# A QLoRA run computed in bf16 against TRL's of the same (tests/oracle/train_runs.py): bf16 takes either some way from the run in
# f32, and this program about as far as TRL: a quarter more at most, since which way a rounding goes is luck.
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden/train
quant -q -t nf4 --double-quant --codes table --dtype float32 -m "$R/tests/golden/quant/base" -o "$T/nf4"

away() { # FILE METRIC: mean distance over the steps from TRL's run in f32
	jq -n --arg m "$2" --slurpfile a "$G/qlora-dpo/log.jsonl" --slurpfile b "$1" \
		'[range(20) | ($a[.][$m] - $b[.][$m]) | fabs] | add / length'
}
for kernels in plain auto; do
	status 0 "$kernels: 20 steps of DPO on double NF4 in bf16" train-step -q -m "$T/nf4" --adapter "$G/qlora-dpo/init" --kernels $kernels \
		--precision bf16 --loss dpo --learning-rate 1e-2 --ref-adapter none --batch-size 4 --num-train-epochs 2 --seed 7 \
		"$G/qlora-dpo/rows.jsonl"
	mpcat "$T/out" | grep '"step"' >"$T/log.jsonl"
	for metric in loss rewards/chosen rewards/margins logps/chosen logps/rejected grad_norm; do
		ours=$(away "$T/log.jsonl" $metric) theirs=$(away "$G/qlora-bf16/log.jsonl" $metric)
		ok "$(jq -n "if $ours > 1e-4 and $ours < 1.25 * $theirs then 0 else 1 end")" "$kernels: $metric is $ours away from the run in f32, TRL's $theirs"
	done
done
done_testing
