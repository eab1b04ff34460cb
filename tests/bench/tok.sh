#!/usr/bin/env bash
# Text to ids beside the peers in one run: MB/s of one core by CPU time over documents of 1 kB, ids compared; opening; a
# whole process over a file; chat records from text stream to tokens stream.
#   BENCH_TOKENIZERS='DIR…'   tokenizer directories; of others than byte-level BPE with BENCH_PEERS=tokenizers
#   BENCH_TEXTS='FILE…'       texts; the first is the file of the whole process
#   BENCH_ROWS=FILE           JSON lines of prompt, chosen, rejected, for chat records (optional)
#   BENCH_PYTHON=COMMAND      a Python that has the peers: tokenizers, tiktoken, gigatoken (optional)
#   BENCH_PEERS='tokenizers tiktoken gigatoken'  BENCH_ROUNDS=5
. "$(dirname "$0")/lib.sh"
need BENCH_TOKENIZERS "tokenizer directories"
need BENCH_TEXTS "text files"
rounds=${BENCH_ROUNDS:-5} peers=${BENCH_PEERS:-tokenizers tiktoken gigatoken}
bench=$R/build/cpu/tests/bench/bench_tokenizer speed=$R/tests/oracle/tok_speed.py
read -ra texts <<<"$BENCH_TEXTS"
export XDG_CACHE_HOME=$T/cache
mkdir "$T/cache"

run() { # COMMAND…
	"$@" >"$T/out" 2>"$T/err" || {
		tail -3 "$T/err" >&2
		return 1
	}
}

quickest() { # COMMAND…: the least seconds of the rounds, finer than GNU time has them
	local least=1e9 i from took
	for ((i = 0; i < rounds; i++)); do
		from=$EPOCHREALTIME
		run "$@" || return 1
		took=$(calc "$EPOCHREALTIME - $from")
		least=$(calc "$took < $least ? $took : $least")
	done
	echo "$least"
}

least_cpu() { # COMMAND…
	local least=1e9 i
	for ((i = 0; i < rounds; i++)); do
		run measure "$@" || return 1
		least=$(calc "$cpu < $least ? $cpu : $least")
	done
	echo "$least"
}

texts_beside() { # DIR
	printf '%-30s %9s %9s %9s %9s\n' "MB/s a core" first ids offsets whole
	for text in "${texts[@]}"; do "$bench" "$1" "$text"; done >"$T/ours"
	awk -F'\t' '{ printf "  %-28s %9.0f %9.0f %9.0f %9.0f\n", $1, $3, $4, $7, $8 }' "$T/ours"
	[ -n "${BENCH_PYTHON:-}" ] || return 0
	for peer in $peers; do
		for text in "${texts[@]}"; do $BENCH_PYTHON "$speed" "$peer" "$1" "$text" || break; done >"$T/peer" 2>"$T/err"
		[ "$(wc -l <"$T/peer")" = ${#texts[@]} ] || {
			echo "  $peer: $(tail -1 "$T/err")"
			continue
		}
		paste "$T/ours" "$T/peer" | awk -F'\t' -v peer="$peer" '{ printf "  %-11s %-16.16s %9.1f %9.1f  we: × %.0f of its first pass, × %.1f; %s\n",
			peer, $1, $11, $12, $3 / $11, $4 / $12, $5 == $13 && $6 == $14 ? "same ids" : "OTHER IDS (" $5 " and " $13 ")" }'
	done
}

opening() { # DIR
	echo '{"text":"hello"}' >"$T/hello.jsonl"
	local parsed cached
	parsed=$(XDG_CACHE_HOME=/dev/null quickest tok -q -m "$1" "$T/hello.jsonl")
	tok -q -m "$1" "$T/hello.jsonl" >"$T/out"
	cached=$(quickest tok -q -m "$1" "$T/hello.jsonl")
	echo "opening, a whole process: $(calc "1e3 * $cached") ms, without compiled tables $(calc "1e3 * $parsed") ms"
	"$bench" "$1" "$T/hello.jsonl" | awk -F'\t' '{ printf "  in the process: %.2f ms\n", 1e3 * $2 }'
	[ -n "${BENCH_PYTHON:-}" ] || return 0
	for peer in $peers; do
		$BENCH_PYTHON "$speed" "$peer" "$1" >"$T/peer" 2>"$T/err" || continue
		load=$(cat "$T/peer")
		echo "  $peer: $(calc "1e3 * $load") ms in the process, × $(calc "$load / $cached") of our whole one"
	done
}

whole() { # DIR
	local ours theirs mb
	mb=$(calc "$(wc -c <"${texts[0]}") / 1e6")
	# As records of the same documents.
	awk -v RS='\n' -v ORS='' '{ d = d $0 "\n"; if (length(d) >= 1000) { print d "\0"; d = "" } } END { print d }' "${texts[0]}" |
		jq -Rsc 'split("\u0000")[] | {text: .}' >"$T/docs.jsonl"
	tmpl -q -m "$1" "$T/docs.jsonl" >"$T/docs.mp"
	ours=$(quickest tok -q -m "$1" "$T/docs.mp")
	echo "a whole process over $mb MB of $(basename "${texts[0]}"): $(calc "1e3 * $ours") ms"
	[ -n "${BENCH_PYTHON:-}" ] || return 0
	for peer in $peers; do
		# shellcheck disable=SC2086
		theirs=$(rounds=2 quickest $BENCH_PYTHON "$speed" "$peer" "$1" --to "$T/ids" "${texts[0]}") || continue
		echo "  $peer: $(calc "1e3 * $theirs") ms, × $(calc "$theirs / $ours")"
	done
}

chat() { # DIR
	[ -n "${BENCH_ROWS:-}" ] || return 0
	local i mb s
	for ((i = 0; i < 10; i++)); do cat "$BENCH_ROWS"; done >"$T/rows.jsonl"
	tmpl -q --as-messages -m "$1" "$T/rows.jsonl" >"$T/text.mp" || return 0
	mb=$(calc "$(wc -c <"$T/text.mp") / 1e6")
	s=$(least_cpu tok -q -j 1 --skip-bad -m "$1" "$T/text.mp")
	echo "chat records, $mb MB of text stream to tokens stream: $(calc "$mb / $s") MB/s of a core"
}

echo "text to ids ($(machine))"
for dir in $BENCH_TOKENIZERS; do
	echo "== $(basename "$dir")"
	opening "$dir"
	texts_beside "$dir"
	whole "$dir"
	chat "$dir"
done
