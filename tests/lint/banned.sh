#!/usr/bin/env bash
# Calls that have one owner, or none at all (docs/style.md).
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

# Source without comments and string contents, as file:line:text.
code() {
	find "$@" -name '*.[ch]' | while read -r f; do
		gcc -fpreprocessed -dD -E -P -w "$f" 2>/dev/null | sed -E 's/"([^"\\]|\\.)*"/""/g' | sed "s|^|$f: |"
	done
}
code common kernels tools >"$T/code"

calls() { # REGEX [FILES THAT MAY]
	grep -E "(^|[^A-Za-z0-9_>.])($1) *\(" "$T/code" | grep -vE "^(${2:-nobody}): "
}
is "$(calls 'strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof')" "" "no call without a bound or an error"
is "$(calls 'malloc|calloc|realloc|strdup|strndup|free' 'common/mem\.[ch]|kernels/.*')" "" "only mem.c allocates"
is "$(grep -wE 'stderr|perror' "$T/code" | grep -vE '^common/(die|progress)\.c: ')" "" \
	"only die.c and progress.c write to standard error"
is "$(calls 'exit|_exit|abort' 'common/(die|mapped|mem|opts_help|sig)\.c|tools/[^:]*')" "" "below main nobody exits"
is "$(calls 'setlocale|newlocale|uselocale')" "" "no locale: numbers read and print the same everywhere"
is "$(calls 'rand|srand|random|drand48')" "" "random numbers come from a seed, not from libc"
is "$(calls 'rename|fsync' 'common/(io|outdir|output)\.c|tools/train-step/place\.c')" "" "outputs appear through io.h, checkpoints through place.h"
done_testing
