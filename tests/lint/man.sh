#!/usr/bin/env bash
# Every program has a manual page and completions, and they tell of the options that the program has: no
# others, none missing. The truth is the program's own table (--list-options).
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

# "-l --long ARG" a line, of a page's OPTIONS.
page_options() {
	sed -n '/^\.Sh OPTIONS/,/^\.Sh ENVIRONMENT/p' "$1" | sed -nE 's/^\.It (Fl ([A-Za-z]) , )?Fl \\-([a-z0-9-]+)( Ar (.*))?$/-\2 --\3 \5/p' |
		sed 's/^- /  /' | sort
}

for dir in tools/*/; do
	t=$(basename "$dir") page=docs/man/$(basename "$dir").1
	"$t" --list-options | awk -F'\t' '{ printf "%s %s %s\n", $2 ? $2 : " ", $1, $3 }' | sort -u >"$T/table"
	page_options "$page" >"$T/page"
	is "$(diff "$T/table" "$T/page" | grep '^[<>]')" "" "$t: the manual page has the program's options (< table, > page)"
	is "$(grep -E '^\.Sh' "$page" | tr '\n' ' ' | grep -vE 'NAME .*SYNOPSIS .*DESCRIPTION .*OPTIONS .*ENVIRONMENT .*EXIT STATUS .*EXAMPLES .*SEE ALSO')" \
		"" "$t: the page has its sections in order"
	docs/completion/bash.sh "$R/${SLUICE_BIN:-bin}/$t" >"$T/bash"
	# shellcheck disable=SC1091,SC2016
	is "$(bash -c '. "$0"; COMP_WORDS=(x -); COMP_CWORD=1; "_sluice_${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' "$T/bash" "$t" | grep '^--' | sort -u)" \
		"$("$t" --list-options | cut -f1 | sort -u)" "$t: bash completes the options"
	is "$(docs/completion/zsh.sh "$R/${SLUICE_BIN:-bin}/$t" | grep -oE "^	'\*--[a-z0-9-]+" | cut -c4- | sort -u)" \
		"$("$t" --list-options | cut -f1 | sort -u)" "$t: zsh completes the options"
	"$t" --help >"$T/help"
	is "$("$t" --list-options | cut -f1 | while read -r o; do grep -qE -- "(^|[ ,])$o( |$)" "$T/help" || echo "$o"; done)" "" \
		"$t: --help has the options"
done

fields=$(sed -n '/field_table\[\]/,/^};/p' common/field.c | sed -nE 's/^\t\{"([a-z_]+)", FT_.*/\1/p')
is "$(for f in $fields; do grep -qE "^\.It Li $f Ta" docs/man/sluice-stream.5 || echo "$f"; done)" "" "sluice-stream(5) lists the fields of common/field.c"

if command -v mandoc >/dev/null; then
	is "$(mandoc -Tlint -Wwarning docs/man/*.[1-9] 2>&1)" "" "mandoc finds nothing in the pages"
else
	skip "mandoc finds nothing in the pages" "no mandoc"
fi
done_testing
