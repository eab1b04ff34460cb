#!/usr/bin/env bash
# tok: rows of text to rows of ids; who adds BOS and EOS, where prompt and answer part, what is trained on.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
M=$R/tests/data/tiny-bpe # <s> 0, </s> 1, <|im_start|> 320, <|im_end|> 321

# tok_of JSON OPTIONS: its record, without _source; the notes go to err
tok_of() { local row=$1; shift; tok -m "$M" "$@" <<<"$row" 2>err | mpcat | sed 's/"_source":"[^"]*",*//'; }
ids_of() { tok_of "$@" | jq -c '[.prompt_ids[]?, .chosen_ids[]?, .completion_ids[]?, .input_ids[]?]'; }
plain() { tok -m "$M" --add-special-tokens no <<<"{\"text\":\"$1\"}" | mpcat -r input_ids; }

# ---- BOS and EOS ----
is "$(ids_of '{"prompt":"What is","completion":" it?"}')" "$(plain 'What is it?' | sed 's/^\[/[0,/;s/]$/,1]/')" \
	"a prompt and a completion get BOS and EOS, once"
is "$(ids_of '{"prompt":"What is","completion":" it?","_templated":true}')" "$(plain 'What is it?')" \
	"a templated row gets neither"
is "$(ids_of '{"prompt":"What is","completion":" it?</s>"}')" "$(plain 'What is it?</s>' | sed 's/^\[/[0,/')" \
	"EOS is not added to an answer that ends in it"
is "$(ids_of '{"prompt":"<s>What","completion":" it"}')" "$(plain '<s>What it' | sed 's/]$/,1]/')" \
	"BOS is not added to a text that brings its own"
is "$(ids_of '{"text":"What is it?"}')" "$(plain 'What is it?' | sed 's/^\[/[0,/;s/]$/,1]/')" "text gets both"
is "$(ids_of '{"text":"What"}' --add-special-tokens yes)" "$(plain What | sed 's/^\[/[0,/')" \
	"--add-special-tokens yes is what the post-processor adds, nothing more"
is "$(ids_of '{"text":""}' --add-special-tokens no)" "[]" "--add-special-tokens no of nothing is nothing"
status 1 "two BOS in a row are an error" tok -m "$M" <(echo '{"prompt":"<s><s>What","completion":"it","_templated":true}') -o x.mp
like "$(cat "$T/err")" ":1: .*two BOS" "that names the record"
ok "$([ ! -e x.mp ]; echo $?)" "and leaves no file"

# ---- the seam ----
pair='{"prompt":"that i","chosen":"s right","rejected":" no"}'
is "$(tok_of "$pair" | jq -c '.prompt_ids + .chosen_ids')" "$(plain 'that is right' | sed 's/^\[/[0,/;s/]$/,1]/')" \
	"a pair that merges on one side: the chosen side is the whole text's ids"
tok_of "$pair" >/dev/null
like "$(cat err)" "1 of 1 rows were split before the prompt's end" "and the row is counted"
tok_of "$pair" -q >/dev/null
is "$(cat err)" "" "-q says nothing of it"
is "$(tok_of "$pair" | jq -c '.prompt_ids + .rejected_ids')" "$(plain 'that i no' | sed 's/^\[/[0,/;s/]$/,1]/')" \
	"so is the rejected side, after the same prompt"
is "$(tok_of '{"chosen":"yes","rejected":"no"}' | jq -c .prompt_ids)" "[0]" "without a prompt BOS is the prompt"

# ---- classic ----
is "$(tok_of "$pair" --classic | jq -c '[.prompt_ids, .chosen_ids, .rejected_ids]')" \
	"[$(plain 'that i'),$(plain 's right' | sed 's/]$/,1]/'),$(plain ' no' | sed 's/]$/,1]/')]" \
	"--classic: prompt and answers apart, without BOS, EOS behind answers"
is "$(tok_of '{"prompt":"a","chosen":"b</s>","rejected":"c"}' --classic | jq -c .chosen_ids)" "$(plain 'b</s>' | sed 's/]$/,1]/')" \
	"and behind one that ends in it, as TRL has it"
