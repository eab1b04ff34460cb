#!/usr/bin/env bash
# tmpl on Parquet: the rows that JSON lines would give, wherever the bytes come from, and faults by file and row.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
G=$R/tests/golden/parquet
cp "$G"/{prefs,prefs-bad}.parquet "$G/prefs.jsonl" .

rows() { tmpl -q --chat-template chatml "$@" | mpcat | jq -c 'del(._source)'; }
rows prefs.jsonl >want
is "$(wc -l <want)" 5 'five rows as JSON lines'
rows prefs.parquet | cmp - want; ok $? 'the same from Parquet'
is "$(tmpl -q --chat-template chatml prefs.parquet | mpcat | jq -r ._source | paste -sd,)" \
	"$(printf 'prefs.parquet:%s\n' 1 2 3 4 5 | paste -sd,)" '_source counts rows over row groups'
is "$(rows prefs.parquet | jq -c '[.score, .day]' | head -1)" '[8.5,"2024-01-01"]' 'columns that nobody asked for pass'
rows <prefs.parquet | cmp - want; ok $? 'the same from standard input'
rows - <<<"$(cat prefs.jsonl)" | cmp - want; ok $? '(as JSON there)'
rows <(cat prefs.parquet) | cmp - want; ok $? 'the same from a pipe with a name'
gzip <prefs.parquet >prefs.gz
rows prefs.gz | cmp - want; ok $? 'the same from a gzipped file'
rows prefs.parquet prefs.jsonl prefs.gz prefs.parquet | cmp - <(cat want want want want); ok $? 'operands of all kinds, mixed'
cmp <(tmpl -q --chat-template chatml -j 1 prefs.parquet) <(tmpl -q --chat-template chatml -j 3 prefs.parquet); ok $? 'the same bytes with any number of threads'
rows --shard 2/2 prefs.parquet | cmp - <(sed -n '2p;4p' want); ok $? '--shard takes every second row'
like "$(tmpl --chat-template chatml --explain prefs.parquet)" 'prefs.parquet:1: preference' '--explain shows them'

status 1 'a value that is not UTF-8' tmpl --chat-template chatml prefs-bad.parquet -o x.mp
like "$(cat err)" "^tmpl: prefs-bad.parquet:3: column 'note': a value is not UTF-8 text" 'is named with row and column'
is "$(tmpl -q --chat-template chatml --rejects bad.mp prefs-bad.parquet 2>err | mpcat | jq -r .note | paste -sd,)" a,b,d,null '--rejects goes on'
like "$(mpcat bad.mp | jq -r '._source + " " + ._reason')" "^prefs-bad.parquet:3 .*column 'note': a value is not UTF-8 text" 'and keeps where it was and why'
size=$(stat -c %s prefs.parquet)
head -c $((size - 1)) prefs.parquet >cut.parquet
status 1 'a file that is cut' tmpl --chat-template chatml cut.parquet -o x.mp
like "$(cat err)" '^tmpl: cut.parquet: .*truncated' 'is said to be truncated'
printf 'PAR1....' >x.parquet
status 1 'a file of eight bytes' tmpl x.parquet -o x.mp
status 1 'an unknown compression' tmpl "$G/brotli.parquet" -o x.mp
like "$(cat err)" "brotli.parquet:1: column 'text': compression BROTLI is not read" 'is named'
cp prefs.parquet other.parquet
printf '\377\377' | dd of=other.parquet bs=1 seek=5 conv=notrunc status=none
tmpl -q --chat-template chatml other.parquet >x.mp 2>err; is $? 1 'a damaged page'
like "$(cat err)" "^tmpl: other.parquet:1: column " 'is named with row and column'
mpcat x.mp >/dev/null 2>err; is $? 1 'and the next stage sees that something is missing'
TMPDIR=$T/none tmpl -q <prefs.parquet >x.mp 2>err; is $? 3 'nowhere to keep what comes from a pipe'
like "$(cat err)" 'TMPDIR' 'naming the variable'
done_testing
