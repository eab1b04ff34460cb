#!/usr/bin/env bash
# Another language's msgpack package writes and reads streams, by docs/stream.md alone.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
if ! perl -MData::MessagePack -MCompress::Zlib -e 1 2>/dev/null; then
	skip "Perl writes and reads streams" "no Data::MessagePack (libdata-messagepack-perl)"
	done_testing
fi

# write.pl HEADER-PAIRS RECORDS: both in JSON; values "u32:1,2" and "u8:…" become bin.
cat >write.pl <<'P'
use strict; use warnings; use Data::MessagePack; use Compress::Zlib; use JSON::PP;
my $mp = Data::MessagePack->new->utf8;
sub value {
	my $v = shift; my $text = $v; # looking at a number as text would make it one
	return $v ? "\xc3" : "\xc2" if JSON::PP::is_bool($v);
	return $mp->pack($v) if ref $v || $text !~ /^(u32|u8):(.*)/;
	my $b = pack($1 eq "u32" ? "V*" : "C*", split /,/, $2);
	return "\xc6" . pack("N", length $b) . $b;
}
sub map_of { my @p = @_; my $s = "\xde" . pack("n", @p / 2); while (@p) { $s .= $mp->pack(shift @p) . value(shift @p) } $s }
my ($head, @records) = map { JSON::PP->new->utf8->decode($_) } @ARGV;
my $bytes = map_of("sluice", 1, @$head);
$bytes .= map_of(@$_) for @records;
print $bytes, map_of(sluice => "end", records => scalar @records, skipped => 0, crc32 => crc32($bytes));
P
cat >read.pl <<'P'
use strict; use warnings; use Data::MessagePack; use Compress::Zlib;
local $/; my $bytes = <STDIN>; my $mp = Data::MessagePack::Unpacker->new->utf8;
my ($at, @maps, @ends) = (0);
while ($at < length $bytes) {
	$at = $mp->execute($bytes, $at); $mp->is_finished or die "cut\n";
	push @maps, $mp->data; push @ends, $at; $mp->reset;
}
my ($head, $tail) = ($maps[0], pop @maps);
print "version $head->{sluice} kind $head->{kind}\n";
for (@maps[1 .. $#maps]) { print join(" ", unpack("V*", $_->{prompt_ids}), $_->{id}, $_->{label} ? "true" : "false"), "\n" }
print "end $tail->{sluice} $tail->{records} $tail->{skipped} ", $tail->{crc32} == crc32(substr($bytes, 0, $ends[-2])) ? "right" : "wrong", "\n";
P

perl write.pl '["kind","tokens","tokenizer","aa","later","unknown"]' \
	'["prompt_ids","u32:1,70000","completion_ids","u32:2","label",true,"id","x"]' '["input_ids","u32:5,6","completion_mask","u8:0,1"]' >a.mp
is "$(mpcat a.mp 2>&1)" '{"prompt_ids":[1,70000],"completion_ids":[2],"label":true,"id":"x"}
{"input_ids":[5,6],"completion_mask":[0,1]}' "what Perl wrote is read"
is "$(mpcat --header a.mp)" '{"sluice":1,"kind":"tokens","tokenizer":"aa","history":[]}' "with its header; unknown keys are passed over"
mpcat --check a.mp >/dev/null
ok $? "count and checksum are right"

printf '%s\n' '{"prompt_ids":[7,4294967295],"id":"é","label":true}' '{"prompt_ids":[],"id":3,"label":false}' | mpcat -s >b.mp
is "$(perl -CO read.pl <b.mp)" "version 1 kind tokens
7 4294967295 é true
3 false
end end 2 0 right" "what sluice wrote Perl reads, and the checksum is right"

perl write.pl '["kind","tokens","tokenizer","bb"]' '["prompt_ids","u32:1"]' >c.mp
status 1 "a stream of another tokenizer does not follow" mpcat a.mp c.mp
like "$(cat err)" "c.mp: made with tokenizer 'bb', but a.mp with 'aa'; '--ignore-mismatch'" "both are named, and the way out"
is "$(mpcat --ignore-mismatch -c a.mp c.mp)" 3 "which works"
status 1 "nor in the same file" bash -c 'cat a.mp c.mp | mpcat'
perl write.pl '["kind","tokens"]' '["prompt_ids","u32:1"]' >d.mp
status 1 "nor one that does not say" mpcat a.mp d.mp

cut=0
size=$(stat -c %s a.mp)
for ((n = 0; n < size; n += 3)); do
	head -c $n a.mp | mpcat >/dev/null 2>&1
	[ $? = 1 ] || cut=$((cut + 1))
done
is $cut 0 "a stream cut anywhere ends with status 1"
# shellcheck disable=SC2016
bash -o pipefail -c 'head -c 60 a.mp | mpcat -s | mpcat -s -o never.mp' 2>err
is "$? $(grep -c truncated err) $([ -e never.mp ]; echo $?)" "1 2 1" "each stage behind a cut says so, and nothing is committed"

# The example of docs/stream.md is a program.
awk '/^```perl/ { on = 1; next } /^```/ { on = 0 } on' "$R/docs/stream.md" >example.pl
is "$(perl example.pl | mpcat)" '{"text":"one"}
{"text":"two"}' "the writer in docs/stream.md works"
done_testing
