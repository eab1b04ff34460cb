#!/usr/bin/env bash
# A stage that dies in mid-stream: the next one says that its input is cut, ends with status 1, and nothing is
# committed anywhere downstream.
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1

M=$SAMPLE
head -n 200 "$R/pipelines/sample/prefs.jsonl" >rows.jsonl
tmpl -q -m "$M" --as-messages -o text.mp rows.jsonl
tok -q -m "$M" -o tokens.mp text.mp
refscore -q -m "$M" -o ref.mp tokens.mp
train-step -q -m "$M" --loss dpo --max-steps 3 -o adapter ref.mp >train.mp

# Feeds STAGE from a pipe that stays open, waits until it has written something, and kills it: what the next
# stage gets is what a killed stage leaves.
fed() { # INPUT BYTES: the first BYTES of it, then nothing, without an end
	head -c "$2" "$1"
	sleep 30
}
written() { # waits until something has come, a header and some records
	for _ in $(seq 400); do
		[ "$(stat -c %s partial.mp 2>/dev/null || echo 0)" -gt 1500 ] && return
		sleep 0.05
	done
}
killed() { # INPUT BYTES STAGE…: its output, cut off by kill -9
	local in=$1 bytes=$2 pid
	shift 2
	mkfifo in.fifo
	fed "$in" "$bytes" >in.fifo &
	local feeder=$!
	rm -f partial.mp
	"$@" <in.fifo >partial.mp 2>/dev/null &
	pid=$!
	written
	kill -9 $pid
	wait $pid 2>/dev/null
	kill $feeder
	wait $feeder 2>/dev/null
	rm in.fifo
}

# The next stage on what was left: status 1, the word, nothing under the name it was to write.
cut_off() { # WHO NEXT OUTPUT COMMAND…
	local who=$1 next=$2 output=$3
	shift 3
	ok "$([ -s partial.mp ]; echo $?)" "$who was killed after it had written something"
	status 1 "$next ends with status 1 when $who is killed" "$@"
	like "$(cat err)" "$next: .*truncated after record [0-9]+" "$next says where the stream ends"
	ok "$([ ! -e "$output" ]; echo $?)" "$next commits nothing"
	ok "$([ -z "$(find . -name '*.tmp*' -o -name '.*tmp*')" ]; echo $?)" "$next leaves no temporary file"
}

killed rows.jsonl 20000 tmpl -m "$M" --as-messages
cut_off tmpl tok out.mp tok -m "$M" -o out.mp partial.mp
killed text.mp 20000 tok -m "$M"
cut_off tok refscore out.mp refscore -m "$M" -o out.mp partial.mp
cut_off tok train-step out.adapter train-step -m "$M" --loss orpo -o out.adapter partial.mp
killed tokens.mp 20000 refscore -m "$M"
cut_off refscore train-step out.adapter train-step -m "$M" --loss dpo -o out.adapter partial.mp

# train-step knows how many steps there are only when it has all rows: killed while it trains.
rm partial.mp
train-step -q -m "$M" --loss dpo --num-train-epochs 1000 -o killed.adapter ref.mp >partial.mp 2>/dev/null &
pid=$!
written
kill -9 $pid
wait $pid 2>/dev/null
cut_off train-step merge-lora merged merge-lora -m "$M" -o merged partial.mp
ok "$([ ! -e killed.adapter/adapter_model.safetensors ]; echo $?)" "the killed train-step has committed no adapter"

# The same through a real pipe, and through the pipelines' scripts.
head -c 30000 ref.mp | train-step -q -m "$M" --loss dpo --max-steps 2 2>err | merge-lora -q -m "$M" -o merged 2>>err
is "${PIPESTATUS[*]}" "0 1 1" "every stage behind the cut ends with status 1"
ok "$([ ! -e merged ]; echo $?)" "and no model is written"
sed '100s/.*/{"prompt": "x", "chosen": 7, "rejected": "y"}/' rows.jsonl >bad.jsonl
MODEL=$M DATA=bad.jsonl OUT=dpo TMPL_FLAGS=--as-messages status 1 "dpo.sh ends with the status of the stage at fault" \
	"$R/pipelines/dpo.sh"
like "$(cat err)" "dpo.sh: tmpl ended with status 1" "dpo.sh names that stage"
ok "$([ ! -e dpo/ref.mp.gz ] && [ ! -e dpo/merged ]; echo $?)" "dpo.sh leaves neither reference nor model"
MODEL=$M DATA=bad.jsonl OUT=orpo TMPL_FLAGS=--as-messages status 1 "so does orpo.sh" "$R/pipelines/orpo.sh"
ok "$([ ! -e orpo/merged ]; echo $?)" "orpo.sh leaves no model"
done_testing