is "$(tok_of '{"prompt":"that i","chosen":"s right","rejected":" no","_templated":true}' --classic | jq -c '[.prompt_ids, .chosen_ids]')" \
	"[$(plain 'that i'),$(plain 's right')]" "but none that a template made"
is "$(ids_of '{"prompt":"What is","completion":" it?"}' --classic)" "$(ids_of '{"prompt":"What is","completion":" it?"}')" \
	"rows that are no pairs are not concerned"

# ---- what is trained on ----
is "$(tok_of '{"text":"hello world"}' | jq -c '.completion_mask | unique')" "[1]" "all of a text is trained on"
talk='{"text":"user a<|im_end|>assist no<|im_end|>","spans":[[22,35]],"_templated":true}'
tok_of "$talk" --assistant-only-loss >masked
is "$(jq -c '[.input_ids, .completion_mask] | transpose | map(select(.[1] == 1)[0])' masked)" "$(plain ' no<|im_end|>')" \
	"--assistant-only-loss: the span's tokens, its stop token with them"
is "$(tok_of '{"text":"hello","spans":[[0,5]]}' --assistant-only-loss | jq -c '[.completion_mask[0], .completion_mask[-1]]')" "[0,1]" \
	"EOS that is added after the assistant's last word is trained on, BOS is not"
is "$(tok_of '{"text":"é中é","spans":[[2,5]]}' --assistant-only-loss | jq -c '.completion_mask')" "[0,0,0,1,1,1,0,0,0]" \
	"spans are bytes: all tokens of a character in them"
status 1 "no spans is an error" tok -m "$M" --assistant-only-loss <(echo '{"text":"hello"}') -o x.mp
like "$(cat "$T/err")" "spans" "that says what is missing"
for bad in '[[3,2]]' '[[0,99]]' '[[2,4],[1,3]]' '[1]' '"x"'; do
	status 1 "spans $bad are an error" tok -m "$M" --assistant-only-loss <(echo "{\"text\":\"hello\",\"spans\":$bad}") -o x.mp
done
is "$(tok_of '{"prompt":"What is","completion":" it?"}' --no-completion-only-loss | jq -c '[(.input_ids | length), (.completion_mask | add)]')" \
	"$(plain 'What is it?' | jq -c '[length + 2, length + 2]')" "--no-completion-only-loss trains on the prompt too"

# ---- limits ----
long='{"prompt":"the sea was calm","completion":" and the boat"}'
p=$(tok_of "$long" | jq -c .prompt_ids) c=$(tok_of "$long" | jq -c .completion_ids)
is "$(tok_of "$long" --max-prompt-length 3 | jq -c .prompt_ids)" "$(jq -c '.[-3:]' <<<"$p")" "--max-prompt-length keeps the prompt's end"
is "$(tok_of "$long" --max-completion-length 2 | jq -c .completion_ids)" "$(jq -c '.[:2]' <<<"$c")" "--max-completion-length keeps the beginning"
n=$(jq length <<<"$p")
is "$(tok_of "$long" --max-length $((n + 2)) | jq -c '[.prompt_ids, .completion_ids]')" "$(jq -c --argjson c "$c" '[., $c[:2]]' <<<"$p")" \
	"--max-length with keep_start cuts the completion's end"
like "$(cat err)" "1 of 1 rows were cut" "which is said"
is "$(tok_of "$long" --max-length $((n + 2)) --truncation-mode keep_end | jq -c '.prompt_ids + .completion_ids')" \
	"$(jq -c --argjson c "$c" --argjson n $((n + 2)) '(. + $c)[-$n:]' <<<"$p")" "keep_end cuts the prompt's beginning"
status 1 "a prompt that fills --max-length is an error" tok -m "$M" --max-length "$n" <(echo "$long") -o x.mp
like "$(cat "$T/err")" ":1: the prompt's $n tokens fill" "that names the record"
status 1 "keep_end never leaves an empty answer" tok -m "$M" --max-length 1 --truncation-mode keep_end <(echo "$long") -o x.mp
is "$(tok_of '{"text":"the sea was calm"}' --max-length 3 | jq -c '[(.input_ids | length), (.completion_mask | length)]')" "[3,3]" "text is cut with its mask"
two='{"prompt":"the sea was calm","chosen":" and the boat went slowly","rejected":" no"}'
is "$(tok_of "$two" --max-length 12 --truncation-mode keep_end | jq -c '[(.prompt_ids + .chosen_ids | length), (.prompt_ids | length > 0)]')" \
	"[12,true]" "keep_end: a pair is cut for its longer side and shares what is left of the prompt"

