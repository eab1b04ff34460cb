#!/usr/bin/env bash
# What merge-lora refuses, how it says so, and that nothing is left behind.
. "$(dirname "$0")/../lib.sh"
M=$R/tests/golden/model G=$R/tests/golden/merge
A=$M/linear/adapter
cd "$T" || exit 1
says() { like "$(cat "$T/err")" "^merge-lora: .*$1" "$2"; }
clean() { is "$(find . -maxdepth 1 -name '*res*')" "" "$1"; }

status 2 "no model is an error of usage" merge-lora -o res "$A"
status 2 "two operands" merge-lora -m "$M/linear" -o res "$A" "$A"
status 2 "-a and an operand" merge-lora -m "$M/linear" -o res -a "$A" "$A"
status 2 "-z with a directory" merge-lora -m "$M/linear" -z -o res "$A"
status 2 "a weight that is no number" merge-lora -m "$M/linear" -o res -a "$A:much"
says "weight" "is named"
status 2 "an element type that there is not" merge-lora -m "$M/linear" --dtype int4 -o res "$A"
status 3 "a model that is not there" merge-lora -m nowhere -o res "$A"
says "nowhere" "is named"
status 3 "an adapter that is not there" merge-lora -m "$M/linear" -o res -a nowhere
status 1 "an adapter of another shape" merge-lora -m "$M/qwen2" -o res "$A"
says "$A: tensor '.*lora_[AB].weight' is" "names the adapter and the tensor"

