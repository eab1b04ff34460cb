#!/usr/bin/env bash
# The manual pages' examples are true. A line that begins with `$ ` in EXAMPLES is run, page by page, in a
# folder that holds model/ (the sample), prefs.jsonl, heldout.jsonl and data/ of Parquet files; what one example writes the
# next finds.
. "$(dirname "$0")/../lib.sh"

for page in "$R"/docs/man/*.[1-9]; do
	name=$(basename "$page")
	mkdir "$T/$name"
	cd "$T/$name" || exit 1
	cp -r "$SAMPLE" model
	head -n 40 "$R/pipelines/sample/prefs.jsonl" >prefs.jsonl
	cp "$R/pipelines/sample/heldout.jsonl" .
	mkdir data
	cp "$R/tests/golden/parquet/prefs.parquet" data/train-00000-of-00001.parquet
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" | sed -n 's/^\$ //p' | sed 's/\\e/\\/g' >"$T/examples"
	while IFS= read -r command; do
		# A reader that has enough ends its writer with 141: that is success.
		status 0 "$name: $command" bash -o pipefail -c "$command"'; s=$?; [ $s = 141 ] || exit $s'
	done <"$T/examples"
done
done_testing
