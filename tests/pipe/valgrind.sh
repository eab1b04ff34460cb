#!/usr/bin/env bash
# The small pipeline under valgrind: no invalid access, no use of what was never set, nothing lost.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
if ! command -v valgrind >/dev/null; then
	skip "the pipeline is clean under valgrind" "no valgrind"
	done_testing
fi
if nm "$(command -v mpcat)" 2>/dev/null | grep -q __asan_init; then
	skip "the pipeline is clean under valgrind" "built with a sanitizer"
	done_testing
fi

M=$SAMPLE
PLAIN=(--kernels plain --precision f32 -j 2) # valgrind does not know all instructions of the faster ones
clean() { # CLAIM COMMAND…: output in out
	local claim=$1
	shift
	status 0 "$claim" valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect "$@"
}
head -n 4 "$R/pipelines/sample/prefs.jsonl" >rows.jsonl
clean "tmpl" tmpl -q -m "$M" --as-messages -o text.mp rows.jsonl
clean "tok" tok -q -m "$M" -o tokens.mp text.mp
clean "refscore" refscore -q -m "$M" "${PLAIN[@]}" -z -o ref.mp.gz tokens.mp
clean "train-step" train-step -q -m "$M" "${PLAIN[@]}" --loss dpo --max-steps 1 -o adapter ref.mp.gz
cp out train.mp
clean "merge-lora" merge-lora -q -m "$M" -o merged train.mp
clean "gen" gen -q -m merged "${PLAIN[@]}" --max-new-tokens 4 text.mp
clean "mpcat" mpcat --check train.mp
done_testing
