#!/usr/bin/env bash
# Chat templates beside a peer's, on the same rows: microseconds a conversation of the render alone, then
# megabytes of rows a second from file to stream.
#   BENCH_ROWS=FILE         JSON lines with prompt and chosen (and rejected) as strings
#   BENCH_TEMPLATES='FILE…' templates beside ChatML
#   BENCH_PEER_TMPL=COMMAND a peer that takes --template FILE --data FILE and prints a line of JSON with us_cpu,
#                           its apply_chat_template, us_render, the render in it, and us_minijinja (optional)
#   BENCH_ROUNDS=5
. "$(dirname "$0")/lib.sh"
need BENCH_ROWS "JSON lines of prompt, chosen, rejected"

cat >"$T/ChatML" <<'J'
{% for message in messages %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}
J
bench_tmpl=$R/build/cpu/tests/bench/bench_tmpl
rows=$T/rows.jsonl
for ((i = 0; i < 30; i++)); do cat "$BENCH_ROWS"; done >"$rows"
mb=$(calc "$(wc -c <"$rows") / 1e6")

# Seconds of one core, from rows to stream: the least of several.
run() {
	local best=1e9
	for ((i = 0; i < ${BENCH_ROUNDS:-5}; i++)); do
		measure tmpl -q -j 1 --as-messages --chat-template "$1" "$rows" >/dev/null
		best=$(calc "$cpu < $best ? $cpu : $best")
	done
	echo "$best"
}

echo "chat templates ($(machine))"
printf '%-36s %8s %8s' template 'µs' 'MB/s'
[ -z "${BENCH_PEER_TMPL:-}" ] || printf ' %9s %6s %9s %6s %9s %6s' apply × render × minijinja ×
echo
for template in "$T/ChatML" ${BENCH_TEMPLATES:-}; do
	us=$("$bench_tmpl" "$template" "$BENCH_ROWS")
	printf '%-36s %8.2f %8.0f' "$(basename "$template" .jinja)" "$us" "$(calc "$mb / $(run "$template")")"
	if [ -n "${BENCH_PEER_TMPL:-}" ]; then
		$BENCH_PEER_TMPL --template "$template" --data "$BENCH_ROWS" >"$T/peer.json" 2>"$T/peer.err" || {
			tail -3 "$T/peer.err"
			exit 1
		}
		for figure in us_cpu us_render us_minijinja; do
			theirs=$(jq -r ".$figure // 0" "$T/peer.json")
			printf ' %9.2f %6.1f' "$theirs" "$(calc "$theirs / $us")"
		done
	fi
	echo
done
