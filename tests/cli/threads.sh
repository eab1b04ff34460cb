#!/usr/bin/env bash
# -j is what it says, within reason: a slip of the finger must not stall the machine.
. "$(dirname "$0")/../lib.sh"

for t in "$R"/tools/*/; do
	t=$(basename "$t")
	"$t" --list-options | grep -q '^--threads' || continue
	status 2 "$t refuses -j 99999" "$t" -m "$SAMPLE" -j 99999
	like "$(cat "$T/err")" "^$t: 99999 threads are more than any machine has" "and says why"
	SLUICE_THREADS=99999 status 2 "from the environment too" "$t" -m "$SAMPLE"
done
done_testing
