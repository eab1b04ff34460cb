#!/usr/bin/env bash
# Includes point down only: tools -> common -> kernels.
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

is "$(grep -rnE '#include "(tools|common|tests)/' kernels)" "" 'kernels/ includes only kernels/'
is "$(grep -rnE '#include "(tools|tests)/' common)" "" 'common/ includes no tool'
is "$(for d in tools/*/; do grep -rnE '#include "(tools|tests)/' "$d" | grep -v "\"$d"; done)" "" \
	"no tool includes another's files"
is "$(grep -rnE '#include "' tools common kernels tests --include='*.[ch]' | grep -vE '#include "(tools|common|kernels|tests)/')" \
	"" "project headers are included by their path from the root"
done_testing
