#!/usr/bin/env bash
# Start-up of every program without a model, beside that of a shell that does nothing.
. "$(dirname "$0")/lib.sh"
ROUNDS=${BENCH_ROUNDS:-100}

# Mean milliseconds of one start.
start() {
	local begin end i
	begin=$(date +%s%N)
	for ((i = 0; i < ROUNDS; i++)); do "$@" >/dev/null; done
	end=$(date +%s%N)
	calc "($end - $begin) / 1e6 / $ROUNDS"
}

echo "start-up, mean of $ROUNDS, milliseconds ($(machine))"
printf '%-12s %6s\n' "sh -c :" "$(start sh -c :)"
for dir in "$R"/tools/*/; do
	name=$(basename "$dir")
	printf '%-12s %6s\n' "$name" "$(start "$name" --version)"
done
