#!/usr/bin/env bash
# SFT: prompts with completions, conversations, or preference rows (their chosen side) → LoRA adapter → merged
# model, in one pipe.
#
#   MODEL=Llama-3.2-1B-Instruct DATA=chats.jsonl OUT=out pipelines/sft.sh
#
# Every setting is a variable: those of lib.sh, and the ones here.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
set_default LEARNING_RATE 2e-5

# shellcheck disable=SC2086 # flags are lists of words
tmpl -m "$MODEL" $TMPL_FLAGS "$DATA" | tok -m "$MODEL" $limits $TOK_FLAGS |
	train-step -m "$MODEL" --loss sft --learning-rate "$LEARNING_RATE" $lora $run $DEVICE_FLAGS $TRAIN_FLAGS \
		-o "$OUT/adapter" | tee "$OUT/train.mp" |
	merge-lora -m "$MODEL" $MERGE_FLAGS -o "$OUT/merged" ||
	failed "${PIPESTATUS[*]}" tmpl tok train-step tee merge-lora
