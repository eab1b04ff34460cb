#!/usr/bin/env bash
# bash completion of one program, from its own option table: docs/completion/bash.sh bin/tok >completions/tok
set -euo pipefail
program=$1
name=${program##*/}
fn=_sluice_${name//-/_}

echo "# bash completion for $name, made from its option table"
echo "$fn() {"
echo $'\tlocal cur prev'
echo $'\tcur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}'
echo $'\tcase $prev in'
words=
while IFS=$'\037' read -r long letter arg _; do
	words+="$long "
	[ -z "$letter" ] || words+="$letter "
	[ -n "$arg" ] || continue
	names=$long${letter:+|$letter}
	case $arg in
	DIR*) echo $'\t'"$names) mapfile -t COMPREPLY < <(compgen -d -- \"\$cur\"); return ;;" ;;
	FILE* | PATH*) echo $'\t'"$names) mapfile -t COMPREPLY < <(compgen -f -- \"\$cur\"); return ;;" ;;
	*\|*)
		values=$({ grep -oE '[a-z0-9_.-]+' <<<"${arg%%[*}" || :; } | tr '\n' ' ')
		echo $'\t'"$names) mapfile -t COMPREPLY < <(compgen -W '$values' -- \"\$cur\"); return ;;"
		;;
	*) echo $'\t'"$names) COMPREPLY=(); return ;;" ;;
	esac
done < <("$program" --list-options | tr '\t' '\037') # a tab would swallow empty columns
echo $'\tesac'
echo $'\tif [[ $cur = -* ]]; then'
echo $'\t\t'"mapfile -t COMPREPLY < <(compgen -W '${words% }' -- \"\$cur\")"
echo $'\telse'
echo $'\t\tmapfile -t COMPREPLY < <(compgen -f -- "$cur")'
echo $'\tfi'
echo "}"
echo "complete -o filenames -F $fn $name"