# Damage to a base and to an adapter.
changed() { cp -r "$1" "$2" && jq "$3" "$1/adapter_config.json" >"$2/adapter_config.json"; }
changed "$G/forms/linear-save" unnamed '.modules_to_save = null'
changed "$A" parameters '.target_parameters = ["experts.down_proj"]'
spoil() { # FILE BYTES: the last ones
	printf '%b' "$2" | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 4)) conv=notrunc status=none
}
cp -r "$M/linear" nan && spoil nan/model.safetensors '\377\377\377\377'
status 1 "NaN in the base" merge-lora -m nan -o res "$A"
says "tensor 'model.norm.weight' is not finite" "names the tensor"
cp -r "$A" nan-adapter && spoil nan-adapter/adapter_model.safetensors '\000\000\200\177'
status 1 "infinity in the adapter" merge-lora -m "$M/linear" -o res nan-adapter
says "nan-adapter: tensor 'base_model.*' is not finite" "names adapter and tensor"
cp -r "$A" huge && spoil huge/adapter_model.safetensors '\000\000\200\176'
status 1 "a result that float16 cannot hold" merge-lora -m "$M/linear" --dtype float16 -o res huge
says "too large for float16" "says so"
cp -r "$M/linear" cut && truncate -s -1 cut/model.safetensors
status 1 "a truncated base" merge-lora -m cut -o res "$A"
says "cut/model.safetensors" "names the file"
cp -r "$M/llama3" missing && rm missing/model-00002-of-00002.safetensors
status 3 "a missing shard" merge-lora -m missing -o res "$M/llama3/adapter"
says "model-00002-of-00002" "is named"
mkdir bin && cp "$M/linear/config.json" bin && touch bin/pytorch_model.bin
status 1 "a base with only pickled weights" merge-lora -m bin -o res "$A"
says "pytorch_model.bin" "is refused by the file's name"
cp -r "$A" pickle && rm pickle/*.safetensors && touch pickle/adapter_model.bin
status 1 "an adapter with only pickled weights" merge-lora -m "$M/linear" -o res pickle
says "adapter_model.bin" "is refused by the file's name"
cp -r "$M/linear" quantised
jq '.quantization_config = {"load_in_4bit": true}' "$M/linear/config.json" >quantised/config.json
status 1 "a config that says quantised of floats" merge-lora -m quantised -o res "$A"
says "no such weights" "is refused"
cp -r "$A" dora && jq '.use_dora = true' "$A/adapter_config.json" >dora/adapter_config.json
status 1 "DoRA without its magnitudes" merge-lora -m "$M/linear" -o res dora
says "dora: tensor '.*lora_magnitude_vector' is missing" "names what is missing"
status 1 "DoRA beside another adapter" \
	merge-lora -m "$M/linear" -o res -a "$G/forms/linear-dora" -a "$G/forms/linear-head"
says "DoRA adapter is merged alone" "says that it is no sum"
status 1 "half of a whole trained module" merge-lora -m "$M/linear" -o res -a "$G/forms/linear-save:0.5"
says "whole trained tensor" "says why there is none"
status 1 "a whole module that the config does not name" merge-lora -m "$M/linear" -o res unnamed
says "not the base's: the adapter is of another model" "is another model's"
status 1 "target_parameters" merge-lora -m "$M/linear" -o res parameters
says "'target_parameters' is not supported" "is refused by name"
cp -r "$A" rank && jq '.r = 3' "$A/adapter_config.json" >rank/adapter_config.json
status 1 "a rank that the tensors have not" merge-lora -m "$M/linear" -o res rank
says "rank 3" "is an error"
clean "after all these nothing is left behind"

# The output.
mkdir mine && touch mine/diary
status 2 "a directory that sluice did not write stays" merge-lora -m "$M/linear" -o mine "$A"
says "--force" "and the way out is named"
is "$(ls mine)" diary "untouched"
status 0 "-f replaces it" merge-lora -m "$M/linear" -f -o mine "$A"
merge-lora -m "$M/linear" -o base "$A"
status 2 "the base is never the output" merge-lora -m base -f -o base "$A"
cmp -s base/model.safetensors "$G/linear.safetensors"
ok $? "and stays whole"
cp -r "$A" own
status 2 "nor is the adapter" merge-lora -m "$M/linear" -f -o own own
is "$(cd own && echo *)" "adapter_config.json adapter_model.safetensors" "which stays whole"
ln -s base link
status 2 "nor under another name" merge-lora -m base -f -o link "$A"
merge-lora -m "$M/linear" "$A" >/dev/full 2>"$T/err"
is $? 3 "a full disk under the stream is status 3"
says "No space left" "and said"
head -c 4000000 /dev/zero >base/tokenizer.model # more than a pipe holds
merge-lora -m base "$A" | head -c 100 >/dev/null
is "${PIPESTATUS[0]}" 141 "a closed pipe is a signal, quietly"

(
	trap '' XFSZ # so that the limit is an error of the write
	ulimit -f 8
	merge-lora -m "$M/linear" -o res "$A" 2>"$T/err"
)
is $? 3 "a disk that takes no more is status 3"
says "cannot write .*model.safetensors" "names the file"
merge-lora -m "$M/linear" -o res < <(sleep 5) 2>"$T/err" &
sleep 0.3
ls -d .*res* >"$T/waiting" 2>/dev/null
ok $? "the directory is claimed before the adapter has come"
kill -TERM $!
wait $!
is $? 143 "a signal ends the waiting"
clean "and both leave nothing behind"

# Streams that are not whole.
printf '{"prompt_ids":[1,5,9],"chosen_ids":[7,8,2],"rejected_ids":[9,2]}\n' >rows.jsonl
train-step -q -m "$M/linear" --loss dpo --lora-r 2 --max-steps 1 rows.jsonl >train.mp
size=$(stat -c %s train.mp)
bad=0
for n in 0 1 20 $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 60)) $((size - 1)); do
	head -c "$n" train.mp | merge-lora -m "$M/linear" -o res 2>"$T/err"
	{ [ "${PIPESTATUS[1]}" = 1 ] && grep -q '^merge-lora: ' "$T/err" && [ ! -e res ]; } || bad=$((bad + 1))
done
is $bad 0 "a stream cut anywhere is an error of data, and nothing is written"
clean "not even a temporary"
train-step -q -m "$M/linear" --full --loss dpo --max-steps 1 -o full rows.jsonl >full.mp
status 1 "a stream of metrics alone" merge-lora -m "$M/linear" -o res full.mp
says "no adapter in the stream" "is said to have none"
status 1 "an adapter trained on another model" merge-lora -m full -o res train.mp
says "model" "is a mismatch"
status 0 "--ignore-mismatch takes it" merge-lora -m full --ignore-mismatch -o taken train.mp
status 1 "a file that is no stream" merge-lora -m "$M/linear" -o res "$M/linear/config.json"
clean "at the end nothing is left behind"
done_testing
