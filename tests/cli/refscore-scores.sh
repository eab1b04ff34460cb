#!/usr/bin/env bash
# refscore: sums and tokens, sharing, order, prefixes, verification, bad records, faults.
. "$(dirname "$0")/../lib.sh"
M=$R/tests/golden/model/llama
A=$M/adapter
cat >"$T/rows.jsonl" <<'EOF'
{"prompt_ids":[1,5,9],"chosen_ids":[7,8,2],"rejected_ids":[4,2],"id":"a"}
{"prompt_ids":[1,5,9],"chosen_ids":[3,3,2],"rejected_ids":[4,4,2],"id":"b"}
{"prompt_ids":[1,6],"completion_ids":[3,3,2],"label":true,"id":"c"}
{"input_ids":[1,6,3,3,2],"completion_mask":[0,0,1,1,1],"id":"d"}
{"input_ids":[1,6,3,3,2],"id":"e"}
{"prompt_ids":[],"completion_ids":[1,6,3,3,2],"id":"f"}
EOF
field() { mpcat -r "$1" "$2"; }
near() { # GOT WANT CLAIM: numbers within 1e-4
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && (a - b)^2 <= 1e-8) }'
	ok $? "$3 ($1)"
}

# Numbers are compared with transformers' in f32.
refscore() { command refscore --precision f32 "$@"; }

status 0 "scores a file" refscore -q -m "$M" --per-token -o "$T/ref.mp" "$T/rows.jsonl"
# transformers in float64: sum of log-probs of 7 8 2 after 1 5 9.
near "$(field ref_chosen_logps "$T/ref.mp" | head -1)" -15.4061553 "the sum is transformers'"
is "$(field id "$T/ref.mp" | tr -d '\n')" abcdef "records keep their order and columns"
is "$(field label "$T/ref.mp" | grep -c true)" 1 "a label passes"
C=$(field ref_completion_logps "$T/ref.mp")
near "$(sed -n 2p <<<"$C")" "$(sed -n 1p <<<"$C")" "a masked text row scores as prompt and completion"
near "$(sed -n 4p <<<"$C")" "$(sed -n 3p <<<"$C")" "an empty prompt scores as a text row: its first token is not predicted"
is "$(mpcat "$T/ref.mp" | sed -n 4p | grep -o '"ref_completion_token_logps":\[0[.0]*,0[.0]*,-[^]]*\]' | tr -cd , | wc -c)" 4 \
	"token log-probs stand beside their ids, 0 where there is no label"
sum=$(field ref_chosen_token_logps "$T/ref.mp" | head -1 | tr -d '[]' | tr , '\n' | awk '{ s += $1 } END { printf "%.7f", s }')
near "$sum" "$(field ref_chosen_logps "$T/ref.mp" | head -1)" "token log-probs add up to the sum"

for i in 1 2 3 4 5 6; do sed -n ${i}p "$T/rows.jsonl" | refscore -q -m "$M" --per-token; done >"$T/alone.mp"
is "$(field ref_rejected_logps "$T/alone.mp")" "$(field ref_rejected_logps "$T/ref.mp")" "a record alone scores as in a batch, to the last bit"
refscore -q -m "$M" --per-token -j1 "$T/rows.jsonl" | cmp -s - "$T/ref.mp"
ok $? "one thread gives the same bytes"
refscore -q -m "$M" --per-token -z "$T/rows.jsonl" | gzip -dc | cmp -s - "$T/ref.mp"
ok $? "-z compresses the same bytes"

refscore -q -m "$M" --adapter "$A" --prefix policy "$T/ref.mp" >"$T/both.mp"
is "$(field policy_chosen_logps "$T/both.mp" | wc -l) $(field ref_chosen_logps "$T/both.mp" | wc -l)" "2 2" \
	"--prefix policy writes beside the reference's"
is "$(mpcat --header "$T/both.mp" | grep -o '"reference":"[^"]*"')" "$(mpcat --header "$T/ref.mp" | grep -o '"reference":"[^"]*"')" \
	"the header still names the reference"
refscore -q -m "$M" --adapter "$A" "$T/rows.jsonl" >"$T/adapter.mp"
[ "$(mpcat --header "$T/adapter.mp" | grep -o '"reference":"[^"]*"')" != "$(mpcat --header "$T/ref.mp" | grep -o '"reference":"[^"]*"')" ]
ok $? "base and base with adapter are two references"

