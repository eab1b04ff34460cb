#!/usr/bin/env bash
# Merging into quantised bases: what is asked for, what is said of it, what is refused.
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden
A=$G/merge/forms/lora
cd "$T" || exit 1
says() { like "$(cat "$T/err")" "^merge-lora: .*$1" "$2"; }
for t in nf4 int8; do quant -q -m "$G/quant/base" -t $t -o $t; done
quant -q -m "$G/quant/base" -t nf4 --double-quant -o double

status 2 "a quantised base without a word" merge-lora -m nf4 -o res "$A"
says "'--dtype bfloat16'.*'--requantize'" "is an error that names both ways"
timeout 20 merge-lora -m nf4 -o res < <(sleep 30) 2>"$T/err"
is $? 2 "and said before an adapter is waited for"
status 2 "both ways at once" merge-lora -m nf4 --dtype bfloat16 --requantize -o res "$A"
status 2 "--requantize of floats" merge-lora -m "$G/quant/base" --requantize -o res "$A"
status 2 "--codes without --requantize" merge-lora -m double --dtype bfloat16 --codes table -o res "$A"

# As floats.
status 0 "--dtype makes floats" merge-lora -m double --dtype bfloat16 -o floats "$A"
is "$(jq '.quantization_config, .dtype' floats/config.json | xargs)" "null bfloat16" "with a config that says so"
is "$(merge-lora -m double --dtype bfloat16 "$A" | mpcat | jq -r 'select(.tensor) | .tensor' | sort | xargs)" \
	"$(merge-lora -m "$G/quant/base" "$A" | mpcat | jq -r 'select(.tensor) | .tensor' | sort | xargs)" \
	"and under plain names"
for t in nf4 double int8; do
	quant -q -m $t --dequantize --dtype float32 -o deq -f
	merge-lora -q -m deq -o one -f "$A"
	merge-lora -q -m $t --dtype float32 -o two -f "$A"
	ok "$(cmp one/model.safetensors two/model.safetensors >&2; echo $?)" "$t: as by 'quant --dequantize' and a merge"
done

# As codes.
status 0 "--requantize makes codes" merge-lora -m double --requantize -o codes "$A"
is "$(head -1 "$T/out")" $'lost\tkept\ttensor' "and prints what was lost"
is "$(tail -1 "$T/out" | cut -f3)" all "of each weight and of all"
ok "$(cmp codes/config.json double/config.json >&2; echo $?)" "the config is the base's"
refscore -q -m codes - <<<'{"input_ids":[1,2,3]}' >"$T/scored"
ok $? "and the result is read"
for j in 1 3; do merge-lora -q -m double --requantize -j $j -o j$j "$A" >"$T/out"; done
ok "$(cmp j1/model.safetensors j3/model.safetensors >&2; echo $?)" "threads change no byte"
merge-lora -q -m double --requantize "$A" | quant -m - --dequantize -o from-stream
quant -q -m codes --dequantize -o from-files
ok "$(cmp from-stream/model.safetensors from-files/model.safetensors >&2; echo $?)" "a stream carries the same"
merge-lora -m double --requantize "$A" 2>err | cat >codes.mp
like "$(cat err)" "^merge-lora: lost kept tensor" "which leaves the table to standard error"

# The report's numbers are those of the files: |written - (base + delta)| / |delta|, from what mpcat prints.
values() { merge-lora -q -m "$1" --dtype float32 -a "$A:$2" | mpcat | jq -r "select(.tensor == \"$W\") | .data" | base64 -d; }
numbers() { od -An -v -w4 -tf4; }
W=model.layers.0.self_attn.q_proj.weight
for how in --requantize "--dtype float16"; do
	# shellcheck disable=SC2086
	merge-lora -q -m nf4 $how --report -f -o written "$A" >report
	paste <(values nf4 0 | numbers) <(values nf4 1 | numbers) <(values written 0 | numbers) |
		awk '{ d = $2 - $1; off = $3 - $2; delta += d * d; error += off * off; along += ($3 - $1) * d }
			END { printf "%.4f %.4f\n", sqrt(error / delta), along / delta }' >want
	is "$(awk -v w=$W '$3 == w { printf "%.4f %.4f\n", $1, $2 }' report)" "$(cat want)" "the report's numbers, $how"
done

