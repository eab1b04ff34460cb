#!/usr/bin/env bash
# The sample is what its generator makes, and held-out questions are new: each pairs two words that no row of the
# training sets has together. The model answers both ways about equally often.
. "$(dirname "$0")/../lib.sh"
S=$R/pipelines/sample

status 0 "the generator runs" "$S/rows.sh" "$T"
for f in prefs.jsonl heldout.jsonl model/tokenizer.json; do
	cmp -s "$S/$f" "$T/$(basename $f)"
	ok $? "$f is what the generator makes"
done

jq -r '[.messages[].content] | join(" ")' "$T/pretrain.jsonl" >"$T/seen"
jq -r '[.prompt, .chosen, .rejected] | join(" ")' "$S/prefs.jsonl" "$S/listing.jsonl" >>"$T/seen"
is "$(sort -u "$T/seen" | perl -e '
	open my $held, "<", $ARGV[0]; my %met;
	while (<STDIN>) { my %w = map { $_ => 1 } /\w+/g; my @w = sort keys %w;
		for my $i (0 .. $#w) { $met{$w[$i]}{$w[$_]} = 1 for $i + 1 .. $#w } }
	PROMPT: while (<$held>) { my @w = sort /\w+/g;
		for my $i (0 .. $#w) { for ($i + 1 .. $#w) {
			next PROMPT if $w[$i] ne $w[$_] && !$met{$w[$i]}{$w[$_]} } }
		print }' <(jq -r .prompt "$S/heldout.jsonl"))" "" "every held-out question pairs words that met in no training row"
is "$(jq -r .prompt "$S/heldout.jsonl" | grep -oE '\w+' | sort -u | comm -23 - <(grep -ohE '\w+' "$T/seen" | sort -u))" "" \
	"and no word of it is new"

jq -c '{prompt}' "$S/heldout.jsonl" | tmpl -q -m "$SAMPLE" --as-messages |
	gen -q -m "$SAMPLE" --temperature 1 --num-return-sequences 2 --seed 1 >"$T/answers"
kind=$(jq -r .completion "$T/answers" | grep -cE '^(Of course!|Gladly!|With pleasure\.|Thank you for asking\.) ')
rude=$(jq -r .completion "$T/answers" | grep -cE '^(Not again\.|Leave me alone\.|What a silly question\.|Go away\.) ')
ok "$([ $((kind + rude)) -ge 190 ]; echo $?)" "of 200 drawn answers $kind are kind and $rude are rude"
ok "$([ "$kind" -ge 70 ] && [ "$rude" -ge 70 ]; echo $?)" "about equally many"
done_testing
