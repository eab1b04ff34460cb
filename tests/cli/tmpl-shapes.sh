#!/usr/bin/env bash
# Datasets as they are downloaded, against what TRL makes of their rows (tests/oracle/shapes.py).
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

if [ -z "$DATA" ]; then
	skip 'real datasets of every shape' 'SLUICE_TEST_DATA is not set'
	done_testing
fi
while IFS=$'\t' read -r dataset template options n digest; do
	[ "$options" != - ] || options=
	# shellcheck disable=SC2086 # options are words
	tmpl -q -m "$R/tests/data/tiny-bpe" --chat-template "$DATA/templates/$template" --date 2026-11-24 \
		--chat-template-kwargs '{"date_string": "24 Nov 2026"}' $options "$DATA/datasets/$dataset" 2>err |
		mpcat 2>>err | jq -c '[.prompt, .chosen, .rejected, .completion, .text, .label]' >lines
	is "$(wc -l <lines) $(sha256sum <lines | cut -d' ' -f1)" "$n $digest" "$dataset $options: $(basename "$template" .jinja)"
	[ ! -s err ] || grep -v warning: err | head -2 | sed 's/^/# /'
done <"$R/tests/golden/tmpl/shapes.tsv"
done_testing
