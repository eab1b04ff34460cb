#!/usr/bin/env bash
# A header says all that it needs, and a file's own header comes first in it.
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

bad=
find common kernels tools tests -name '*.h' | sort >"$T/list"
while read -r h; do
	[[ $h = kernels/x86/* ]] && continue # compiled for its instruction set only
	${SLUICE_CC:-cc -std=c11 -D_GNU_SOURCE -I.} -w -fsyntax-only -x c "$h" >"$T/err" 2>&1 || bad+="$h: $(head -1 "$T/err")"$'\n'
done <"$T/list"
is "$bad" "" "each header compiles alone"

bad=
find common kernels tools -name '*.c' | sort >"$T/list"
while read -r c; do
	own=${c%.c}.h
	[ -e "$own" ] || continue
	first=$(grep -m1 '^#include' "$c")
	[[ $first = "#include \"$own\"" || $first = *_int.h\" ]] || bad+="$c: $first"$'\n'
done <"$T/list"
is "$bad" "" "a file includes first its own header, or that of its module's inside"
done_testing
