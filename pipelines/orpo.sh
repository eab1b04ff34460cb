#!/usr/bin/env bash
# ORPO (Hong et al. 2024): preference rows → LoRA adapter → merged model, in one pipe. No reference model.
#
#   MODEL=Llama-3.2-1B-Instruct DATA=prefs.jsonl OUT=out pipelines/orpo.sh
#
# Every setting is a variable: those of lib.sh, and the ones here. BETA is the paper's lambda.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
set_default BETA 0.1
set_default LEARNING_RATE 8e-6

# shellcheck disable=SC2086 # flags are lists of words
tmpl -m "$MODEL" $TMPL_FLAGS "$DATA" | tok -m "$MODEL" $limits $TOK_FLAGS |
	train-step -m "$MODEL" --loss orpo --beta "$BETA" --learning-rate "$LEARNING_RATE" $lora $run $DEVICE_FLAGS \
		$TRAIN_FLAGS -o "$OUT/adapter" | tee "$OUT/train.mp" |
	merge-lora -m "$MODEL" $MERGE_FLAGS -o "$OUT/merged" ||
	failed "${PIPESTATUS[*]}" tmpl tok train-step tee merge-lora