status 0 "--verify agrees with what is cached" refscore -m "$M" --verify 9 -o "$T/same.mp" "$T/ref.mp"
like "$(cat "$T/err")" "verified 6 records" "and says how many it compared"
cmp -s "$T/same.mp" "$T/ref.mp"
ok $? "and changes nothing"
status 1 "and so is another precision" refscore -m "$M" --kernels plain --precision bf16 --verify 1 -o "$T/no.mp" "$T/ref.mp"
like "$(cat "$T/err")" "reference \\(([0-9a-f]+)\\) than this one \\(\\1-bf16\\)" "that is named"
status 1 "--verify with another reference is a mismatch" refscore -m "$M" --adapter "$A" --verify 1 -o "$T/no.mp" "$T/ref.mp"
status 1 "values of another model are found" refscore -m "$M" --adapter "$A" --ignore-mismatch --verify 1 -o "$T/no.mp" "$T/ref.mp"
like "$(cat "$T/err")" "ref.mp:1: 'ref_chosen_logps' is .* but the model gives" "and shown"
status 1 "--verify needs cached values" refscore -m "$M" --verify 1 -o "$T/no.mp" "$T/rows.jsonl"

cat >"$T/bad.jsonl" <<'EOF'
{"prompt_ids":[1],"completion_ids":[3],"id":1}
{"prompt_ids":[1],"completion_ids":[],"id":2}
{"prompt_ids":[1],"completion_ids":[40],"id":3}
{"prompt_ids":[1],"chosen_ids":[3],"id":4}
{"prompt":"text","id":5}
{"input_ids":[1,2],"completion_mask":[1],"id":6}
{"input_ids":[1,2],"completion_mask":[1,0],"id":7}
{"prompt_ids":[1],"completion_ids":[5],"id":8}
EOF
status 1 "an empty completion stops the stage" refscore -m "$M" -o "$T/no.mp" "$T/bad.jsonl"
like "$(cat "$T/err")" "bad.jsonl:2: the completion is empty" "and is named"
[ ! -e "$T/no.mp" ]
ok $? "nothing is left of the output"
status 0 "--skip-bad goes on" refscore -m "$M" --skip-bad --rejects "$T/rejects.mp" -o "$T/good.mp" "$T/bad.jsonl"
is "$(field id "$T/good.mp" | tr -d '\n')" 148 "and keeps the good ones (a chosen side alone is one)"
is "$(mpcat -c "$T/rejects.mp" | grep -o '[0-9]*$')" 5 "the others are kept"
like "$(mpcat "$T/rejects.mp" | tail -1)" "no token of the completion is to be predicted" "with reasons"
like "$(tail -c 60 "$T/good.mp" | strings | tr '\n' ' ')" skipped "the trailer counts them"

head -c -20 "$T/ref.mp" >"$T/cut.mp"
status 1 "a cut stream is found" refscore -m "$M" -o "$T/no.mp" "$T/cut.mp"
like "$(cat "$T/err")" "truncated" "and said"
[ ! -e "$T/no.mp" ]
ok $? "and nothing is committed"
status 2 "a model is needed" refscore "$T/rows.jsonl"
status 3 "a full disk is noticed" bash -c "refscore -q -m '$M' '$T/rows.jsonl' >/dev/full"
refscore -q -m "$M" "$T/rows.jsonl" 2>"$T/err" | head -c 0 >/dev/null
is "$(cat "$T/err")" "" "a closed pipe is quiet"
refscore -q -m "$M" --shard 2/2 "$T/rows.jsonl" >"$T/half.mp"
is "$(field id "$T/half.mp" | tr -d '\n')" bdf "--shard takes every second record"

# int8 as bitsandbytes evaluates it: another reference, a record at a time.
quant -q -t int8 -m "$SAMPLE" -o "$T/int8"
tmpl -q -m "$SAMPLE" --as-messages "$R/pipelines/sample/heldout.jsonl" | tok -q -m "$SAMPLE" >"$T/held.mp"
int8() { refscore -q -m "$T/int8" --llm-int8-threshold 6 "$@"; }
int8 "$T/held.mp" >"$T/all.mp"
{ int8 --shard 1/2 "$T/held.mp"; int8 --shard 2/2 "$T/held.mp"; } | mpcat | sort >"$T/halves"
cmp -s <(mpcat "$T/all.mp" | sort) "$T/halves"
ok $? "--llm-int8-threshold: a record's scores do not depend on the others"
refscore -q -m "$T/int8" "$T/held.mp" >"$T/plain.mp"
off=$(paste <(field ref_chosen_logps "$T/all.mp") <(field ref_chosen_logps "$T/plain.mp") |
	awk '{d = ($1 - $2) / $2; if (d < 0) d = -d; if (d > m) m = d} END {print m}')
like "$off" '^0\.0[0-9]*[1-9]' "they are near those of dequantised weights, and not those ($off of them)"
status 1 "they are no reference for training" train-step -q -m "$T/int8" --precision f32 --loss dpo --max-steps 1 "$T/all.mp"
status 0 "which those of dequantised weights are" train-step -q -m "$T/int8" --precision f32 --loss dpo --max-steps 1 "$T/plain.mp"
status 2 "a threshold is not negative" refscore -m "$T/int8" --llm-int8-threshold -1 "$T/held.mp"
done_testing
