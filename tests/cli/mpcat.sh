#!/usr/bin/env bash
# mpcat, each option; the manners that all programs share.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

# Ten rows of tokens with a user's columns.
for i in {1..10}; do
	printf '{"prompt_ids":[%d,4294967295],"chosen_ids":[1,2],"rejected_ids":[],"ref_chosen_logps":-%d.5,"id":"row %d","more":{"a":[1,null,true,"é"]}}\n' "$i" "$i" "$i"
done >rows.jsonl
mpcat -s rows.jsonl -o a.mp
ok $? "JSON lines become a stream"
is "$(mpcat a.mp | sed 's/,"_source":"rows.jsonl:[0-9]*"}/}/' | diff - rows.jsonl)" "" "and JSON lines again, ids as numbers"
is "$(mpcat a.mp | jq -r 'select(.id == "row 7") | ._source')" "rows.jsonl:7" "which jq reads; every record says where it came from"
mpcat a.mp | jq -c . | mpcat -s | cmp - a.mp
ok $? "through jq and back the stream is the same, byte for byte"
mpcat a.mp | jq . | mpcat -s | cmp - a.mp
ok $? "also when jq prints over several lines"
is "$(mpcat --header a.mp)" '{"sluice":1,"kind":"tokens","history":[]}' "--header shows the header"
is "$(mpcat -c a.mp a.mp)" 20 "-c counts"
is "$(mpcat --skip 2 --head 3 -r id a.mp)" "$(printf 'row %d\n' 3 4 5)" "--skip and --head select, -r prints a string as it is"
is "$(mpcat --head 0 a.mp)" "" "--head 0 is nothing"
is "$(mpcat -r prompt_ids --head 1 a.mp)" "[1,4294967295]" "-r prints ids as numbers"
is "$(mpcat -r ref_chosen_logps --shard 3/4 a.mp | tr '\n' ' ')" "-3.5 -7.5 " "--shard 3/4 takes the third, the seventh"
status 1 "-r of a field that no record has is an error" mpcat -r nothing a.mp

for i in 1 2 3; do mpcat -s --shard $i/3 a.mp >shard.$i; done
mpcat --merge -s shard.1 shard.2 shard.3 | cmp - a.mp
ok $? "--merge undoes --shard"
status 1 "shards in another order are noticed" mpcat --merge shard.3 shard.2 shard.1
mpcat --head 2 -s shard.2 >short
status 1 "a shard too short is noticed" mpcat --merge -s shard.1 short shard.3
like "$(cat "$T/err")" "short: holds 2 records" "and named"
mpcat -s a.mp a.mp | mpcat --check - >/dev/null
ok $? "-s joins files into one stream"
cat a.mp a.mp | mpcat -c >count
is "$(cat count)" 20 "and so does cat"

mpcat --shuffle --seed 1 -s a.mp >s1
mpcat --shuffle --seed 1 -s a.mp | cmp - s1
ok $? "--shuffle is the same for the same seed"
is "$(mpcat -r id s1 | sort)" "$(mpcat -r id a.mp | sort)" "and loses nothing"
is "$([ "$(mpcat -r id s1)" = "$(mpcat -r id a.mp)" ]; echo $?)" 1 "and is another order"
mpcat --shuffle --seed 2 -s a.mp | cmp -s - s1
is $? 1 "which another seed changes"

mpcat -z -s a.mp >a.mp.gz
gzip -t a.mp.gz
ok $? "-z writes what gzip reads"
mpcat -s a.mp.gz | cmp - a.mp
ok $? "compressed input needs no option"
cat a.mp a.mp.gz a.mp | mpcat -c >count
is "$(cat count)" 30 "plain and compressed streams may be mixed"
mpcat -z -s a.mp | cmp - a.mp.gz
ok $? "the same input gives the same compressed bytes"

