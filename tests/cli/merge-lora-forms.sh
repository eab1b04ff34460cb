#!/usr/bin/env bash
# Every form of adapter, into floats and into codes: the files are PEFT's and transformers' own, byte for byte
# (tests/golden/merge/forms/digests.tsv).
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden
F=$G/merge/forms
cd "$T" || exit 1

prepare() { # BASE DTYPE QUANT: makes b
	rm -rf b floats
	# An adapter times nothing only converts.
	local any=$F/lora
	[ "$1" = quant/base ] || any=$G/$1/adapter
	merge-lora -q -m "$G/$1" --dtype "$2" -o floats -a "$any:0"
	# shellcheck disable=SC2086
	if [ "$3" = - ]; then mv floats b; else quant -q -m floats $3 -o b; fi
}

last=
while IFS=$'\t' read -r base dtype quant adapter options sha; do
	[ "$base $dtype $quant" = "$last" ] || prepare "$base" "$dtype" "$quant"
	last="$base $dtype $quant"
	[ "$options" = - ] && options=
	# shellcheck disable=SC2086
	merge-lora -q -m b $options -f -o out "$F/$adapter" >"$T/table"
	is "$(sha256sum out/model.safetensors | cut -d' ' -f1)" "$sha" "$base in $dtype ${quant#-} + $adapter $options"
done <"$F/digests.tsv"
done_testing
