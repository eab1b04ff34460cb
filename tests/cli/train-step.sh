#!/usr/bin/env bash
# train-step: what it refuses and how it says so; plans; outputs.
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden/train M=$R/tests/golden/train/model
t() { train-step -m "$M" --kernels plain "$@"; }
pair='{"prompt_ids":[1,5,6],"chosen_ids":[7,8,2],"rejected_ids":[9,2]}'

# ---- the command line --------------------------------------------------------------------------------
usage() { # CLAIM REGEX ARGUMENT…
	status 2 "$1" train-step "${@:3}"
	like "$(cat "$T/err")" "$2" "and says: $2"
}
usage "no model" "-m DIR is missing" --loss sft
usage "no loss" "--loss is missing" -m "$M"
usage "an unknown loss" "no loss 'ppo'.*sft, dpo, orpo" -m "$M" --loss ppo
usage "a loss type that is not there" "no --loss-type 'ipo' for --loss dpo" -m "$M" --loss dpo --loss-type ipo
usage "an optimizer that is not there" "no --optim 'adam'.*adamw_torch" -m "$M" --loss sft --optim adam
usage "an optimizer of transformers that is not there" "'adamw_anyprecision' is not implemented: use adamw_torch" -m "$M" --loss sft --optim adamw_anyprecision
usage "optimizer's arguments that it does not use" "--optim-args means nothing to --optim sgd" -m "$M" --loss sft --optim sgd --optim-args alpha=3
usage "a schedule that is not there" "no --lr-scheduler-type 'sine'" -m "$M" --loss sft --lr-scheduler-type sine
usage "an option of another loss" "--label-smoothing means nothing to --loss orpo" -m "$M" --loss orpo --label-smoothing 0.1
usage "a peer's batch key" "--batch-size" -m "$M" --loss sft --per-device-train-batch-size 2
usage "a peer's accumulation key with a value" "--micro-batch" -m "$M" --loss sft --gradient-accumulation-steps=4
usage "a peer's precision key" "--precision bf16" -m "$M" --loss sft --bf16
usage "a peer's packing key" "without padding" -m "$M" --loss sft --packing
usage "DoRA with lora_bias" "'lora_bias' is not supported with 'use_dora'" -m "$M" --loss sft --use-dora --lora-bias
usage "biases of no kind" "wants none.all.lora_only" -m "$M" --loss sft --bias some
usage "a beginning that changes the model" "'pissa' is not supported: it changes the base" -m "$M" --loss sft --init-lora-weights pissa
usage "ranks that are no object" "--rank-pattern" -m "$M" --loss sft --rank-pattern '[1]'
usage "layers that are no numbers" "--layers-to-transform" -m "$M" --loss sft --layers-to-transform a
usage "rank beside an adapter" "adapter's config" -m "$M" --loss sft --adapter "$G/init" --lora-r 8
usage "all weights beside an adapter" "cannot be given together" -m "$M" --loss sft --full --adapter "$G/init"
usage "checkpoints without a place" "-o DIR or --checkpoint-dir" -m "$M" --loss sft --save-steps 5
usage "more warmup than an integer holds" "more than any run" -m "$M" --loss sft --warmup-steps 1e30
usage "dropout that is no rate" "--lora-dropout" -m "$M" --loss sft --lora-dropout 1
usage "an output that is there and not sluice's" "was not written by sluice" -m "$M" --loss sft -o "$R/docs" "$G/sft/rows.jsonl"

