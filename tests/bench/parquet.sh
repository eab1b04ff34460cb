#!/usr/bin/env bash
# tmpl over a Parquet file, every row parsed, rendered and written, beside pyarrow that reads the rows and writes
# them as JSON, in turn; CPU seconds of one thread each. bench_parquet has the reading alone.
#   BENCH_PARQUET=FILE   rows that tmpl knows (with BENCH_TMPL=OPTIONS, or the built-in chatml)
#   BENCH_PYTHON=PYTHON  one that has pyarrow (optional)
#   BENCH_ROUNDS=3
. "$(dirname "$0")/lib.sh"
need BENCH_PARQUET "a Parquet file"

peer='
import json, sys, pyarrow.parquet as pq
for batch in pq.ParquetFile(sys.argv[1]).iter_batches(batch_size=1000, use_threads=False):
    for row in batch.to_pylist():
        sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
'
ours=() theirs=()
for ((i = 0; i < ${BENCH_ROUNDS:-3}; i++)); do
	# shellcheck disable=SC2086
	measure tmpl -q -j 1 ${BENCH_TMPL:---chat-template chatml} "$BENCH_PARQUET" >"$T/out.mp"
	ours+=("$cpu") our_rss=$rss
	if [ -n "${BENCH_PYTHON:-}" ]; then
		measure "$BENCH_PYTHON" -c "$peer" "$BENCH_PARQUET" >"$T/rows.jsonl"
		theirs+=("$cpu") their_rss=$rss
	fi
done

rows=$(mpcat --count "$T/out.mp") mb=$(calc "$(stat -c %s "$T/out.mp") / 1e6") our=$(median "${ours[@]}")
echo "$(du -Lsh "$BENCH_PARQUET" | cut -f1) of Parquet, $rows rows, median of ${#ours[@]} ($(machine))"
echo "tmpl: $our s of CPU, $(calc "$rows / $our") rows/s, $(calc "$mb / $our") MB/s of its output, $our_rss MB"
if [ ${#theirs[@]} -gt 0 ]; then
	their=$(median "${theirs[@]}")
	echo "pyarrow to JSON lines: $their s, $(calc "$rows / $their") rows/s, $their_rss MB: $(calc "$their / $our") times as long"
fi
