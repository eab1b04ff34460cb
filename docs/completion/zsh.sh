#!/usr/bin/env bash
# zsh completion of one program, from its own option table: docs/completion/zsh.sh bin/tok >site-functions/_tok
set -euo pipefail
program=$1
name=${program##*/}

# What _arguments takes for special, inside its single quotes.
plain() { sed -E "s/[]:[\\\\]/\\\\&/g; s/'/'\\\\''/g" <<<"$1"; }

echo "#compdef $name"
echo "_arguments -s \\"
while IFS=$'\037' read -r long letter arg help; do
	action=
	case $arg in
	'') ;;
	DIR*) action=:$(plain "$arg"):_files' -/' ;;
	FILE* | PATH*) action=:$(plain "$arg"):_files ;;
	*\|*) action=":value:($({ grep -oE '[a-z0-9_.-]+' <<<"${arg%%[*}" || :; } | tr '\n' ' '))" ;;
	*) action=:$(plain "$arg"): ;;
	esac
	text=[$(plain "$help")]$action
	[ -z "$letter" ] || echo "	'*$letter$text' \\"
	echo "	'*$long${arg:+=}$text' \\"
done < <("$program" --list-options | tr '\t' '\037') # a tab would swallow empty columns
echo "	'*:file:_files'"
