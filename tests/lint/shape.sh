#!/usr/bin/env bash
# The shape of files: their length, and the layout that clang-format decides.
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

files=$(find common kernels tools tests pipelines docs -name '*.[ch]' -o -name '*.sh' -o -name '*.pl' | sort)
# shellcheck disable=SC2086
is "$(wc -l $files | awk '$1 > 700 && $2 != "total" { print $2 ": " $1 }')" "" "no file is over 700 lines: more is two subjects"

if command -v clang-format >/dev/null; then
	# shellcheck disable=SC2046
	is "$(clang-format --dry-run $(grep '\.[ch]$' <<<"$files") 2>&1 | grep -E 'warning|error' | cut -d: -f1 | sort | uniq -c)" \
		"" "clang-format would change nothing"
else
	skip "clang-format would change nothing" "no clang-format"
fi
done_testing
