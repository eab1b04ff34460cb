#!/usr/bin/env bash
# What is left of a QLoRA adapter after each way of merging it, on the sample model: the probe's numbers, and that they
# are those of refscore. The adapter is trained on the model in double NF4.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
rows() { tmpl -q -m "$SAMPLE" --as-messages "$R/pipelines/sample/$1.jsonl" | tok -q -m "$SAMPLE"; }
rows prefs >prefs.mp
rows heldout >heldout.mp
quant -q -m "$SAMPLE" -t nf4 --double-quant -o nf4
train-step -q -m nf4 --loss orpo --beta 0.5 --lora-r 8 --lora-alpha 16 --learning-rate 2e-3 --num-train-epochs 1 \
	--precision f32 -o adapter prefs.mp >metrics.mp
ok $? "a QLoRA adapter is trained"

# way NAME OPTION…: merges and probes; the table goes to NAME.
way() {
	local name=$1
	shift
	merge-lora -q "$@" -f -o "$name" --report --probe heldout.mp --probe-model nf4 adapter >"$name.table"
	ok $? "merged: $name"
	sed "s/^/# $name: /" "$name.table" | grep -v proj
}
way float32 -m nf4 --dtype float32
way bfloat16 -m nf4 --dtype bfloat16
way codes -m nf4 --requantize
way other -m "$SAMPLE"

at() { awk -v row="$2" -v col="$3" '$1 == row { print $col }' "$1.table"; }
lost() { awk '$3 == "all" { print $1 }' "$1.table"; }
less() { awk "BEGIN { exit !($1 < $2) }"; }

# Against the base before: what there is to lose.
score() { refscore -q --precision f32 --prefix p "$@" heldout.mp | mpcat | jq -r '[.p_chosen_logps, .p_rejected_logps] | @tsv'; }
mean() { awk '{ c += $1; r += $2; a += $1 > $2 } END { printf "%.3f %.3f %.2f\n", c / NR, r / NR, a / NR }'; }
score -m nf4 | mean >before
less "$(cut -d' ' -f3 before)" "$(at float32 accuracy 2) - 0.1"
ok $? "the adapter has learned something: accuracy $(cut -d' ' -f3 before), and $(at float32 accuracy 2) with it"
for name in float32 codes; do
	is "$(printf '%.3f %.3f %.2f' "$(at $name logps/chosen 3)" "$(at $name logps/rejected 3)" "$(at $name accuracy 3)")" \
		"$(score -m $name | mean)" "$name: log-probs and accuracy are refscore's of the merged model"
	is "$(printf '%.3f %.3f %.2f' "$(at $name logps/chosen 2)" "$(at $name logps/rejected 2)" "$(at $name accuracy 2)")" \
		"$(score -m nf4 --adapter adapter | mean)" "and refscore's with the adapter on"
done

less "$(at float32 kl 4)" 1e-5
ok $? "into float32: the function that was trained"
less "$(at bfloat16 kl 4)" 1e-4 && less "$(lost bfloat16)" 0.05
ok $? "into bfloat16: nearly"
less "$(at bfloat16 kl 4)" "$(at codes kl 4)" && less 0.2 "$(lost codes)"
ok $? "into codes again: much of the adapter is lost to the grid"
less "$(at bfloat16 kl 4)" "$(at other kl 4)"
ok $? "into the float model: another function"
done_testing
