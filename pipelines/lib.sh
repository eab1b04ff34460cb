# shellcheck shell=bash
# What the pipelines share: settings with defaults that the environment overrides, and saying which stage failed.

# set_default NAME VALUE: NAME keeps what the environment gave it, the empty string included.
set_default() { [ -n "${!1+x}" ] || printf -v "$1" %s "$2"; }

need() { # NAME WHAT
	[ -n "${!1:-}" ] || { echo "${0##*/}: $1 is not set: $2" >&2; exit 2; }
}

# stale FILE HOW_FILE HOW INPUT…: FILE is to be made: it was made otherwise than HOW, or an input is newer.
stale() {
	[ "$3" != "$(cat "$2" 2>&1)" ] || [ -n "$(find -L "${@:4}" -type f -newer "$1" 2>&1 | head -n 1)" ]
}

# After a pipeline: `a | b | c || failed "${PIPESTATUS[*]}" a b c` names the stages that failed and ends with
# the status of the first that did not merely lose its reader (141).
failed() {
	local statuses cause=0 i=0 stage
	read -ra statuses <<<"$1"
	shift
	for stage; do
		if [ "${statuses[i]}" != 0 ]; then
			echo "${0##*/}: $stage ended with status ${statuses[i]}" >&2
			if [ $cause = 0 ] || [ $cause = 141 ]; then cause=${statuses[i]}; fi
		fi
		i=$((i + 1))
	done
	exit "$cause"
}

# The settings of every pipeline. The training defaults are the article's: LoRA of rank 16 on all seven projections.
need MODEL "a Hugging Face model directory"
need DATA "JSON or JSON lines with the training rows"
set_default OUT out                # adapter/, train.mp, merged/ and the cache come here
set_default TMPL_FLAGS ""          # --as-messages, --map …, --tools …
set_default MAX_LENGTH 1024
set_default MAX_PROMPT_LENGTH 512
set_default TOK_FLAGS ""
set_default LORA_R 16
set_default LORA_ALPHA 32
set_default LORA_DROPOUT 0
set_default LORA_TARGETS all-linear
set_default EPOCHS 1
set_default BATCH_SIZE 8
set_default SEED 42
set_default DEVICE_FLAGS ""        # --device, --precision, --kernels, -j: refscore and train-step
set_default TRAIN_FLAGS ""         # --resume --save-steps 100, --warmup-ratio 0.1, …
set_default MERGE_FLAGS ""
mkdir -p "$OUT"

lora="--lora-r $LORA_R --lora-alpha $LORA_ALPHA --lora-dropout $LORA_DROPOUT --lora-target-modules $LORA_TARGETS"
limits="--max-length $MAX_LENGTH --max-prompt-length $MAX_PROMPT_LENGTH"
run="--num-train-epochs $EPOCHS --batch-size $BATCH_SIZE --seed $SEED --max-length $MAX_LENGTH"
