#!/usr/bin/env bash
# train-step: a run that was killed and goes on is, byte for byte, the run that was not.
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden/train M=$R/tests/golden/train/model
same() { cmp -s "$1" "$2"; ok $? "$3"; }
# 120 steps over 7 shuffled epochs, with dropout and a window of 7 steps a record.
run=(train-step -q -m "$M" --kernels plain -j 1 --loss dpo --batch-size 2 --max-steps 120 --learning-rate 1e-2 --lora-dropout 0.1
	--logging-steps 7 --lr-scheduler-type cosine --eval-file "$T/eval" --eval-steps 50 "$G/dpo/rows.jsonl")
t() { "${run[@]}" "$@"; }
head -5 "$G/dpo/rows.jsonl" >"$T/eval"
wait_for() { # PATH: until it is there
	for _ in $(seq 1000); do [ -e "$1" ] && return; sleep 0.01; done
	return 1
}
t -o "$T/whole" >"$T/whole.mp"

# kill -9
"${run[@]}" -o "$T/killed" --save-steps 10 >"$T/killed.mp" & pid=$!
wait_for "$T/killed/checkpoint-30"; ok $? "checkpoints appear on the way"
kill -9 $pid; wait $pid 2>/dev/null
[ ! -e "$T/killed/adapter_config.json" ]; ok $? "kill -9 leaves no adapter"
! mpcat --check "$T/killed.mp" >/dev/null 2>&1; ok $? "nor a whole stream"
t -o "$T/killed" --save-steps 10 --resume >"$T/killed.mp"; is $? 0 "it goes on"
same "$T/whole.mp" "$T/killed.mp" "its stream is that of a run never stopped"
same "$T/whole/adapter_model.safetensors" "$T/killed/adapter_model.safetensors" "so is its adapter"
same "$T/whole/adapter_config.json" "$T/killed/adapter_config.json" "and the adapter's config"
[ -e "$T/killed/checkpoint-120" ]; ok $? "the last step has a checkpoint"
t -o "$T/killed" --save-steps 10 --resume >"$T/again.mp"; is $? 0 "--resume of a run that had ended is status 0"
same "$T/whole.mp" "$T/again.mp" "and gives the whole stream"
same "$T/whole/adapter_model.safetensors" "$T/killed/adapter_model.safetensors" "and the adapter as it was"

