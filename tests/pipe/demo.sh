#!/usr/bin/env bash
# The demo, shortened to a few steps of training, shows and leaves what it says.
. "$(dirname "$0")/../lib.sh"

if ! command -v gnuplot >/dev/null; then
	skip "the demo" "no gnuplot"
	done_testing
fi
TRAIN_FLAGS='--max-steps 16' LEARNING_RATE=1e-3 status 0 "the demo runs" "$R/pipelines/demo.sh" "$T/demo"
like "$(cat "$T/out")" '<\|im_start\|>user' "it shows the rendered template"
like "$(cat "$T/out")" '^Preference accuracy on held-out prompts' "it has a table of preference accuracy"
for loss in DPO ORPO SFT QLORA; do
	read -r _ before after _ <<<"$(grep "^$loss " "$T/out")"
	ok "$(jq -n "if $after > $before + 15 then 0 else 1 end")" "$loss prefers kind answers more often than before ($before %, $after %)"
done
for loss in dpo orpo sft qlora; do
	ok "$([ -s "$T/demo/$loss/merged/model.safetensors" ]; echo $?)" "it leaves $loss/merged"
done
is "$(head -c 8 "$T/demo/learning-curves.png" | od -An -tx1)" " 89 50 4e 47 0d 0a 1a 0a" "it leaves a PNG"
like "$(cat "$T/out")" '→  [A-Z]' "it shows answers"
done_testing
