#!/usr/bin/env bash
# gen: greedy and drawn answers, stops, shapes of prompts, faults. The model is the real stories260K.
. "$(dirname "$0")/../lib.sh"
if [ -z "$DATA" ]; then
	skip "gen answers" "SLUICE_TEST_DATA is not set"
	done_testing
fi
M=$DATA/models/stories260K
printf '%s\n' '{"prompt":"Once upon a time","id":1}' '{"prompt":"Tom had a dog","id":2}' >"$T/p.jsonl"
completion() { sed 's/.*"completion":"\(.*\)"}$/\1/'; }

status 0 "answers" gen -m "$M" --max-new-tokens 40 "$T/p.jsonl"
is "$(head -1 "$T/out" | completion)" ", there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball." \
	"greedy is the stored continuation"
like "$(sed -n 2p "$T/out")" '"id":2,.*"completion":" named' "columns stay, and the answer follows the prompt, its space kept"
gen -m "$M" --max-new-tokens 40 --kernels plain -j1 "$T/p.jsonl" | cmp -s - "$T/out"
ok $? "other kernels give the same text"
for i in 1 2; do sed -n ${i}p "$T/p.jsonl" | gen -m "$M" --max-new-tokens 40 --stop Lily --stop house; done >"$T/stop"
is "$(head -1 "$T/stop" | completion)" ", there was a little girl named " "--stop ends before its text"
is "$(tail -1 "$T/stop" | completion | grep -c house)" 0 "--stop can be repeated"

draw() { gen -m "$M" --max-new-tokens 20 --temperature 1 --top-k 50 --num-return-sequences 3 "$@"; }
draw --seed 3 "$T/p.jsonl" >"$T/draw"
is "$(wc -l <"$T/draw")" 6 "three answers to each of two prompts"
is "$(completion <"$T/draw" | sort -u | wc -l)" 6 "and all differ"
draw --seed 3 -j1 "$T/p.jsonl" | cmp -s - "$T/draw"
ok $? "the same seed gives the same answers"
[ "$(draw --seed 4 "$T/p.jsonl" | completion)" != "$(completion <"$T/draw")" ]
ok $? "another seed gives others"
tac "$T/p.jsonl" | draw --seed 3 | completion | sort | cmp -s - <(completion <"$T/draw" | sort)
ok $? "wherever a prompt stands in the input"
gen -m "$M" --max-new-tokens 20 --temperature 1 --top-k 1 "$T/p.jsonl" | cmp -s - <(gen -m "$M" --max-new-tokens 20 "$T/p.jsonl")
ok $? "--top-k 1 is greedy"

echo '{"prompt_ids":[1,403,407]}' >"$T/ids.jsonl"
echo '{"input_ids":[1,403,407,9,9],"completion_mask":[0,0,0,1,1]}' >>"$T/ids.jsonl"
echo '{"prompt":"Once upon"}' >"$T/up.jsonl"
is "$(gen -m "$M" --max-new-tokens 9 "$T/ids.jsonl" | completion | sort -u)" "$(gen -m "$M" --max-new-tokens 9 "$T/up.jsonl" | completion)" \
	"ids are taken as they are; of a text row what is not trained; BOS comes once"
tok -q -m "$M" "$T/p.jsonl" 2>/dev/null | gen -m "$M" --max-new-tokens 9 | completion >"$T/piped"
gen -m "$M" --max-new-tokens 9 "$T/p.jsonl" | completion | cmp -s - "$T/piped"
ok $? "tok | gen is gen"
is "$(echo '{"prompt":""}' | gen -m "$M" --max-new-tokens 4 | completion)" "Once upon a time" "an empty prompt is BOS"

status 1 "messages are refused" gen -m "$M" <(echo '{"prompt":[{"role":"user","content":"hi"}]}')
like "$(cat "$T/err")" "tmpl -m .* --add-generation-prompt [|] gen" "with the way out"
status 1 "a row without a prompt is refused" gen -m "$M" <(echo '{"x":1}')
status 1 "an id beyond the vocabulary is refused" gen -m "$M" <(echo '{"prompt_ids":[1,512]}')
status 0 "--skip-bad goes on" gen -m "$M" --max-new-tokens 3 --skip-bad <(echo '{"x":1}'; cat "$T/p.jsonl")
is "$(wc -l <"$T/out")" 2 "with the good ones"
status 2 "--top-p without a temperature is refused" gen -m "$M" --top-p 0.9 "$T/p.jsonl"
status 2 "a model is needed" gen "$T/p.jsonl"
status 3 "a full disk is noticed" bash -c "gen -m '$M' --max-new-tokens 2 '$T/p.jsonl' >/dev/full"
gen -m "$M" --max-new-tokens 2 "$T/p.jsonl" 2>"$T/err" | head -c 0 >/dev/null
is "$(cat "$T/err")" "" "a closed pipe is quiet"
done_testing
