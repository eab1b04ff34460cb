#!/usr/bin/env perl
# Byte-level BPE from scratch: text on standard input, tokenizer.json on standard output.
#
#   bpe.pl VOCABULARY SPECIAL… <text >tokenizer.json
#
# The specials come first, then the 256 bytes, then merges until the vocabulary is full or no pair is left
# that occurs twice. Words are split as GPT-2 splits them; ties go to the pair that sorts first. The first
# special is put before every text (the post-processor), as BOS.
use strict;
use warnings;
use utf8;
use JSON::PP ();

my ($size, @special) = @ARGV;
die "usage: bpe.pl VOCABULARY SPECIAL… <text >tokenizer.json\n" unless @special;

# GPT-2's printable stand-in for every byte: itself where it is printable Latin-1, else from U+0100 on.
my @char;
my $spare = 256;
for my $b (0 .. 255) {
	my $printable = $b >= 33 && $b <= 126 || $b >= 161 && $b <= 172 || $b >= 174;
	$char[$b] = chr($printable ? $b : $spare++);
}

binmode STDIN, ':encoding(UTF-8)';
my %words;
while (<STDIN>) {
	for my $w (/'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/g) {
		utf8::encode($w);
		$words{$w}++;
	}
}
my @word = map { { n => $words{$_}, piece => [map { $char[ord] } split //] } } sort keys %words;

my @vocab = (@special, sort @char);
my @merges;
while (@vocab < $size) {
	my %pairs;
	for my $w (@word) {
		my $p = $w->{piece};
		$pairs{"$p->[$_ - 1] $p->[$_]"} += $w->{n} for 1 .. $#$p;
	}
	my ($best) = sort { $pairs{$b} <=> $pairs{$a} || $a cmp $b } keys %pairs;
	last unless defined $best && $pairs{$best} > 1;
	my ($left, $right) = split / /, $best;
	push @merges, [$left, $right];
	push @vocab, $left . $right;
	for my $w (@word) {
		my $p = $w->{piece};
		for (my $i = 1; $i < @$p; $i++) {
			splice @$p, $i - 1, 2, $left . $right if $p->[$i - 1] eq $left && $p->[$i] eq $right;
		}
	}
}

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my $q = sub { $json->encode($_[0]) };
my $b = $q->($special[0]);
print qq({\n  "version": "1.0",\n  "truncation": null,\n  "padding": null,\n  "added_tokens": [\n);
print join(",\n", map {
	qq(    {"id": $_, "content": ) . $q->($special[$_])
		. qq(, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
} 0 .. $#special);
print qq(\n  ],\n  "normalizer": null,\n);
print qq(  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},\n);
print qq(  "post_processor": {"type": "TemplateProcessing",\n);
print qq(    "single": [{"SpecialToken": {"id": $b, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],\n);
print qq(    "pair": [{"SpecialToken": {"id": $b, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},\n);
print qq(      {"SpecialToken": {"id": $b, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],\n);
print qq(    "special_tokens": {$b: {"id": $b, "ids": [0], "tokens": [$b]}}},\n);
print qq(  "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},\n);
print qq(  "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,\n);
print qq(    "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,\n);
print qq(    "vocab": {\n), join(",\n", map { "      " . $q->($vocab[$_]) . ": $_" } 0 .. $#vocab), qq(\n    },\n);
print qq(    "merges": [\n), join(",\n", map { "      [" . $q->($_->[0]) . ", " . $q->($_->[1]) . "]" } @merges);
print qq(\n    ]\n  }\n}\n);