# ---- bad rows ----
printf '%s\n' '{"prompt":"a","completion":"b"}' '{"prompt":"a","completion":""}' '{"id":3}' '{"prompt":"a","chosen":"b"}' '{"text":7}' '{"prompt":"c","completion":"d"}' >rows
status 1 "an empty completion is an error" tok -m "$M" rows -o x.mp
like "$(cat "$T/err")" "^tok: rows:2: 'completion' is empty" "with program, file and record"
status 0 "--skip-bad goes on" tok -m "$M" --rejects bad.mp rows -o good.mp
is "$(mpcat -c good.mp)" 2 "with the good ones"
is "$(mpcat bad.mp | jq -r '._reason' | wc -l)" 4 "and keeps the bad ones with their reasons"
like "$(mpcat bad.mp | jq -r '._reason')" "no 'rejected'" "one says which column is missing"
printf '{"text":"ab\xff"}\n' >latin
status 1 "text that is not UTF-8 is an error" tok -m "$M" latin -o x.mp
like "$(cat "$T/err")" "latin:1: .*0xff" "that names file and record"

# ---- streams ----
is "$(tok_of '{"text":"a","id":7,"more":{"x":[1]}}' | jq -c '[.id, .more]')" '[7,{"x":[1]}]' "other columns pass"
is "$(tok_of '{"prompt":"a","completion":"b"}' --keep | jq -c '[.prompt, .completion]')" '["a","b"]' "--keep keeps the text"
for i in {1..300}; do echo "{\"prompt\":\"the $i sea\",\"completion\":\" was calm $i\"}"; done >many
tok -m "$M" -j 1 many >one.mp
tok -m "$M" -j 4 many | cmp - one.mp
ok $? "the bytes do not depend on the number of threads"
tok -m "$M" <<<'{"text":"héllo <|im_end|> 中"}' | tok -m "$M" --decode | mpcat -r text >back
is "$(cat back)" "<s>héllo <|im_end|> 中</s>" "--decode brings the text back, special tokens kept"
mkdir other && sed 's/"<|im_end|>"/"<|im_over|>"/' "$M/tokenizer.json" >other/tokenizer.json
tok -m "$M" <<<'{"text":"hello"}' >ids.mp
status 1 "ids of another tokenizer are not decoded" tok -m other --decode ids.mp -o x.mp
like "$(cat "$T/err")" "tokenizer" "and the message says so"
status 0 "but with --ignore-mismatch" tok -m other --decode --ignore-mismatch ids.mp -o x.mp
like "$(mpcat --header one.mp)" '"tokenizer":"[0-9a-f]{32}"' "the header names the tokenizer"
tok -m "$M" --max-length 9 <<<'{"text":"hello"}' | mpcat --header >header
like "$(cat header)" 'max-length=9' "and the limits"
is "$(tok -m "$M" --explain <<<"$talk" --assistant-only-loss | grep -c '\[')" 1 "--explain marks what is trained on"

# ---- the command line ----
status 2 "no -m is a wrong command line" tok rows
status 3 "a directory without a tokenizer is named" tok -m "$T" rows -o x.mp
like "$(cat "$T/err")" "tokenizer.json" "by its file"
mkdir odd && jq -c '.normalizer = {"type": "Odd"}' "$M/tokenizer.json" >odd/tokenizer.json
status 1 "a part that is not implemented is refused" tok -m odd rows -o x.mp
like "$(cat "$T/err")" "tokenizer.json: normalizer 'Odd' is not implemented" "by name"
echo '{"input_ids":[5,99999]}' >"$T/far.jsonl"
status 1 '--decode refuses an id that is no token' tok -m "$R/tests/data/tiny-bpe" --decode "$T/far.jsonl"
like "$(cat "$T/err")" 'far.jsonl:1: id 99999 is no token' 'and names it'
done_testing
