#!/usr/bin/env bash
# DPO steps of a LoRA (r 16, alpha 32, seven projections) on real rows: the stages here, and a peer's trainer.
#   BENCH_MODEL=DIR              a model with its tokenizer and a chat_template.jinja
#   BENCH_ROWS=FILE              JSON lines of prompt, chosen, rejected: messages, put into the template …
#   BENCH_PLAIN_ROWS=FILE        … or strings, taken as they are (short dialogues as in HH); one of both, or both
#   BENCH_PEER_DPO=COMMAND       a peer that takes -m --data --pairs --batch --max-length --precision --lr
#                                [--template FILE] [--best] and prints a line of JSON with pairs_per_s_whole,
#                                precompute_s, peak_rss_mb, losses (optional)
#   BENCH_PAIRS=64 BENCH_BATCH=8 BENCH_MAX_LENGTH=512 BENCH_PRECISION=bf16
# pairs/s are over all steps of one epoch, the first included, loading not; with the reference's pass it is "cold".
. "$(dirname "$0")/lib.sh"
need BENCH_MODEL "a model directory"
[ -n "${BENCH_PLAIN_ROWS:-}" ] || need BENCH_ROWS "a file of preference rows"
pairs=${BENCH_PAIRS:-64} batch=${BENCH_BATCH:-8} length=${BENCH_MAX_LENGTH:-512} precision=${BENCH_PRECISION:-bf16}
row() { printf '%-28s %8s pairs/s %8s cold %8s MB  loss %s\n' "$@"; }
losses() { jq -rs 'map(.loss // empty) | "\(.[0]) … \(.[-1])"'; }

ours() {
	measure tmpl -q -m "$BENCH_MODEL" "${as[@]}" "$T/rows.jsonl" >"$T/text.mp"
	tmpl_s=$wall
	# Rows whose prompt alone is too long are left out, as TRL leaves them out.
	measure tok -q -m "$BENCH_MODEL" --max-length "$length" --skip-bad "$T/text.mp" >"$T/tokens.mp" 2>"$T/tok.err"
	tok_s=$wall
	kept=$(mpcat -c "$T/tokens.mp" | grep -oE '[0-9]+' | tail -1)
	measure refscore -q -m "$BENCH_MODEL" --precision "$precision" "$T/tokens.mp" >"$T/ref.mp"
	ref_s=$wall ref_rss=$rss
	measure train-step -q -m "$BENCH_MODEL" --precision "$precision" --loss dpo --lora-r 16 --lora-alpha 32 \
		--num-train-epochs 1 --batch-size "$batch" --max-length "$length" --learning-rate 1e-4 \
		--timing "$T/timing.jsonl" -o "$T/adapter" --force "$T/ref.mp" >"$T/train.mp"
	rss_ours=$rss cpu_ours=$cpu
	train_s=$(jq -s 'map(.seconds) | add' "$T/timing.jsonl")
	rate_ours=$(calc "$kept / $train_s") cold=$(calc "$kept / ($train_s + $ref_s)")
	work=$(step_work "$BENCH_MODEL" "$T/ref.mp" 16) most=$(roof "$precision")

	echo "DPO, $1: $kept pairs ($pairs rows) in batches of $batch, at most $length tokens, $precision ($(machine))"
	row "sluice" "$rate_ours" "$cold" "$rss_ours" "$(mpcat "$T/train.mp" | losses)"
	echo "  tmpl $tmpl_s s, tok $tok_s s, refscore $ref_s s ($ref_rss MB), train-step $wall s with loading ($cpu_ours s of CPU)"
	echo "  $(calc "$work / $train_s") GF/s, $(calc "$most > 0 ? $work / $train_s / $most : 0") of the roof ($most GF/s, $precision)"
}

peer() { # NAME [SWITCH…]
	local name=$1 rate memory template=()
	shift
	[ ${#as[@]} = 0 ] || template=(--template "$BENCH_MODEL/chat_template.jinja")
	$BENCH_PEER_DPO -m "$BENCH_MODEL" --data "$T/rows.jsonl" --pairs "$pairs" --batch "$batch" --max-length "$length" \
		--precision "$precision" --lr 1e-4 "${template[@]}" "$@" >"$T/peer.json" 2>"$T/peer.err" || {
		tail -3 "$T/peer.err"
		return
	}
	rate=$(jq .pairs_per_s_whole "$T/peer.json") memory=$(jq .peak_rss_mb "$T/peer.json")
	name+=", $(jq .pairs "$T/peer.json") pairs"
	row "$name" "$rate" "$(jq .pairs_per_s_cold "$T/peer.json")" "$memory" "$(jq -r '"\(.loss_first) … \(.loss_last)"' "$T/peer.json")"
	echo "  sluice: $(calc "$rate_ours / $rate") times its pairs/s, $(calc "$rss_ours / $memory") of its memory," \
		"$(calc "$cpu_ours / $(jq .train_cpu_s "$T/peer.json")") of its CPU time in training"
}

side_by_side() { # WHAT FILE TMPL_OPTION…
	local what=$1 rows=$2
	shift 2
	as=("$@")
	head -n "$pairs" "$rows" >"$T/rows.jsonl"
	ours "$what"
	[ -n "${BENCH_PEER_DPO:-}" ] || return 0
	peer "peer, its defaults"
	peer "peer, at its best" --best
}
[ -z "${BENCH_ROWS:-}" ] || side_by_side "rows in a template" "$BENCH_ROWS" --as-messages
[ -z "${BENCH_PLAIN_ROWS:-}" ] || side_by_side "rows of strings" "$BENCH_PLAIN_ROWS"
