#!/usr/bin/env bash
# merge-lora from directories, files and pipes, to directories and streams.
. "$(dirname "$0")/../lib.sh"
M=$R/tests/golden/model G=$R/tests/golden/merge
cd "$T" || exit 1

status 0 "a PEFT directory is merged" merge-lora -m "$M/linear" -o linear "$M/linear/adapter"
is "$(cat "$T/err")" "" "without a word"
cmp -s linear/model.safetensors "$G/linear.safetensors"
ok $? "into the file that transformers would save, byte for byte"
cmp -s linear/config.json "$M/linear/config.json"
ok $? "with the base's config.json as it is"
cmp -s linear/generation_config.json "$M/linear/generation_config.json"
ok $? "and its generation_config.json"

status 0 "a directory that sluice wrote is replaced" \
	merge-lora -m "$M/linear" -o linear -a "$M/linear/adapter:0.5" -a "$M/linear/adapter:0.5"
cmp -s linear/model.safetensors "$G/linear.safetensors"
ok $? "-a DIR:WEIGHT repeated: two halves are one"

status 0 "shards stay as they are" merge-lora -m "$M/llama3" -o llama3 "$M/llama3/adapter"
is "$(cd llama3 && echo *)" \
	"config.json generation_config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json" \
	"with an index"
is "$(jq -c .weight_map llama3/model.safetensors.index.json)" \
	"$(jq -cS .weight_map "$M/llama3/model.safetensors.index.json")" "that names the same files"
is "$(jq .metadata.total_size llama3/model.safetensors.index.json)" \
	"$(jq .metadata.total_size "$M/llama3/model.safetensors.index.json")" "and the same size"

for j in 1 3; do merge-lora -m "$M/llama3" -j $j -o j$j "$M/llama3/adapter"; done
cmp -s j1/model-00001-of-00002.safetensors j3/model-00001-of-00002.safetensors
ok $? "threads change no byte"

status 0 "another element type" merge-lora -m "$M/llama3" --dtype bfloat16 -o bf16 "$M/llama3/adapter"
is "$(jq -r .dtype bf16/config.json)" bfloat16 "is said in config.json"
status 0 "and in the older spelling" merge-lora -m "$M/qwen2" --dtype float32 -o f32 "$M/qwen2/adapter"
is "$(jq -r '.torch_dtype, .dtype' f32/config.json | xargs)" "float32 null" "the file's own key is used"

status 0 "a tied head with an adapter" merge-lora -m "$M/llama" -o head "$G/head"
is "$(jq .tie_word_embeddings head/config.json)" false "is untied"
like "$(cat "$T/err")" "now has weights of its own" "and a note says so"

# Everything else of the base goes along; weights in other forms, hidden files and the model card do not.
cp -r "$M/linear" base
mkdir base/additional_chat_templates
along="LICENSE.txt added_tokens.json additional_chat_templates/tools.jinja chat_template.jinja code.py merges.txt"
along+=" special_tokens_map.json tokenizer.json tokenizer.model tokenizer_config.json vocab.json"
for f in $along README.md pytorch_model.bin consolidated.00.pth x.gguf .hidden additional_chat_templates/.x.jinja; do
	echo "{\"$f\": 1}" >"base/$f"
done
merge-lora -m base -o along "$M/linear/adapter"
is "$(cd along && find . -type f ! -name .sluice | sed 's/^..//' | sort | xargs)" \
	"$(echo "$along" config.json generation_config.json model.safetensors | xargs -n1 | sort | xargs)" \
	"tokenizer, templates, licence and code go along, nothing else"
is "$(cd along && cat $along)" "$(cd base && cat $along)" "with their contents"

# The hub's cache: every file is a link into blobs.
mkdir -p hub/blobs hub/snapshots/x
for f in "$M"/llama3/*.*; do
	cp "$f" "hub/blobs/$(basename "$f").blob"
	ln -s "../../blobs/$(basename "$f").blob" "hub/snapshots/x/$(basename "$f")"
done
status 0 "a snapshot of the hub's cache" merge-lora -m hub/snapshots/x -o fromhub "$M/llama3/adapter"
is "$(find fromhub -type l)" "" "becomes files"
diff -r llama3 fromhub >"$T/out"
ok $? "the same ones"

# From a train stream.
printf '%s\n' '{"prompt_ids":[1,5,9,12],"chosen_ids":[7,8,2],"rejected_ids":[9,3,11,2]}' \
	'{"prompt_ids":[1,15,3],"chosen_ids":[17,2],"rejected_ids":[19,2]}' >rows.jsonl
train() { train-step -q -m "$M/llama3" --loss dpo --lora-r 2 --learning-rate 0.1 --max-steps 2 "$@" rows.jsonl; }
train >train.mp
train -o adapter >metrics.mp
merge-lora -m "$M/llama3" -o from-dir adapter
status 0 "a train stream in a file" merge-lora -m "$M/llama3" -o from-file train.mp
diff -r from-dir from-file >"$T/out"
ok $? "gives what its directory gives"
train | merge-lora -m "$M/llama3" -o from-pipe
diff -r from-dir from-pipe >"$T/out"
ok $? "so does the pipe"
gzip -k train.mp
merge-lora -m "$M/llama3" -o from-gz - <train.mp.gz
diff -r from-dir from-gz >"$T/out"
ok $? "and a compressed one"
cmp -s from-dir/model-00001-of-00002.safetensors "$M/llama3/model-00001-of-00002.safetensors"
is $? 1 "which is not the base"

for what in --use-dora "--modules-to-save lm_head,norm" "--lora-target-modules embed_tokens,q_proj" "--lora-target-modules lm_head"; do
	# shellcheck disable=SC2086
	train $what -o form-dir >metrics.mp && train $what | merge-lora -q -m "$M/llama3" -f -o form-stream
	merge-lora -q -m "$M/llama3" -f -o form-merged form-dir
	diff -r form-merged form-stream >"$T/out" && ! diff -r form-merged from-dir >"$T/out"
	ok $? "by a directory and by a pipe the same: $what"
	rm -r form-*
done

# To a stream.
merge-lora -m "$M/llama3" adapter | cat >merged.mp
status 0 "a tensors stream comes out without -o, whole" mpcat --check merged.mp
is "$(mpcat merged.mp | jq -r 'select(.tensor) | .tensor' | sort | xargs)" \
	"$(jq -r '.weight_map | keys[]' "$M/llama3/model.safetensors.index.json" | sort | xargs)" "with every tensor"
is "$(mpcat merged.mp | jq -r 'select(.file) | .file' | xargs)" "config.json generation_config.json" \
	"and the files"
is "$(mpcat --header merged.mp | jq -r '.kind, .history[-1].program' | xargs)" "tensors merge-lora" "and its history"
merge-lora -m "$M/llama3" -o - adapter >again.mp
cmp -s merged.mp again.mp
ok $? "-o - is the same"
done_testing