is "$(mpcat --check a.mp a.mp.gz)" "$(printf '%s: ok, 10 tokens records, 0 skipped\n' a.mp a.mp.gz)" "--check says what is right"
head -c 300 a.mp >cut.mp
status 1 "--check finds a cut stream, and looks on" mpcat --check cut.mp a.mp
like "$(cat "$T/err")" "^mpcat: cut.mp: truncated after record [0-9]+: " "which it names"
is "$(cat "$T/out")" "a.mp: ok, 10 tokens records, 0 skipped" "the next file is looked at"
{ head -c 200 a.mp; printf X; tail -c +202 a.mp; } >bent.mp
status 1 "--check finds a bent byte" mpcat --check bent.mp
size=$(stat -c %s a.mp.gz)
head -c $((size - 3)) a.mp.gz >cut.gz
status 1 "a cut gzip file is found" mpcat --check cut.gz
status 1 "an empty input is no stream" mpcat /dev/null
status 1 "nor are other bytes" mpcat /bin/sh
like "$(cat "$T/err")" "not a sluice stream" "and is called so"
mpcat cut.mp >out 2>/dev/null
is "$? $(grep -c . out)" "1 $(mpcat cut.mp 2>/dev/null | grep -c .)" "the whole records of a cut stream are shown, then status 1"
status 1 "a cut stream is not made whole" mpcat -s cut.mp -o whole.mp
is "$(compgen -G '*whole*')" "" "no file is left"

status 1 "a stream of another kind does not follow" bash -c 'echo "{\"prompt\":\"x\"}" | mpcat -s >t.mp; mpcat a.mp t.mp'
like "$(cat "$T/err")" "t.mp: holds 'text' records, but a.mp 'tokens'" "both are named"

# Bad lines of JSON.
{ head -2 rows.jsonl; echo '{"prompt_ids":[1.5]}'; echo '{"prompt_ids":'; tail -1 rows.jsonl; } >bad.jsonl
status 1 "a bad line stops it" mpcat bad.jsonl
like "$(cat "$T/err")" "^mpcat: bad.jsonl:3: field 'prompt_ids' " "with file, line and reason"
is "$(grep -c . "$T/out")" 2 "after those before it"
status 0 "--skip-bad goes on" mpcat --skip-bad -s bad.jsonl
is "$(mpcat -c "$T/out")" 3 "with the next"
is "$(mpcat --check "$T/out")" "$T/out: ok, 3 tokens records, 2 skipped" "and counts them in the trailer"

# Manners.
status 2 "an unknown option" mpcat --nope
is "$(wc -l <"$T/err")" 1 "is told in one line"
status 2 "an abbreviation is no option" mpcat --che a.mp
status 2 "two things to print" mpcat -c -s a.mp
status 2 "an input is no output" mpcat -s a.mp -o a.mp
status 3 "no such file" mpcat nothing.mp
status 3 "a directory" mpcat .
mpcat a.mp >/dev/full 2>err
is "$? $(cat err)" "3 mpcat: cannot write to standard output: No space left on device" "a full disk is status 3"
mpcat -s a.mp >/dev/full 2>/dev/null
is $? 3 "also for a stream"
mpcat a.mp >&- 2>/dev/null
is $? 3 "a closed output too"
mpcat <&- 2>/dev/null
is $? 3 "and a closed input"
for ((i = 0; i < 300; i++)); do cat rows.jsonl; done >many.jsonl
{ mpcat many.jsonl 2>err; echo $? >code; } | head -1 >/dev/null
is "$(cat code err)" 141 "a closed pipe is 141, quietly"
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	script -qec "mpcat -s $T/a.mp" /dev/null >tty.out 2>&1 </dev/null
	is $? 2 "a stream is not for a terminal"
	like "$(cat tty.out)" "terminal.*mpcat" "and the way out is named"
	is "$(script -qec "mpcat -c $T/a.mp" /dev/null </dev/null | tr -d '\r')" 10 "text is"
else
	skip "a stream is not for a terminal" "no script(1)"
fi
status 0 "--help" mpcat --help
is "$(wc -c <"$T/err")" 0 "goes to standard output"
mpcat --help >/dev/full 2>/dev/null
is $? 3 "and is checked as all output is"
status 0 "--version" mpcat --version
like "$(cat "$T/out")" "^mpcat \(sluice\) [0-9]+\.[0-9]+\.[0-9]+$" "names the program and the version"
done_testing
