#!/usr/bin/env bash
# make install puts programs, pages, completions and pipelines where they are looked for; uninstall takes them away.
. "$(dirname "$0")/../lib.sh"
cd "$R" || exit 1

to=(DESTDIR="$T/root" PREFIX=/usr)
status 0 "make install" make -s install "${to[@]}"
for dir in tools/*/; do
	t=$(basename "$dir")
	[ -x "$T/root/usr/bin/$t" ] && [ -s "$T/root/usr/share/man/man1/$t.1" ] &&
		[ -s "$T/root/usr/share/bash-completion/completions/$t" ] && [ -s "$T/root/usr/share/zsh/site-functions/_$t" ]
	ok $? "$t is there with its page and completions"
	status 0 "the installed $t runs" "$T/root/usr/bin/$t" --version
done
ok "$([ -s "$T/root/usr/share/man/man5/sluice-stream.5" ] && [ -x "$T/root/usr/share/sluice/pipelines/dpo.sh" ]; echo $?)" \
	"the stream's page and the pipelines are there"
status 0 "make uninstall" make -s uninstall "${to[@]}"
is "$(find "$T/root" -type f)" "" "nothing is left"
done_testing
