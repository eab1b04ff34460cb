#!/usr/bin/env bash
# Scripts: executable, bash by name, clean under shellcheck.
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

scripts=$(git ls-files '*.sh' .ci/run 2>/dev/null | grep -vE '(^|/)lib\.sh$')
[ -n "$scripts" ] || scripts=$(find tests pipelines docs .ci -name '*.sh' ! -name lib.sh; echo .ci/run)
bad=
for s in $scripts; do
	[ -x "$s" ] || bad+="$s: not executable"$'\n'
	[ "$(head -1 "$s")" = '#!/usr/bin/env bash' ] || bad+="$s: $(head -1 "$s")"$'\n'
done
is "$bad" "" "every script is executable and names bash"

if command -v shellcheck >/dev/null; then
	# 1091: sourced files are checked by themselves; 2154: their variables; 2034: what tests set for them.
	# shellcheck disable=SC2086
	is "$(shellcheck -S warning -e 1091,2154,2034 -f gcc $scripts tests/lib.sh tests/bench/lib.sh pipelines/lib.sh)" "" "shellcheck finds nothing"
else
	skip "shellcheck finds nothing" "no shellcheck"
fi
done_testing
