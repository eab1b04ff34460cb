#!/usr/bin/env bash
# DPO (Rafailov et al. 2023): preference rows → reference log-probs, cached → LoRA adapter → merged model.
#
#   MODEL=Llama-3.2-1B-Instruct DATA=prefs.jsonl OUT=out pipelines/dpo.sh
#
# Every setting is a variable: those of lib.sh, and the ones here. The reference is computed again only when
# the model, the data or a flag that made it differs from last time.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
set_default BETA 0.1
set_default LEARNING_RATE 8e-6
set_default REFERENCE "$OUT/ref.mp.gz"
set_default REFSCORE_FLAGS ""

# shellcheck disable=SC2086 # flags are lists of words
{
	how="$MODEL $DATA $TMPL_FLAGS $limits $TOK_FLAGS $DEVICE_FLAGS $REFSCORE_FLAGS"
	if stale "$REFERENCE" "$REFERENCE.how" "$how" "$MODEL" "$DATA"; then
		tmpl -m "$MODEL" $TMPL_FLAGS "$DATA" | tok -m "$MODEL" $limits $TOK_FLAGS |
			refscore -m "$MODEL" $DEVICE_FLAGS $REFSCORE_FLAGS -z -o "$REFERENCE" ||
			failed "${PIPESTATUS[*]}" tmpl tok refscore
		echo "$how" >"$REFERENCE.how"
	fi
	train-step -m "$MODEL" --loss dpo --beta "$BETA" --learning-rate "$LEARNING_RATE" $lora $run $DEVICE_FLAGS \
		$TRAIN_FLAGS -o "$OUT/adapter" "$REFERENCE" | tee "$OUT/train.mp" |
		merge-lora -m "$MODEL" $MERGE_FLAGS -o "$OUT/merged" ||
		failed "${PIPESTATUS[*]}" train-step tee merge-lora
}
