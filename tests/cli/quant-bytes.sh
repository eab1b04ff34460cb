#!/usr/bin/env bash
# The files are transformers' own, byte for byte (tests/golden/quant/digests.tsv).
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden
cd "$T" || exit 1

while IFS=$'\t' read -r base options weights config; do
	rm -rf q
	# shellcheck disable=SC2086
	quant -q -m "$G/$base" $options -o q
	is "$(sha256sum q/model.safetensors | cut -d' ' -f1)" "$weights" "$base $options: the weights' file"
	[ "$config" = - ] || is "$(sha256sum q/config.json | cut -d' ' -f1)" "$config" "$base $options: config.json"
done <"$G/quant/digests.tsv"

# Threads, and the way by a stream, change nothing.
B=$G/quant/base
quant -m "$B" -t nf4 --double-quant -o one -j 1
quant -m "$B" -t nf4 --double-quant -o two -j 3
ok "$(cmp one/model.safetensors two/model.safetensors >&2; echo $?)" 'the number of threads changes no byte'
quant -m "$B" -t nf4 --double-quant -o - | quant -m - --dequantize -o by-stream
quant -m one --dequantize -o by-files
ok "$(cmp by-stream/model.safetensors by-files/model.safetensors >&2; echo $?)" \
	'quantised into a stream and dequantised from it: the same model as by directories'
ok "$(cmp by-stream/config.json "$B/config.json" >&2; echo $?)" 'whose config.json is the base'\''s again'

# Shards stay shards, and are the single file's weights.
quant -m "$G/model/llama3" -t nf4 --double-quant -o sharded
is "$(cd sharded && echo model*)" "$(cd "$G/model/llama3" && echo model*)" 'shards are kept'
quant -m sharded --dequantize -o - | quant -m - -t nf4 --double-quant -o again
quant -m sharded -o - --dequantize | quant -m - -t nf4 --double-quant -o - | quant -m - --dequantize -o d1
quant -m again --dequantize -o d2
ok "$(cmp d1/model.safetensors d2/model.safetensors >&2; echo $?)" 'a model passes through streams and directories alike'

# What is exact and what the CPU library does differ in a code here and there, not in the 4 bits.
quant -m "$B" -t nf4 --double-quant --codes table -o table
is "$(stat -c %s table/model.safetensors)" "$(stat -c %s one/model.safetensors)" 'both rules give files of one size'
status 1 'and they are not the same' cmp -s table/model.safetensors one/model.safetensors

quant -m "$B" -t nf4 -o q --force --report >report
is "$(head -1 report)" $'relative\tworst\tblock\ttensor' 'the report has a head'
is "$(grep -c proj report)" 14 'and a line a weight'
ok "$(awk 'NR > 1 && $1 > 0.05 && $1 < 0.2 { n++ } END { print n != 15 }' report)" 'whose errors are those of NF4'
quant -m q --dequantize --dtype float32 -o - | mpcat --header >header
like "$(cat header)" '"program": ?"quant"' 'the stream says that quant made it'
done_testing