# SIGTERM and SIGINT; set -m: bash makes background jobs ignore SIGINT otherwise
set -m
for sig in TERM:143 INT:130; do
	rm -rf "$T/stopped"
	"${run[@]}" -o "$T/stopped" --save-steps 20 >"$T/stopped.mp" 2>/dev/null & pid=$!
	wait_for "$T/stopped/checkpoint-20"
	kill -${sig%:*} $pid; wait $pid 2>/dev/null
	is $? ${sig#*:} "SIG${sig%:*} ends the run by the signal"
	n=$(cd "$T/stopped" && printf '%s\n' checkpoint-* | sed 's/.*-//' | sort -n | tail -1)
	[ "$n" -ge 20 ] && [ "$n" -lt 120 ] && [ ! -e "$T/stopped/adapter_config.json" ]
	ok $? "after a checkpoint of the step under way"
	t -o "$T/stopped" --save-steps 20 --resume >"$T/stopped.mp"
	same "$T/whole.mp" "$T/stopped.mp" "from which it goes on to the same stream"
done
train-step -q -m "$M" --kernels plain --loss sft --max-steps 100000 -o "$T/unsaved" "$G/sft/rows.jsonl" >/dev/null 2>&1 & pid=$!
sleep 0.3; kill -TERM $pid; wait $pid 2>/dev/null
is "$(cd "$T/unsaved" && printf '%s\n' * | grep -c checkpoint-)" 1 "one is saved even without --save-steps"
set +m

# where checkpoints go, how many stay, whose they are
t -o "$T/few" --save-steps 40 --save-total-limit 2 >/dev/null
is "$(cd "$T/few" && printf '%s ' *)" "adapter_config.json adapter_model.safetensors checkpoint-120 checkpoint-80 " \
	"--save-total-limit keeps the newest"
t --checkpoint-dir "$T/elsewhere" --save-steps 60 >"$T/else.mp"
is "$(cd "$T/elsewhere" && printf '%s ' *)" "checkpoint-120 checkpoint-60 " "--checkpoint-dir needs no -o"
t --checkpoint-dir "$T/elsewhere" --save-steps 60 --resume >"$T/else.mp"
same "$T/whole.mp" "$T/else.mp" "and is resumed from"
is "$(cd "$T/elsewhere/checkpoint-60" && printf '%s ' *)" \
	"adapter_config.json adapter_model.safetensors metrics.jsonl optimizer.safetensors state.json " "a checkpoint's files"
t -o "$T/few" --save-steps 40 --resume --beta 0.2 >/dev/null 2>"$T/err"
is $? 1 "a checkpoint of other options is refused"
like "$(cat "$T/err")" "state.json: .*beta=0.1.*beta=0.2" "and both are named"
like "$(cat "$T/err")" "options are 'beta=0.1[0-9]*', now 'beta=0.2[0-9]*'" "and what differs is named, nothing else"
sed 's/5/6/' "$G/dpo/rows.jsonl" >"$T/rows.jsonl"
"${run[@]:0:${#run[@]}-1}" -o "$T/few" --resume "$T/rows.jsonl" >/dev/null 2>"$T/err"
is $? 1 "so is one of other data"
head -c 100 "$T/few/checkpoint-120/optimizer.safetensors" >"$T/cut"
cp "$T/cut" "$T/few/checkpoint-120/optimizer.safetensors"
t -o "$T/few" --save-steps 40 --resume >/dev/null 2>"$T/err"
is $? 1 "a damaged checkpoint is refused"
like "$(cat "$T/err")" "checkpoint-120/optimizer.safetensors" "by name"
t -o "$T/few" >"$T/anew.mp"
same "$T/whole.mp" "$T/anew.mp" "without --resume the run starts anew"
is "$(cd "$T/few" && printf '%s ' *)" "adapter_config.json adapter_model.safetensors " "and replaces what was there"
t -o "$T/none" --resume >"$T/none.mp"
same "$T/whole.mp" "$T/none.mp" "--resume without a checkpoint starts from the start"

# all weights
f() {
	train-step -q -m "$M" --kernels plain --loss sft --full --max-steps 30 --batch-size 8 --learning-rate 1e-3 --weight-decay 0.1 "$@" "$G/sft/rows.jsonl"
}
f -o "$T/full" >"$T/full.mp"
f -o "$T/full2" --save-steps 10 >/dev/null
rm -rf "$T/full2/checkpoint-30" "$T/full2/checkpoint-20" "$T/full2/model.safetensors"
f -o "$T/full2" --save-steps 10 --resume >"$T/full2.mp"
same "$T/full.mp" "$T/full2.mp" "with all weights: the stream goes on the same"
same "$T/full/model.safetensors" "$T/full2/model.safetensors" "and so does the model"

# every optimizer, its states in memory or in a file
for optim in adamw_8bit paged_adamw_8bit paged_adamw_32bit ademamix paged_ademamix_8bit lion_32bit lion_8bit rmsprop rmsprop_bnb_8bit sgd adafactor; do
	rm -rf "$T/whole" "$T/cut"
	f --optim $optim --max-steps 6 -o "$T/whole" >"$T/whole.mp"
	f --optim $optim --max-steps 6 -o "$T/cut" --save-steps 3 >/dev/null
	rm -rf "$T/cut/checkpoint-6" "$T/cut/model.safetensors"
	f --optim $optim --max-steps 6 -o "$T/cut" --save-steps 3 --resume >"$T/cut.mp"
	cmp -s "$T/whole.mp" "$T/cut.mp" && same "$T/whole/model.safetensors" "$T/cut/model.safetensors" \
		"$optim goes on the same, from its checkpoint"
	[[ $optim = paged_* ]] || continue
	least=$(f --optim $optim --plan --max-memory 1 2>&1 | sed -n 's/.*least \([0-9]*\) bytes.*/\1/p')
	like "$(f --optim $optim --plan --max-memory "$least")" "total $least"$'\n'"paged [1-9]" \
		"$optim is paged out where memory is short"
	rm -rf "$T/cut"
	f --optim $optim --max-steps 6 -o "$T/cut" --save-steps 3 --max-memory "$least" >/dev/null
	same "$T/whole/model.safetensors" "$T/cut/model.safetensors" "and gives the same model"
	rm -rf "$T/cut/checkpoint-6" "$T/cut/model.safetensors"
	f --optim $optim --max-steps 6 -o "$T/cut" --save-steps 3 --max-memory "$least" --resume >/dev/null
	same "$T/whole/model.safetensors" "$T/cut/model.safetensors" "and from its checkpoint"
done
f --optim sgd --adam-beta1 0.8 -o "$T/none" >/dev/null 2>"$T/err"
is $? 2 "an option that the optimizer does not use is an error"
like "$(cat "$T/err")" "--adam-beta1 means nothing to --optim sgd" "and is named"
done_testing
