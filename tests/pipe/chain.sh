#!/usr/bin/env bash
# The whole chain on the sample model: by one pipe, cached stage by stage, and by make, give the same bytes; the
# merged model prefers what it was taught.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

head -n 48 "$R/pipelines/sample/prefs.jsonl" >prefs.jsonl
M=$SAMPLE
train=(train-step -q -m "$M" --loss dpo --beta 0.1 --learning-rate 1e-3 --num-train-epochs 5)

tmpl -q -m "$M" --as-messages prefs.jsonl | tok -q -m "$M" | refscore -q -m "$M" | "${train[@]}" |
	merge-lora -q -m "$M" -o piped
is "${PIPESTATUS[*]}" "0 0 0 0 0" "all five stages by pipe"

status 0 "tmpl to disk" tmpl -q -m "$M" --as-messages -o text.mp prefs.jsonl
status 0 "tok to disk" tok -q -m "$M" -o tokens.mp text.mp
status 0 "refscore to disk, compressed" refscore -q -m "$M" -z -o ref.mp.gz tokens.mp
"${train[@]}" -o adapter ref.mp.gz >train.mp
is $? 0 "train-step from the cached reference"
status 0 "merge-lora from the directory" merge-lora -q -m "$M" -o cached adapter
cmp -s piped/model.safetensors cached/model.safetensors
ok $? "the same merged weights by pipe and from disk"
status 0 "merge-lora from the cached stream" merge-lora -q -m "$M" -o streamed train.mp
cmp -s streamed/model.safetensors cached/model.safetensors
ok $? "the same merged weights from the stream and from the directory"
"${train[@]}" tokens.mp >onthefly.mp
is "$(mpcat onthefly.mp | jq -c 'select(.step)')" "$(mpcat train.mp | jq -c 'select(.step)')" \
	"without cached log-probs train-step computes the same reference"

for k in text tokens ref.mp.gz train; do
	status 0 "$k is a whole stream" mpcat --check "${k%.mp.gz}".mp*
done
is "$(mpcat -c text.mp) $(mpcat -c tokens.mp) $(mpcat -c ref.mp.gz)" "48 48 48" "no stage drops a row"
is "$(mpcat ref.mp.gz | jq -r .family | sort | uniq -c | tr -s ' \n' ' ')" \
	"$(jq -r .family prefs.jsonl | sort | uniq -c | tr -s ' \n' ' ')" "a user's column passes all stages"
is "$(mpcat --header ref.mp.gz | jq -r '[.history[].program] | join(" ")')" "tmpl tok refscore" "the history names the stages"

is "$(cat piped/tokenizer.json piped/tokenizer_config.json | cksum)" "$(cat "$M"/tokenizer.json "$M"/tokenizer_config.json | cksum)" \
	"tokenizer and template go along"
before=$("$R/pipelines/accuracy.sh" "$M" "$R/pipelines/sample/heldout.jsonl" --as-messages -q)
after=$("$R/pipelines/accuracy.sh" piped "$R/pipelines/sample/heldout.jsonl" --as-messages -q)
ok "$(jq -n "if $before >= 35 and $before <= 65 then 0 else 1 end")" "before, held-out answers are a toss-up ($before %)"
ok "$(jq -n "if $after >= 80 then 0 else 1 end")" "after 30 steps of DPO the kind ones are preferred ($after %)"

mk=(make -s -f "$R/pipelines/dpo.mk" MODEL="$M" DATA=prefs.jsonl OUT=sweep BETAS=0.1\ 0.5 RATES=1e-3 SAVE_STEPS=4
	TMPL_FLAGS='--as-messages -q' TOK_FLAGS=-q TRAIN_FLAGS='--num-train-epochs 5 -q')
status 0 "the sweep by make" "${mk[@]}"
cmp -s "sweep/beta-0.1,lr-1e-3/merged/model.safetensors" cached/model.safetensors
ok $? "the same merged weights by make"
find sweep -type f -exec stat -c '%n %Y %i' {} + | sort >state
status 0 "the sweep again" "${mk[@]}"
is "$(find sweep -type f -exec stat -c '%n %Y %i' {} + | sort | diff state -)" "" "nothing is made twice"
rm -r "sweep/beta-0.5,lr-1e-3/train.mp" "sweep/beta-0.5,lr-1e-3/merged"
find "sweep/beta-0.5,lr-1e-3/adapter" -name 'adapter_*' -not -path '*/checkpoint-*' -delete
cp sweep/ref.mp.gz was.gz
status 0 "a run that was stopped goes on" "${mk[@]}"
cmp -s was.gz sweep/ref.mp.gz && [ -e "sweep/beta-0.5,lr-1e-3/merged/config.json" ]
ok $? "it reuses the cached reference and makes what was missing"
done_testing