# The probe's numbers are refscore's.
rows='{"prompt_ids":[1,5,9],"chosen_ids":[7,8,2],"rejected_ids":[9,2]}
{"prompt_ids":[1,4],"chosen_ids":[3,2],"rejected_ids":[11,12,2]}'
echo "$rows" >rows.jsonl
status 0 "--probe" merge-lora -q -m nf4 --requantize -f -o probed --probe rows.jsonl "$A"
sed '1,/^probe/d' "$T/out" >probe
score() { refscore -q --precision f32 --prefix p "$@" rows.jsonl | mpcat | jq -r '[.p_chosen_logps, .p_rejected_logps] | @tsv'; }
paste <(score -m nf4 --adapter "$A") <(score -m probed) | awk '
	function abs(x) { return x < 0 ? -x : x }
	{ for (i = 1; i <= 4; i++) s[i] += $i; a += abs($1 - $3); b += abs($2 - $4); c += $1 > $2; d += $3 > $4 }
	END { printf "logps/chosen %.3f %.3f %.3f\nlogps/rejected %.3f %.3f %.3f\naccuracy %.3f %.3f\n",
		s[1] / NR, s[3] / NR, a / NR, s[2] / NR, s[4] / NR, b / NR, c / NR, d / NR }' >want
is "$(awk '/^logps/ { printf "%s %.3f %.3f %.3f\n", $1, $2, $3, $4 } /^acc/ { printf "%s %.3f %.3f\n", $1, $2, $3 }' probe)" \
	"$(cat want)" "log-probs and accuracy are refscore's, with the adapter on and merged"
merge-lora -q -m "$G/quant/base" --dtype float32 -o floats32 -a "$A:0"
merge-lora -q -m floats32 -f -o exact --probe rows.jsonl "$A" >probe
ok "$(awk '$1 == "kl" { exit !($4 < 1e-9) } $1 ~ /^logps/ && !($5 < 1e-4) { exit 1 }' probe; echo $?)" \
	"into f32 nothing is lost"
merge-lora -q -m "$G/quant/base" -f -o other --probe rows.jsonl --probe-model nf4 "$A" >probe
ok "$(awk '$1 == "kl" { exit !($4 > 1e-7) }' probe; echo $?)" "another base is another function"
status 2 "--probe without a directory" merge-lora -m nf4 --requantize --probe rows.jsonl "$A"
status 2 "--probe of two adapters" merge-lora -m nf4 --requantize -o res --probe rows.jsonl -a "$A" -a "$A"
status 1 "--probe of rows that are none" merge-lora -m nf4 --requantize -o res --probe "$G/quant/base/config.json" "$A"
echo '{"prompt_ids":[1],"completion_ids":[99999]}' >bad.jsonl
status 1 "--probe of a token beyond the vocabulary" merge-lora -m nf4 --requantize -o res --probe bad.jsonl "$A"
says "bad.jsonl:1: token 99999" "names it"

# Damage.
Q=model.layers.0.mlp.down_proj.weight
lie() { # DIR OLD NEW: of as many bytes, in the header
	cp -r nf4 "$1" && sed -i "s/$2/$3/" "$1/model.safetensors"
	! cmp -s "$1/model.safetensors" nf4/model.safetensors
	ok $? "$1: the base is damaged"
}
lie short "\($Q.absmax.:{.dtype.:.F\)32\(.,.shape.:.\)128" '\116\2256'
status 1 "an absmax of the wrong length" merge-lora -m short --requantize -o res "$A"
says "'$Q.absmax' has 256 elements" "is named"
lie gone "$Q.quant_map" "${Q/down/town}.quant_map"
status 1 "a part that is missing" merge-lora -m gone --dtype bfloat16 -o res "$A"
says "'$Q.quant_map' is missing" "is named"
cp -r nf4 nan
size=$(od -An -tu8 -N8 nan/model.safetensors | xargs)
at=$(head -c $((size + 8)) nan/model.safetensors | tail -c +9 | jq ".[\"$Q.absmax\"].data_offsets[0]")
printf '\377\377\377\377' | dd of=nan/model.safetensors bs=1 seek=$((size + 8 + at)) conv=notrunc status=none
status 1 "NaN among the scales" merge-lora -m nan --requantize -o res "$A"
says "'$Q' is not finite" "names the weight"
status 1 "and as floats" merge-lora -m nan --dtype bfloat16 -o res "$A"
is "$(find . -maxdepth 1 -name '*res*')" "" "after all these nothing is left behind"

# Killed while it writes.
for i in 1 2 3; do
	merge-lora -q -m double --requantize -o res "$A" >"$T/out" 2>&1 &
	sleep 0.00$i
	kill -KILL $! 2>"$T/err"
	wait $! 2>"$T/err"
	[ ! -e res ] || { refscore -q -m res - <<<'{"input_ids":[1,2,3]}' >"$T/scored" && rm -r res; }
	ok $? "killed at once: no directory, or a whole one"
done
done_testing
