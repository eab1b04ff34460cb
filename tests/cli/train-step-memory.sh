#!/usr/bin/env bash
# train-step under --max-memory: the least that will do is named, does, and changes no byte of the result.
. "$(dirname "$0")/../lib.sh"
quant -q -m "$SAMPLE" -t nf4 --double-quant -o "$T/nf4"
tmpl -q -m "$SAMPLE" --as-messages "$R/pipelines/sample/heldout.jsonl" | tok -q -m "$SAMPLE" >"$T/rows.mp"
step() { train-step -m "$model" --batch-size 8 --max-steps 3 --max-length 256 --learning-rate 1e-3 --no-shuffle "$@" "$T/rows.mp"; }
planned() { # OPTION…
	train-step -q -m "$model" --max-length 256 --plan "$@" | sed -n "s/^${field:-total} //p"
}

held() { # WHAT OPTION…
	local what=$1 least
	shift
	step -q -o "$T/free" --force "$@" >"$T/free.mp"
	status 3 "$what: one byte is too little" step "$@" --max-memory 1 -o "$T/never"
	like "$(cat "$T/err")" "at least [0-9]+ bytes are needed with --max-length 256, --max-memory is 1" "and the least is named"
	[ ! -e "$T/never" ]; ok $? "and nothing is written"
	least=$(sed -n 's/.*at least \([0-9]*\) bytes.*/\1/p' "$T/err")
	status 3 "one byte less than it is too little" step "$@" --max-memory $((least - 1))
	status 0 "it does" step "$@" --max-memory "$least" -o "$T/least" --force
	like "$(cat "$T/err")" "activations of 3 layers are made again" "with activations made again"
	cmp -s "$T/free.mp" "$T/out"; ok $? "and the metrics and tensors that the run without a limit gives"
	diff -r "$T/free" "$T/least" >/dev/null; ok $? "and its directory"
	is "$(planned "$@" --max-memory "$least")" "$least" "the plan is that figure"
	[ "$(planned "$@")" -gt $((least * 3 / 2)) ]; ok $? "which is far below what is taken when nobody says"
	is "$(field=recompute planned "$@")" "" "where nothing is made again"
}
model=$SAMPLE held "DPO" --loss dpo
model=$T/nf4 held "QLoRA, with dropout" --loss orpo --lora-dropout 0.1 --optim paged_adamw_8bit
model=$T/nf4 held "DoRA on NF4, with dropout" --loss orpo --lora-dropout 0.1 --use-dora --lora-r 4
model=$SAMPLE held "all weights, paged" --loss sft --full --optim paged_adamw_32bit

# Between the two the plan takes no more time than it must.
model=$SAMPLE layers=3 seen=
status 3 "nothing fits into a byte" train-step -q -m "$SAMPLE" --loss dpo --max-length 256 --plan --max-memory 1
least=$(sed -n 's/.*at least \([0-9]*\) bytes.*/\1/p' "$T/err")
for more in 0 10 20 30 40 50 60 70 80 90 100; do
	have=$(field=recompute planned --loss dpo --max-memory $((least + more * least / 100)))
	[ "${have:-0}" -le $layers ]; ok $? "with $more% more memory no more layers are made again (${have:-0})"
	layers=${have:-0} seen+="${have:-0} "
done
is "$(tr ' ' '\n' <<<"$seen" | uniq | tr '\n' ' ')" "3 2 1 0  " "and all numbers of them are of use"
done_testing
