#!/usr/bin/env bash
# QLoRA (Dettmers et al. 2023): the model in double-quantised NF4, once; a LoRA trained on that; merged in bf16 into
# the values that it was trained on.
#
#   MODEL=Llama-3.2-1B-Instruct DATA=prefs.jsonl OUT=out pipelines/qlora.sh
#
# LOSS names the pipeline that trains: orpo, dpo or sft, whose settings are variables as ever. The defaults are those
# that the usual recipes share. The quantised model is made again only when the model or a flag of it differs.
set -euo pipefail
here=$(dirname "$0")
[ -n "${LORA_DROPOUT+x}" ] || LORA_DROPOUT=0.05
. "$here/lib.sh"
set_default LOSS orpo
set_default QUANT_FLAGS "-t nf4 --double-quant --compute-dtype bfloat16"
set_default QUANTISED "$OUT/nf4"

# shellcheck disable=SC2086 # flags are lists of words
if stale "$QUANTISED/config.json" "$QUANTISED.how" "$MODEL $QUANT_FLAGS" "$MODEL"; then
	quant -m "$MODEL" $QUANT_FLAGS -o "$QUANTISED" --force
	echo "$MODEL $QUANT_FLAGS" >"$QUANTISED.how"
fi
export MODEL=$QUANTISED DATA OUT LORA_DROPOUT
export TRAIN_FLAGS="--optim paged_adamw_8bit $TRAIN_FLAGS" MERGE_FLAGS="--dtype bfloat16 $MERGE_FLAGS"
exec "$here/$LOSS.sh"
