#!/usr/bin/env bash
# Preference rows to ids, dataset by dataset, against what TRL's trainers make of them (tests/oracle/tok_rows.py).
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

if [ -z "$DATA" ]; then
	skip 'preference rows of every shape as ids' 'SLUICE_TEST_DATA is not set'
	done_testing
fi
# against FILE [OPTION...]: tok with the options
against() {
	local golden=$1 dataset tokenizer options n digest m
	shift
	while IFS=$'\t' read -r dataset tokenizer options n digest; do
		[ "$options" != - ] || options=
		m=$DATA/tokenizers/$tokenizer
		# shellcheck disable=SC2086 # options are words
		tmpl -q -m "$m" --date 2026-11-24 --chat-template-kwargs '{"date_string": "24 Nov 2026"}' $options "$DATA/datasets/$dataset" 2>err |
			tok -q -m "$m" --compat transformers --max-length 0 --skip-bad "$@" 2>>err |
			mpcat 2>>err | jq -c '[.prompt_ids, .chosen_ids, .rejected_ids]' >lines
		is "$(wc -l <lines) $(sha256sum <lines | cut -d' ' -f1)" "$n $digest" "$* $dataset $options: $tokenizer"
		[ ! -s err ] || grep -v 'warning:\|is empty' err | head -2 | sed 's/^/# /'
	done <"$R/tests/golden/tok/$golden"
}
against rows.tsv
against classic.tsv --classic
against classic_cut.tsv --classic --max-prompt-length 128 --max-completion-length 64
done_testing
