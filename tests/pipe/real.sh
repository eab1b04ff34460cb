#!/usr/bin/env bash
# The chain on real input: UltraFeedback rows, the tokenizers and templates of Llama 3.2 and SmolLM2, and a
# real trained model of 260k parameters.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
if [ -z "$DATA" ]; then
	skip "UltraFeedback through real tokenizers and a real model" "SLUICE_TEST_DATA is not set"
	done_testing
fi

head -n 200 "$DATA/datasets/ultrafeedback_train_clean.jsonl" >rows.jsonl
LIMITS=(--max-length 1024 --max-prompt-length 512)

tmpl -q -m "$DATA/tokenizers/llama-3.2" --as-messages --date 2024-07-26 rows.jsonl >llama.text.mp
is $? 0 "UltraFeedback in Llama 3.2's template"
like "$(mpcat --head 1 -r prompt llama.text.mp)" '<\|start_header_id\|>user<\|end_header_id\|>' "it is Llama 3.2's"
tok -q -m "$DATA/tokenizers/llama-3.2" "${LIMITS[@]}" llama.text.mp >llama.mp
is "$? $(mpcat -c llama.mp)" "0 200" "all rows in Llama 3.2's ids"
is "$(mpcat llama.mp | jq -c 'select(.prompt_ids[0] != 128000 and (.prompt_ids | length) < 512)' | wc -l)" 0 \
	"a whole prompt begins with BOS"
is "$(mpcat llama.mp | jq -c 'select(.prompt_ids[1:] | index(128000))' | wc -l)" 0 "there is no second one"
is "$(mpcat llama.mp | jq -s 'map([(.prompt_ids + .chosen_ids, .prompt_ids + .rejected_ids) | length] | max) | max <= 1024')" true \
	"no side is over the limit"

tmpl -q -m "$DATA/tokenizers/smollm2" --chat-template chatml --as-messages rows.jsonl |
	tok -q -m "$DATA/tokenizers/smollm2" "${LIMITS[@]}" >smollm.mp
is "${PIPESTATUS[*]} $(mpcat -c smollm.mp)" "0 0 200" "all rows in ChatML and SmolLM2's ids"
is "$(mpcat smollm.mp | jq -c 'select((.prompt_ids | length) < 512 and .prompt_ids[0] != 1)' | wc -l)" 0 \
	"<|im_start|> is one id"

# stories260K was trained on stories: what it says of these rows means little, what the stages do with it is real.
M=$DATA/models/stories260K
head -n 12 rows.jsonl >few.jsonl
tmpl -q -m "$M" few.jsonl | tok -q -m "$M" --max-length 256 --max-prompt-length 128 | refscore -q -m "$M" -z -o ref.mp.gz
is "${PIPESTATUS[*]} $(mpcat -c ref.mp.gz)" "0 0 0 12" "reference log-probs of a real model"
for loss in sft dpo orpo; do
	train-step -q -m "$M" --loss $loss --learning-rate 1e-3 --num-train-epochs 4 --batch-size 4 -o "$loss.adapter" ref.mp.gz >"$loss.mp"
	is $? 0 "$loss on a real model"
	is "$(mpcat "$loss.mp" | jq -s 'map(select(.step).loss) | .[-1] < .[0]')" true "its loss goes down"
	merge-lora -q -m "$M" -o "$loss.merged" "$loss.mp"
	is $? 0 "$loss: merged"
	is "$(stat -c %s "$loss.merged/model.safetensors")" "$(stat -c %s "$M/model.safetensors")" "the merged weights have the base's size"
done
gen -q -m dpo.merged --max-new-tokens 16 <<<'{"prompt": "Once upon a time"}' >gen.jsonl
is "$? $(jq -r '.completion | length > 0' gen.jsonl)" "0 true" "the merged model speaks"
MODEL=$M DATA=few.jsonl OUT=sh TMPL_FLAGS=-q TOK_FLAGS=-q MAX_LENGTH=256 MAX_PROMPT_LENGTH=128 DEVICE_FLAGS=-q \
	status 0 "the same by dpo.sh" "$R/pipelines/dpo.sh"
status 0 "and by make" make -s -f "$R/pipelines/dpo.mk" MODEL="$M" DATA=few.jsonl OUT=mk TMPL_FLAGS=-q BETAS=0.1 RATES=8e-6 \
	TOK_FLAGS="-q --max-length 256 --max-prompt-length 128" TRAIN_FLAGS="-q --num-train-epochs 1"
cmp -s sh/merged/model.safetensors mk/beta-0.1,lr-8e-6/merged/model.safetensors
ok $? "to the same bytes"

# The article's own rows.
for p in dpo orpo sft qlora; do
	MODEL=$SAMPLE DATA=$DATA/article/listing1.jsonl OUT=article.$p TMPL_FLAGS="-q --as-messages" \
		status 0 "$p.sh on the article's Listing 1" "$R/pipelines/$p.sh"
done
done_testing