# ---- data ----------------------------------------------------------------------------------------------
data() { # CLAIM REGEX ROWS ARGUMENT…
	printf '%s\n' "$3" >"$T/rows.jsonl"
	status 1 "$1" t -o "$T/never" "${@:4}" "$T/rows.jsonl"
	like "$(cat "$T/err")" "$2" "and says: $2"
	[ ! -e "$T/never" ]; ok $? "and writes no directory"
}
data "an empty completion" "rows.jsonl:2: the chosen is empty" "$pair
{\"prompt_ids\":[1],\"chosen_ids\":[],\"rejected_ids\":[3]}" --loss dpo
data "a row that is no pair" "rows.jsonl:1: .*needs pairs" '{"prompt_ids":[1],"completion_ids":[4]}' --loss orpo
data "a row over the limit" "rows.jsonl:1: 6 tokens with the chosen, over --max-length 5" "$pair" --loss dpo --max-length 5
data "a token beyond the vocabulary" "rows.jsonl:1: token 64 is beyond" '{"prompt_ids":[1],"completion_ids":[64]}' --loss sft
data "nothing to train on" "rows.jsonl:1: no token" '{"input_ids":[1,2],"completion_mask":[0,0]}' --loss sft
data "half a reference" "'ref_chosen_logps' without 'ref_rejected_logps'" "${pair%\}},\"ref_chosen_logps\":-3.5}" --loss dpo
data "a target that the model does not have" "no module .*'c_attn'; there are: self_attn.q_proj" "$pair" --loss sft --lora-target-modules c_attn
data "a module to save that the model does not have" "modules_to_save: no module of the model ends in 'wte'" "$pair" --loss sft --modules-to-save wte
: >"$T/empty.jsonl"
status 1 "no rows at all" t --loss sft "$T/empty.jsonl"

printf '%s\n' "$pair" '{"prompt_ids":[1],"chosen_ids":[],"rejected_ids":[3]}' "$pair" >"$T/some.jsonl"
status 0 "--skip-bad goes on after a bad record" t --loss dpo --skip-bad --rejects "$T/rejects.mp" "$T/some.jsonl"
cp "$T/out" "$T/some.mp"
like "$(mpcat "$T/rejects.mp")" '"_reason":"[^"]*empty' "and keeps it with the reason"
like "$(mpcat --check "$T/some.mp" 2>&1; tail -c 80 "$T/some.mp" | tr -c 'a-z0-9' .)" 'skipped' "and counts it in the trailer"

# ---- streams that are not what they should be ---------------------------------------------------------
mpcat -s "$G/dpo/rows.jsonl" >"$T/rows.mp"
head -c 2000 "$T/rows.mp" >"$T/cut.mp"
status 1 "a truncated stream" t --loss dpo -o "$T/never" "$T/cut.mp"
like "$(cat "$T/err")" "cut.mp.*truncated" "is noticed"
[ ! -e "$T/never" ]; ok $? "and nothing is committed"
[ ! -s "$T/out" ] || ! mpcat --check "$T/out" 2>/dev/null; ok $? "the output has no trailer either"

refscore -q -m "$M" --kernels plain "$T/rows.mp" >"$T/ref.mp"
status 1 "log-probs of another reference" t --loss dpo --adapter "$G/init" "$T/ref.mp"
like "$(cat "$T/err")" "reference" "are a mismatch that is named"
status 0 "unless it is ignored" t --loss dpo --adapter "$G/init" --ignore-mismatch --max-steps 1 "$T/ref.mp"
cp -r "$M" "$T/model"
printf '{"version":"1.0","model":{"type":"BPE","vocab":{"a":0},"merges":[]}}' >"$T/model/tokenizer.json"
printf '\x83\xa6sluice\x01\xa4kind\xa6tokens\xa9tokenizer\xd9\x2000112233445566778899aabbccddeeff' >"$T/other.mp"
status 1 "ids of another tokenizer" train-step -m "$T/model" --loss dpo "$T/other.mp"
like "$(cat "$T/err")" "other.mp: made with another tokenizer" "are a mismatch that is named, and where"

# ---- a weight that is not a number ---------------------------------------------------------------------
size=$(stat -c %s "$T/model/model.safetensors")
printf '\x00\x00\xc0\x7f' | dd of="$T/model/model.safetensors" bs=1 seek=$((size - 4)) conv=notrunc 2>/dev/null
status 1 "a weight that is not a number" train-step -m "$T/model" --loss dpo -o "$T/never" "$G/dpo/rows.jsonl"
like "$(cat "$T/err")" "weight.*not finite|not finite.*weight" "is found, with the tensor's name"
[ ! -e "$T/never" ]; ok $? "and nothing is written"

# ---- the plan --------------------------------------------------------------------------------------------
mkdir "$T/shape"
cp "$M/config.json" "$T/shape"
status 0 "--plan needs only a config.json and no data" train-step -m "$T/shape" --loss dpo --plan --kernels plain
is "$(cut -d' ' -f1 "$T/out" | tr '\n' ' ')" "weights adapter states activations head total " "and prints one line a part"
is "$(awk '$1 != "total" {s += $2} $1 == "total" {print s - $2}' "$T/out")" 0 "which add up"
status 3 "a run that does not fit says so before it starts" t --loss dpo --max-memory 100K "$G/dpo/rows.jsonl"

# ---- outputs ---------------------------------------------------------------------------------------------
status 0 "sft runs on the chosen side of pairs" t --loss sft --max-steps 2 -o "$T/adapter" "$G/dpo/rows.jsonl"
cp "$T/out" "$T/train.mp"
is "$(cd "$T/adapter" && echo *)" "adapter_config.json adapter_model.safetensors" "the directory holds a PEFT adapter"
is "$(mpcat "$T/train.mp" | grep -c '"step"')" 2 "the stream holds a record a step"
like "$(mpcat "$T/train.mp" | cut -c1-60)" '"file":"adapter_config.json"' "and the adapter's config"
is "$(mpcat "$T/train.mp" | grep -c '"tensor"')" 28 "and its tensors"
is "$(mpcat "$T/train.mp" | head -1 | tr ',' '\n' | grep -cE 'time|runtime|second')" 0 "and nothing that a clock made"
status 0 "--full writes a model" t --loss sft --full --max-steps 1 -o "$T/full" "$G/sft/rows.jsonl"
is "$(mpcat "$T/out" | grep -c '"tensor"')" 0 "and standard output has the metrics only"
is "$(cd "$T/full" && echo *)" "config.json model.safetensors" "the directory is a model's"
status 0 "which can be trained on" train-step -q -m "$T/full" --kernels plain --loss sft --max-steps 1 "$G/sft/rows.jsonl"
status 0 "--eval-file is evaluated at the end" t --loss dpo --max-steps 2 --eval-file "$G/dpo/rows.jsonl" "$G/dpo/rows.jsonl"
like "$(mpcat "$T/out")" '"eval_loss":0\.[0-9]+.*"eval_rewards/accuracies"' "under the peers' names"
status 0 "--timing keeps the clock out of the stream" t --loss sft --max-steps 2 --timing "$T/timing" "$G/sft/rows.jsonl"
is "$(grep -c '"seconds"' "$T/timing")" 2 "in a file of its own"
if [ -e /dev/full ]; then
	t -q --loss sft --max-steps 1 "$G/sft/rows.jsonl" >/dev/full 2>"$T/err"
	is $? 3 "a full disk is status 3"
fi
t -q --loss sft --max-steps 200 -o "$T/never" "$G/sft/rows.jsonl" 2>"$T/err" | head -c 1 >/dev/null
is "${PIPESTATUS[0]} $(cat "$T/err")" "141 " "a closed pipe is 141, quietly"
[ ! -e "$T/never" ]; ok $? "and nothing is written"
done_testing
