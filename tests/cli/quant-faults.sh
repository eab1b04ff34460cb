#!/usr/bin/env bash
# What quant refuses, how it says so, and that nothing is left behind.
. "$(dirname "$0")/../lib.sh"
M=$R/tests/golden/model B=$R/tests/golden/quant/base
cd "$T" || exit 1
says() { like "$(cat "$T/err")" "^quant: .*$1" "$2"; }
clean() { is "$(find . -maxdepth 1 -name '*res*')" "" "$1"; }

status 2 "no model is an error of usage" quant -t nf4 -o res
status 2 "no type" quant -m "$B" -o res
status 2 "a type and the way back" quant -m "$B" -t nf4 --dequantize -o res
status 2 "a type that there is not" quant -m "$B" -t int4 -o res
status 2 "an operand" quant -m "$B" -t nf4 -o res "$B"
for n in 0 16 48 8192; do status 2 "--blocksize $n" quant -m "$B" -t nf4 --blocksize $n -o res; done
status 2 "blocks of int8" quant -m "$B" -t int8 --blocksize 64 -o res
says "int8" "says why not"
status 2 "--codes without what has codes" quant -m "$B" -t nf4 --codes table -o res
status 2 "a pattern that is none" quant -m "$B" -t nf4 --skip-modules '(' -o res
says "skip-modules '\('" "is named"
status 3 "a model that is not there" quant -m nowhere -t nf4 -o res
says "nowhere" "is named"
status 1 "back from a model that is not quantised" quant -m "$B" --dequantize -o res
says "not quantised" "says so"
clean "after all these nothing is left behind"

quant -m "$B" -t nf4 -o nf4 && quant -m "$B" -t nf4 --double-quant -o dq && quant -m "$B" -t int8 -o int8
status 1 "a model that is quantised already" quant -m nf4 -t fp4 -o res
says "dequantize" "names the way back"
jq '.quantization_config.quant_method = "gptq"' nf4/config.json >gptq && cp -r nf4 other && mv gptq other/config.json
status 1 "a model quantised by others" quant -m other --dequantize -o res
says "'gptq'" "names them"

# Damage to a base.
spoil() { # FILE BYTES: the last ones
	printf '%b' "$2" | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - $(printf '%b' "$2" | wc -c))) conv=notrunc status=none
}
cp -r "$B" nan && spoil nan/model.safetensors '\377\377\377\377'
for t in nf4 fp4 int8 "nf4 --double-quant"; do
	# shellcheck disable=SC2086
	status 1 "NaN, $t" quant -m nan -t $t -o res
	says "tensor 'model.norm.weight' is not finite" "names the tensor"
done
quant -m "$B" --skip-modules none -t nf4 -q -o - | quant -m - --dequantize --dtype float16 -o f16
spoil f16/model.safetensors '\000\174' # the last tensor is a norm: copied, converted
status 1 "an infinity in what is converted" quant -m f16 -t nf4 --dtype float32 -o res
says "not finite" "is found"
cp -r "$B" cut && truncate -s -1 cut/model.safetensors
status 1 "a truncated base" quant -m cut -t nf4 -o res
says "cut/model.safetensors" "names the file"
cp -r "$B" header && printf '\377\377\377\377' | dd of=header/model.safetensors bs=1 seek=4 conv=notrunc status=none
status 1 "a header that lies about its length" quant -m header -t nf4 -o res
cp -r "$M/llama3" missing && rm missing/model-00002-of-00002.safetensors
status 3 "a missing shard" quant -m missing -t nf4 -o res
says "model-00002-of-00002" "is named"

# Quantised weights whose parts do not fit: the same number of bytes, other words.
lie() { # BASE FROM TO CLAIM MESSAGE
	rm -rf lying && cp -r "$1" lying
	LC_ALL=C sed -i "s/$2/$3/" lying/model.safetensors
	cmp -s "$1/model.safetensors" lying/model.safetensors && echo "# nothing changed: $2"
	status 1 "$4" quant -m lying --dequantize -o res
	says "$5" "says which"
}
lie nf4 '"shape":\[128\],"data' '"shape":[64,2],"data' "absmax of another shape, so many still" "(header|tensor)"
lie nf4 'up_proj.weight.absmax"' 'up_proj.weight.absmin"' "absmax that is not there" "up_proj.weight.absmax' is missing"
lie nf4 '"blocksize": 64' '"blocksize": 32' "a block size that absmax denies" "absmax' has .* elements"
lie nf4 '"blocksize": 64' '"blocksize": 63' "a block size that there is not" "'blocksize'"
lie nf4 '"quant_type": "nf4"' '"quant_type": "fp4"' "a type that the name denies" "'quant_type'"
lie nf4 '"shape": \[64, 128\]' '"shape": [64, 129]' "a shape that the codes deny" "has 4096 bytes, its shape"
lie nf4 '"shape": \[64, 128\]' '"shape": [-4, 128]' "a negative shape" "'shape'"
lie nf4 '"dtype": "bfloat16"' '"dtype": "complex6"' "a type of values that there is not" "'dtype'"
lie nf4 '{"quant_type"' '["quant_type"' "JSON that is none" "quant_state"
lie dq '"nested_blocksize": 256' '"nested_blocksize":  64' "a nested block size that is denied" "nested_absmax' has 1 elements"
lie dq '"nested_offset"' '"nested_offzet"' "an offset that is not there" "nested_offset"
lie int8 'down_proj.SCB"' 'down_proj.SCX"' "int8 without its scales" "down_proj.weight' is of I8 .* without"
clean "after all these nothing is left behind"

# The output.
mkdir mine && touch mine/diary
status 2 "a directory that sluice did not write stays" quant -m "$B" -t nf4 -o mine
is "$(ls mine)" diary "untouched"
cp -r "$B" own
status 2 "the model is never the output" quant -m own -t nf4 -f -o own
cmp -s own/model.safetensors "$B/model.safetensors"
ok $? "and stays whole"
quant -m "$B" -t nf4 >/dev/full 2>"$T/err"
is $? 3 "a full disk under the stream is status 3"
head -c 4000000 /dev/zero >own/tokenizer.model # more than a pipe holds
quant -m own -t nf4 | head -c 100 >/dev/null
is "${PIPESTATUS[0]}" 141 "a closed pipe is a signal, quietly"
(
	trap '' XFSZ # so that the limit is an error of the write
	ulimit -f 8
	quant -m "$B" -t nf4 -o res 2>"$T/err"
)
is $? 3 "a disk that takes no more is status 3"
says "cannot write .*model.safetensors" "names the file"
quant -m "$B" -t nf4 >whole.mp
size=$(stat -c %s whole.mp) bad=0
for n in 0 1 20 $((size / 4)) $((size / 2)) $((size - 60)) $((size - 1)); do
	head -c "$n" whole.mp | quant -m - --dequantize -o res 2>"$T/err"
	{ [ "${PIPESTATUS[1]}" = 1 ] && grep -q '^quant: ' "$T/err" && [ ! -e res ]; } || bad=$((bad + 1))
done
is $bad 0 "a stream cut anywhere is an error of data, and nothing is written"
clean "at the end nothing is left behind"
done_testing
