#!/usr/bin/env bash
# gen: greedy and drawn answers, stops, shapes of prompts, faults.
. "$(dirname "$0")/../lib.sh"
M=$SAMPLE
printf '%s\n' '{"prompt":"Can you help me move the bike?"}' '{"prompt":"May I borrow your piano on Monday?"}' |
	tmpl -q -m "$M" --as-messages --add-generation-prompt - | mpcat | sed 's/}$/,"id":1}/' >"$T/p.jsonl"
completion() { sed 's/.*"completion":"\(.*\)"}$/\1/'; }

status 0 "answers" gen -m "$M" --max-new-tokens 40 "$T/p.jsonl"
cp "$T/out" "$T/greedy"
is "$(grep -c '"id":1,.*"completion":"..*"}$' "$T/greedy")" 2 "a line a record, its columns and its completion"
gen -m "$M" --max-new-tokens 40 --kernels plain -j1 "$T/p.jsonl" | cmp -s - "$T/greedy"
ok $? "other kernels give the same text"
gen -m "$M" --max-new-tokens 5 "$T/p.jsonl" >"$T/short"
first=$(head -1 "$T/short" | completion) all=$(head -1 "$T/greedy" | completion)
[ -n "$first" ] && [ "$first" != "$all" ] && [ "${all#"$first"}" != "$all" ]
ok $? "--max-new-tokens cuts the answer"

word=${all#"$first"} word=${word:1:4}
is "$(head -1 "$T/p.jsonl" | gen -m "$M" --max-new-tokens 40 --stop "nowhere" --stop "$word" | completion)" "${all%%"$word"*}" \
	"--stop ends before its text, and can be repeated"

draw() { gen -m "$M" --max-new-tokens 20 --temperature 2 --num-return-sequences 3 "$@"; }
draw --seed 3 "$T/p.jsonl" >"$T/draw"
is "$(wc -l <"$T/draw")" 6 "three answers to each of two prompts"
is "$(completion <"$T/draw" | sort -u | wc -l)" 6 "and all differ"
draw --seed 3 -j1 "$T/p.jsonl" | cmp -s - "$T/draw"
ok $? "the same seed gives the same answers"
[ "$(draw --seed 4 "$T/p.jsonl" | completion)" != "$(completion <"$T/draw")" ]
ok $? "another seed gives others"
tac "$T/p.jsonl" | draw --seed 3 | completion | sort | cmp -s - <(completion <"$T/draw" | sort)
ok $? "wherever a prompt stands in the input"
gen -m "$M" --max-new-tokens 20 --temperature 1 --top-k 1 "$T/p.jsonl" | completion >"$T/k1"
gen -m "$M" --max-new-tokens 20 "$T/p.jsonl" | completion | cmp -s - "$T/k1"
ok $? "--top-k 1 is greedy"
gen -m "$M" --max-new-tokens 20 --temperature 1 --top-p 1e-6 "$T/p.jsonl" | completion | cmp -s - "$T/k1"
ok $? "so is a --top-p that one token fills"

tok -q -m "$M" "$T/p.jsonl" >"$T/ids.mp"
gen -m "$M" --max-new-tokens 20 "$T/ids.mp" | completion | cmp -s - "$T/k1"
ok $? "tok | gen is gen"
ids=$(mpcat -r prompt_ids "$T/ids.mp" | head -1 | tr -d '[] \n')
mask=$(sed 's/[0-9]*/0/g' <<<"$ids")
is "$(echo "{\"input_ids\":[$ids,7,7],\"completion_mask\":[$mask,1,1]}" | gen -m "$M" --max-new-tokens 20 | completion)" \
	"$(head -1 "$T/k1")" "of a text row the prompt is what is not trained on"

status 1 "messages are refused" gen -m "$M" <(echo '{"prompt":[{"role":"user","content":"hi"}]}')
like "$(cat "$T/err")" "tmpl -m .* --add-generation-prompt [|] gen" "with the way out"
status 1 "a row without a prompt is refused" gen -m "$M" <(echo '{"x":1}')
status 1 "an id beyond the vocabulary is refused" gen -m "$M" <(echo '{"prompt_ids":[1,99999]}')
like "$(cat "$T/err")" "token 99999 is beyond the model's vocabulary" "and named"
status 0 "--skip-bad goes on" gen -m "$M" --max-new-tokens 3 --skip-bad <(echo '{"x":1}'; cat "$T/p.jsonl")
is "$(wc -l <"$T/out")" 2 "with the good ones"
status 2 "--top-p without a temperature is refused" gen -m "$M" --top-p 0.9 "$T/p.jsonl"
status 2 "a model is needed" gen "$T/p.jsonl"
status 3 "a full disk is noticed" bash -c "gen -m '$M' --max-new-tokens 2 '$T/p.jsonl' >/dev/full"
gen -m "$M" --max-new-tokens 2 "$T/p.jsonl" 2>"$T/err" | head -c 0 >/dev/null
is "$(cat "$T/err")" "" "a closed pipe is quiet"

claim="stories260K: greedy is the stored continuation, the answer's space is kept, an empty prompt is BOS"
if [ -z "$DATA" ]; then
	skip "$claim" "SLUICE_TEST_DATA is not set"
else
	printf '%s\n' '{"prompt":"Once upon a time"}' '{"prompt":"Tom had a dog"}' '{"prompt":""}' |
		gen -m "$DATA/models/stories260K" --max-new-tokens 10 | completion >"$T/stories"
	is "$(cut -c1-20 "$T/stories")" ", there was a little
 named Max. He loved
Once upon a time, th" "$claim"
fi
done_testing
