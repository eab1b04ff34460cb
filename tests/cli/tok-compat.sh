#!/usr/bin/env bash
# tok: where transformers' class makes other ids than tokenizer.json says, and directories without that file.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

# A GPT-2 of two digits whose file takes numbers apart, which transformers' class does not.
vocab='"1":0,"2":1,"12":2,"<|endoftext|>":3'
mkdir file tables bare
cat >file/tokenizer.json <<E2
{"version":"1.0","pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}]},"decoder":{"type":"ByteLevel"},
"model":{"type":"BPE","vocab":{$vocab},"merges":["1 2"]}}
E2
echo '{"tokenizer_class":"GPT2Tokenizer","pad_token":"<pad>"}' >file/tokenizer_config.json
ids() { tok -m "$@" --add-special-tokens no 2>err | mpcat | jq -c '[.input_ids]' | tr -d '\n'; }

printf '%s\n' '{"text":"1"}' '{"text":"2"}' '{"text":"12"}' '{"text":"1<pad>2"}' >rows.jsonl
is "$(ids file rows.jsonl)" "[[0]][[1]][[0,1]][[0,1]]" "ids are what tokenizer.json says"
like "$(cat err)" "rows.jsonl:3: transformers' GPT2Tokenizer makes other ids .*--compat transformers" \
	"and the first record that its class would make otherwise is named"
is "$(ids file --compat transformers rows.jsonl)" "[[0]][[1]][[2]][[0,4,1]]" \
	"--compat transformers makes the class's ids, and knows the tokens that tokenizer_config.json names"
is "$(cat err)" "" "without a word"
print() { tok -m file "$@" rows.jsonl 2>/dev/null | mpcat --header | jq -r .tokenizer; }
ok "$([ "$(print)" != "$(print --compat transformers)" ]; echo $?)" "under another fingerprint"
tok -q -m file --add-special-tokens no --compat transformers rows.jsonl -o compat.mp
status 0 "whose ids are read back with the same tokenizer" tok -q -m file --compat transformers --decode compat.mp -o back.mp
is "$(mpcat -r text back.mp | tr '\n' ' ')" "1 2 12 1<pad>2 " "to the same texts"
status 2 "--compat takes nothing else" tok -m file --compat sentencepiece rows.jsonl -o x.mp
echo '{"tokenizer_class":"T5Tokenizer"}' >file/tokenizer_config.json
status 1 "a class that is not implemented is refused" tok -m file --compat transformers rows.jsonl -o x.mp
like "$(cat "$T/err")" "transformers' class 'T5Tokenizer' is not implemented" "by name"

# ---- which class, and what it adds ----
# classed MODEL_TYPE CLASS [MORE]: the ids of `1<mask>2` and `12` as transformers has them
classed() {
	echo "{\"model_type\":\"$1\"}" >file/config.json
	echo "{\"tokenizer_class\":\"$2\"${3:+,$3}}" >file/tokenizer_config.json
	ids file --compat transformers <<<$'{"text":"1<mask>2"}\n{"text":"12"}'
}
is "$(classed gpt2 GPT2Tokenizer)" "[[0,1]][[2]]" "a class that a model's type confirms"
is "$(classed gpt2 CodeGenTokenizerFast)" "[[0,1]][[2]]" "or contradicts is the one that is named"
is "$(classed granitemoehybrid GPT2Tokenizer)" "[[0,1]][[0,1]]" "but for types that follow tokenizer.json"
is "$(classed cohere CohereTokenizer '"mask_token":"<mask>"')" "[[0,10,1]][[0,1]]" "Cohere's takes digits apart, and has names of its own"
is "$(classed qwen3_5 Qwen2Tokenizer '"image_token":"<i>","extra_special_tokens":{"a_token":"<mask>"}')" "[[0,5,1]][[0,1]]" \
	"names that only some have are added, in their order"
is "$(classed llama TokenizersBackend '"additional_special_tokens":["<x>","<mask>"]')" "[[0,5,1]][[0,1]]" "and what has no name"
echo '{"<mask>":9,"<b>":7}' >file/added_tokens.json
is "$(classed llama TokenizersBackend)" "[[0,5,1]][[0,1]]" "added_tokens.json is read, by its ids"
is "$(classed llama TokenizersBackend '"added_tokens_decoder":{}')" "[[0,1]][[0,1]]" "where tokenizer_config.json has none"
sed -i 's/^{/{"padding":{"pad_token":"<mask>"},/' file/tokenizer.json
rm file/added_tokens.json
is "$(classed llama TokenizersBackend)" "[[0,4,1]][[0,1]]" "so is the token of padding"
is "$(classed llama TokenizersBackend '"split_special_tokens":true')" "[[0,1]][[0,1]]" "split_special_tokens makes text of special tokens"
rm file/config.json

# ---- vocab.json and merges.txt ----
echo "{$vocab}" >tables/vocab.json
printf '#version: 0.2\r\n1 2\r\n' >tables/merges.txt
echo '{"model_type":"gpt2","eos_token_id":3}' >tables/config.json
is "$(ids tables rows.jsonl)" "[[0]][[1]][[2]][[0,1]]" "a directory without tokenizer.json is read as its model's class has it"
is "$(tok -q -m tables <<<'{"text":"12"}' | mpcat | jq -c .input_ids)" "[2,3]" "with the class's EOS"
echo '{"add_bos_token":true}' >tables/tokenizer_config.json
is "$(tok -q -m tables --add-special-tokens yes <<<'{"text":"12"}' | mpcat | jq -c .input_ids)" "[3,2]" \
	"add_bos_token counts there"
cp tables/merges.txt bare && echo '{"x":0,"1":1,"2":2,"12":3}' >bare/vocab.json
status 1 "a vocabulary that nothing names is refused" tok -m bare rows.jsonl -o x.mp
like "$(cat "$T/err")" "nothing says what tokenizer it is" "saying what would name it"
mkdir spm && : >spm/tokenizer.model
status 1 "a tokenizer in another form is refused" tok -m spm rows.jsonl -o x.mp
like "$(cat "$T/err")" "no tokenizer.json, and 'tokenizer.model' is not read: .*save_pretrained" "saying what makes one of it"
printf '#version: 0.2\n1 3\n' >tables/merges.txt
status 1 "a merge of no token is refused" tok -m tables rows.jsonl -o x.mp
like "$(cat "$T/err")" "merges: number 1: '3' is not in the vocabulary" "with its number"
done_testing
