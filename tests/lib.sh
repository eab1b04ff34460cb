# shellcheck shell=bash
# TAP from bash. Source it, make checks, end with `done_testing`. Each script gets a scratch directory
# $T (removed at the end), the programs on PATH ($SLUICE_BIN, default bin/), the root of the tree in $R.
R=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$R/${SLUICE_BIN:-bin}:$PATH
export LC_ALL=C TZ=UTC
T=$(mktemp -d)
# Not by a child that is ended before it has put the trap away.
trap '[ "$BASHPID" != "$$" ] || rm -rf "$T"' EXIT
DATA=${SLUICE_TEST_DATA:-}        # real data; `[ -n "$DATA" ]`, else skip
SAMPLE=$R/pipelines/sample/model # the sample model, always there
_n=0 _failed=0

ok() { # STATUS CLAIM: `cmd; ok $? "claim"`
	_n=$((_n + 1))
	if [ "$1" = 0 ]; then echo "ok $_n - $2"; else echo "not ok $_n - $2"; _failed=1; fi
}
is() { # GOT WANT CLAIM
	_n=$((_n + 1))
	if [ "$1" = "$2" ]; then echo "ok $_n - $3"; else
		echo "not ok $_n - $3"; _failed=1
		printf '%s\n' "got:    $1" "wanted: $2" | sed 's/^/# /'
	fi
}
like() { # TEXT EXTENDED-REGEX CLAIM
	_n=$((_n + 1))
	if grep -qE -- "$2" <<<"$1"; then echo "ok $_n - $3"; else
		echo "not ok $_n - $3"; _failed=1
		printf '%s\n' "got:    $1" "wanted: /$2/" | sed 's/^/# /'
	fi
}
status() { # WANT CLAIM COMMAND…: runs it; its output is in $T/out and $T/err
	local want=$1 claim=$2 got; shift 2
	"$@" >"$T/out" 2>"$T/err" </dev/null; got=$?
	_n=$((_n + 1))
	if [ $got = "$want" ]; then echo "ok $_n - $claim"; else
		echo "not ok $_n - $claim"; _failed=1
		echo "# status $got, wanted $want: $*"; head -5 "$T/err" | sed 's/^/# /'
	fi
}
skip() { # CLAIM WHY
	_n=$((_n + 1)); echo "ok $_n - $1 # SKIP $2"
}
done_testing() { echo "1..$_n"; exit $_failed; }
