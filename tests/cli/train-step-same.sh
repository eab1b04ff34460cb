#!/usr/bin/env bash
# train-step with the plain kernels: how the work is cut, how many threads, where rows and the reference come from
# change no byte of the result.
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden/train M=$R/tests/golden/train/model
t() { train-step -q -m "$M" --kernels plain -j 1 --batch-size 8 --max-steps 6 --learning-rate 1e-2 "$@"; }
same() { cmp -s "$1" "$2"; ok $? "$3"; }

for loss in dpo orpo sft; do
	rows=$G/$loss/rows.jsonl
	t --loss $loss "$rows" >"$T/one"
	for n in 1 2 3; do
		t --loss $loss --micro-batch $n "$rows" >"$T/two"
		same "$T/one" "$T/two" "$loss: micro-batches of $n give the same bytes"
	done
	t --loss $loss -j 2 "$rows" >"$T/two"
	same "$T/one" "$T/two" "$loss: two threads give the same bytes as one"
	t --loss $loss --lora-dropout 0.2 "$rows" >"$T/drop"
	! cmp -s "$T/one" "$T/drop"; ok $? "$loss: dropout changes them"
	t --loss $loss -j 2 --lora-dropout 0.2 --micro-batch 1 "$rows" >"$T/drop2"
	same "$T/drop" "$T/drop2" "$loss: and is the same however the work is cut"
	t --loss $loss --full "$rows" >"$T/one"
	t --loss $loss --full -j 2 --micro-batch 2 "$rows" >"$T/two"
	same "$T/one" "$T/two" "$loss: so it is with all weights"
	t --loss $loss --seed 43 "$rows" >"$T/two"
	! cmp -s "$T/one" "$T/two"; ok $? "$loss: another seed gives another result"
done

# Where the rows come from: a file, a pipe, a compressed stream, two files, many epochs.
mpcat -s "$G/dpo/rows.jsonl" >"$T/rows.mp"
t --loss dpo "$T/rows.mp" >"$T/one"
cat "$T/rows.mp" | t --loss dpo >"$T/two"
same "$T/one" "$T/two" "rows from a pipe, shuffled, over two epochs"
gzip -c "$T/rows.mp" | t --loss dpo - >"$T/two"
same "$T/one" "$T/two" "compressed rows"
head -20 "$G/dpo/rows.jsonl" | mpcat -s >"$T/a.mp"
tail -n +21 "$G/dpo/rows.jsonl" | mpcat -s >"$T/b.mp"
t --loss dpo "$T/a.mp" "$T/b.mp" >"$T/two"
same "$T/one" "$T/two" "rows of two files"
t --loss dpo --shard 2/2 "$T/rows.mp" >"$T/one"
awk 'NR % 2 == 0' "$G/dpo/rows.jsonl" | mpcat -s | t --loss dpo >"$T/two"
same "$T/one" "$T/two" "--shard 2/2 is every second row"

# Where the reference comes from: refscore's cached log-probs, or the run itself.
adapter() { # FILE: the adapter's tensors of a train stream
	mpcat "$1" | grep '"tensor"'
}
refscore -q -m "$M" --kernels plain "$T/rows.mp" >"$T/ref.mp"
t --loss dpo --max-steps 12 -o "$T/fly" "$T/rows.mp" >"$T/one"
t --loss dpo --max-steps 12 -o "$T/cached" "$T/ref.mp" >"$T/two"
same "$T/fly/adapter_model.safetensors" "$T/cached/adapter_model.safetensors" "cached log-probs give the adapter that computed ones give"
is "$(adapter "$T/one" | md5sum)" "$(adapter "$T/two" | md5sum)" "in the stream too"
refscore -q -m "$M" --adapter "$G/init" --kernels plain "$T/rows.mp" >"$T/ref.mp"
t --loss dpo --adapter "$G/init" -o "$T/fly" "$T/rows.mp" >/dev/null
t --loss dpo --adapter "$G/init" -o "$T/cached" "$T/ref.mp" >/dev/null
same "$T/fly/adapter_model.safetensors" "$T/cached/adapter_model.safetensors" "with a starting adapter as the reference"
t --loss dpo --ref-adapter "$G/init" -o "$T/fly" "$T/rows.mp" >/dev/null
t --loss dpo --ref-adapter "$G/init" -o "$T/cached" "$T/ref.mp" >/dev/null
same "$T/fly/adapter_model.safetensors" "$T/cached/adapter_model.safetensors" "with another adapter as the reference"
refscore -q -m "$M" --kernels plain "$T/rows.mp" >"$T/ref.mp"
t --loss dpo --full -o "$T/fly" "$T/rows.mp" >/dev/null
t --loss dpo --full -o "$T/cached" "$T/ref.mp" >/dev/null
same "$T/fly/model.safetensors" "$T/cached/model.safetensors" "with all weights trained and the frozen ones as the reference"

first() { # FIELD: of the first record
	mpcat "$T/one" | head -1 | grep -o "\"$1\":[^,}]*" | cut -d: -f2
}
t --loss dpo "$T/rows.mp" >"$T/one"
is "$(first rewards/margins) $(first loss)" "0.0 0.6931471805599453" "a fresh adapter is the reference: the first loss is log 2 to the last bit"

# Other kernels differ by rounding only.
num() { mpcat "$1" | grep -o '"loss":[^,]*' | cut -d: -f2; }
t --loss dpo "$T/rows.mp" >"$T/one"
train-step -q -m "$M" --batch-size 8 --max-steps 6 --learning-rate 1e-2 --precision f32 --loss dpo "$T/rows.mp" >"$T/two"
worst=$(paste <(num "$T/one") <(num "$T/two") | awk '{d = $1 - $2; if (d < 0) d = -d; if (d > m) m = d} END {print (NR == 6 && m < 1e-5) ? "close" : m}')
is "$worst" close "the default kernels give the same losses within 1e-5"
done_testing
